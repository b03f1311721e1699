"""From the name on the command line to a data set."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmark.datasets.conll import read_conll
from benchmark.datasets.dataset import Dataset
from benchmark.datasets.hub import HUB_DATASETS, load_from_hub
from benchmark.datasets.jsonl import read_jsonl
from benchmark.errors import BadInput
from benchmark.registry import Registry, did_you_mean
from benchmark.tag_schemes import SCHEMES
from benchmark.types import Sentence

__all__ = ["DATASETS", "data_folder", "find_dataset", "local_names", "require_dataset"]

DATASETS: Registry[Callable[[], Dataset]] = Registry("data set", "gauntlet.datasets")

_SPLITS = ("train", "dev", "test")
_READERS = {".conll": read_conll, ".jsonl": read_jsonl}


def find_dataset(name: str, data_dir: Path | None = None, scheme: str = "IOB2") -> Dataset:
    """Return the data set of that name; see the package's text for where it is looked for.

    Args:
        name: a registered name, a folder in the data folder, a name of the hub catalogue, or a path.
        data_dir: the data folder; `GAUNTLET_DATA` if None.
        scheme: tag scheme of local CoNLL files.

    Raises:
        BadInput: nothing of that name, or the files are not as they should be.
        MissingResource: a hub data set that cannot be loaded.
    """
    if scheme not in SCHEMES:
        raise BadInput(f"unknown tag scheme {scheme!r}; known: {', '.join(SCHEMES)}")
    if name in DATASETS:
        return DATASETS.get(name)()
    folder = data_folder(data_dir)
    if folder and (folder / name).is_dir():
        return _from_folder(name, folder / name, scheme)
    path = Path(name)
    if path.is_dir():
        return _from_folder(path.name, path, scheme)
    if path.suffix in _READERS:
        return Dataset(path.stem, {"test": _read(path, "test", scheme)}, str(path))
    require_dataset(name, data_dir)
    return load_from_hub(name, HUB_DATASETS[name])


def require_dataset(name: str, data_dir: Path | None = None) -> None:
    """Refuse a name that no data set has, without loading anything.

    Raises:
        BadInput: nothing of that name.
    """
    folder = data_folder(data_dir)
    path = Path(name)
    if name in DATASETS or name in HUB_DATASETS or path.is_dir() or path.suffix in _READERS:
        return
    if folder and (folder / name).is_dir():
        return
    if path.is_file():
        raise BadInput(f"{name} is neither .conll nor .jsonl; rename it to what it is")
    known = sorted({*DATASETS, *local_names(data_dir), *HUB_DATASETS})
    raise BadInput(
        f"unknown data set {name!r}; {did_you_mean(name, known)} (local ones: --data-dir or GAUNTLET_DATA, "
        "a folder that holds NAME/test.conll)"
    )


def data_folder(data_dir: Path | None) -> Path | None:
    """Return the data folder in force, if any.

    Raises:
        BadInput: it is no folder.
    """
    chosen = data_dir or (Path(os.environ["GAUNTLET_DATA"]) if os.environ.get("GAUNTLET_DATA") else None)
    if chosen is not None and not chosen.is_dir():
        raise BadInput(f"the data folder {chosen} is no folder")
    return chosen


def local_names(data_dir: Path | None) -> Iterator[str]:
    """Yield the names of the data sets in the data folder."""
    folder = data_folder(data_dir)
    for candidate in sorted(folder.iterdir()) if folder else ():
        if any((candidate / f"{split}{suffix}").is_file() for split in _SPLITS for suffix in _READERS):
            yield candidate.name


def _from_folder(name: str, folder: Path, scheme: str) -> Dataset:
    splits = {
        split: _read(folder / f"{split}{suffix}", split, scheme)
        for split in _SPLITS
        for suffix in _READERS
        if (folder / f"{split}{suffix}").is_file()
    }
    twice = [split for split in _SPLITS if all((folder / f"{split}{suffix}").is_file() for suffix in _READERS)]
    if twice:
        raise BadInput(f"{folder} holds {twice[0]} both as .conll and as .jsonl; keep one")
    if not splits:
        raise BadInput(f"{folder} holds none of train, dev, test as .conll or .jsonl")
    return Dataset(name, splits, str(folder))


def _read(path: Path, split: str, scheme: str) -> tuple[Sentence, ...]:
    return read_jsonl(path, split) if path.suffix == ".jsonl" else read_conll(path, split, scheme)
