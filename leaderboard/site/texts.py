"""The text of data sets, where they are at hand; results themselves hold none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmark.datasets import DATASETS, Dataset, find_dataset
from benchmark.datasets.finding import local_names
from benchmark.errors import GauntletError
from benchmark.spec import RunSpec
from benchmark.types import Sentence

__all__ = ["Texts"]


class Texts:
    """Reads each data set once. A name out of results is never taken for a path, and nothing is fetched.

    Args:
        data_dir: the data folder. None for none, whatever the environment says: what text a site shows is decided by
            who builds it, and not in passing.
        scheme: tag scheme of local files.
    """

    def __init__(self, data_dir: Path | None = None, scheme: str = "IOB2") -> None:
        self._data_dir = data_dir
        self._scheme = scheme
        self._known = {*DATASETS, *(local_names(data_dir) if data_dir else ())}
        self._read: dict[str, Dataset | None] = {}
        self._by_id: dict[tuple[str, str], Mapping[str, Sentence]] = {}

    def dataset(self, name: str) -> Dataset | None:
        """Return a data set; None where it is not at hand or cannot be read."""
        if name not in self._read:
            try:
                found = find_dataset(name, self._data_dir, self._scheme) if name in self._known else None
            except GauntletError:
                found = None
            self._read[name] = found
        return self._read[name]

    def sentences(self, spec: RunSpec) -> Mapping[str, Sentence] | None:
        """Return the sentences of a run's split by id; None where they, or this version of them, are not at hand."""
        dataset = self.dataset(spec.dataset)
        if dataset is None or spec.split not in dataset.splits or dataset.hash(spec.split) != spec.dataset_hash:
            return None
        key = (spec.dataset, spec.split)
        if key not in self._by_id:
            self._by_id[key] = {sentence.id: sentence for sentence in dataset.split(spec.split)}
        return self._by_id[key]
