"""What the CNN-LSTM-CRF looks up: words and characters, each as the row of a table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.errors import BadInput
from benchmark.model_files import fingerprint_of
from benchmark.resources.word_vectors import glove_folder
from benchmark.types import Tokens

__all__ = [
    "MASK",
    "PADDING",
    "UNKNOWN",
    "UNKNOWN_CHARACTER",
    "UNKNOWN_WORD",
    "Glove",
    "LookedUp",
    "Vocabulary",
    "glove",
    "read_vocabulary",
]

UNKNOWN = "[UNK]"
"""Stands for a word that neither the training split nor GloVe knows, and for a character that is new."""
MASK = "<Mask>"
"""Hides a word and its characters; defenses that mask words in training give it a meaning (MAT)."""
PADDING = "<pad>"

_WORDS = (UNKNOWN, MASK)
_CHARACTERS = (PADDING, UNKNOWN, MASK)
UNKNOWN_WORD = _WORDS.index(UNKNOWN)
UNKNOWN_CHARACTER = _CHARACTERS.index(UNKNOWN)


@dataclass(frozen=True)
class Glove:
    """GloVe's table (Pennington et al. 2014): words, (words, dimensions) vectors, and the sha256 of their files."""

    words: Sequence[str]
    vectors: NDArray[np.float32]
    fingerprint: str

    @cached_property
    def rows(self) -> dict[str, int]:
        """Each word's row."""
        return {word: k for k, word in enumerate(self.words)}

    def of(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return the (words, dimensions) vectors of words that are in the table."""
        return self.vectors[[self.rows[word] for word in words]]


@lru_cache(maxsize=1)
def glove() -> Glove:
    """Return the 400,000 words of GloVe 6B in 50 dimensions, from their wheel.

    Raises:
        MissingResource: the wheel is not installed.
    """
    folder = glove_folder()
    words = pd.read_parquet(folder / "glove_6B_index.parquet")["index"].tolist()
    vectors = np.load(folder / "glove_6B_50d_emb.npy", allow_pickle=False)
    return Glove(words, vectors.astype(np.float32, copy=False), fingerprint_of(folder, ("*.npy", "*.parquet")))


class LookedUp(NamedTuple):
    """A word's row, and the rows of its characters, at least one."""

    word: int
    characters: tuple[int, ...]


@dataclass(frozen=True)
class Vocabulary:
    """Words and characters by row.

    Attributes:
        words: those with vectors of their own: special ones, then the training split's, lower-cased.
        characters: special ones, then the training split's.
        others: words that keep GloVe's vectors; their rows follow.
    """

    words: tuple[str, ...]
    characters: tuple[str, ...]
    others: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[Tokens], known: Sequence[str]) -> Vocabulary:
        """Collect the vocabulary of a training split; `known` are GloVe's words."""
        texts = list(texts)
        words = sorted({word.lower() for text in texts for word in text} - set(_WORDS))
        characters = sorted({character for text in texts for word in text for character in word})
        return cls.with_others((*_WORDS, *words), (*_CHARACTERS, *characters), known)

    @classmethod
    def with_others(cls, words: Sequence[str], characters: Sequence[str], known: Sequence[str]) -> Vocabulary:
        """Put GloVe's words behind those of the training split."""
        own = set(words)
        return cls(tuple(words), tuple(characters), tuple(word for word in known if word not in own))

    @classmethod
    def from_json(cls, text: str, known: Sequence[str]) -> Vocabulary:
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        record = json.loads(text)
        if not isinstance(record, dict) or not all(_are_units(record.get(key)) for key in ("words", "characters")):
            raise ValueError("not a vocabulary of words and characters")
        words, characters = record["words"], record["characters"]
        if tuple(words[: len(_WORDS)]) != _WORDS or tuple(characters[: len(_CHARACTERS)]) != _CHARACTERS:
            raise ValueError("a vocabulary without the special words and characters")
        return cls.with_others(words, characters, known)

    def to_json(self) -> str:
        """Write what training found; GloVe's words are left out."""
        return json.dumps({"words": list(self.words), "characters": list(self.characters)}) + "\n"

    def look_up(self, word: str) -> LookedUp:
        """Return a word's rows. The special words are told from others before they are lower-cased."""
        if word in _WORDS:
            return LookedUp(_WORDS.index(word), (_CHARACTERS.index(word),))
        characters = tuple(self._characters.get(character, UNKNOWN_CHARACTER) for character in word)
        return LookedUp(self._words.get(word.lower(), UNKNOWN_WORD), characters or (UNKNOWN_CHARACTER,))

    def counts(self, texts: Iterable[Tokens]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return how often each of `words` and each of `characters` occurs."""
        found = [self.look_up(word) for text in texts for word in text]
        words = Counter(word for word, _ in found)
        characters = Counter(character for _, spelling in found for character in spelling)
        return (
            np.array([words[k] for k in range(len(self.words))]),
            np.array([characters[k] for k in range(len(self.characters))]),
        )

    @cached_property
    def _words(self) -> dict[str, int]:
        return {word: k for k, word in enumerate((*self.words, *self.others))}

    @cached_property
    def _characters(self) -> dict[str, int]:
        return {character: k for k, character in enumerate(self.characters)}


def read_vocabulary(path: Path, known: Sequence[str]) -> Vocabulary:
    """Read a vocabulary's file.

    Raises:
        BadInput: it is missing or damaged.
    """
    try:
        return Vocabulary.from_json(path.read_text(encoding="utf-8"), known)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as a vocabulary ({error}); train the victim again") from None


def _are_units(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(unit, str) for unit in value) and len(set(value)) == len(value)
