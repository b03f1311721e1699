"""Delta GErr: grammar errors that the attack brought in; the checker is named in the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.metrics.metric import NOT_JUDGED, Example, Metric, Value, mean, successes
from benchmark.resources.grammar import CATEGORIES

__all__ = ["GRAMMAR_ERRORS"]


def _grammar_errors(examples: Sequence[Example], category: str | None = None) -> Value:
    def errors(found: Mapping[str, int] | None) -> float:
        return float((found or {}).get(category, 0) if category else sum((found or {}).values()))

    judged = [e for e in successes(examples) if e.grammar_errors is not None]
    return mean(judged, lambda e: errors(e.grammar_errors), NOT_JUDGED)


GRAMMAR_ERRORS = (
    Metric("grammar_errors", "ΔGErr", "grammar errors after minus before; mean over successes", _grammar_errors),
    *(
        Metric(
            f"grammar_errors.{category}",
            f"ΔGErr {category}",
            f"the same, {category} only",
            lambda examples, category=category: _grammar_errors(examples, category),  # type: ignore[misc]
        )
        for category in CATEGORIES
    ),
)
