"""Corrections of p values for the number of tests made."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["holm"]


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p values so that rejecting those up to alpha makes any false rejection no likelier than alpha (Holm 1979).

    Holds whatever the dependence between the tests.

    Args:
        p_values: (tests,) of one family, each between 0 and 1.

    Returns:
        (tests,) adjusted p values, in the order given.

    Raises:
        ValueError: a number is no probability (NaN, say).
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p values lie between 0 and 1")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)), 1)
    return adjusted
