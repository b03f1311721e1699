"""Variational word masks: which words a transformer may read (Chen & Ji 2020, EMNLP; FLAT, section 3.2).

Each word x_i has a mask W_i in {0, 1}, drawn by itself with P(W_i = 1) = φ, the word's global importance: a function of
its vectors alone, which are frozen. In training the vectors are multiplied by a mask that is drawn, 0 or 1, in use by
its expectation φ, so that a victim answers the same each time. The masks take the place of the table of vectors; all
else of the network, what attends to what included, stays as it is: a word that is hidden is still labelled.

A word is here what a WordPiece tokenizer takes for one: a piece and those with ## after it, which are masked together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmark.errors import BadInput, first_line

__all__ = ["STORED", "WordMasks", "mask_words", "masks_in"]

STORED = "word_masks"
"""Under this name what was learnt is stored beside the victim's weights."""

_HIDDEN = 400  # of the inference network, as released with FLAT
_SPECIAL = frozenset({"[PAD]", "[CLS]", "[SEP]", "[MASK]"})
# A victim that goes on learning has read all words so far; were half of them hidden at once, it would begin anew.
_KEPT_AT_FIRST = 0.9


class WordMasks(nn.Module):
    """A table of vectors, each multiplied by its word's mask.

    Args:
        table: (pieces, dimensions) vectors of pieces; they are frozen.
        pieces: the text of each.

    Attributes:
        inferring: from a piece's vector to the log-odds of its being kept. Released code has one more layer than the
            paper's "single-layer" network, and so has this. The log-odds of a word are the highest of its pieces.
    """

    goes_on: torch.Tensor
    special: torch.Tensor

    def __init__(self, table: nn.Embedding, pieces: Sequence[str]) -> None:
        super().__init__()
        self.table = table
        self.table.weight.requires_grad = False
        last = nn.Linear(_HIDDEN, 1)
        with torch.no_grad():
            last.bias.fill_(math.log(_KEPT_AT_FIRST / (1 - _KEPT_AT_FIRST)))
        self.inferring = nn.Sequential(nn.Linear(table.embedding_dim, _HIDDEN), nn.Tanh(), last)
        self.register_buffer("goes_on", torch.tensor([text.startswith("##") for text in pieces]), persistent=False)
        self.register_buffer("special", torch.tensor([text in _SPECIAL for text in pieces]), persistent=False)

    @property
    def weight(self) -> torch.Tensor:
        """The (pieces, dimensions) vectors as they are in use where a piece is a whole word."""
        with torch.no_grad():
            kept = self.inferring(self.table.weight).sigmoid().masked_fill(self.special[:, None], 1)
            scaled: torch.Tensor = self.table.weight * kept
        return scaled

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the (rows, units, dimensions) vectors of (rows, units) pieces, times W in training, φ in use."""
        masks = self.drawn(ids) if self.training else self.importance(ids)
        vectors: torch.Tensor = self.table(ids) * masks[:, :, None]
        return vectors

    def importance(self, ids: torch.Tensor) -> torch.Tensor:
        """Return φ of the word of each of (rows, units) pieces; special pieces are always read."""
        return self._log_odds(ids).sigmoid().masked_fill(self.special[ids], 1)

    def drawn(self, ids: torch.Tensor) -> torch.Tensor:
        """Return (rows, units) masks, 0 or 1, with the gradient of their relaxation (straight-through Gumbel-softmax).

        The temperature is 1 (Jang et al. 2017, section 2.2).
        """
        odds = self._log_odds(ids)
        both = torch.stack([torch.zeros_like(odds), odds], dim=-1)
        masks = nn.functional.gumbel_softmax(both, tau=1.0, hard=True)[:, :, 1]
        # Each piece has drawn; that of a word's first piece holds for all of them.
        places = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
        first = places.masked_fill(self.goes_on[ids], 0).cummax(dim=1).values
        return masks.gather(1, first).masked_fill(self.special[ids], 1)

    def entropy(self, ids: torch.Tensor) -> torch.Tensor:
        """Return H(W | x) in nats, the mean over the words of (rows, units) pieces; special pieces are none."""
        odds = self._log_odds(ids)[~(self.goes_on | self.special)[ids]]
        return (nn.functional.softplus(odds) - odds * odds.sigmoid()).mean()

    def of_words(self, words: Iterable[tuple[int, ...]]) -> torch.Tensor:
        """Return φ of each word, given as its pieces; of what the tokenizer takes for several words the highest."""
        words = list(words)
        ids = torch.tensor([piece for word in words for piece in word], device=self.goes_on.device)
        odds = self.inferring(self.table(ids)).squeeze(-1).split([len(word) for word in words])
        return torch.stack([own.max() for own in odds]).sigmoid()

    def _log_odds(self, ids: torch.Tensor) -> torch.Tensor:
        odds = self.inferring(self.table(ids)).squeeze(-1)
        word = (~self.goes_on[ids]).long().cumsum(dim=1)
        same = word[:, :, None] == word[:, None, :]
        highest: torch.Tensor = odds[:, None, :].masked_fill(~same, -torch.inf).amax(dim=-1)
        return highest


def mask_words(model: Any, pieces: Sequence[str]) -> WordMasks:
    """Put fresh word masks on a model of transformers and return them.

    Args:
        model: its vectors are not scaled or projected on the way from the table into the network.
        pieces: the text of each piece.
    """
    table: nn.Embedding = model.get_input_embeddings()
    masks = WordMasks(table, pieces).to(table.weight.device)
    model.set_input_embeddings(masks.train(model.training))
    return masks


def masks_in(folder: Path, model: Any, pieces: Sequence[str]) -> WordMasks | None:
    """Put the word masks on a model that a victim was stored with; return None if it was stored with none.

    Raises:
        BadInput: they are damaged or of another model.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = folder / f"{STORED}.safetensors"
    if not file.is_file():
        return None
    masks = mask_words(model, pieces)
    try:
        masks.inferring.load_state_dict(load_file(file))
    except (OSError, RuntimeError, SafetensorError) as error:
        told = first_line(error)
        raise BadInput(f"the word masks in {folder} do not fit ({told}); delete the folder to train it again") from None
    return masks
