"""A transformer that reads words through masks; `benchmark.training.word_masks` tells what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from benchmark.victims.transformer import TransformerVictim
from benchmark.victims.white_box import EmbeddingTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MaskedVictim"]


@dataclass(frozen=True, slots=True)
class _MaskedTable(EmbeddingTable):
    """A table whose `vectors` are in use where a unit is a word by itself.

    Attributes:
        in_use: from the units of a word to their (units, dimensions) vectors, times the φ that they share in it.
    """

    in_use: Callable[[tuple[int, ...]], NDArray[np.float32]]

    def looked_up(self, word: str) -> NDArray[np.float32]:
        """Return the (units of the word, dimensions) vectors of a word, as a forward pass looks them up."""
        return self.in_use(self.of(word))


class MaskedVictim(TransformerVictim):
    """A victim around a transformers model whose embeddings are `WordMasks`.

    Answers, gradients and attributions are those at the masks' expectations: what is looked up for a word, by a forward
    pass or in `tables`, is φ times its vectors. Pieces of a word share the highest φ among them.
    """

    @cached_property
    def tables(self) -> Mapping[str, EmbeddingTable]:
        """The word pieces' vectors, before positions and normalisation are added."""
        pieces = super().tables["pieces"]
        return {"pieces": _MaskedTable(pieces.vectors, pieces.units, pieces.of, self._in_use)}

    def _in_use(self, pieces: tuple[int, ...]) -> NDArray[np.float32]:
        import torch

        masks = self._model.get_input_embeddings()
        with torch.no_grad():
            ids = torch.tensor([pieces], device=masks.table.weight.device)
            vectors: torch.Tensor = masks.table(ids) * masks.importance(ids)[:, :, None]
        found: NDArray[np.float32] = vectors[0].float().cpu().numpy()
        return found

    def importance(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return the (words,) global importance scores φ in (0, 1) (FLAT, section 3.1), whatever text they stand in."""
        import torch

        with torch.no_grad():
            scores: torch.Tensor = self._model.get_input_embeddings().of_words(self._pieces.of(tuple(words)))
        found: NDArray[np.float32] = scores.cpu().numpy()
        return found
