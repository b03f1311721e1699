"""What a language model is to an attack: something that fills gaps, and tells how likely a text is.

All questions go through the engine (`await model.fill(...)`), so the gaps of many sentences are filled in one batch.
Proposals are whole words in the casing of the place they are meant for; no sub-word pieces, no special tokens.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from benchmark.casing import cased_like
from benchmark.engine import Ask
from benchmark.types import Tokens

__all__ = ["Gap", "LanguageModel", "LogProbability", "Proposal", "Seen", "proposals_like"]


class Seen(StrEnum):
    """Whether the model sees the word it is to replace."""

    HIDDEN = "hidden"
    VISIBLE = "visible"


class Gap(NamedTuple):
    """Which `k` words could stand at `at` in `tokens`?

    Attributes:
        tokens: the text; the token at `at` is the one to be replaced.
        at: its index.
        k: how many proposals.
        seen: hidden behind a mask, or left in its place, which draws proposals towards synonyms.
    """

    tokens: Tokens
    at: int
    k: int
    seen: Seen = Seen.HIDDEN


class LogProbability(NamedTuple):
    """How likely is this text?"""

    tokens: Tokens


class Proposal(NamedTuple):
    """A word and the probability the model gives it."""

    word: str
    probability: float


# Stand at a place where nothing stood before; always hidden, so that only their casing is seen.
_NOTHING, _CAPITAL = "-", "A"


class LanguageModel(ABC):
    """A service that answers `Gap` and `LogProbability` questions.

    Attributes:
        name: as given on the command line.
        identity: name, weights, precision and settings.
    """

    name: str
    identity: str

    @abstractmethod
    def answer(self, questions: Sequence[Gap | LogProbability]) -> list[tuple[Proposal, ...] | float]:
        """Answer each question: proposals, the likeliest first, or natural-log probability."""

    @abstractmethod
    def fits(self, tokens: Tokens) -> bool:
        """Tell whether the model can read the whole text."""

    async def fill(
        self, tokens: Tokens, positions: Sequence[int], k: int, seen: Seen = Seen.HIDDEN
    ) -> list[tuple[Proposal, ...]]:
        """Return for each position up to `k` words that could stand there instead, in the casing of the word there."""
        return await Ask(self, [Gap(tokens, at, k, seen) for at in positions])

    async def fill_gap(self, tokens: Tokens, before: Sequence[int], k: int) -> list[tuple[Proposal, ...]]:
        """Return for each position up to `k` words that could be inserted before it (`len(tokens)`: at the end).

        What is put before a capitalised first word is capitalised.
        """
        first = _CAPITAL if tokens[:1] and tokens[0][:1].isupper() else _NOTHING
        nothing = [first if at == 0 else _NOTHING for at in before]
        gaps = [Gap((*tokens[:at], new, *tokens[at:]), at, k) for at, new in zip(before, nothing, strict=True)]
        return await Ask(self, gaps)

    async def fill_merged(self, tokens: Tokens, positions: Sequence[int], k: int) -> list[tuple[Proposal, ...]]:
        """Return for each position up to `k` words that could stand for the token there and the next one."""
        return await Ask(self, [Gap((*tokens[: at + 1], *tokens[at + 2 :]), at, k) for at in positions])

    async def log_prob(self, tokens: Tokens) -> float:
        """Return the natural logarithm of the text's probability."""
        (answer,) = await Ask(self, [LogProbability(tokens)])
        return answer  # type: ignore[return-value]


def proposals_like(word: str, proposals: Sequence[Proposal], k: int) -> tuple[Proposal, ...]:
    """Return the first `k` proposals in the casing of `word`, without doubles and without the word itself."""
    out: dict[str, Proposal] = {}
    for proposal in proposals:
        cased = cased_like(proposal.word, word)
        if cased.lower() != word.lower():
            out.setdefault(cased.lower(), Proposal(cased, proposal.probability))
    return tuple(out.values())[:k]
