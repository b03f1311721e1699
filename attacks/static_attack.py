"""Attacks that make their text without looking at the victim, as the makers of robustness test sets do."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.contracts import Attack
from benchmark.errors import BadInput

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence

__all__ = ["StaticAttack"]


@dataclass(frozen=True, kw_only=True)
class StaticAttack(Attack):
    """Base of attacks of one random text a sentence.

    Papers report the F1 on the attacked texts of all sentences. Under most goals a sentence counts with its original
    text if the attack fails on it; the goal `perturbed`, which every changed text reaches, gives the papers' number.

    Attributes:
        tries: texts asked, each made from the original, until one reaches the goal; the papers have one.
    """

    tries: int = 1

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise BadInput(f"tries must be at least 1, not {self.tries}")

    @abstractmethod
    async def attacked(self, sentence: Sentence, probe: Probe) -> Sentence:
        """Return the sentence attacked at random, or as it was if there is nothing to do."""

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Ask one text after the other; one that was asked before or is no other is not asked."""
        seen = {sentence.tokens}
        for _ in range(self.tries):
            text = await self.attacked(sentence, probe)
            if text.tokens not in seen:
                seen.add(text.tokens)
                await probe([text])
