"""A transformer that reads words through masks; `benchmark.training.word_masks` tells what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from benchmark.victims.transformer import TransformerVictim
from benchmark.victims.white_box import EmbeddingTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MaskedVictim"]


@dataclass(frozen=True, slots=True)
class _MaskedTable(EmbeddingTable):
    """A table whose `vectors` are in use where a unit is a word by itself.

    Attributes:
        odds: (units,) the log-odds of each of being read.
        goes_on: (units,) whether it goes on a word.
    """

    odds: NDArray[np.float32]
    goes_on: NDArray[np.bool_]

    def factors(self, units: tuple[int, ...]) -> NDArray[np.float32]:
        """Return (units,) the φ that the units share in a word by the φ that each has alone."""
        own, word = self.odds[list(units)], np.cumsum(~self.goes_on[list(units)])
        highest = np.array([own[word == of].max() for of in word], np.float32)
        shares: NDArray[np.float32] = expit(highest) / expit(own)
        return shares


class MaskedVictim(TransformerVictim):
    """A victim around a transformers model whose embeddings are `WordMasks`.

    Answers, gradients and attributions are those at the masks' expectations: what is looked up for a word, by a forward
    pass or in `tables`, is φ times its vectors. Pieces of a word share the highest φ among them.
    """

    @cached_property
    def tables(self) -> Mapping[str, EmbeddingTable]:
        """The word pieces' vectors, before positions and normalisation are added."""
        import torch

        pieces, masks = super().tables["pieces"], self._model.get_input_embeddings()
        with torch.no_grad():
            odds = masks.inferring(masks.table.weight).squeeze(-1).masked_fill(masks.special, torch.inf)
        goes_on = masks.goes_on.cpu().numpy()
        return {"pieces": _MaskedTable(pieces.vectors, pieces.units, pieces.of, odds.cpu().numpy(), goes_on)}

    def importance(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return the (words,) global importance scores φ in (0, 1) (FLAT, section 3.1), whatever text they stand in."""
        import torch

        with torch.no_grad():
            scores: torch.Tensor = self._model.get_input_embeddings().of_words(self._pieces.of(tuple(words)))
        found: NDArray[np.float32] = scores.cpu().numpy()
        return found
