"""What an attack costs in questions to the victim, and what it never got to ask."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from benchmark.metrics.metric import Example, Metric, Value, attacked, mean, successes
from benchmark.statistics.intervals import median_interval
from benchmark.types import Status

__all__ = ["COSTS", "rejections"]


def _to_success(example: Example) -> float:
    return float(example.outcome.queries_to_success or 0)


def _median_to_success(examples: Sequence[Example]) -> Value:
    counts = [_to_success(example) for example in successes(examples)]
    if not counts:
        return Value(None, reason="no success")
    return Value(statistics.median(counts), *median_interval(counts), len(counts))


def _count(status: Status) -> Metric:
    return Metric(
        f"{status.value}.count",
        status.value,
        f"sentences that ended as {status.value}",
        lambda examples: Value(sum(e.outcome.status is status for e in examples), n=len(examples)),
    )


def rejections(examples: Sequence[Example]) -> dict[str, int]:
    """Return how many candidates were not asked or not counted, by reason."""
    total: Counter[str] = Counter()
    for example in examples:
        total.update(example.outcome.rejected)
    return dict(sorted(total.items()))


NONE_ATTACKED = "every sentence was skipped"

COSTS = (
    Metric(
        "queries",
        "Queries",
        "texts asked a sentence, repeats included, the clean text excluded; mean over attacked sentences",
        lambda examples: mean(attacked(examples), lambda e: float(e.outcome.queries), NONE_ATTACKED),
    ),
    Metric(
        "queries_to_success",
        "To success",
        "number of the query that first reached the goal; mean over successes",
        lambda examples: mean(successes(examples), _to_success),
    ),
    Metric("queries_to_success.median", "Median", "the same, median", _median_to_success),
    Metric(
        "constraint_queries",
        "Constraint queries",
        "texts asked on behalf of constraints; mean over attacked sentences",
        lambda examples: mean(attacked(examples), lambda e: float(e.outcome.constraint_queries), NONE_ATTACKED),
    ),
    Metric(
        "gradient_queries",
        "Gradient queries",
        "forward-backward passes; mean over attacked sentences",
        lambda examples: mean(attacked(examples), lambda e: float(e.outcome.gradient_queries), NONE_ATTACKED),
    ),
    Metric(
        "forwards",
        "Forwards",
        "distinct texts put to the victim, the clean one included; mean over attacked sentences",
        lambda examples: mean(attacked(examples), lambda e: float(e.outcome.forwards), NONE_ATTACKED),
    ),
    Metric(
        "rejected.count",
        "Rejected",
        "candidates not asked or not counted (threat model, constraints, invalid text)",
        lambda examples: Value(sum(rejections(examples).values()), n=len(examples)),
    ),
    *(_count(status) for status in Status),
)
