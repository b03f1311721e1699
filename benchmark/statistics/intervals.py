"""Confidence intervals, all at 95 %."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy import special, stats

from benchmark.statistics.totals import ROUNDING, Statistic, Sums, cluster_sums

__all__ = ["FEWEST_CLUSTERS", "Interval", "Method", "bootstrap", "median_interval", "wilson"]

LEVEL = 0.95
RESAMPLES = 10_000
# Of resamples at a time: small tables of counts stay in the processor's cache.
_CHUNK = 50
# Resampling fewer units says nothing of the spread: one alone would give an interval of no width.
FEWEST_CLUSTERS = 5

Method = Literal["percentile", "bca"]


class Interval(NamedTuple):
    """Lower and upper end; both NaN where nothing can be said."""

    low: float
    high: float


NOTHING = Interval(math.nan, math.nan)


def wilson(successes: int, trials: int) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927); sound near 0 and 1, where a bootstrap has no width.

    Args:
        successes: between 0 and `trials`.
        trials: number of independent trials; NaN for none.
    """
    if trials == 0:
        return NOTHING
    interval = stats.binomtest(successes, trials).proportion_ci(LEVEL, method="wilson")
    return Interval(float(interval.low), float(interval.high))


def bootstrap(
    sums: Sums, statistic: Statistic, clusters: Sequence[Hashable], seed: int = 0, method: Method = "percentile"
) -> Interval:
    """Bootstrap interval of a statistic of sums, resampling whole clusters (documents).

    Args:
        sums: (units, quantities): what each sentence adds to each quantity, e.g. true positives, predicted, gold.
        statistic: maps (resamples, quantities) totals to (resamples,) values; may return NaN, which is left out.
        clusters: the cluster of each unit; a name of its own for each where sentences are independent.
        seed: of the resampling.
        method: quantiles of the resampled values, or those corrected for bias and skewness (BCa, Efron 1987).

    Returns:
        The interval; NaN with fewer than `FEWEST_CLUSTERS` clusters, or where no resample has a value.

    Raises:
        ValueError: sums and clusters differ in length.
    """
    per_cluster = cluster_sums(sums, clusters)
    if len(per_cluster) < FEWEST_CLUSTERS:
        return NOTHING
    drawn = _resampled(per_cluster, statistic, seed)
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return NOTHING
    tails = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    if method == "bca":
        tails = _corrected(tails, drawn, per_cluster, statistic)
        if np.isnan(tails).any():
            return NOTHING
    low, high = np.quantile(drawn, tails)
    return Interval(float(low), float(high))


def _resampled(per_cluster: Sums, statistic: Statistic, seed: int) -> Sums:
    """Values of the statistic for clusters drawn with replacement; the same draws for every row of as many clusters."""
    n = len(per_cluster)
    rng = np.random.default_rng(seed)
    first_cells = np.arange(_CHUNK)[:, None] * n
    values = []
    for _ in range(RESAMPLES // _CHUNK):
        cells = rng.integers(n, size=(_CHUNK, n)) + first_cells
        times_drawn = np.bincount(cells.ravel(), minlength=_CHUNK * n).reshape(_CHUNK, n)
        values.append(statistic(times_drawn.astype(np.float64) @ per_cluster))
    return np.concatenate(values)


def _corrected(tails: Sums, drawn: Sums, per_cluster: Sums, statistic: Statistic) -> Sums:
    """Levels of the BCa interval (Efron and Tibshirani 1993, section 14.3); NaN where they do not exist.

    As scipy.stats.bootstrap computes them, but a jackknife of sums is a subtraction and needs no table of n * n.
    """
    total = per_cluster.sum(axis=0, keepdims=True)
    estimate = float(statistic(total)[0])
    slack = ROUNDING * max(1.0, abs(estimate))
    bias = special.ndtri((np.mean(drawn < estimate - slack) + np.mean(drawn <= estimate + slack)) / 2)
    left_out = statistic(total - per_cluster)
    influence = np.nanmean(left_out) - left_out[~np.isnan(left_out)]
    squares = float((influence**2).sum())
    skewness = float((influence**3).sum()) / (6 * squares**1.5) if squares else 0.0
    shifted = bias + special.ndtri(tails)
    return np.asarray(special.ndtr(bias + shifted / (1 - skewness * shifted)))


def median_interval(values: Sequence[float]) -> Interval:
    """Distribution-free interval of the median, from order statistics; NaN where there are too few values."""
    interval = stats.quantile_test(np.asarray(values, dtype=np.float64), p=0.5).confidence_interval(LEVEL)
    return Interval(float(interval.low), float(interval.high))
