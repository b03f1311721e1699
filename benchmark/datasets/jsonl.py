"""JSONL with character spans: `{"text": "…", "spans": [{"start": 0, "end": 9, "label": "PER"}], "document": "…"}`.

The text is cut into tokens at white space and at punctuation; a span must begin and end at token borders.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from benchmark.errors import BadInput
from benchmark.tag_schemes import spans_to_tags
from benchmark.types import Sentence, Span

__all__ = ["read_jsonl"]

# A word with inner apostrophes, hyphens, dots and the like stays whole; other marks stand alone.
# Combining marks belong to the letter before.
_LETTERS = r"\w[\w\u0300-\u036f\u0900-\u0dff\u20d0-\u20ff]*"
_TOKEN = re.compile(rf"{_LETTERS}(?:[-'\u2019.,:/&@_]{_LETTERS})*|[^\w\s]")


def read_jsonl(path: Path, split: str) -> tuple[Sentence, ...]:
    """Read a JSONL file; sentence ids are the split and the line's number from 0 (or the record's own "id").

    Raises:
        BadInput: missing, empty, malformed JSON, spans outside the text or inside tokens; the line is named.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError:
        raise BadInput(f"no such file: {path}") from None
    except (UnicodeDecodeError, OSError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from None
    sentences: list[Sentence] = []
    ids: set[str] = set()
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                sentence = _sentence(json.loads(line), f"{split}-{len(sentences)}")
                if sentence.id in ids:
                    raise BadInput(f"the id {sentence.id!r} is taken by an earlier line")
                ids.add(sentence.id)
                sentences.append(sentence)
            except (BadInput, KeyError, TypeError, ValueError) as error:
                raise BadInput(f"{path}, line {number}: {_explain(error)}") from None
    if not sentences:
        raise BadInput(f"{path} holds no sentences")
    return tuple(sentences)


def _sentence(record: dict[str, Any], default_id: str) -> Sentence:
    text = record["text"]
    if not isinstance(text, str):
        raise BadInput(f"the text is no string but {text!r}")
    text.encode("utf-8")  # half a surrogate pair is no text
    pieces = [(m.start(), m.end()) for m in _TOKEN.finditer(text)]
    if not pieces:
        raise BadInput("no tokens in the text")
    starts = {start: i for i, (start, _) in enumerate(pieces)}
    ends = {end: i for i, (_, end) in enumerate(pieces)}
    spans = []
    for span in record.get("spans", []):
        if not isinstance(span, dict):
            raise BadInput(f'a span is {{"start": …, "end": …, "label": …}} and not {span!r}')
        first, last = starts.get(span["start"]), ends.get(span["end"])
        if first is None or last is None:
            surface = text[span["start"] : span["end"]]
            raise BadInput(f"span {span['start']}-{span['end']} ({surface!r}) does not begin and end at token borders")
        label = span["label"]
        if not isinstance(label, str) or not label:
            raise BadInput(f"span {span['start']}-{span['end']} has no label")
        spans.append(Span(first, last + 1, label))
    tokens = tuple(text[start:end] for start, end in pieces)
    document = record.get("document")
    return Sentence(
        str(record.get("id", default_id)),
        tokens,
        spans_to_tags(spans, len(tokens)),
        document=None if document is None else str(document),
    )


def _explain(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing; wanted: text, spans with start, end, label"
    return str(error)
