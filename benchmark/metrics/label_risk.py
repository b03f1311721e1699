"""Valid attack rate: successes whose gold labels are likely still right; the taggers are named in the result."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.label_risk import FLAGS, invalidates
from benchmark.metrics.metric import NOT_JUDGED, Example, Metric, Value, attacked, mean, successes
from benchmark.statistics.intervals import wilson

__all__ = ["LABEL_RISKS", "VALID_ATTACK_RATE"]


def _valid_attack_rate(examples: Sequence[Example]) -> Value:
    tried, won = attacked(examples), successes(examples)
    if not tried:
        return Value(None, reason="every sentence was skipped")
    if any(example.label_risk is None for example in won):
        return Value(None, n=len(tried), reason="successes were not judged")
    valid = sum(not invalidates(example.label_risk or ()) for example in won)
    interval = wilson(valid, len(tried))
    return Value(valid / len(tried), interval.low, interval.high, len(tried))


def _share(examples: Sequence[Example], flag: str) -> Value:
    judged = [example for example in successes(examples) if example.label_risk is not None]
    return mean(judged, lambda example: float(flag in (example.label_risk or ())), NOT_JUDGED)


VALID_ATTACK_RATE = Metric(
    "valid_attack_rate",
    "Valid rate",
    "share of the attacked sentences on which the goal was reached without a sign that gold labels changed",
    _valid_attack_rate,
)

LABEL_RISKS = tuple(
    Metric(
        f"label_risk.{name}",
        name,
        f"share of successes: {flag.meaning}",
        lambda examples, name=name: _share(examples, name),  # type: ignore[misc]
    )
    for name, flag in FLAGS.items()
)
