"""The network of the CNN-LSTM-CRF, and the shapes in which texts go through it.

Sizes are those of MAT and SeqVAT (Chen et al. 2020). Texts of a batch are padded at their end. A padded text must not
be answered otherwise than the bare one, so the backward LSTM reads each text turned round within its own length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import nn

from benchmark.victims.cnn_lstm_crf.vocabulary import UNKNOWN_CHARACTER, UNKNOWN_WORD, LookedUp, Vocabulary
from benchmark.victims.crf import LinearChainCrf

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CnnLstmCrf", "Rows", "Vectors", "rows_of_words"]

_CHARACTER = 30
_FILTERS = 50
_WIDTH = 3
_HIDDEN = 200  # in each direction
_DROPOUT = 0.2


class Rows(NamedTuple):
    """Texts as rows of the tables.

    Attributes:
        words: (rows, words).
        characters: (rows, words, characters); 0 is no character.
        lengths: (rows,) words of each text.
    """

    words: torch.Tensor
    characters: torch.Tensor
    lengths: torch.Tensor

    def to(self, device: torch.device) -> Rows:
        """Return the same on another device."""
        return Rows(*(tensor.to(device) for tensor in self))


class Vectors(NamedTuple):
    """What is looked up: (rows, words, dimensions) and (rows, words × characters, dimensions) vectors."""

    words: torch.Tensor
    characters: torch.Tensor


def rows_of_words(texts: Sequence[Sequence[LookedUp]], rows: int, length: int, longest: int) -> Rows:
    """Put texts into one shape; missing rows repeat the first text, missing words are unknown ones of one character.

    Args:
        texts: at most `rows`, of at most `length` words of at most `longest` characters.
        rows: texts.
        length: words of a text.
        longest: characters of a word.
    """
    words = np.full((rows, length), UNKNOWN_WORD)
    characters = np.zeros((rows, length, longest), dtype=np.int64)
    characters[:, :, 0] = UNKNOWN_CHARACTER
    for row in range(rows):
        for k, (word, spelling) in enumerate(texts[row] if row < len(texts) else texts[0]):
            words[row, k] = word
            characters[row, k, : len(spelling)] = spelling
    lengths = [len(texts[row] if row < len(texts) else texts[0]) for row in range(rows)]
    return Rows(torch.from_numpy(words), torch.from_numpy(characters), torch.tensor(lengths))


class CnnLstmCrf(nn.Module):
    """Characters → convolution, with words → two bidirectional LSTMs → emissions → CRF.

    Args:
        vocabulary: of the tables.
        labels: IOB2 labels.
        glove: (others, dimensions) vectors of the vocabulary's other words. Training never sees those words, so their
            vectors are no parameters, although the table counts as a trained one.
    """

    glove: torch.Tensor

    def __init__(self, vocabulary: Vocabulary, labels: Sequence[str], glove: NDArray[np.float32]) -> None:
        super().__init__()
        self.register_buffer("glove", torch.from_numpy(glove), persistent=False)
        self.words = nn.Embedding(len(vocabulary.words), glove.shape[1])
        self.characters = nn.Embedding(len(vocabulary.characters), _CHARACTER, padding_idx=0)
        self.convolution = nn.Conv1d(_CHARACTER, _FILTERS, _WIDTH, padding=_WIDTH // 2)
        self.first = _TwoWayLstm(glove.shape[1] + _FILTERS)
        self.second = _TwoWayLstm(2 * _HIDDEN)
        self.emitting = nn.Linear(2 * _HIDDEN, len(labels))
        self.crf = LinearChainCrf(labels)

    def look_up(self, rows: Rows) -> Vectors:
        """Look words and characters up in the tables."""
        own = len(self.words.weight)
        trained = self.words(rows.words.clamp_max(own - 1))
        others = nn.functional.embedding((rows.words - own).clamp_min(0), self.glove) if len(self.glove) else trained
        words = torch.where((rows.words < own)[:, :, None], trained, others)
        return Vectors(words, self.characters(rows.characters.flatten(1)))

    def emissions(self, vectors: Vectors, rows: Rows) -> torch.Tensor:
        """Return (rows, words, labels) scores as a function of looked-up vectors."""
        # cuDNN has no backward through an LSTM that is not in training. TF32 is not the precision that is promised.
        cudnn = self.training or not torch.is_grad_enabled()
        with torch.backends.cudnn.flags(enabled=cudnn, deterministic=True, allow_tf32=False):
            seen = torch.cat([vectors.words, self._spelling(vectors.characters, rows.characters)], dim=-1)
            for lstm in (self.first, self.second):
                seen = lstm(self._dropped(seen), rows.lengths)
            scores: torch.Tensor = self.emitting(self._dropped(seen))
        return scores

    def loss(self, rows: Rows, tags: torch.Tensor) -> torch.Tensor:
        """Return the mean negative log-likelihood of (rows, words) tags."""
        emissions = self.emissions(self.look_up(rows), rows)
        return -self.crf.log_likelihood(emissions, tags, rows.lengths).mean()

    def _spelling(self, vectors: torch.Tensor, characters: torch.Tensor) -> torch.Tensor:
        """Return (rows, words, filters): the strongest answer of each filter anywhere in a word."""
        rows, words, longest = characters.shape
        each = vectors.reshape(rows * words, longest, -1).transpose(1, 2)
        answers = self.convolution(each).masked_fill((characters == 0).reshape(rows * words, 1, longest), -torch.inf)
        strongest: torch.Tensor = answers.amax(-1)
        return strongest.reshape(rows, words, -1)

    def _dropped(self, values: torch.Tensor) -> torch.Tensor:
        """Variational dropout (Gal & Ghahramani 2016): the same dimensions are dropped at all words of a text."""
        if not self.training:
            return values
        return values * nn.functional.dropout(torch.ones_like(values[:, :1]), _DROPOUT)


class _TwoWayLstm(nn.Module):
    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.forwards = nn.LSTM(dimensions, _HIDDEN, batch_first=True)
        self.backwards = nn.LSTM(dimensions, _HIDDEN, batch_first=True)

    def forward(self, values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return (rows, words, 2 × hidden) states."""
        behind = self.backwards(_turned(values, lengths))[0]
        return torch.cat([self.forwards(values)[0], _turned(behind, lengths)], dim=-1)


def _turned(values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Turn each text round; what stands beyond its end stays there."""
    places = torch.arange(values.shape[1], device=values.device)
    mirrored = lengths[:, None] - 1 - places
    places = torch.where(mirrored >= 0, mirrored, places)
    return values.gather(1, places[:, :, None].expand_as(values))
