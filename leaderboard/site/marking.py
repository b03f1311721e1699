"""A sentence before and after an attack as lines of marked words: mentions, edits, attributions.

Without the text the places of words stand for them, as they are in the published results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from benchmark.alignment import adversarial_sentence, changed
from benchmark.tag_schemes import strict_spans, tags_to_spans
from benchmark.types import Edit, Operation, Outcome, Sentence, Span, Status, Tags

__all__ = ["Line", "Piece", "Word", "after", "lines", "original_of"]


class Word(NamedTuple):
    """A token as it is shown.

    Attributes:
        text: of the token; its number where the text is not at hand.
        gone: what stood there before, or before it.
        new: whether the attack put it there.
        weight: how much of the answer the attack thought it bore, from 0 to 1; None where it did not say.
        chosen: whether the attack picked it to be edited.
        place: the text is a number that stands for the word.
    """

    text: str
    gone: str = ""
    new: bool = False
    weight: float | None = None
    chosen: bool = False
    place: bool = False


class Piece(NamedTuple):
    """Words outside of mentions, or a mention.

    Attributes:
        words: in order.
        type: of the mention; empty outside.
        wrong: a predicted mention that is not the gold's, or a gold one that is not predicted.
    """

    words: tuple[Word, ...]
    type: str = ""
    wrong: bool = False


class Line(NamedTuple):
    """One reading of a text: what it is, and its pieces."""

    name: str
    pieces: tuple[Piece, ...]


def original_of(outcome: Outcome, sentence: Sentence | None) -> Sentence:
    """Return the sentence, or one of numbers from 1 that stand for its words."""
    if sentence is not None:
        return sentence
    numbers = tuple(str(i + 1) for i in range(outcome.length))
    return Sentence(outcome.sentence_id, numbers, outcome.gold)


def after(outcome: Outcome, original: Sentence, *, text: bool) -> Sentence:
    """Return what the attack made of a sentence.

    Args:
        outcome: of the attack.
        original: from `original_of`.
        text: whether that is the text itself.

    Raises:
        BadInput: the edits do not fit the sentence.
    """
    edits = outcome.edits if text else [_of_places(edit) for edit in outcome.edits]
    return adversarial_sentence(original, edits, outcome.adversarial_gold)


def lines(outcome: Outcome, sentence: Sentence | None) -> list[Line]:
    """Return the readings of a sentence: gold and predicted, before and after.

    Args:
        outcome: of the attack.
        sentence: the text; None where it is not at hand.

    Raises:
        BadInput: the edits do not fit the sentence.
    """
    original = original_of(outcome, sentence)
    before = _words_before(outcome, original, text=sentence is not None)
    found = _predicted_and_gold("before", before, outcome.gold, outcome.clean)
    if outcome.status is not Status.SUCCESS:
        return found
    text = after(outcome, original, text=sentence is not None)
    words = _words_after(original, text, text=sentence is not None)
    gold = Line("after, gold", _pieces(words, text.tags, strict_spans))
    plain = [word._replace(gone="") for word in words]
    said = _pieces(plain, outcome.adversarial_prediction, tags_to_spans, strict_spans(text.tags))
    return [*found, gold, Line("after, predicted", said)]


def _predicted_and_gold(when: str, words: Sequence[Word], gold: Tags, predicted: Tags) -> list[Line]:
    spans = strict_spans(gold)
    if not predicted:
        return [Line(f"{when}, gold", _pieces(words, gold, strict_spans))]
    if set(tags_to_spans(predicted)) == set(spans):
        return [Line(when, _pieces(words, gold, strict_spans))]
    plain = [word._replace(weight=None, chosen=False) for word in words]
    return [
        Line(f"{when}, gold", _pieces(words, gold, strict_spans)),
        Line(f"{when}, predicted", _pieces(plain, predicted, tags_to_spans, spans)),
    ]


def _words_before(outcome: Outcome, original: Sentence, *, text: bool) -> list[Word]:
    weights = _weights(outcome)
    chosen = set(outcome.chosen)
    return [
        Word(token, weight=weights.get(i), chosen=i in chosen, place=not text)
        for i, token in enumerate(original.tokens)
    ]


def _weights(outcome: Outcome) -> Mapping[int, float]:
    """Return the attributions as shares of the greatest; a negative one spoke against the answer and counts as 0."""
    values = outcome.attributions or ()
    most = max([abs(value) for value in values], default=0.0)
    return {i: round(max(value, 0.0) / most, 2) for i, value in enumerate(values)} if most else {}


def _words_after(original: Sentence, adversarial: Sentence, *, text: bool) -> list[Word]:
    """Mark what is new, and put what was removed before what stands in its place."""
    new = changed(original, adversarial)
    kept = {source for sources in adversarial.sources for source in sources}
    words = []
    done = 0
    for i, (token, sources) in enumerate(zip(adversarial.tokens, adversarial.sources, strict=True)):
        gone: list[str] = []
        if not adversarial.paraphrased and sources:
            gone = [original.tokens[k] for k in range(done, sources[0]) if k not in kept]
            done = sources[-1] + 1
            gone += [original.tokens[k] for k in sources] if i in new else []
        words.append(Word(token, " ".join(gone), i in new, place=not text and i not in new))
    left = [] if adversarial.paraphrased else [original.tokens[k] for k in range(done, len(original)) if k not in kept]
    return [*words, *([Word("", " ".join(left))] if left else [])]


def _pieces(
    words: Sequence[Word],
    tags: Tags,
    spans_of: Callable[[Tags], Sequence[Span]],
    right: Sequence[Span] | None = None,
) -> tuple[Piece, ...]:
    """Put words into mentions and what is between; a word beyond the tags (nothing but removed text) stands alone."""
    pieces: list[Piece] = []
    done = 0
    for span in spans_of(tags):
        if span.start > done:
            pieces.append(Piece(tuple(words[done : span.start])))
        wrong = right is not None and span not in right
        pieces.append(Piece(tuple(words[span.start : span.end]), span.type, wrong))
        done = span.end
    if done < len(words):
        pieces.append(Piece(tuple(words[done:])))
    return tuple(pieces)


def _of_places(edit: Edit) -> Edit:
    """Turn a change of casing, which a number cannot show, into words that tell it."""
    if edit.operation is not Operation.RECASE:
        return edit
    return replace(edit, operation=Operation.REPLACE, words=(f"{edit.at + 1} in {edit.words[0]}",))
