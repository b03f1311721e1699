"""Comparisons of two attacks (or defenses, or victims) on the same sentences."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from benchmark.statistics.intervals import RESAMPLES, Interval, Method, bootstrap
from benchmark.statistics.totals import ROUNDING, Statistic, Sums, cluster_sums

__all__ = ["McNemar", "Randomisation", "approximate_randomisation", "difference_interval", "mcnemar"]

_CHUNK = 500


class McNemar(NamedTuple):
    """Discordant pairs and the two-sided p value.

    Attributes:
        only_first: pairs where only the first succeeded.
        only_second: pairs where only the second did.
        p: exact binomial p value; 1 where no pair is discordant.
        pairs: all pairs, concordant ones too.
    """

    only_first: int
    only_second: int
    p: float
    pairs: int

    @property
    def difference(self) -> float:
        """Rate of the first minus rate of the second; 0 without pairs."""
        return (self.only_first - self.only_second) / max(self.pairs, 1)

    @property
    def discordance(self) -> float:
        """Share of discordant pairs; 0 without pairs."""
        return (self.only_first + self.only_second) / max(self.pairs, 1)


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar:
    """Exact McNemar test (McNemar 1947, binomial form).

    Takes the pairs to be independent; where sentences come in documents, use `approximate_randomisation`.

    Args:
        first: (items,) success of the first on each item.
        second: (items,) success of the second on the same items.

    Raises:
        ValueError: the two differ in length.
    """
    one, other = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if one.shape != other.shape:
        raise ValueError(f"{one.size} items cannot be paired with {other.size}")
    only_first, only_second = int((one & ~other).sum()), int((other & ~one).sum())
    discordant = only_first + only_second
    p = float(stats.binomtest(only_first, discordant, 0.5).pvalue) if discordant else 1.0
    return McNemar(only_first, only_second, p, one.size)


class Randomisation(NamedTuple):
    """The observed difference and its two-sided p value.

    Attributes:
        difference: the statistic of the first minus that of the second; NaN where one of them has no value.
        p: between 1 / (resamples + 1) and 1.
    """

    difference: float
    p: float


def approximate_randomisation(
    first: Sums,
    second: Sums,
    statistic: Statistic,
    clusters: Sequence[Hashable],
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Randomisation:
    """Paired randomisation test of a statistic of sums, such as F1 (Noreen 1989, section 2A; Yeh 2000).

    If the two do not differ, each document's two results could as well have been told the other way round. So they are
    exchanged at random, all sentences of a document together, and p is how often the difference becomes at least as
    large as observed, the observation counted in. Exchanging the two rows, or the order of sentences, gives the same p.

    Args:
        first: (units, quantities): what each sentence adds to each quantity for the first.
        second: the same for the second, on the same sentences.
        statistic: maps (resamples, quantities) totals to (resamples,) values, e.g. `totals.micro_f1`. A NaN after an
            exchange counts as a large difference, which can only raise p.
        clusters: the cluster (document) of each unit.
        seed: of the exchanges.
        resamples: number of exchanges. p cannot be below 1 / (resamples + 1): for Holm's correction over m pairs to
            find anything at level alpha, it has to be above m / alpha.

    Raises:
        ValueError: the lengths differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"sums of shape {first.shape} cannot be paired with sums of shape {second.shape}")
    one, other = cluster_sums(first, clusters), cluster_sums(second, clusters)
    observed = float((statistic(one.sum(axis=0, keepdims=True)) - statistic(other.sum(axis=0, keepdims=True)))[0])
    # Half the sum of both stays with each whatever is exchanged; half of each difference goes one way or the other.
    middle = (one + other).sum(axis=0) / 2
    steps, repeats = _distinct_up_to_sign((one - other) / 2)
    threshold = abs(observed) - ROUNDING * max(1.0, abs(observed))
    rng = np.random.default_rng(seed)
    as_large = 0
    for start in range(0, resamples, _CHUNK):
        kept = rng.binomial(repeats, 0.5, size=(min(_CHUNK, resamples - start), len(repeats)))
        shift = (2 * kept - repeats).astype(np.float64) @ steps
        differences = statistic(middle + shift) - statistic(middle - shift)
        as_large += int((~(np.abs(differences) < threshold)).sum())
    return Randomisation(observed, (as_large + 1) / (resamples + 1))


def _distinct_up_to_sign(steps: Sums) -> tuple[Sums, NDArray[np.int_]]:
    """Return the different rows, the sign of each so that its first number not 0 is positive, and how many of each.

    Sentences of equal counts are drawn together (a binomial number of them), which makes a test of counts fast.
    """
    steps = steps[(steps != 0).any(axis=1)]
    leading = steps[np.arange(len(steps)), (steps != 0).argmax(axis=1)]
    distinct, repeats = np.unique(steps * np.sign(leading)[:, None], axis=0, return_counts=True)
    return distinct, repeats


def difference_interval(
    first: Sums,
    second: Sums,
    statistic: Statistic,
    clusters: Sequence[Hashable],
    seed: int = 0,
    method: Method = "percentile",
) -> Interval:
    """Paired bootstrap interval of the difference first - second: both are resampled with the same documents.

    Args:
        first: (units, quantities): what each sentence adds to each quantity for the first.
        second: the same for the second, on the same sentences.
        statistic: maps (resamples, quantities) totals to (resamples,) values.
        clusters: the cluster (document) of each unit.
        seed: of the resampling.
        method: as in `intervals.bootstrap`.

    Raises:
        ValueError: the lengths differ.
    """
    width = first.shape[1]
    return bootstrap(
        np.hstack([first, second]),
        lambda totals: statistic(totals[:, :width]) - statistic(totals[:, width:]),
        clusters,
        seed,
        method,
    )
