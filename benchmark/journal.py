"""The journal: one checksummed line for each finished sentence, on disk before the next one is reported.

`kill -9` at any moment loses at most the sentences in flight. A torn last line (the process died while writing) is cut
off at the next start. A damaged line anywhere else is an error: something other than us has been at the file.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmark.errors import CannotSave, CorruptResult
from benchmark.spec import canonical_json
from benchmark.types import Edit, Outcome, Status

__all__ = ["Journal", "outcome_from_json", "outcome_to_json"]


class Journal:
    """An append-only file of outcomes. Use as a context manager.

    Args:
        path: the file.
        run_id: the run it belongs to; checksums are bound to it, so another run's lines count as damaged.

    Attributes:
        finished: outcomes by sentence id, those read at the start included.
    """

    def __init__(self, path: Path, run_id: str = "") -> None:
        self._path = path
        self._run_id = run_id
        self.finished: dict[str, Outcome] = {}

    def __enter__(self) -> Self:
        try:
            self.finished, intact = _read(self._path, self._run_id)
            # Unbuffered: what could not be written must not be tried again when the file is closed.
            self._file = self._path.open("ab", buffering=0)
            # Cut off a torn last line.
            if self._path.is_file() and self._path.stat().st_size > intact:
                self._file.truncate(intact)
        except OSError as error:
            raise CannotSave(f"cannot write {self._path}: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, outcome: Outcome) -> None:
        """Store an outcome; it is on disk when this returns.

        Raises:
            CannotSave: the disk is full, say. What was stored before stays.
        """
        line = _sealed(canonical_json(outcome_to_json(outcome)), self._run_id)
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self._path.is_file():  # a device such as /dev/full cannot be synced
                os.fsync(self._file.fileno())
        except OSError as error:
            raise CannotSave(
                f"cannot write {self._path}: {error.strerror}; {len(self.finished)} sentences are safe, "
                "make room and run the same command again to go on"
            ) from error
        self.finished[outcome.sentence_id] = outcome

    @staticmethod
    def read(path: Path, run_id: str = "") -> dict[str, Outcome]:
        """Return the finished outcomes of a journal without touching it, by sentence id."""
        return _read(path, run_id)[0]


def _read(path: Path, run_id: str) -> tuple[dict[str, Outcome], int]:
    """Return the outcomes and the length in bytes of the intact part."""
    finished: dict[str, Outcome] = {}
    intact = 0
    if not path.is_file():
        return finished, intact
    *lines, torn = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        outcome = _opened(line, run_id)
        if outcome is None:
            if number == len(lines) and not torn:
                break  # the last line, damaged as a whole: torn as well
            raise CorruptResult(
                f"{path}, line {number} is damaged (its checksum does not fit); "
                "delete that line and run again: only its sentence is attacked anew"
            )
        finished[outcome.sentence_id] = outcome
        intact += len(line) + 1
    return finished, intact


def _sealed(text: str, run_id: str) -> bytes:
    body = text.encode("utf-8", "surrogatepass")
    return _checksum(body, run_id) + b" " + body + b"\n"


def _opened(line: bytes, run_id: str) -> Outcome | None:
    checksum, _, body = line.partition(b" ")
    return outcome_from_json(json.loads(body)) if checksum == _checksum(body, run_id) else None


def _checksum(body: bytes, run_id: str) -> bytes:
    return hashlib.sha256(run_id.encode() + body).hexdigest()[:16].encode()


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Return a JSON-ready form."""
    return {
        "sentence_id": outcome.sentence_id,
        "document": outcome.document,
        "length": outcome.length,
        "status": outcome.status.value,
        "reason": outcome.reason,
        "gold": list(outcome.gold),
        "clean": list(outcome.clean),
        "unseen": None if outcome.unseen is None else list(outcome.unseen),
        "edits": [edit.to_json() for edit in outcome.edits],
        "adversarial_gold": list(outcome.adversarial_gold),
        "adversarial_prediction": list(outcome.adversarial_prediction),
        "score": outcome.score,
        "search_queries": outcome.search_queries,
        "constraint_queries": outcome.constraint_queries,
        "gradient_queries": outcome.gradient_queries,
        "queries_to_success": outcome.queries_to_success,
        "forwards": outcome.forwards,
        "trajectory": [list(step) for step in outcome.trajectory],
        "rejected": dict(outcome.rejected),
        **_attributed(outcome),
    }


def _attributed(outcome: Outcome) -> dict[str, Any]:
    """Most attacks attribute nothing, and their records say nothing of it."""
    if outcome.attributions is None and not outcome.chosen:
        return {}
    attributions = None if outcome.attributions is None else list(outcome.attributions)
    return {"attributions": attributions, "chosen": list(outcome.chosen)}


def outcome_from_json(record: Mapping[str, Any]) -> Outcome:
    """Read what `outcome_to_json` wrote."""
    fields = dict(record)
    for name in ("gold", "clean", "adversarial_gold", "adversarial_prediction"):
        fields[name] = tuple(fields[name])
    fields["status"] = Status(fields["status"])
    fields["chosen"] = tuple(fields.get("chosen") or ())  # as most records have none
    attributions = fields.get("attributions")
    fields["attributions"] = None if attributions is None else tuple(attributions)
    fields["unseen"] = None if fields["unseen"] is None else tuple(fields["unseen"])
    fields["edits"] = tuple(Edit.from_json(edit) for edit in fields["edits"])
    fields["trajectory"] = tuple((int(query), float(score)) for query, score in fields["trajectory"])
    return Outcome(**fields)
