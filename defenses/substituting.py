"""Which word stands in for another one: MAT's distribution over words that are similar, but not too similar."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from benchmark.errors import BadInput
from defenses.adding import require_number

if TYPE_CHECKING:
    import torch

__all__ = ["NORMALISATIONS", "GaussianSubstitution", "Substitutes"]

NORMALISATIONS = ("softmax", "sum")


class Substitutes(NamedTuple):
    """Candidates, by their index among the distances, and the (candidates,) probabilities of being drawn."""

    candidates: torch.Tensor
    probabilities: torch.Tensor


class GaussianSubstitution(NamedTuple):
    """post_j = N(s_j; μ, Ω²), made a distribution (MAT, section 3.2.2, equation 6).

    The paper leaves s, μ and Ω open. A Gaussian density is at most 1/(Ω√2π), so its softmax over many words is all but
    uniform unless Ω is small: at Ω = 0.05 the best word is e^8 times as likely as the worst, at Ω = 0.4 only e times.
    Over the thousand nearest words in CoNLL-2003 it diverges from uniform by some 1.3 nats at Ω = 0.02, 0.2 at 0.05.
    Here s_j is the distance to word j over the 99th percentile of the distances to all words, at most 1; candidates are
    the nearest words but for the nearest of all, which AT stands for already; μ is the median of their s.

    Attributes:
        spread: Ω.
        candidates: how many.
        normalise: "softmax" as in the paper, or "sum", the densities over their sum.
    """

    spread: float
    candidates: int
    normalise: str

    def require(self) -> None:
        """Refuse values that make no sense.

        Raises:
            BadInput: names the value.
        """
        require_number("omega", self.spread, 1e-3)
        require_number("candidates", self.candidates, 1)
        if self.normalise not in NORMALISATIONS:
            raise BadInput(f"normalise must be one of {', '.join(NORMALISATIONS)}, not {self.normalise!r}")

    def of(self, distances: torch.Tensor) -> Substitutes:
        """Return the distribution over substitutes of a word.

        Args:
            distances: (words,) Euclidean distances to all other words; at least two.
        """
        import torch

        distances = distances.double()
        nearest = distances.argsort(stable=True)[1 : 1 + self.candidates]
        similar = (distances[nearest] / distances.quantile(0.99)).clamp_max(1)
        away = (similar - similar.quantile(0.5)) / self.spread
        densities = torch.exp(-0.5 * away.square()) / (self.spread * math.sqrt(2 * math.pi))
        shares = densities.softmax(0) if self.normalise == "softmax" else densities / densities.sum()
        return Substitutes(nearest, shares)
