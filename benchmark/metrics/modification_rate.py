"""Modification rate: how much of the text was edited."""

from __future__ import annotations

from benchmark.alignment import modification_rate
from benchmark.metrics.metric import Metric, mean, successes

__all__ = ["MODIFICATION_RATE"]

MODIFICATION_RATE = Metric(
    "modification_rate",
    "Mod",
    "edits over original tokens, from the edit script; mean over successes",
    lambda examples: mean(successes(examples), lambda e: modification_rate(e.outcome.edits, e.outcome.length)),
)
