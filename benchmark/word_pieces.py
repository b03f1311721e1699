"""From words to a tokenizer's pieces, each word by itself, and rows of one shape for a network.

Independent answers. The same text gives the same bits whatever stands beside it only if the matrices that go through
the network have the same shape. So texts are grouped by length (rounded up to a multiple of a few pieces) and
every forward has exactly `rows` texts; the last one is filled up. Tests check this promise on the real MiniLM.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import BadInput
from benchmark.types import Tokens

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["LENGTH_STEP", "WordPieces", "fixed_shapes", "padded", "positions", "rows_of_one_shape"]

LENGTH_STEP = 8
_REMEMBERED = 500_000


class WordPieces:
    """A fast tokenizer, used word by word; a word's pieces are remembered.

    Args:
        tokenizer: a fast tokenizer of transformers.
        name: of the model, for messages.

    Attributes:
        tokenizer: the same.
        prefix: special pieces before a text.
        suffix: special pieces after it.

    Raises:
        BadInput: the tokenizer is not a fast one.
    """

    def __init__(self, tokenizer: Any, name: str) -> None:
        if not tokenizer.is_fast:
            raise BadInput(f"the tokenizer of {name} is not a fast one; convert it with transformers first")
        _put_a_space_before_each_word(tokenizer.backend_tokenizer)
        self.tokenizer = tokenizer
        self._pieces: dict[str, tuple[int, ...]] = {}
        self.prefix, self.suffix = self._special_pieces()

    @property
    def overhead(self) -> int:
        """How many special pieces a text has."""
        return len(self.prefix) + len(self.suffix)

    def of(self, tokens: Tokens) -> list[tuple[int, ...]]:
        """Return each word's pieces. A word that normalises to nothing is unknown."""
        new = [word for word in dict.fromkeys(tokens) if word not in self._pieces]
        if new:
            encoded = self.tokenizer([[word] for word in new], is_split_into_words=True, add_special_tokens=False)
            if len(self._pieces) > _REMEMBERED:  # bounds memory in runs with endless misspellings
                self._pieces.clear()
                return self.of(tokens)
            for word, pieces in zip(new, encoded["input_ids"], strict=True):
                self._pieces[word] = tuple(pieces) or (self.tokenizer.unk_token_id,)
        return [self._pieces[word] for word in tokens]

    def length(self, words: Sequence[tuple[int, ...]]) -> int:
        """Return the number of pieces of a text, special ones included."""
        return sum(map(len, words)) + self.overhead

    def row(self, words: Sequence[tuple[int, ...]]) -> list[int]:
        """Return a text's pieces, special ones included."""
        return [*self.prefix, *(piece for word in words for piece in word), *self.suffix]

    def starts(self, words: Sequence[tuple[int, ...]]) -> list[int]:
        """Return the index of each word's first piece in `row`."""
        ends = np.cumsum([len(word) for word in words]) + len(self.prefix)
        return [int(end) - len(word) for end, word in zip(ends, words, strict=True)]

    def _special_pieces(self) -> tuple[list[int], list[int]]:
        """Find what the tokenizer puts before and after a text."""
        (word,) = self.of(("a",))
        whole = self.tokenizer([["a"]], is_split_into_words=True)["input_ids"][0]
        at = next(k for k in range(len(whole)) if tuple(whole[k : k + len(word)]) == word)
        return list(whole[:at]), list(whole[at + len(word) :])


def _put_a_space_before_each_word(backend: Any) -> None:
    """Let a byte-level tokenizer read each word as it stands in a text: "Ġness", not the "ness" of "weakness".

    `add_prefix_space=True` at loading does so for some classes of transformers only, and silently not for others.
    """
    from tokenizers import pre_tokenizers

    how = backend.pre_tokenizer
    parts: Any = how if isinstance(how, pre_tokenizers.Sequence) else [how]
    for part in parts:
        if isinstance(part, pre_tokenizers.ByteLevel):
            part.add_prefix_space = True
            backend.pre_tokenizer = how


def fixed_shapes(
    lengths: Sequence[int], rows: int, longest: int, step: int = LENGTH_STEP
) -> Iterator[tuple[int, list[int]]]:
    """Group texts for forwards of fixed shapes.

    Args:
        lengths: pieces of each text.
        rows: texts a forward.
        longest: what the model can read.
        step: lengths are rounded up to a multiple of this.

    Yields:
        The padded length, and the indices of at most `rows` texts.
    """
    buckets: dict[int, list[int]] = {}
    for k, length in enumerate(lengths):
        buckets.setdefault(min(-(-length // step) * step, longest), []).append(k)
    for length, members in sorted(buckets.items()):
        for start in range(0, len(members), rows):
            yield length, members[start : start + rows]


def rows_of_one_shape(
    texts: Sequence[Sequence[int]], rows: int, length: int, padding: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (rows, length) pieces and attention mask; missing rows repeat the first text."""
    import torch

    pieces, mask = padded(texts, rows, length, padding)
    return torch.from_numpy(pieces), torch.from_numpy(mask)


def padded(
    texts: Sequence[Sequence[int]], rows: int, length: int, padding: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the same as arrays."""
    ids = np.full((rows, length), padding, dtype=np.int64)
    mask = np.zeros((rows, length), dtype=np.int64)
    for k in range(rows):
        pieces = texts[k] if k < len(texts) else texts[0]
        ids[k, : len(pieces)] = pieces
        mask[k, : len(pieces)] = 1
    return ids, mask


def positions(config: Any) -> int:
    """Return how many pieces a model can read; without a table of positions there is no limit of its own."""
    table = getattr(config, "max_position_embeddings", None) or sys.maxsize
    # RoBERTa's table starts after its padding index, so two of its places cannot be used.
    shifted = "roberta" in config.model_type or config.model_type in {"camembert", "longformer", "mpnet"}
    return table - 2 if shifted else table
