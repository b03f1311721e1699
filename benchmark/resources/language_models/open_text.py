"""Reading text to train a language model on: plain text, CoNLL files, WordNet's data files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmark.datasets.conll import read_conll
from benchmark.errors import BadInput

__all__ = ["read_texts"]

_QUOTED = re.compile(r'"([^"]+)"')
_WORDNET = ("data.noun", "data.verb", "data.adj", "data.adv")
_SHORTEST = 4  # words


def read_texts(files: Sequence[Path]) -> list[str]:
    """Return the sentences or paragraphs of some files.

    Args:
        files: `*.conll` (tokens of its sentences), `data.noun` and the like (WordNet: glosses and example sentences),
            anything else is plain text, one sentence or paragraph a line.

    Raises:
        BadInput: a file cannot be read.
    """
    return [text for file in files for text in _texts(file) if len(text.split()) >= _SHORTEST]


def _texts(file: Path) -> Iterator[str]:
    if file.suffix == ".conll":
        for sentence in read_conll(file, file.stem):
            yield sentence.text
        return
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read as text: {error}") from None
    wordnet = file.name in _WORDNET
    for line in lines:
        if not wordnet:
            yield line.strip()
        elif not line.startswith("  "):  # WordNet's licence heads each file, indented
            gloss = line.rpartition("|")[2].strip()
            yield gloss.partition('"')[0].strip(" ;")
            yield from _QUOTED.findall(gloss)
