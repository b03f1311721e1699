"""Defenses that train from scratch on more sentences than there are."""

from __future__ import annotations

import logging
import random
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmark.defending import Case, TrainedDefense
from benchmark.errors import BadInput
from benchmark.training.loop import Regimen
from benchmark.types import Sentence

__all__ = ["MoreSentences", "require_number", "tell_if_fewer", "varied"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MoreSentences(TrainedDefense):
    """Base of defenses that add sentences to the training split, at most one made of each.

    Attributes:
        n: how many are added. Compare defenses at equal n.
    """

    n: int = 500

    def __post_init__(self) -> None:
        require_number("n", self.n, 1)

    @abstractmethod
    def more(self, case: Case, rng: random.Random) -> Iterator[Sentence]:
        """Yield sentences as long as there are; the first n are taken."""

    def regimen(self, case: Case) -> Regimen:
        """Train on what there is and n sentences more."""
        rng = random.Random(f"{case.plain.seed} {self.card.name}")  # noqa: S311 - reproducible on purpose
        added = [sentence for sentence, _ in zip(self.more(case, rng), range(self.n), strict=False)]
        tell_if_fewer(self.card.name, len(added), self.n)
        return Regimen([*case.sentences, *added], made={"added": len(added), "wanted": self.n})


def varied(
    sentences: Sequence[Sentence], vary: Callable[[Sentence], Sentence | None], rng: random.Random
) -> Iterator[Sentence]:
    """Yield variants of sentences in a random order, without those that are no other text."""
    for sentence in rng.sample(sentences, len(sentences)):
        variant = vary(sentence)
        if variant is not None and variant.tokens != sentence.tokens:
            yield variant


def require_number(name: str, value: float, least: float, most: float = float("inf")) -> None:
    """Refuse a parameter that is too small or too large.

    Raises:
        BadInput: names it with its bounds.
    """
    if not least <= value <= most:
        bound = f"at least {least}" if most == float("inf") else f"between {least} and {most}"
        raise BadInput(f"{name} must be {bound}, not {value}")


def tell_if_fewer(name: str, found: int, wanted: int) -> None:
    """Say so where there are fewer sentences than were wanted; the card says it, too."""
    if found < wanted:
        _log.warning("%s found %d sentences of the %d wanted; training goes on with these", name, found, wanted)
