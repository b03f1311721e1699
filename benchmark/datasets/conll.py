"""Local CoNLL files: a token a line, columns parted by white space, an empty line after each sentence.

The first column is the token, the last one its tag. `-DOCSTART-` lines are dropped and mark document borders.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmark.errors import BadInput
from benchmark.tag_schemes import to_iob2
from benchmark.types import Sentence

__all__ = ["read_conll"]

_DOCUMENT = "-DOCSTART-"


def read_conll(path: Path, split: str, scheme: str = "IOB2") -> tuple[Sentence, ...]:
    """Read a CoNLL file.

    Args:
        path: the file, UTF-8.
        split: prefix of the sentence ids; the number that follows counts sentences from 0.
        scheme: tag scheme of the file, one of `tag_schemes.SCHEMES`.

    Raises:
        BadInput: missing, empty, not UTF-8, ragged columns, a tag sequence that the scheme does not allow. The file and
            the line are named.
    """
    sentences: list[Sentence] = []
    documents = 0
    for first_line, rows in _blocks(path):
        if rows[0][0] == _DOCUMENT:
            documents += 1
            continue
        try:
            tags = to_iob2([row[-1] for row in rows], scheme)
        except BadInput as error:
            raise BadInput(f"{path}, sentence at line {first_line}: {error}") from None
        document = f"{split}-doc-{documents}" if documents else None
        sentences.append(Sentence(f"{split}-{len(sentences)}", tuple(row[0] for row in rows), tags, document=document))
    if not sentences:
        raise BadInput(f"{path} holds no sentences")
    return tuple(sentences)


def _blocks(path: Path) -> Iterator[tuple[int, list[list[str]]]]:
    """Yield (number of the first line, rows) for each sentence and each document mark."""
    rows: list[list[str]] = []
    width: int | None = None
    start = 1
    for number, line in enumerate(_text(path).split("\n"), 1):
        # White space in the narrow sense: exotic characters such as U+0085 or a zero-width space belong to tokens.
        columns = line.strip(" \t\r").replace("\t", " ").split(" ")
        columns = [column for column in columns if column]
        mark = columns[:1] == [_DOCUMENT]  # ends a sentence as an empty line does; some files put none beside it
        if not columns or mark:
            if rows:
                yield start, rows
            if mark:
                yield number, [columns]
            rows, start = [], number + 1
            continue
        if len(columns) < 2:  # noqa: PLR2004 - token and tag
            raise BadInput(f"{path}, line {number}: one column only; a token and a tag are needed")
        if width is not None and len(columns) != width:
            raise BadInput(f"{path}, line {number}: {len(columns)} columns, but {width} before (ragged columns)")
        width = len(columns)
        rows.append(columns)
    if rows:
        yield start, rows


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"no such file: {path}") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 (byte {error.start}); convert it first, e.g. with iconv") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
