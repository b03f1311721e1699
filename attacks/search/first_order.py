"""First-order estimates: how much the loss would rise if another word stood in a word's place.

Ebrahimi, Rao, Lowd & Dou 2018 (HotFlip), section 3.2, equations 1 and 2. With E the vectors of a table and g the
gradient of the loss J with respect to a looked-up vector, the derivative with respect to the one-hot vector of unit b
is g·E[b], so a flip a → b raises J by g·(E[b] − E[a]).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmark.types import Sentence, Tags
    from benchmark.victims.white_box import EmbeddingTable, Target

__all__ = ["Readings", "gold", "read", "rises"]


class Units(NamedTuple):
    """The units of some words in one table.

    Attributes:
        used: indexes of all units that occur; −1 for none.
        rows: (words, longest) where in `used` the words' units stand.
        lengths: (words,) how many units each word has.
        factors: (words, longest) by what the units' vectors are multiplied in these words.
    """

    used: NDArray[np.int64]
    rows: NDArray[np.int64]
    lengths: NDArray[np.int64]
    factors: NDArray[np.float32]


class Readings(NamedTuple):
    """Words that could stand in one place, as the victim reads them.

    Attributes:
        words: the first is the one that stands there; each reads otherwise than those before it.
        units: by table.
    """

    words: tuple[str, ...]
    units: Mapping[str, Units]


def gold(sentence: Sentence, labels: Tags) -> Target:
    """Return whose log-probabilities, negated and added, are J: the gold entity tokens; all tokens if there are none.

    Args:
        sentence: with gold tags.
        labels: the victim's. One that knows B- or I- of a type only is asked about the mark it knows.
    """
    known = [(i, next((mark for mark in _marks(tag) if mark in labels), None)) for i, tag in enumerate(sentence.tags)]
    all_tokens = tuple((i, mark) for i, mark in known if mark is not None)
    return tuple((i, mark) for i, mark in all_tokens if sentence.inside(i)) or all_tokens


def _marks(tag: str) -> tuple[str, ...]:
    """Return a tag and the other mark of its type."""
    return (tag,) if tag == "O" else (tag, f"{'I' if tag.startswith('B') else 'B'}{tag[1:]}")


def read(word: str, others: Sequence[str], tables: Mapping[str, EmbeddingTable]) -> Readings:
    """Look words up; of those that read alike (to an uncased victim "rOme" and "rome") only the first stays."""
    distinct: dict[tuple[tuple[int, ...], ...], str] = {}
    for candidate in (word, *others):
        distinct.setdefault(tuple(table.of(candidate) for table in tables.values()), candidate)
    units = {
        name: _units([reading[k] for reading in distinct], table) for k, (name, table) in enumerate(tables.items())
    }
    return Readings(tuple(distinct.values()), units)


def rises(
    readings: Readings, tables: Mapping[str, EmbeddingTable], slopes: Mapping[str, NDArray[np.float32]]
) -> NDArray[np.float64]:
    """Return for each reading but the first the estimated rise of the loss J = −F.

    Args:
        readings: of one place.
        tables: of the victim; what another word changes in each of them is added up.
        slopes: by table, (units of the word that stands there, dimensions) ∂F/∂vector.
    """
    total = np.zeros(len(readings.words) - 1)
    for name, units in readings.units.items():
        # (units used, units of the word that stands there) derivatives with respect to one-hot vectors
        one_hot = -(tables[name].vectors[units.used] @ slopes[name].T).astype(np.float64)
        one_hot[units.used < 0] = 0
        if name == "characters":
            total += _by_runs(units, one_hot)
        elif name == "pieces":
            total += _by_pieces(units, one_hot)
        else:
            total += _by_flips(units, one_hot)
    return total


def _by_flips(units: Units, one_hot: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit by unit; beyond the end of the word that stands there no gradient is known."""
    known = min(units.rows.shape[1], one_hot.shape[1])
    in_place = one_hot[units.rows[:, :known], np.arange(known)] * units.factors[:, :known]
    return _from_first(in_place.sum(axis=1))


def _by_runs(units: Units, one_hot: NDArray[np.float64]) -> NDArray[np.float64]:
    """An insertion or deletion shifts what follows, so it is a run of flips; a run of N is divided by √(2N)."""
    flips = (units.rows[1:] != units.rows[0]).sum(axis=1)
    # Characters that are new to the victim all look alike, so it may be that none is flipped.
    runs: NDArray[np.float64] = _by_flips(units, one_hot) / np.sqrt(2 * np.maximum(flips, 1))
    return runs


def _by_pieces(units: Units, one_hot: NDArray[np.float64]) -> NDArray[np.float64]:
    """Piece by piece; from one number of pieces to another, the way of their mean along the sum of all gradients."""
    by_means = _from_first((one_hot.sum(axis=1)[units.rows] * units.factors).sum(axis=1) / units.lengths)
    return np.where(units.lengths[1:] == units.lengths[0], _by_flips(units, one_hot), by_means)


def _from_first(values: NDArray[np.float64]) -> NDArray[np.float64]:
    difference: NDArray[np.float64] = values[1:] - values[0]
    return difference


def _units(words: Sequence[tuple[int, ...]], table: EmbeddingTable) -> Units:
    lengths = np.array([len(word) for word in words])
    units = np.full((len(words), lengths.max()), -1)
    factors = np.ones(units.shape, np.float32)
    for row, own in enumerate(words):
        units[row, : len(own)] = own
        factors[row, : len(own)] = table.factors(own)
    used, rows = np.unique(units, return_inverse=True)
    return Units(used, rows.reshape(units.shape), lengths, factors)
