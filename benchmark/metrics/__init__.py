"""Metrics: functions of stored examples.

A column of a table is an entry of `METRICS`; adding one is adding a value here.
"""

from __future__ import annotations

from benchmark.metrics.attack_rate import ATTACK_RATES
from benchmark.metrics.context_share import CONTEXT_SHARES
from benchmark.metrics.cost import COSTS, rejections
from benchmark.metrics.fluency import FLUENCY
from benchmark.metrics.grammar_errors import GRAMMAR_ERRORS
from benchmark.metrics.l_score import L_SCORES
from benchmark.metrics.label_risk import LABEL_RISKS, VALID_ATTACK_RATE
from benchmark.metrics.metric import Example, Metric, Value
from benchmark.metrics.modification_rate import MODIFICATION_RATE
from benchmark.metrics.similarity import SIMILARITY
from benchmark.metrics.span_f1 import SPAN_METRICS, per_type

__all__ = ["METRICS", "Example", "Metric", "Value", "per_type", "rejections"]

METRICS: tuple[Metric, ...] = (
    *ATTACK_RATES,
    VALID_ATTACK_RATE,
    MODIFICATION_RATE,
    SIMILARITY,
    *GRAMMAR_ERRORS,
    FLUENCY,
    *LABEL_RISKS,
    *L_SCORES,
    *SPAN_METRICS,
    *CONTEXT_SHARES,
    *COSTS,
)
