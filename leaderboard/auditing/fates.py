"""What became of gold mentions: found, missed, taken for another type, cut at other borders."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.tag_schemes import strict_spans, tags_to_spans
from benchmark.types import Sentence, Span, Tags

__all__ = ["FATES", "fate", "told"]

# In the order in which they are shown, with what each says of the model.
FATES = {
    "found": "borders and type are right",
    "missed": "nothing is found there",
    "other type": "the borders are right, the type is not",
    "other borders": "a mention is found that only overlaps it",
}


def fate(mention: Span, found: Sequence[Span]) -> str:
    """Return what became of a gold mention among predicted ones."""
    if mention in found:
        return "found"
    if any((mention.start, mention.end) == (span.start, span.end) for span in found):
        return "other type"
    return "other borders" if any(_overlap(mention, span) for span in found) else "missed"


def told(text: Sentence, predicted: Tags) -> list[str]:
    """Say in words what is wrong with a prediction, mention by mention.

    Args:
        text: with its gold tags.
        predicted: the model's tags of it.
    """
    gold, found = strict_spans(text.tags), tags_to_spans(predicted)
    words = []
    for mention in gold:
        name = " ".join(text.tokens[mention.start : mention.end])
        over = [span for span in found if _overlap(mention, span)]
        became = fate(mention, found)
        if became == "missed":
            words.append(f"{mention.type} “{name}” is missed")
        elif became == "other type":
            words.append(f"{mention.type} “{name}” is taken for {over[0].type}")
        elif became == "other borders":
            read = " and ".join(f"{span.type} “{' '.join(text.tokens[span.start : span.end])}”" for span in over)
            words.append(f"{mention.type} “{name}” is read as {read}")
    added = [span for span in found if not any(_overlap(span, mention) for mention in gold)]
    return words + [f"“{' '.join(text.tokens[span.start : span.end])}” is taken for {span.type}" for span in added]


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
