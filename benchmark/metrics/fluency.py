"""Fluency: how much less likely a language model finds the text; the model is named in the result."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.metrics.metric import NOT_JUDGED, Example, Metric, Value, mean, successes

__all__ = ["FLUENCY"]


def _fluency(examples: Sequence[Example]) -> Value:
    judged = [(e, e.fluency) for e in successes(examples) if e.fluency is not None]
    values = {id(example): value for example, value in judged}
    return mean([example for example, _ in judged], lambda e: values[id(e)], NOT_JUDGED)


FLUENCY = Metric(
    "fluency",
    "Δ log P",
    "log-probability a token (nats), after minus before; mean over successes; only with --fluency",
    _fluency,
)
