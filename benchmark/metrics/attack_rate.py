"""Attack rate: successes over attacked sentences, at the whole budget and at smaller ones."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.metrics.metric import Example, Metric, Value, attacked
from benchmark.statistics.intervals import wilson
from benchmark.types import Status

__all__ = ["ATTACK_RATES", "attack_rate"]

BUDGETS = (10, 32, 128, 512)


def attack_rate(examples: Sequence[Example], queries: int | None = None) -> Value:
    """Successes / (attacked - skipped) with Wilson's interval; sentences whose attack broke off count as failures.

    Args:
        examples: of one run.
        queries: count only successes within so many queries.
    """
    tried = attacked(examples)
    if not tried:
        return Value(None, reason="every sentence was skipped")

    def counts(example: Example) -> bool:
        at = example.outcome.queries_to_success
        return example.outcome.status is Status.SUCCESS and (queries is None or (at is not None and at <= queries))

    hits = sum(counts(example) for example in tried)
    interval = wilson(hits, len(tried))
    return Value(hits / len(tried), interval.low, interval.high, len(tried))


ATTACK_RATES = (
    Metric("attack_rate", "Attack rate", "share of the attacked sentences on which the goal was reached", attack_rate),
    *(
        Metric(
            f"attack_rate@{budget}",
            f"@{budget}",
            f"share of the attacked sentences on which the goal was reached within {budget} queries",
            lambda examples, budget=budget: attack_rate(examples, budget),  # type: ignore[misc]
            budget,
        )
        for budget in BUDGETS
    ),
)
