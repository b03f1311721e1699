"""Perturbations of what a network looks up, in the direction that raises its loss most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from defenses.adding import require_number

if TYPE_CHECKING:
    import torch

    from benchmark.training.trainee import Batch, Trainee

__all__ = ["Perturbation", "towards"]


@dataclass(frozen=True)
class Perturbation:
    """How far to go in each table, measured by the L2 norm over all units of a sequence together.

    Attributes:
        words: norm in a table of normalised word vectors (δ_w of MAT, section 3.2.1).
        characters: norm in a table of normalised character vectors (δ_c).
        relative: in any table that is not normalised, the norm is relative · RMS · √(units · dimensions), where RMS is
            the root mean square of the table's numbers: the share of a typical vector's length that each may move.
    """

    words: float
    characters: float
    relative: float

    def __post_init__(self) -> None:
        for name, value in (("word_norm", self.words), ("character_norm", self.characters), ("epsilon", self.relative)):
            require_number(name, value, 0)

    def of(
        self, trainee: Trainee, batch: Batch, vectors: Mapping[str, torch.Tensor], loss: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Return by table the (rows, units, dimensions) moves, zero at padding and without gradient.

        The gradient is that of `loss`, so it is taken under the dropout masks that `loss` was computed with. The graph
        of `loss` is kept.

        Args:
            trainee: the network.
            batch: that it reads.
            vectors: as looked up.
            loss: a function of them.
        """
        import torch

        slopes = torch.autograd.grad(loss, list(vectors.values()), retain_graph=True)
        present = trainee.present(batch)
        return {
            table: towards(slope, present[table], self.norms(trainee, table, slope, present[table]))
            for table, slope in zip(vectors, slopes, strict=True)
        }

    def norms(self, trainee: Trainee, table: str, slope: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return the (rows,) norms in a table."""
        import torch

        fixed = {"words": self.words, "characters": self.characters}
        if trainee.normalised and table in fixed:
            return torch.full((len(slope),), fixed[table], device=slope.device)
        numbers = present.sum(1) * slope.shape[-1]
        return numbers.sqrt() * (self.relative * trainee.scale(table))


def towards(slope: torch.Tensor, present: torch.Tensor, norms: torch.Tensor) -> torch.Tensor:
    """Return δ·g/‖g‖₂ with the norm over each sequence as a whole (MAT, equations 3 and 4); zero where g is.

    Args:
        slope: (rows, units, dimensions), g.
        present: (rows, units), False at padding, which is left out of g.
        norms: (rows,), δ.
    """
    slope = slope.detach() * present[:, :, None]
    lengths = slope.flatten(1).norm(dim=1)
    factors = norms / lengths.clamp_min(1e-30)
    moves: torch.Tensor = slope * factors.to(slope.dtype)[:, None, None]
    return moves
