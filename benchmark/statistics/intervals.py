"""Confidence intervals, all at 95 %."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["Interval", "bootstrap", "median_interval", "wilson"]

LEVEL = 0.95
RESAMPLES = 10_000
_CHUNK = 500
# Resampling fewer units says nothing of the spread: one alone would give an interval of no width.
FEWEST_CLUSTERS = 5


class Interval(NamedTuple):
    """Lower and upper end."""

    low: float
    high: float


def wilson(successes: int, trials: int) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927).

    Args:
        successes: between 0 and `trials`.
        trials: at least 1.
    """
    interval = stats.binomtest(successes, trials).proportion_ci(LEVEL, method="wilson")
    return Interval(float(interval.low), float(interval.high))


def bootstrap(
    sums: NDArray[np.float64],
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    clusters: Sequence[Hashable],
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap of a statistic of sums, resampling whole clusters (documents).

    Args:
        sums: (units, quantities): what each sentence adds to each quantity, e.g. true positives, predicted, gold.
        statistic: maps (resamples, quantities) totals to (resamples,) values; may return NaN, which is left out.
        clusters: the cluster of each unit.
        seed: of the resampling.

    Returns:
        The interval; NaN with fewer than `FEWEST_CLUSTERS` clusters.
    """
    if len(set(clusters)) < FEWEST_CLUSTERS:
        return Interval(math.nan, math.nan)
    index = {name: k for k, name in enumerate(dict.fromkeys(clusters))}
    per_cluster = np.zeros((len(index), sums.shape[1]))
    np.add.at(per_cluster, [index[name] for name in clusters], sums)
    rng = np.random.default_rng(seed)
    n = len(per_cluster)
    values = []
    for _ in range(RESAMPLES // _CHUNK):
        weights = rng.multinomial(n, np.full(n, 1 / n), size=_CHUNK).astype(np.float64)
        values.append(statistic(weights @ per_cluster))
    drawn = np.concatenate(values)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn[~np.isnan(drawn)], [tail, 1 - tail])
    return Interval(float(low), float(high))


def median_interval(values: Sequence[float]) -> Interval:
    """Distribution-free interval of the median, from order statistics; NaN where there are too few values."""
    interval = stats.quantile_test(np.asarray(values, dtype=np.float64), p=0.5).confidence_interval(LEVEL)
    return Interval(float(interval.low), float(interval.high))
