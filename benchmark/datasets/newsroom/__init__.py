"""The embedded corpus `newsroom`; see DATASHEET.md beside this file.

Inline markup, one sentence a line, `[PER Ana Ruiz] left [ORG Tallinn Water] .`, a line `# name` before each document.
"""

from __future__ import annotations

import re
from importlib.resources import files

from benchmark.datasets.dataset import Dataset
from benchmark.errors import BadInput
from benchmark.tag_schemes import spans_to_tags
from benchmark.types import Sentence, Span

__all__ = ["load", "parse_markup"]

_MENTION = re.compile(r"\[([A-Z]+) ([^\[\]]+)\]")


def load() -> Dataset:
    """Load the corpus."""
    folder = files(__name__)
    splits = {
        split: tuple(parse_markup(folder.joinpath(f"{split}.txt").read_text(encoding="utf-8"), split))
        for split in ("train", "dev", "test")
    }
    return Dataset("newsroom", splits, "embedded")


def parse_markup(text: str, split: str) -> list[Sentence]:
    """Read sentences in inline markup.

    Args:
        text: the file's content.
        split: prefix of the sentence ids; the number that follows counts sentences from 0.

    Raises:
        BadInput: stray brackets or spaces; the line's number is named.
    """
    sentences: list[Sentence] = []
    document: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("# "):
            document = line[2:]
        elif line:
            try:
                tokens, spans = _parse_line(line)
                tags = spans_to_tags(spans, len(tokens))
            except BadInput as error:
                raise BadInput(f"{split}.txt line {number}: {error}") from None
            sentences.append(Sentence(f"{split}-{len(sentences)}", tuple(tokens), tags, document=document))
    return sentences


def _parse_line(line: str) -> tuple[list[str], list[Span]]:
    tokens: list[str] = []
    spans: list[Span] = []
    for k, part in enumerate(_MENTION.split(f" {line} ")):
        # re.split with two groups yields: text, type, mention, text, type, mention, …, text.
        if k % 3 == 1:
            kind = part
            continue
        words = part.split()
        if any("[" in word or "]" in word for word in words):
            raise BadInput("a bracket that is no mention")
        if k % 3 == 2:  # noqa: PLR2004 - the mention's words
            spans.append(Span(len(tokens), len(tokens) + len(words), kind))
        elif not part.startswith(" ") or not part.endswith(" "):
            raise BadInput("no space before or after a mention")
        tokens += words
    if not tokens:
        raise BadInput("no tokens")
    return tokens, spans
