"""Word attacks that draw their candidates from all places together, instead of walking word after word."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from attacks.word_attack import WordAttack
from benchmark.resources.language_models import DEFAULT_LANGUAGE_MODEL

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence

__all__ = ["SampledWordAttack"]


@dataclass(frozen=True, kw_only=True)
class SampledWordAttack(WordAttack):
    """Base of CLARE and ViBA: a language model weighs the candidates, a sample of them is asked at a time.

    Attributes:
        k: proposals a gap.
        sample: candidates asked at a time.
        language_model: fills the gaps.
    """

    k: int = 50
    sample: int = 128
    language_model: str = DEFAULT_LANGUAGE_MODEL

    # There is no order of words to shuffle.
    ORDERS: ClassVar[Sequence[str]] = ("importance",)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("k", "sample")

    @property
    def resources(self) -> Mapping[str, str]:
        """Language model, and encoder if a similarity is asked for."""
        return {**super().resources, "language_model": self.language_model}

    @abstractmethod
    async def weighted(
        self, sentence: Sentence, positions: Sequence[int], probe: Probe
    ) -> list[list[tuple[Sentence, float]]]:
        """Return for each position the candidates there and how likely the language model finds them."""

    async def edits(self, sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[list[Sentence]]:
        """Return the candidates without their weights."""
        groups = await self.weighted(sentence, positions, probe)
        return [[candidate for candidate, _ in group] for group in groups]
