"""Tag schemes: everything that comes in becomes IOB2, and a wrong sequence is an error at the door."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from benchmark.errors import BadInput

__all__ = ["SCHEMES", "Span", "is_iob2", "spans_to_tags", "strict_spans", "tags_to_spans", "to_iob2"]


class Span(NamedTuple):
    """A named mention: tokens `start` to `end` (exclusive) and its type."""

    start: int
    end: int
    type: str


SCHEMES = ("IOB1", "IOB2", "BIOES", "BILOU")

_OPENING = frozenset("BSU")  # B-, and the one-token marks of BIOES and BILOU
_CLOSING = frozenset("ESLU")


def to_iob2(tags: Sequence[str], scheme: str = "IOB2") -> tuple[str, ...]:
    """Convert one sentence's tags to IOB2.

    Args:
        tags: one tag a token, `O` or `PREFIX-TYPE`.
        scheme: one of `SCHEMES`.

    Raises:
        BadInput: the scheme is unknown, a tag is malformed, or the sequence is not valid in the scheme
            (in IOB2: a dangling `I-`). Nothing is repaired in silence.
    """
    if scheme not in SCHEMES:
        raise BadInput(f"unknown tag scheme {scheme!r}; known: {', '.join(SCHEMES)}")
    parsed = [_parse(tag, position) for position, tag in enumerate(tags)]
    if scheme == "IOB1":
        return _from_iob1(parsed)
    if scheme == "IOB2":
        _require_iob2(parsed)
        return tuple(tags)
    return _from_closed(parsed, scheme)


def tags_to_spans(tags: Sequence[str]) -> tuple[Span, ...]:
    """Read spans as every consumer of a tagger does: an `I-` with nothing to continue opens a span.

    This is the reading of conlleval and of seqeval's default mode. Goals use it, so that a prediction that names the
    right words and type is not called broken for its `B-`/`I-` spelling.
    """
    return _read_spans(tuple(tags), strict=False)


def strict_spans(tags: Sequence[str]) -> tuple[Span, ...]:
    """Read spans as seqeval's strict IOB2 mode does: only `B-` opens a span, a dangling `I-` is dropped."""
    return _read_spans(tuple(tags), strict=True)


def is_iob2(label: str) -> bool:
    """Tell whether a label is O, B-TYPE or I-TYPE."""
    return label == "O" or (label[:2] in {"B-", "I-"} and bool(label[2:]))


def spans_to_tags(spans: Iterable[Span], length: int) -> tuple[str, ...]:
    """Write non-overlapping spans as IOB2 tags over `length` tokens."""
    tags = ["O"] * length
    for span in spans:
        if not 0 <= span.start < span.end <= length:
            raise BadInput(f"span {span.start}-{span.end} lies outside a sentence of {length} tokens")
        if any(tag != "O" for tag in tags[span.start : span.end]):
            raise BadInput(f"span {span.start}-{span.end} ({span.type}) overlaps another one")
        tags[span.start : span.end] = ["B-" + span.type, *["I-" + span.type] * (span.end - span.start - 1)]
    return tuple(tags)


@lru_cache(maxsize=1024)  # the candidates of a sentence share its tags, and most of its predictions
def _read_spans(tags: tuple[str, ...], *, strict: bool) -> tuple[Span, ...]:
    spans: list[Span] = []
    start, kind = 0, None  # the open span, if any
    for i, tag in enumerate((*tags, "O")):
        prefix, _, name = tag.partition("-")
        continues = prefix == "I" and name == kind
        if kind is not None and not continues:
            spans.append(Span(start, i, kind))
            kind = None
        if prefix == "B" or (prefix == "I" and not continues and not strict):
            start, kind = i, name
    return tuple(spans)


def _parse(tag: str, position: int) -> tuple[str, str]:
    if tag == "O":
        return "O", ""
    prefix, dash, name = tag.partition("-")
    if not dash or not name or prefix not in set("BIESLU"):
        raise BadInput(f"tag {tag!r} at token {position} is neither O nor PREFIX-TYPE")
    return prefix, name


def _require_iob2(parsed: list[tuple[str, str]]) -> None:
    before = ("O", "")
    for position, (prefix, name) in enumerate(parsed):
        if prefix not in "BIO":
            raise BadInput(
                f"{prefix}-{name} at token {position} is not IOB2; name the scheme of the file (--scheme BIOES, BILOU)"
            )
        if prefix == "I" and (before[0] == "O" or before[1] != name):
            raise BadInput(
                f"I-{name} at token {position} continues no entity (dangling I-); "
                "mend the file, or name its scheme (--scheme IOB1)"
            )
        before = (prefix, name)


def _from_iob1(parsed: list[tuple[str, str]]) -> tuple[str, ...]:
    out: list[str] = []
    before = ("O", "")
    for position, (prefix, name) in enumerate(parsed):
        if prefix not in "BIO":
            raise BadInput(f"{prefix}-{name} at token {position} is not IOB1")
        opens = prefix == "B" or before[0] == "O" or before[1] != name
        out.append("O" if prefix == "O" else f"{'B' if opens else 'I'}-{name}")
        before = (prefix, name)
    return tuple(out)


def _from_closed(parsed: list[tuple[str, str]], scheme: str) -> tuple[str, ...]:
    allowed = set("BIESO") if scheme == "BIOES" else set("BILUO")
    out: list[str] = []
    open_type: str | None = None
    for position, (prefix, name) in enumerate(parsed):
        if prefix not in allowed:
            raise BadInput(f"{prefix}-{name} at token {position} is not {scheme}")
        opens = prefix in _OPENING
        if (prefix == "O" or opens) != (open_type is None) or (not opens and prefix != "O" and name != open_type):
            raise BadInput(f"{prefix}-{name} at token {position} is out of order in {scheme}")
        out.append("O" if prefix == "O" else f"{'B' if opens else 'I'}-{name}")
        open_type = None if prefix == "O" or prefix in _CLOSING else name
    if open_type is not None:
        raise BadInput(f"the last {open_type} entity is never closed in {scheme}")
    return tuple(out)
