"""What an attack did to a text, told from the text alone: a reader wants to know that, whoever did it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rapidfuzz.distance import OSA

from benchmark.alignment import adversarial_sentence
from benchmark.types import Operation, Outcome, Sentence

__all__ = ["KINDS", "kinds_of"]

# What each kind is, for readers; all edits are of one of them.
KINDS: Mapping[str, str] = {
    "casing": "letters become small or capital",
    "character": "a word differs in one character, or two neighbours changed places",
    "entity": "another entity's name stands in a mention, or another word of a name",
    "insertion": "a word is added beside the mentions",
    "word": "another word stands outside the mentions, or one is gone",
}


def kinds_of(outcome: Outcome, original: Sentence) -> tuple[str, ...]:
    """Return the kinds of edits of a success, in the order of `KINDS`."""
    found = {*_of_old_words(outcome, original), *_of_new_words(outcome, original)}
    return tuple(kind for kind in KINDS if kind in found)


def _of_old_words(outcome: Outcome, original: Sentence) -> Iterator[str]:
    for edit in outcome.edits:
        covered = range(edit.at, edit.at + edit.covers)
        if edit.operation is Operation.RECASE:
            yield "casing"
        elif edit.operation is Operation.REPLACE and OSA.distance(original.tokens[edit.at], edit.words[0]) == 1:
            yield "character"
        elif edit.operation is Operation.PARAPHRASE:  # keeps all mentions
            yield "word"
        elif edit.covers:
            yield "entity" if any(original.inside(i) for i in covered) else "word"


def _of_new_words(outcome: Outcome, original: Sentence) -> Iterator[str]:
    """Yield the kinds of insertions: a word more in a mention makes it another name."""
    text = adversarial_sentence(original, outcome.edits, outcome.adversarial_gold)
    if not text.paraphrased:
        yield from ("entity" if text.inside(i) else "insertion" for i, source in enumerate(text.sources) if not source)
