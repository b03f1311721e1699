"""Which files may be there: known names, real files, of a bearable size. Nothing else is ever opened."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from leaderboard.plain_text import shown
from leaderboard.verifying.finding import Finding

__all__ = ["AUDIT_FILE", "LARGEST", "RUN_FILES", "Opened", "folder_faults", "folders_in", "opened", "results_faults"]

LARGEST = 10 * 2**20
# Of these a run consists; the last one is there where people were asked.
RUN_FILES = ("spec.json", "examples.parquet", "provenance.json", "result.json")
AUDIT_FILE = "human_audit.json"
_RUN_ID = re.compile(r"[0-9a-f]{16}")
_LOCKS = (".lock", ".ledger.lock")
_NOT_FOR_PUBLISHING = {
    "errors.log": ("may quote the data set", "none in what is published; delete it"),
    "journal.jsonl": ("the run is not finished", "none; run the same command again"),
}
# Of these a kept victim consists, and perhaps of more. A cnn-lstm-crf/… is none: its vocabulary is its training data's.
_VICTIM_FILES = ("adapter_config.json", "adapter_model.safetensors", "recipe.json")
_MORE_OF_A_VICTIM = ("cost.json", "word_masks.safetensors")
# Beside the folders.
_PAGES = ("LEDGER.jsonl", "README.md", "leaderboard.png")


class Opened(NamedTuple):
    """A file's content, or why there is none."""

    content: bytes
    findings: tuple[Finding, ...]


def opened(folder: Path, name: str, file: str) -> Opened:
    """Read a file after looking at what it is.

    Args:
        folder: where it is.
        name: of the file.
        file: named in findings.
    """
    path = folder / name
    try:
        state = path.lstat()
    except OSError:
        return Opened(b"", (Finding(file, "file", "missing", "one"),))
    if not stat.S_ISREG(state.st_mode) or state.st_size > LARGEST:
        return Opened(b"", ())  # told by `folder_faults`
    if not state.st_size:
        return Opened(b"", (Finding(file, "file", "empty", "content"),))
    try:
        return Opened(path.read_bytes(), ())
    except OSError as error:
        return Opened(b"", (Finding(file, "file", f"cannot be read ({error.strerror})", "a file that can"),))


def folders_in(path: Path) -> list[Path]:
    """Return the folders in a folder, by name; none where it is not there or leads elsewhere."""
    if path.is_symlink() or not path.is_dir():
        return []
    return [folder for folder in sorted(path.iterdir()) if folder.is_dir() and not folder.is_symlink()]


def folder_faults(folder: Path, shown_as: str) -> Iterator[Finding]:
    """Yield what is wrong with the files of a run's folder.

    Args:
        folder: the run's.
        shown_as: its name in findings, with a slash at the end where there is one.
    """
    if not _RUN_ID.fullmatch(folder.name):
        yield Finding(shown_as or ".", "folder", shown(folder.name), "sixteen hexadecimal digits")
    known = {*RUN_FILES, AUDIT_FILE, *_NOT_FOR_PUBLISHING}
    yield from _entries_faults(folder, shown_as, lambda name, is_folder: not is_folder and name in known)
    for name, (wrong, expected) in _NOT_FOR_PUBLISHING.items():
        if (folder / name).is_file():
            yield Finding(shown_as + name, "file", wrong, expected)


def results_faults(results: Path) -> Iterator[Finding]:
    """Yield what is wrong with the files of a results folder outside its runs."""
    below = {
        "runs": lambda _, is_folder: is_folder,
        "published": _ends_in(".toml"),
        "cards": _ends_in(".toml"),
        "transfers": _ends_in(".json"),
        # Hidden is what a training that was interrupted left.
        "victims": lambda name, is_folder: is_folder and not name.startswith("."),
    }
    yield from _entries_faults(results, "", lambda name, is_folder: name in (below if is_folder else _PAGES))
    for name, fits in below.items():
        if (results / name).is_dir() and not (results / name).is_symlink():
            yield from _entries_faults(results / name, f"{name}/", fits)
    for folder in folders_in(results / "victims"):
        shown_as = f"victims/{folder.name}/"
        yield from _entries_faults(folder, shown_as, _is_of_a_victim)
        for name in _VICTIM_FILES:
            yield from opened(folder, name, shown_as + name).findings


def _entries_faults(folder: Path, shown_as: str, fits: Callable[[str, bool], bool]) -> Iterator[Finding]:
    for path in sorted(folder.iterdir()):
        state = path.lstat()
        file = shown_as + (path.name if path.name.isprintable() else shown(path.name))
        if stat.S_ISLNK(state.st_mode):
            yield Finding(file, "file", "a symbolic link", "a file of its own")
        elif not stat.S_ISREG(state.st_mode) and not stat.S_ISDIR(state.st_mode):
            yield Finding(file, "file", "neither file nor folder", "a file")
        elif stat.S_ISREG(state.st_mode) and state.st_size > LARGEST:
            yield Finding(file, "file", f"{state.st_size} bytes", f"at most {LARGEST}")
        elif path.name in _LOCKS and state.st_size == 0:
            continue
        elif not fits(path.name, stat.S_ISDIR(state.st_mode)):
            yield Finding(file, "file", "does not belong here", "none of that name")


def _is_of_a_victim(name: str, is_folder: bool) -> bool:
    return not is_folder and name in {*_VICTIM_FILES, *_MORE_OF_A_VICTIM}


def _ends_in(suffix: str) -> Callable[[str, bool], bool]:
    return lambda name, is_folder: not is_folder and name.endswith(suffix)
