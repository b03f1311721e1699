"""From a guest's text back to a sentence: which token became which, and where the gold labels are now.

A guest sees the tokens joined by single spaces and gives back a text. Nothing but that text tells what it did, so the
tokens of both are aligned. Gold labels must not rest on a guess: where more than one alignment is as good as another
and a mention is concerned, the text is turned away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from benchmark.errors import BadInput
from benchmark.types import Sentence

__all__ = ["Unalignable", "realign", "words_of"]


class Unalignable(Exception):  # noqa: N818 - not an error: the text is turned away
    """It cannot be told where the gold labels of a text are.

    Attributes:
        reason: in a few words, without the text; reports count by it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Region(NamedTuple):
    """Tokens `start` to `end` of the original have become `words`; neighbouring tokens are unchanged."""

    start: int
    end: int
    words: tuple[str, ...]


def words_of(text: str) -> tuple[str, ...]:
    """Return the tokens of a guest's text: what stands between spaces.

    Other white space is left inside the token, where the threat model finds it. A word replaced by nothing leaves two
    spaces behind, which is a deletion.
    """
    return tuple(word for word in text.split(" ") if word)


def realign(original: Sentence, words: Sequence[str]) -> Sentence:
    """Return the sentence that an attack on `original` would have made to arrive at `words`.

    Texts of equal length are compared position by position unless an alignment with fewer edits exists. Otherwise runs
    of changed tokens are found by Levenshtein distance over tokens (rapidfuzz); in a run of unequal lengths the tokens
    are matched from the left and the rest is inserted or deleted.

    Raises:
        Unalignable: no words are left, an insertion falls inside a mention, a mention's token lies in a run of unequal
            lengths, or alignments from the left and from the right disagree about the labels.
    """
    if not words:
        raise Unalignable("no words left")
    before, after = list(original.tokens), list(words)
    if len(before) == len(after):
        differing = [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
        if len(differing) == Levenshtein.distance(before, after):
            sentence = original
            for i in differing:
                sentence = sentence.replace(i, after[i])
            return sentence
    from_left = _edited(original, _regions(before, after))
    from_right = _edited(original, _mirrored(_regions(before[::-1], after[::-1]), len(before)))
    if from_left.tags != from_right.tags:
        raise Unalignable("unclear which words a mention kept")
    return from_left


def _regions(before: Sequence[str], after: Sequence[str]) -> list[_Region]:
    """Return the runs of changed tokens, from left to right."""
    regions: list[_Region] = []
    for step in Levenshtein.opcodes(before, after):
        if step.tag == "equal":
            continue
        words = tuple(after[step.dest_start : step.dest_end])
        if regions and regions[-1].end == step.src_start:
            last = regions.pop()
            regions.append(_Region(last.start, step.src_end, (*last.words, *words)))
        else:
            regions.append(_Region(step.src_start, step.src_end, words))
    return regions


def _mirrored(regions: Sequence[_Region], length: int) -> list[_Region]:
    """Turn the regions of a reversed text round."""
    return [_Region(length - end, length - start, words[::-1]) for start, end, words in reversed(regions)]


def _edited(sentence: Sentence, regions: Sequence[_Region]) -> Sentence:
    """Put the regions' words in place, the rightmost first, so that positions to the left stay what they are."""
    for start, end, words in reversed(regions):
        matched = min(end - start, len(words))
        unequal = end - start != len(words)
        if matched and unequal and any(sentence.inside(i) for i in range(start, end)):
            raise Unalignable("unclear which words a mention kept")
        for k in range(matched):
            sentence = sentence.replace(start + k, words[k])
        for i in reversed(range(start + matched, end)):
            sentence = sentence.delete(i)
        for word in reversed(words[matched:]):
            try:
                sentence = sentence.insert(end, word)
            except BadInput as refused:
                raise Unalignable("insertion inside a mention") from refused
    return sentence
