"""What a paraphraser is to an attack: something that says a text again with other syntax and the same mentions.

The published code re-labels a paraphrase by looking its tokens up among the entity tokens of the original, which makes
tags that are no valid IOB2 when a name is repeated, torn or lost. Here a paraphrase tells where each mention stands,
and one that does not have all of them, word by word, once each, is no paraphrase.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from benchmark.engine import Ask
from benchmark.types import Span, Tokens

__all__ = ["Paraphrase", "Paraphraser", "Question", "occurrences", "without_flaws"]


class Question(NamedTuple):
    """How else could this be said?

    Attributes:
        tokens: the text.
        mentions: its mentions, which stay as they are.
    """

    tokens: Tokens
    mentions: tuple[Span, ...]


class Paraphrase(NamedTuple):
    """Another way to say it.

    Attributes:
        tokens: the text.
        spans: where the mentions stand, in the order in which the question named them.
        template: what kind of paraphrase it is, for example `S-PP-,-NP-VP`.
    """

    tokens: Tokens
    spans: tuple[Span, ...]
    template: str


class Paraphraser(ABC):
    """A service that answers a `Question` by paraphrases, the most usual ones first.

    Attributes:
        identity: name, weights or versions, and settings.
    """

    identity: str

    @abstractmethod
    def answer(self, questions: Sequence[Question]) -> list[tuple[Paraphrase, ...]]:
        """Answer each question, independently of the others."""

    async def paraphrase(self, tokens: Tokens, mentions: Sequence[Span]) -> list[Paraphrase]:
        """Return other ways to say a text: no two alike, none like the text, each with every mention exactly once."""
        question = Question(tokens, tuple(mentions))
        (answer,) = await Ask(self, [question])
        return without_flaws(question, answer)


def without_flaws(question: Question, paraphrases: Sequence[Paraphrase]) -> list[Paraphrase]:
    """Leave out doubles, the text itself, and whatever changes, loses, tears or repeats a mention."""
    kept = {question.tokens: None}
    out = []
    for paraphrase in paraphrases:
        if paraphrase.tokens not in kept and _keeps_mentions(question, paraphrase):
            kept[paraphrase.tokens] = None
            out.append(paraphrase)
    return out


def occurrences(words: Tokens, tokens: Tokens) -> int:
    """Count where `words` stand next to each other in `tokens`, in their casing."""
    return sum(tokens[i : i + len(words)] == words for i in range(len(tokens) - len(words) + 1))


def _keeps_mentions(question: Question, paraphrase: Paraphrase) -> bool:
    if len(paraphrase.spans) != len(question.mentions):
        return False
    taken: set[int] = set()
    for old, new in zip(question.mentions, paraphrase.spans, strict=True):
        words = question.tokens[old.start : old.end]
        places = set(range(new.start, new.end))
        if new.type != old.type or paraphrase.tokens[new.start : new.end] != words or taken & places:
            return False
        # Two mentions of the same words, or of words that stand inside a longer mention, are as many afterwards.
        if occurrences(words, paraphrase.tokens) != occurrences(words, question.tokens):
            return False
        taken |= places
    return True
