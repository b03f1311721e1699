"""What a number of sentences can tell apart: the resolution of a split for attack rates, by McNemar's exact test.

Both gaps depend on how often two attacks disagree at all (`paired.McNemar.discordance`): where they succeed on the same
sentences, a smaller gap is enough. On a board, pass alpha divided by the number of pairs: Holm's first step.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from benchmark.statistics.totals import ROUNDING

__all__ = ["mcnemar_power", "minimum_detectable_gap", "smallest_separable_gap"]


def smallest_separable_gap(pairs: int, discordance: float, alpha: float = 0.05) -> float:
    """Return the smallest difference of two observed attack rates that the exact test calls significant.

    Args:
        pairs: number of sentences.
        discordance: share of sentences on which only one of the two succeeds; rounded to whole sentences.
        alpha: level of the test.

    Returns:
        A difference of rates between 0 and 1; NaN where none is significant, even if all discordant pairs agree.

    Raises:
        ValueError: a negative number of pairs, a share or level outside 0 to 1.
    """
    _check(pairs, discordance, alpha)
    discordant = np.array([round(pairs * discordance)])
    fewer = int(_most_of_the_fewer(discordant, alpha)[0])
    return math.nan if fewer < 0 else int(discordant[0] - 2 * fewer) / pairs


def mcnemar_power(pairs: int, gap: float, discordance: float, alpha: float = 0.05) -> float:
    """Return the probability that the exact test finds a difference, over all numbers of discordant pairs (Duffy 1984).

    Args:
        pairs: number of sentences.
        gap: true difference of the two attack rates, at most `discordance`.
        discordance: probability that only one of the two succeeds.
        alpha: level of the test.

    Raises:
        ValueError: a negative number of pairs, a share or level outside 0 to 1, a gap above the discordance.
    """
    _check(pairs, discordance, alpha)
    if not 0 <= gap <= discordance:
        raise ValueError(f"a gap of {gap} does not go with a discordance of {discordance}: it is between 0 and that")
    if pairs * discordance < ROUNDING:  # power is no greater than that
        return 0.0
    discordant = np.arange(pairs + 1)
    probability = stats.binom.pmf(discordant, pairs, discordance)
    fewer = _most_of_the_fewer(discordant, alpha)
    for_the_worse = (1 - gap / discordance) / 2
    found = stats.binom.cdf(fewer, discordant, for_the_worse) + stats.binom.cdf(fewer, discordant, 1 - for_the_worse)
    return min(float((probability * found).sum()), 1.0)


def minimum_detectable_gap(pairs: int, discordance: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the true difference of two attack rates that the exact test finds with a given probability.

    Args:
        pairs: number of sentences.
        discordance: probability that only one of the two succeeds.
        power: probability of a significant result.
        alpha: level of the test.

    Returns:
        A difference of rates between 0 and `discordance`; NaN where even the largest is found less often.

    Raises:
        ValueError: a negative number of pairs, a share or level outside 0 to 1, a power not between alpha and 1.
    """
    _check(pairs, discordance, alpha)
    if not alpha < power < 1:
        raise ValueError(f"a power of {power} makes no sense at alpha {alpha}: it is between alpha and 1")

    def missing(gap: float) -> float:
        return mcnemar_power(pairs, gap, discordance, alpha) - power

    if missing(discordance) < 0:
        return math.nan
    return float(optimize.brentq(missing, 0, discordance, xtol=1e-6))


def _most_of_the_fewer(discordant: NDArray[np.int_], alpha: float) -> NDArray[np.int_]:
    """Return how many discordant pairs may go the rarer way for the test to be significant; -1 for none at all."""
    level = alpha / 2 * (1 + 1e-9)  # so that p = alpha counts whatever the rounding
    at_least = stats.binom.ppf(level, discordant, 0.5)
    return np.asarray(at_least - (stats.binom.cdf(at_least, discordant, 0.5) > level), dtype=np.int_)


def _check(pairs: int, discordance: float, alpha: float) -> None:
    if pairs < 0:
        raise ValueError(f"{pairs} is no number of pairs")
    if not 0 <= discordance <= 1:
        raise ValueError(f"a discordance of {discordance} is no share: it is between 0 and 1")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}: it is between 0 and 1")
