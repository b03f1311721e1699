"""F of a victim with gradient access at vectors of the test's choice, computed without the services under test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from benchmark.types import Tokens
    from benchmark.victims.white_box import Target, WhiteBox

__all__ = ["moved", "without_words"]


def moved(
    victim: WhiteBox, tokens: Tokens, target: Target, table: str, words: Sequence[int], step: NDArray[np.float32]
) -> float:
    """Return F where the (units, dimensions) vectors of some words in one table are moved by `step`."""

    def move(vectors: torch.Tensor, places: Sequence[tuple[int, ...]]) -> None:
        vectors[[unit for word in words for unit in places[word]]] += torch.from_numpy(step)

    return _value(victim, tokens, target, table, move)


def without_words(victim: WhiteBox, tokens: Tokens, target: Target, table: str) -> float:
    """Return F at the baseline: all words' vectors in one table are zero, special pieces stay."""

    def erase(vectors: torch.Tensor, places: Sequence[tuple[int, ...]]) -> None:
        vectors[[unit for place in places for unit in place]] = 0

    return _value(victim, tokens, target, table, erase)


def _value(
    victim: WhiteBox,
    tokens: Tokens,
    target: Target,
    table: str,
    alter: Callable[[torch.Tensor, Sequence[tuple[int, ...]]], None],
) -> float:
    ((_, units),) = victim.batches([tokens])
    vectors = {name: rows.detach().clone() for name, rows in units.vectors.items()}
    alter(vectors[table][0], units.places[table][0])
    with torch.no_grad():
        said = victim.log_probabilities(vectors, units.inputs)[0]
    return float(sum(said[i, victim.labels.index(label)] for i, label in target))
