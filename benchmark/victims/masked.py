"""A transformer that reads words through masks; `benchmark.training.word_masks` tells what they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmark.victims.transformer import TransformerVictim

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MaskedVictim"]


class MaskedVictim(TransformerVictim):
    """A victim around a transformers model whose embeddings are `WordMasks`.

    Answers, gradients and attributions are those at the masks' expectations: what is looked up for a word, by a forward
    pass or in `tables`, is φ times its vectors.
    """

    def importance(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return the (words,) global importance scores φ in (0, 1) (FLAT, section 3.1), whatever text they stand in."""
        import torch

        with torch.no_grad():
            scores: torch.Tensor = self._model.get_input_embeddings().of_words(self._pieces.of(tuple(words)))
        found: NDArray[np.float32] = scores.cpu().numpy()
        return found
