"""Tests for two attacks (or defenses) on the same sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scipy import stats

__all__ = ["McNemar", "mcnemar"]


class McNemar(NamedTuple):
    """Discordant pairs and the two-sided p value.

    Attributes:
        only_first: pairs where only the first succeeded.
        only_second: pairs where only the second did.
        p: exact binomial p value; 1 where no pair is discordant.
    """

    only_first: int
    only_second: int
    p: float


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """Exact McNemar test (McNemar 1947, binomial form).

    Args:
        first: success of the first on each item.
        second: success of the second on the same items.

    Raises:
        ValueError: the two differ in length.
    """
    pairs = list(zip(first, second, strict=True))
    only_first = sum(a and not b for a, b in pairs)
    only_second = sum(b and not a for a, b in pairs)
    discordant = only_first + only_second
    p = float(stats.binomtest(only_first, discordant, 0.5).pvalue) if discordant else 1.0
    return McNemar(only_first, only_second, p)
