"""What a back end promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

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


class Forward(Protocol):
    """A network's forward pass. A batch's answer depends on that batch alone, bit for bit.

    Attributes:
        rows: texts a batch, always.
        length_step: lengths are multiples of this many pieces.
        settings: back end, precision and shapes, for the specification.
    """

    rows: int
    length_step: int
    settings: Mapping[str, Any]

    def __call__(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        """Return (rows, length, width) numbers for each batch, in order; several may be computed at once."""
