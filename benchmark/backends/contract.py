"""What a back end promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Batch", "Forward"]


class Batch(NamedTuple):
    """Texts of one shape.

    Attributes:
        pieces: (rows, length) word pieces, padded.
        mask: (rows, length), 1 where there is a piece.
    """

    pieces: NDArray[np.int64]
    mask: NDArray[np.int64]


class Forward(ABC):
    """A network's forward pass. A batch's answer depends on that batch alone, bit for bit.

    Args:
        backend: with its device.
        precision: of the sums.
        rows: texts a batch, always.
        length_step: lengths are multiples of this many pieces.

    Attributes:
        settings: all of these, for the specification.
    """

    def __init__(self, backend: str, precision: str, rows: int, length_step: int) -> None:
        self.rows = rows
        self.length_step = length_step
        self.settings: Mapping[str, Any] = {
            "backend": backend,
            "precision": precision,
            "rows": rows,
            "length_step": length_step,
        }

    @abstractmethod
    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        """Return (rows, length, width) numbers for each batch, in order; several may be computed at once."""
