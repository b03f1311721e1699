"""What was found by comparing, and what follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from benchmark.comparing.reference import REFERENCE
from benchmark.comparing.ways import LIMIT, OURS, Attacked
from benchmark.device import choose_device
from benchmark.plan import Plan
from benchmark.provenance import machine, versions
from benchmark.types import Status

__all__ = ["Comparison", "Measured"]

_DIGITS = 4


class Measured(NamedTuple):
    """One way on one back end.

    Attributes:
        seconds: of attacking all sentences, of each repeat.
        attacked: how each sentence ended, by id; of the pure forward nothing.
    """

    seconds: tuple[float, ...]
    attacked: Mapping[str, Attacked]

    @property
    def attack_rate(self) -> float | None:
        """Share of the attacked sentences on which the attack succeeded; None where none was attacked."""
        statuses = Counter(each.status for each in self.attacked.values())
        tried = statuses[Status.SUCCESS] + statuses[Status.FAILED]
        return statuses[Status.SUCCESS] / tried if tried else None

    def agreement(self, other: Measured) -> float:
        """Return the share of the sentences that ended alike."""
        alike = sum(other.attacked[name].status == mine.status for name, mine in self.attacked.items())
        return alike / len(self.attacked)


@dataclass(frozen=True)
class Comparison:
    """What was measured.

    Attributes:
        plan: what all had in common (its attack is the first).
        sentences: how many.
        measured: by attack, back end and way.
        asked: how many distinct questions our engine put to each model, by attack and back end.
    """

    plan: Plan
    sentences: int
    measured: Mapping[tuple[str, str, str], Measured]
    asked: Mapping[tuple[str, str], Mapping[str, int]]

    @property
    def attacks(self) -> list[str]:
        """In the order measured."""
        return list(dict.fromkeys(attack for attack, _, _ in self.measured))

    @property
    def backends(self) -> list[str]:
        """In the order measured."""
        return list(dict.fromkeys(backend for _, backend, _ in self.measured))

    @property
    def ways(self) -> list[str]:
        """Others' ways, in the order measured."""
        return [way for way in dict.fromkeys(way for _, _, way in self.measured) if way not in {OURS, LIMIT}]

    @property
    def best(self) -> str:
        """The back end on which our engine took least time for all attacks together."""
        return min(self.backends, key=lambda backend: self.seconds(backend, OURS))

    def seconds(self, backend: str, way: str, attack: str | None = None) -> float:
        """Return the median of the repeats, in seconds, added up over the attacks unless one is named."""
        attacks = self.attacks if attack is None else [attack]
        return sum(median(self.measured[name, backend, way].seconds) for name in attacks)

    def ratios(self, backend: str, theirs: str, attack: str | None = None) -> dict[str, float]:
        """Return how many times longer others took, and which part of our time was the models'.

        Args:
            backend: ours.
            theirs: the others' back end.
            attack: one of them; None for all together.
        """
        own = self.seconds(backend, OURS, attack)
        ratios = {way: self.seconds(theirs, way, attack) / own for way in self.ways}
        ratios[LIMIT] = self.seconds(backend, LIMIT, attack) / own
        return {name: round(ratio, _DIGITS) for name, ratio in ratios.items()}

    @property
    def errors(self) -> int:
        """How many attacks on a sentence ended in an error."""
        return sum(each.status is Status.ERROR for own in self.measured.values() for each in own.attacked.values())

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form.

        `ratios` compares our engine on its best back end with the others on `REFERENCE`, all attacks together;
        `attack_rates` and `agreement` are of the same two.
        """
        pairs = {
            attack: {
                OURS: self.measured[attack, self.best, OURS],
                **{way: self.measured[attack, REFERENCE, way] for way in self.ways},
            }
            for attack in self.attacks
        }
        return {
            "ratios": self.ratios(self.best, REFERENCE),
            "attack_rates": {
                attack: {way: _rounded(found.attack_rate) for way, found in pair.items()}
                for attack, pair in pairs.items()
            },
            "agreement": {
                attack: {way: _rounded(pair[OURS].agreement(pair[way])) for way in self.ways}
                for attack, pair in pairs.items()
            },
            "best_backend": self.best,
            "reference_backend": REFERENCE,
            "ratios_by_attack": {attack: self.ratios(self.best, REFERENCE, attack) for attack in self.attacks},
            "ratios_on_equal_backends": {backend: self.ratios(backend, backend) for backend in self.backends},
            "measurements": [self._record(*key) for key in self.measured],
            "victim": self.plan.victim,
            "dataset": self.plan.dataset,
            "split": self.plan.split,
            "sentences": self.sentences,
            "goal": self.plan.goal,
            "mode": self.plan.mode.value,
            "queries": self.plan.queries,
            "machine": machine(choose_device(self.plan.options.device).type),
            "versions": versions(),
        }

    def _record(self, attack: str, backend: str, way: str) -> dict[str, Any]:
        found = self.measured[attack, backend, way]
        record: dict[str, Any] = {
            "attack": attack,
            "backend": backend,
            "way": way,
            "seconds": round(median(found.seconds), _DIGITS),
            "repeats": [round(seconds, _DIGITS) for seconds in found.seconds],
        }
        if way == LIMIT:
            return {**record, "questions": dict(self.asked[attack, backend])}
        return {
            **record,
            "queries": sum(each.queries for each in found.attacked.values()),
            "attack_rate": _rounded(found.attack_rate),
            "statuses": dict(sorted(Counter(each.status.value for each in found.attacked.values()).items())),
            "agreement": _rounded(self.measured[attack, backend, OURS].agreement(found)),
        }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, _DIGITS)
