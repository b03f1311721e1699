"""Compared with an earlier state: no entry was changed or removed, and the ledger only grew.

A run that is there stays as it is. One that was wrong is superseded or retracted in the ledger, never edited.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from benchmark.errors import BadInput
from leaderboard.ledger_lines import read_entries
from leaderboard.verifying.files import folders_in
from leaderboard.verifying.finding import Finding, NotChecked

__all__ = ["Base", "base_named", "entry_faults", "ledger_gaps", "victim_gaps"]

_LEDGER = "LEDGER.jsonl"
# Pictures and introductions are made anew.
_FREE = ("README.md", "leaderboard.png")


class Base(Protocol):
    """An earlier state of a results folder."""

    def files(self) -> dict[str, str]:
        """Return what identifies the content of each file, by path."""

    def identity_of(self, content: bytes) -> str:
        """Return what would identify a content."""

    def content(self, file: str) -> bytes:
        """Return a file's content."""


def base_named(name: str, results: Path) -> Base:
    """Return the earlier state that a folder holds, or a commit, branch or tag of the repository around the results.

    For a branch that is the commit at which the present one left it, so that what others did since is not told as ours.

    Raises:
        BadInput: neither, both, or the results themselves.
    """
    if name.startswith("-"):
        raise BadInput(f"--base {name!r} is neither a folder nor a commit, branch or tag")
    folder = Path(name)
    if not folder.is_dir():
        return _GitBase(name, results)
    if folder.resolve() == results.resolve():
        raise BadInput(f"--base {name!r} is the folder that is verified; name an earlier state of it")
    if _is_ref(name, results):  # a submission may bring along a folder that is called like a branch
        raise BadInput(f"--base {name!r} is a folder and a branch, tag or commit; write ./{name} for the folder")
    return _FolderBase(folder)


def entry_faults(results: Path, base: Base) -> Iterator[Finding]:
    """Yield files of the earlier state that are gone or others now."""
    for file, identity in sorted(base.files().items()):
        path = results / file
        if Path(file).name.startswith(".") or file in _FREE:
            continue
        if path.is_symlink() or not path.is_file():
            yield Finding(
                file, "entry", "removed", "what was there before; `gauntlet ledger retract` says what no longer counts"
            )
            continue
        content = path.read_bytes()
        if file == _LEDGER:
            if not content.startswith(base.content(file)):
                yield Finding(file, "entry", "changed before its end", "the lines of before, and new ones after them")
        elif base.identity_of(content) != identity:
            yield Finding(
                file, "entry", "changed", "what was there before; a new run supersedes an old one in the ledger"
            )


def ledger_gaps(results: Path, base: Base) -> Iterator[NotChecked]:
    """Yield new lines of the ledger that anybody can write and that decide what a run counts for."""
    path = results / _LEDGER
    if path.is_symlink() or not path.is_file():
        return
    before = base.content(_LEDGER) if _LEDGER in base.files() else b""
    known = len(read_entries(before)[0])
    for number, entry in enumerate(read_entries(path.read_bytes())[0][known:], known + 1):
        if entry.verb == "replay":
            told = f"calls run {entry.run_id} {entry.badge}; gauntlet replay tells whether it is"
        elif entry.verb == "add":
            continue
        else:
            told = f"takes run {entry.run_id} out of the tables ({entry.verb}); a maintainer decides"
        yield NotChecked(_LEDGER, f"line {number}", told)


def victim_gaps(results: Path, base: Base) -> Iterator[NotChecked]:
    """Yield victims kept with the results that are new, or have new files: whoever runs that recipe asks them."""
    known = base.files()
    for folder in folders_in(results / "victims"):
        name = f"victims/{folder.name}"
        if not {f"{name}/{path.name}" for path in folder.iterdir()} <= known.keys():
            yield NotChecked(name, "weights", "only training anew tells whether its card is true; a maintainer decides")


def _is_ref(name: str, results: Path) -> bool:
    try:
        _git(results, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except (OSError, subprocess.CalledProcessError):  # no git here, or no such name
        return False
    return True


def _git(folder: Path, *arguments: str) -> bytes:
    """Return what git prints.

    Raises:
        OSError: there is no git.
        subprocess.CalledProcessError: git refuses.
    """
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603 - arguments are ours


class _FolderBase:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> dict[str, str]:
        paths = [path for path in self._folder.rglob("*") if path.is_file() and not path.is_symlink()]
        return {path.relative_to(self._folder).as_posix(): self.identity_of(path.read_bytes()) for path in paths}

    def identity_of(self, content: bytes) -> str:
        import hashlib

        return hashlib.sha256(content).hexdigest()

    def content(self, file: str) -> bytes:
        return (self._folder / file).read_bytes()


class _GitBase:
    def __init__(self, name: str, results: Path) -> None:
        self._results = results
        try:
            self._commit = _git(self._results, "merge-base", "HEAD", name).decode().strip()
        except (OSError, subprocess.CalledProcessError):
            raise BadInput(
                f"--base {name!r} is neither a folder nor a commit, branch or tag of the repository around {results}"
            ) from None

    def files(self) -> dict[str, str]:
        listed = _git(self._results, "ls-tree", "-r", "-z", self._commit, "--", ".").split(b"\0")
        rows = [row.split(b"\t", 1) for row in listed if row]
        return {path.decode("utf-8", "surrogateescape"): facts.split()[2].decode() for facts, path in rows}

    def identity_of(self, content: bytes) -> str:
        """Return the name git gives to a file's content."""
        import hashlib

        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()

    def content(self, file: str) -> bytes:
        return _git(self._results, "cat-file", "blob", f"{self._commit}:./{file}")
