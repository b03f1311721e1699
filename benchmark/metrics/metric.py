"""What a metric is: a function of stored examples, with an interval."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.statistics.intervals import bootstrap
from benchmark.types import Outcome, Status

__all__ = ["NOT_JUDGED", "Example", "Metric", "Value", "attacked", "clusters_of", "mean", "ratio", "successes"]

_DIGITS = 6

NOT_JUDGED = "no success, or none judged"


@dataclass(frozen=True, slots=True)
class Example:
    """An outcome with what judges say of its texts.

    Attributes:
        outcome: as stored.
        similarity: cosine of the two texts; None without success.
        grammar_errors: errors after minus errors before, by category; None without success.
        fluency: log-probability a token (nats), after minus before; None without success or judge.
        label_risk: signs that the gold labels are no longer right (`benchmark.label_risk`); None without success.
    """

    outcome: Outcome
    similarity: float | None = None
    grammar_errors: Mapping[str, int] | None = None
    fluency: float | None = None
    label_risk: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A number on its natural scale (0 to 1 for rates) with a 95 % interval and the number of items behind it.

    Attributes:
        value: None where there is none; then `reason` says why.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form, rounded to six digits; `reason` only where there is one."""

        def rounded(number: float | None) -> float | None:
            return None if number is None or not np.isfinite(number) else round(float(number), _DIGITS)

        record: dict[str, Any] = {
            "value": rounded(self.value),
            "low": rounded(self.low),
            "high": rounded(self.high),
            "n": self.n,
        }
        return record if self.reason is None else {**record, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Metric:
    """A column: adding one is adding a value to `metrics.METRICS`.

    Attributes:
        name: key in results.
        title: short header.
        description: what it says, in one line, with its unit and what it is averaged over.
        compute: from all examples of a run.
        needs_queries: the smallest budget at which the metric says anything.
    """

    name: str
    title: str
    description: str
    compute: Callable[[Sequence[Example]], Value]
    needs_queries: int = 0

    def value(self, examples: Sequence[Example], budget: int) -> Value:
        """Compute the metric for a run with a query budget."""
        if budget < self.needs_queries:
            return Value(None, n=len(examples), reason=f"the budget was {budget} queries")
        return self.compute(examples)


def attacked(examples: Sequence[Example]) -> list[Example]:
    """Return the examples that count for rates: all but the skipped ones."""
    return [example for example in examples if example.outcome.status is not Status.SKIPPED]


def successes(examples: Sequence[Example]) -> list[Example]:
    """Return the examples whose attack succeeded."""
    return [example for example in examples if example.outcome.status is Status.SUCCESS]


def clusters_of(examples: Sequence[Example]) -> list[Hashable]:
    """Return the unit of resampling of each example: its document where known, else the sentence."""
    return [example.outcome.document or ("sentence", example.outcome.sentence_id) for example in examples]


def mean(examples: Sequence[Example], number: Callable[[Example], float], reason: str = "no success") -> Value:
    """Average a number over examples, with a bootstrap interval."""
    return ratio(examples, lambda example: (number(example), 1.0), reason)


def ratio(examples: Sequence[Example], parts: Callable[[Example], tuple[float, float]], reason: str) -> Value:
    """Divide two sums over examples, with a bootstrap interval; `n` is the number of examples.

    Args:
        examples: what to sum over.
        parts: numerator and denominator of one example.
        reason: told where the denominator is 0.
    """
    if not examples:
        return Value(None, n=0, reason=reason)
    sums = np.array([parts(example) for example in examples], dtype=np.float64)
    total, count = sums.sum(axis=0)
    if count == 0:
        return Value(None, n=len(examples), reason=reason)

    def statistic(totals: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return totals[:, 0] / totals[:, 1]

    interval = bootstrap(sums, statistic, clusters_of(examples))
    return Value(total / count, interval.low, interval.high, len(examples))
