"""Choosing which candidates to ask about when there are more than queries."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["stratified"]

T = TypeVar("T")
# Stands for weights of zero.
_TINY = 1e-300


def stratified(groups: Sequence[Sequence[tuple[T, float]]], most: int, rng: random.Random) -> list[T]:
    """Draw at most `most` items, evenly from all groups, the heavier of a group sooner.

    Cutting a list at the budget favours whatever stands first in it (in TextAttack the alphabetically first). Here
    every position of a sentence has its turn, in random order, before any has its second, and within a position items
    come in a random order weighted by their probability (Efraimidis & Spirakis 2006).

    Args:
        groups: of each position, items with positive weights.
        most: how many are wanted.
        rng: where chance comes from.
    """
    # Exponential waiting times: an item of twice the weight comes first twice as often.
    shuffled = [
        [
            group[k][0]
            for _, k in sorted((rng.expovariate(max(weight, _TINY)), k) for k, (_, weight) in enumerate(group))
        ]
        for group in groups
    ]
    rng.shuffle(shuffled)
    deepest = max(map(len, shuffled), default=0)
    in_turn = [group[depth] for depth in range(deepest) for group in shuffled if depth < len(group)]
    return in_turn[:most]
