"""Sums over sentences, and statistics that are functions of such sums."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["ROUNDING", "Statistic", "Sums", "cluster_sums", "micro_f1", "rate"]

Sums = NDArray[np.float64]

# From (resamples, quantities) totals to (resamples,) values.
Statistic = Callable[[Sums], Sums]

# Two values of a statistic that are nearer than this differ by the order of summation only.
ROUNDING = 1e-12


def cluster_sums(sums: Sums, clusters: Sequence[Hashable]) -> Sums:
    """Add up the sentences of each cluster.

    Args:
        sums: (sentences, quantities): what each sentence adds to each quantity.
        clusters: the cluster (document) of each sentence.

    Returns:
        (clusters, quantities), in order of first appearance.

    Raises:
        ValueError: the two differ in length.
    """
    if len(sums) != len(clusters):
        raise ValueError(f"{len(sums)} rows of sums, but {len(clusters)} clusters")
    index = {name: k for k, name in enumerate(dict.fromkeys(clusters))}
    per_cluster = np.zeros((len(index), *np.shape(sums)[1:]))
    np.add.at(per_cluster, np.array([index[name] for name in clusters], dtype=np.intp), sums)
    return per_cluster


def rate(totals: Sums) -> Sums:
    """Divide the first quantity by the second: an attack rate from (successes, attacked); NaN where that is 0.

    Args:
        totals: (resamples, 2).
    """
    bottom = totals[:, 1]
    return np.divide(totals[:, 0], bottom, out=np.full_like(bottom, np.nan), where=bottom != 0)


def micro_f1(totals: Sums) -> Sums:
    """F1 of mentions from totals of (true positives, predicted, gold); 0 where there is no mention at all.

    Args:
        totals: (resamples, 3).
    """
    bottom = totals[:, 1] + totals[:, 2]
    return np.divide(2 * totals[:, 0], bottom, out=np.zeros_like(bottom), where=bottom != 0)
