"""Normalised embeddings, for adversarial training (Miyato, Dai & Goodfellow 2017, equation 1).

Perturbations are bounded, so a network could make them harmless by growing its embeddings. Training therefore reads

    v̄ = (v − E[v]) / √Var[v],   E[v] = Σ_j f_j v_j,   Var[v] = Σ_j f_j (v_j − E[v])²

for each dimension, where f_j is the share of unit j among the units of the training split. E and Var follow the
embeddings from step to step, and gradients go through them. What is stored at the end are the normalised tables, so
that the victim needs no code of its own, and E and √Var of the words for the vectors that stay GloVe's.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from benchmark.victims.cnn_lstm_crf.network import CnnLstmCrf, Rows, Vectors

__all__ = ["GLOVE_MEAN", "GLOVE_SPREAD", "NormalisedCnnLstmCrf", "moments"]

GLOVE_MEAN, GLOVE_SPREAD = "glove_mean", "glove_spread"
"""Names of E and √Var of the words among the stored weights."""

_LEAST_VARIANCE = 1e-6


class NormalisedCnnLstmCrf(CnnLstmCrf):
    """The network in training on normalised embeddings; `weigh` it before it is used.

    The padding character stays zero.
    """

    word_shares: torch.Tensor
    character_shares: torch.Tensor

    def weigh(self, words: NDArray[np.int64], characters: NDArray[np.int64]) -> None:
        """Say how often each of the vocabulary's own words and each of its characters occurs in the training split."""
        for name, counts in (("word_shares", words), ("character_shares", characters)):
            shares = torch.from_numpy(counts / counts.sum()).float().to(self.words.weight.device)
            self.register_buffer(name, shares, persistent=False)

    def look_up(self, rows: Rows) -> Vectors:
        """Look up and normalise."""
        found = super().look_up(rows)
        mean, spread = moments(self.words.weight, self.word_shares)
        words = (found.words - mean) / spread
        mean, spread = moments(self.characters.weight, self.character_shares)
        characters = (found.characters - mean) / spread
        return Vectors(words, characters * (rows.characters.flatten(1) != 0)[:, :, None])

    @torch.no_grad()
    def normalised_state(self) -> dict[str, torch.Tensor]:
        """Return the weights of a plain network that looks up what this one does, and the moments for GloVe's words."""
        state = dict(self.state_dict())
        mean, spread = moments(self.words.weight, self.word_shares)
        state["words.weight"] = (self.words.weight - mean) / spread
        state |= {GLOVE_MEAN: mean, GLOVE_SPREAD: spread}
        mean, spread = moments(self.characters.weight, self.character_shares)
        state["characters.weight"] = (self.characters.weight - mean) / spread
        state["characters.weight"][0] = 0
        return state


def moments(vectors: torch.Tensor, shares: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return E and √Var, of (dimensions,) each.

    Args:
        vectors: (units, dimensions).
        shares: (units,) that sum to one.
    """
    mean = shares @ vectors
    variance = shares @ (vectors - mean).square()
    return mean, (variance + _LEAST_VARIANCE).sqrt()
