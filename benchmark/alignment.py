"""Alignment between an original sentence and what an attack made of it.

`edit_script` reads the canonical edits off a sentence's `sources`, `apply_edits` plays them back, and
`modification_rate` counts them. Two attacks that arrive at the same text with the same alignment get the same script,
whatever way they took; a change that was taken back is no change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from rapidfuzz.distance import Levenshtein

from benchmark.errors import BadInput
from benchmark.types import Edit, Operation, Sentence, Tags, Tokens

__all__ = ["CASINGS", "adversarial_sentence", "apply_edits", "changed", "edit_script", "modification_rate"]


CASINGS: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "capitalize": str.capitalize}


def edit_script(original: Sentence, sentence: Sentence) -> tuple[Edit, ...]:
    """Return the edits that lead from `original` to `sentence`, left to right.

    Args:
        original: the sentence before the attack.
        sentence: a descendant of it.

    Raises:
        BadInput: the sources go backwards although the sentence is no paraphrase.
    """
    if sentence.paraphrased:
        if sentence.tokens == original.tokens:
            return ()
        words = tuple(
            "" if len(source) == 1 and original.tokens[source[0]] == word else word
            for word, source in zip(sentence.tokens, sentence.sources, strict=True)
        )
        return (Edit(Operation.PARAPHRASE, 0, words, len(original), sentence.sources),)
    if sentence.sources == original.sources:  # most candidates, and a search makes thousands
        at = sorted(changed(original, sentence))
        return tuple([_substitution(i, original.tokens[i], sentence.tokens[i]) for i in at])
    edits: list[Edit] = []
    done = 0  # original tokens accounted for
    for word, source in zip(sentence.tokens, sentence.sources, strict=True):
        if not source:
            edits.append(Edit(Operation.INSERT, done, (word,), 0))
            continue
        # What a merge joined may have become neighbours by a deletion; then it covers the deleted tokens as well.
        first, covers = source[0], source[-1] - source[0] + 1
        if first < done or any(a >= b for a, b in pairwise(source)):
            raise BadInput(f"sentence {sentence.id}: tokens are out of order; only a paraphrase may reorder")
        edits += [Edit(Operation.DELETE, i) for i in range(done, first)]
        if covers > 1:
            edits.append(Edit(Operation.MERGE, first, (word,), covers))
        elif word != original.tokens[first]:
            edits.append(_substitution(first, original.tokens[first], word))
        done = first + covers
    edits += [Edit(Operation.DELETE, i) for i in range(done, len(original))]
    return tuple(edits)


def _substitution(at: int, old: str, new: str) -> Edit:
    casing = next((name for name, recase in CASINGS.items() if new == recase(old)), None)
    return Edit(Operation.RECASE if casing else Operation.REPLACE, at, (casing or new,))


def apply_edits(tokens: Tokens, edits: Sequence[Edit]) -> Tokens:
    """Play an edit script back on the original tokens.

    Raises:
        BadInput: an edit lies outside the tokens or the script is out of order.
    """
    return tuple(word for word, _ in _played(tokens, edits))


def adversarial_sentence(original: Sentence, edits: Sequence[Edit], tags: Tags) -> Sentence:
    """Return the sentence that an edit script makes of the original, aligned to it.

    Args:
        original: the sentence before the attack.
        edits: as stored.
        tags: gold tags of the result, as stored.

    Raises:
        BadInput: the script does not fit the sentence.
    """
    words = _played(original.tokens, edits)
    return replace(
        original,
        tokens=tuple(word for word, _ in words),
        tags=tags,
        sources=tuple(sources for _, sources in words),
        paraphrased=any(edit.operation is Operation.PARAPHRASE for edit in edits),
    )


def _played(tokens: Tokens, edits: Sequence[Edit]) -> list[tuple[str, tuple[int, ...]]]:
    """Return each word of the result with the original tokens it stands for."""
    out: list[tuple[str, tuple[int, ...]]] = []
    done = 0
    for edit in edits:
        if not done <= edit.at <= edit.at + edit.covers <= len(tokens):
            raise BadInput(f"edit {edit.operation} at {edit.at} does not fit {len(tokens)} tokens")
        if edit.operation is Operation.PARAPHRASE:
            pairs = zip(edit.words, edit.sources, strict=True)
            return [(word or tokens[source[0]], source) for word, source in pairs]
        out += [(tokens[i], (i,)) for i in range(done, edit.at)]
        covered = tuple(range(edit.at, edit.at + edit.covers))
        words = [CASINGS[edit.words[0]](tokens[edit.at])] if edit.operation is Operation.RECASE else edit.words
        out += [(word, covered) for word in words]
        done = edit.at + edit.covers
    return [*out, *((tokens[i], (i,)) for i in range(done, len(tokens)))]


def modification_rate(edits: Sequence[Edit], length: int) -> float:
    """Return the number of edits over the number of original tokens.

    A replacement, an insertion, a deletion and a merge count one each; a paraphrase counts its token Levenshtein
    distance. The rate is not capped: insertions can push it over 1.
    """
    count = sum(_paraphrase_distance(edit) if edit.operation is Operation.PARAPHRASE else 1 for edit in edits)
    return count / length


def changed(original: Sentence, sentence: Sentence) -> frozenset[int]:
    """Return the positions in `sentence` whose word is new, replaced or merged."""
    if sentence.sources == original.sources:
        return frozenset(
            [i for i, (old, new) in enumerate(zip(original.tokens, sentence.tokens, strict=True)) if old != new]
        )
    return frozenset(
        i
        for i, (word, source) in enumerate(zip(sentence.tokens, sentence.sources, strict=True))
        if len(source) != 1 or original.tokens[source[0]] != word
    )


def _paraphrase_distance(edit: Edit) -> int:
    """Token Levenshtein distance of a paraphrase, from the script alone: kept words are their original index."""
    kept = [
        source[0] if not word else f"new {i}"
        for i, (word, source) in enumerate(zip(edit.words, edit.sources, strict=True))
    ]
    return int(Levenshtein.distance(list(range(edit.covers)), kept))
