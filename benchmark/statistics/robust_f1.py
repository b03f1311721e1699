"""Robust F1: the worst case over several attacks, chosen sentence by sentence.

F1 is no mean over sentences, so the worst attack on a sentence is not the one with the most errors: an error elsewhere
weighs more or less by what all other sentences add up to. Choosing by errors is not even monotone, an attack more can
raise F1. So the corpus F1 itself is minimised over all choices, exactly, by Dinkelbach's iteration (Dinkelbach 1967): a
ratio of sums N / D is smallest where N - value * D, which falls apart into sentences, has the minimum 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmark.statistics.totals import Sums, micro_f1

__all__ = ["RobustF1", "robust_f1"]


class RobustF1(NamedTuple):
    """The lowest F1 that a choice of one outcome a sentence leads to, and such a choice.

    Attributes:
        value: between 0 and 1.
        chosen: (sentences,) the option taken for each.
        counts: (sentences, 3) true positives, predicted and gold mentions of the options taken.
    """

    value: float
    chosen: NDArray[np.intp]
    counts: Sums


def robust_f1(options: Sums) -> RobustF1:
    """Minimise F1 = 2 TP / (2 TP + FP + FN) over all ways to choose one option for each sentence.

    An option more can only lower it: the choices without it are still there.

    Args:
        options: (options, sentences, 3) true positives, predicted and gold mentions; one option is an attack's outcome
            on all sentences, the unattacked text is one as well.

    Returns:
        The minimum; 0 where there is no mention at all, as everywhere.

    Raises:
        ValueError: there is no option.
    """
    if not len(options):
        raise ValueError("robust F1 needs at least one option")
    twice_found, mentions = 2 * options[:, :, 0], options[:, :, 1] + options[:, :, 2]
    best = _taken(options, np.zeros(options.shape[1], dtype=np.intp))
    while best.value > 0:
        better = _taken(options, np.argmin(twice_found - best.value * mentions, axis=0))
        if better.value >= best.value:  # the same up to rounding: it is the minimum
            break
        best = better
    return best


def _taken(options: Sums, chosen: NDArray[np.intp]) -> RobustF1:
    counts = options[chosen, np.arange(options.shape[1])]
    return RobustF1(float(micro_f1(counts.sum(axis=0, keepdims=True))[0]), chosen, counts)
