"""Ranks and ties of the rows of a board, from tests of all its pairs.

All of it is relative to the rows compared: for another choice of rows, take those rows and columns of `Comparisons` and
compute anew. Every row must have been tested on the same sentences.
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmark.statistics.multiplicity import holm

__all__ = [
    "Comparisons",
    "PairedTest",
    "RankInterval",
    "compare_all",
    "letters",
    "rank_intervals",
    "significantly_higher",
    "tie_groups",
]

Row = TypeVar("Row")
Higher = NDArray[np.bool_]


class PairedTest(Protocol):
    """What a test of two rows says: `paired.McNemar` and `paired.Randomisation` do."""

    @property
    def difference(self) -> float:
        """First minus second."""

    @property
    def p(self) -> float:
        """Two-sided p value."""


class Comparisons(NamedTuple):
    """Tests of all pairs of rows.

    Attributes:
        differences: (rows, rows) row minus column.
        p: (rows, rows) two-sided p values, not adjusted; 1 on the diagonal.
    """

    differences: NDArray[np.float64]
    p: NDArray[np.float64]


class RankInterval(NamedTuple):
    """Best and worst rank that the tests leave open, from 1."""

    best: int
    worst: int


def compare_all(rows: Sequence[Row], test: Callable[[Row, Row], PairedTest]) -> Comparisons:
    """Test each row against each other one.

    Args:
        rows: whatever the test takes.
        test: of two rows, e.g. `paired.mcnemar`.
    """
    differences, p = np.zeros((len(rows), len(rows))), np.ones((len(rows), len(rows)))
    for i, j in itertools.combinations(range(len(rows)), 2):
        result = test(rows[i], rows[j])
        differences[i, j], differences[j, i] = result.difference, -result.difference
        p[i, j] = p[j, i] = result.p
    return Comparisons(differences, p)


def significantly_higher(comparisons: Comparisons, alpha: float = 0.05) -> Higher:
    """Return which rows lie above which, after Holm's correction over all pairs.

    Args:
        comparisons: of the rows shown, no others.
        alpha: probability that any pair is told apart which does not differ.

    Returns:
        (rows, rows): whether the row is significantly higher than the column.
    """
    upper = np.triu_indices(len(comparisons.p), 1)
    apart = np.zeros(comparisons.p.shape, dtype=bool)
    apart[upper] = holm(comparisons.p[upper]) <= alpha
    return (apart | apart.T) & (comparisons.differences > 0)


def rank_intervals(better: Higher) -> list[RankInterval]:
    """Return the ranks that each row may have.

    The best is 1 + the number of rows significantly better, the worst is rows - the number significantly worse. As Holm
    holds the error over all pairs, all intervals are right at once with probability 1 - alpha, errors of sign aside
    (Al Mohamad, Goeman and van Zwet 2022; Mogstad, Romano, Shaikh and Wilhelm 2024).

    Args:
        better: (rows, rows): whether the row is significantly better than the column: `significantly_higher`, or its
            transpose where low is good.
    """
    n = len(better)
    return [
        RankInterval(1 + int(above), n - int(below))
        for above, below in zip(better.sum(axis=0), better.sum(axis=1), strict=True)
    ]


def tie_groups(better: Higher) -> list[tuple[int, ...]]:
    """Return the tie groups: the largest sets of rows no two of which can be told apart.

    Two rows share a group exactly when they cannot be told apart. Groups overlap: that A is not separable from B and B
    not from C does not make A and C inseparable, so cutting the board into disjoint groups would claim ties or
    differences that the tests do not. This is the compact letter display of multiple comparisons, by insertion and
    absorption (Piepho 2004).

    Args:
        better: (rows, rows): whether the row is significantly better than the column.

    Returns:
        Row numbers, ascending in and between groups: with rows given best first, the leader is in the first group.
    """
    apart = better | better.T
    groups = {frozenset(range(len(better)))} if len(better) else set()
    for row in range(len(better)):
        separable = frozenset(np.flatnonzero(apart[row]).tolist())
        # A group with the row and one separable from it becomes two: without the row, and without all of those.
        parts = {
            part for group in groups for part in ((group - {row}, group - separable) if row in group else (group,))
        }
        groups = {part for part in parts if not any(part < other for other in parts)}
    return sorted(tuple(sorted(group)) for group in groups)


def letters(groups: Sequence[tuple[int, ...]], rows: int) -> list[str]:
    """Return each row's letters, one for each tie group it is in: rows that share a letter cannot be told apart.

    Args:
        groups: from `tie_groups`.
        rows: number of rows.

    Returns:
        (rows,) such as "a", "ab", "b"; after z come A to Z, then a2, b2 and so on.
    """
    alphabet = string.ascii_letters
    names = [
        alphabet[k % len(alphabet)] + (str(k // len(alphabet) + 1) if k >= len(alphabet) else "")
        for k in range(len(groups))
    ]
    return ["".join(name for name, group in zip(names, groups, strict=True) if row in group) for row in range(rows)]
