"""The standing of the rows shown: ranks, what the tests leave of them, and what the sentences can tell apart at all.

All of it is relative: it is computed for the rows of one table, after any filter.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from benchmark.statistics.intervals import RESAMPLES
from benchmark.statistics.power import smallest_separable_gap
from benchmark.statistics.ranking import (
    PairedTest,
    compare_all,
    letters,
    rank_intervals,
    significantly_higher,
    tie_groups,
)
from leaderboard.tables import Column

__all__ = ["ALPHA", "STANDING", "Standing", "enough_resamples", "resolution", "smallest_gap", "standings", "told"]

ALPHA = 0.05

STANDING = (
    Column("rank", "Rank", "by the headline number, with the ranks that tests leave open", 1, 0, missing=""),
    Column("ties", "Tie", "rows that share a letter cannot be told apart"),
)


class Standing(NamedTuple):
    """Where a row stands.

    Attributes:
        rank: from 1; equal numbers share it.
        best: best rank that the tests leave open.
        worst: worst one.
        ties: letters; rows that share one cannot be told apart.
    """

    rank: int
    best: int
    worst: int
    ties: str

    def cells(self) -> dict[str, Any]:
        """Return the cells of a frame's row."""
        return {"rank": self.rank, "rank.low": self.best, "rank.high": self.worst, "ties": self.ties}


def standings(values: Sequence[float], test: Callable[[int, int], PairedTest]) -> list[Standing]:
    """Return where each row stands, the highest value first.

    Args:
        values: of the rows.
        test: compares two rows by their number: first minus second.
    """
    order = sorted(range(len(values)), key=lambda k: -values[k])
    higher = significantly_higher(compare_all(order, test), ALPHA)
    intervals = rank_intervals(higher)
    names = letters(tie_groups(higher), len(order))
    found = {
        row: Standing(1 + sum(value > values[row] for value in values), *interval, name)
        for row, interval, name in zip(order, intervals, names, strict=True)
    }
    return [found[row] for row in range(len(values))]


def told(test: str, pairs: int) -> str:
    """Say by which test ranks and ties were found."""
    over = f", Holm over {pairs} pairs" if pairs > 1 else ""
    return f"Ranks left open and ties: {test}{over}. Rows that share a letter cannot be told apart."


def enough_resamples(pairs: int) -> int:
    """Return how often a randomisation test must exchange for Holm's first step over so many pairs to find anything."""
    return max(RESAMPLES, math.ceil(2 * pairs / ALPHA))


def smallest_gap(sentences: int, discordances: Sequence[float]) -> float:
    """Return the smallest gap between two rates that is told apart for the median pair of rows; NaN where none is.

    Args:
        sentences: that all rows were tested on.
        discordances: of each pair of rows, at least one, the share of sentences on which only one succeeds.
    """
    return smallest_separable_gap(sentences, statistics.median(discordances), ALPHA / len(discordances))


def resolution(sentences: int, discordances: Sequence[float], *, independent: bool = True) -> str:
    """Tell the smallest gap between two rates that McNemar's exact test tells apart, in words.

    Args:
        sentences: that both rows were tested on.
        discordances: of each pair of rows, the share of sentences on which only one succeeds.
        independent: whether they are; those of a document are not, and then the gap may have to be larger.
    """
    if not discordances:
        return ""
    typical, gap = statistics.median(discordances), smallest_gap(sentences, discordances)
    rows = f"rows that disagree on {100 * typical:.0f} % of them (the median pair)"
    if math.isnan(gap):
        return f"With one seed each, {sentences} sentences cannot tell {rows} apart."
    on = f"{sentences} sentences" if independent else f"{sentences} sentences, taken as independent"
    return f"Smallest gap told apart with one seed each on {on}: {100 * gap:.1f} points, for {rows}."
