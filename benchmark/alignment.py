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
from benchmark.tag_schemes import spans_to_tags
from benchmark.types import Edit, Operation, Sentence, Span, Tokens

__all__ = ["CASINGS", "align_paraphrase", "apply_edits", "changed", "edit_script", "modification_rate"]


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
            casing = next((name for name, recase in CASINGS.items() if word == recase(original.tokens[first])), None)
            operation = Operation.RECASE if casing else Operation.REPLACE
            edits.append(Edit(operation, first, (casing or word,)))
        done = first + covers
    edits += [Edit(Operation.DELETE, i) for i in range(done, len(original))]
    return tuple(edits)


def apply_edits(tokens: Tokens, edits: Sequence[Edit]) -> Tokens:
    """Play an edit script back on the original tokens.

    Raises:
        BadInput: an edit lies outside the tokens or the script is out of order.
    """
    out: list[str] = []
    done = 0
    for edit in edits:
        if not done <= edit.at <= edit.at + edit.covers <= len(tokens):
            raise BadInput(f"edit {edit.operation} at {edit.at} does not fit {len(tokens)} tokens")
        if edit.operation is Operation.PARAPHRASE:
            pairs = zip(edit.words, edit.sources, strict=True)
            return tuple(word or tokens[source[0]] for word, source in pairs)
        out += tokens[done : edit.at]
        out += [CASINGS[edit.words[0]](tokens[edit.at])] if edit.operation is Operation.RECASE else edit.words
        done = edit.at + edit.covers
    return (*out, *tokens[done:])


def modification_rate(edits: Sequence[Edit], length: int) -> float:
    """Return the number of edits over the number of original tokens (algorithms, metric "modification rate").

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


def align_paraphrase(sentence: Sentence, tokens: Tokens, spans: tuple[Span, ...]) -> Sentence:
    """Carry labels and alignment through a rewriting; see `Sentence.paraphrase`."""
    mentions = sentence.spans
    if len(spans) != len(mentions):
        raise BadInput(f"sentence {sentence.id}: {len(mentions)} mentions, but {len(spans)} spans in the paraphrase")
    if not tokens:
        raise BadInput(f"sentence {sentence.id}: the paraphrase has no tokens")
    tags = spans_to_tags(spans, len(tokens))
    sources: list[tuple[int, ...]] = [()] * len(tokens)
    for old, new in zip(mentions, spans, strict=True):
        if sentence.tokens[old.start : old.end] != tokens[new.start : new.end] or old.type != new.type:
            raise BadInput(f"sentence {sentence.id}: the paraphrase changes the mention at {new.start}-{new.end}")
        for k in range(old.end - old.start):
            sources[new.start + k] = sentence.sources[old.start + k]
    _refuse_repeats(sentence, tokens)
    free: dict[str, list[int]] = {}
    for i, word in enumerate(sentence.tokens):
        if not sentence.inside(i):
            free.setdefault(word.lower(), []).append(i)
    for i, word in enumerate(tokens):
        same = free.get(word.lower())
        if tags[i] == "O" and same:
            sources[i] = sentence.sources[same.pop(0)]
    return replace(sentence, tokens=tokens, tags=tags, sources=tuple(sources), paraphrased=True)


def _refuse_repeats(sentence: Sentence, tokens: Tokens) -> None:
    """A mention that stands once more than before would be gold O in its new place."""
    for mention in sentence.spans:
        words = sentence.tokens[mention.start : mention.end]
        if _occurrences(words, tokens) > _occurrences(words, sentence.tokens):
            raise BadInput(f"sentence {sentence.id}: the paraphrase repeats the mention {' '.join(words)!r}")


def _occurrences(words: Tokens, tokens: Tokens) -> int:
    return sum(tokens[i : i + len(words)] == words for i in range(len(tokens) - len(words) + 1))


def _paraphrase_distance(edit: Edit) -> int:
    """Token Levenshtein distance of a paraphrase, from the script alone: kept words are their original index."""
    kept = [
        source[0] if not word else f"new {i}"
        for i, (word, source) in enumerate(zip(edit.words, edit.sources, strict=True))
    ]
    return int(Levenshtein.distance(list(range(edit.covers)), kept))
