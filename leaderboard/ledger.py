"""The ledger of a results folder, `LEDGER.jsonl`: what was added, replayed, superseded, retracted, when and why.

It is only ever appended to; `leaderboard.ledger_lines` tells what a line is. Lines cut off at the end are found by
comparing with an earlier state: `gauntlet verify --base`. A badge holds for the examples it was given for: where they
change, the run is self-reported again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from benchmark.errors import BadInput, CorruptResult
from benchmark.store import RunFolder, stored_runs, write_atomically
from leaderboard.ledger_lines import (
    RETRACTED,
    SELF_REPORTED,
    SUPERSEDED,
    Entry,
    Standing,
    field_faults,
    is_run_id,
    next_line,
    read_entries,
)
from leaderboard.plain_text import shown

__all__ = [
    "add",
    "badges",
    "ledger_file",
    "read_ledger",
    "record_replay",
    "require_words",
    "retract",
    "supersede",
    "uncounted",
]


def ledger_file(results: Path) -> Path:
    """Return where a results folder keeps its ledger."""
    return results / "LEDGER.jsonl"


def read_ledger(results: Path) -> tuple[Entry, ...]:
    """Return the entries of a results folder, oldest first; none where there is no ledger yet.

    Raises:
        CorruptResult: a line was changed, moved or taken out.
    """
    path = ledger_file(results)
    if not path.is_file():
        return ()
    entries, faults = read_entries(path.read_bytes())
    if faults:
        fault = faults[0]
        raise CorruptResult(
            f"{path}, line {fault.line}: {fault.field}: {fault.wrong}, expected {fault.expected}; "
            "put back the ledger as it was (git log tells when it changed)"
        )
    return entries


def add(results: Path, run_id: str, reason: str, date: str) -> Entry:
    """Record that a finished run is submitted.

    Raises:
        BadInput: no such run, not finished, or recorded with these examples before; a reason or date that will not do.
    """
    digest = _examples_hash(results, run_id)
    if Standing(read_ledger(results)).listed.get(run_id) == digest:
        raise BadInput(f"run {run_id} is in the ledger already; `gauntlet ledger show` tells since when")
    return _append(results, Entry("add", run_id, date, reason, examples_sha256=digest))


def record_replay(results: Path, run_id: str, badge: str, figures: Mapping[str, Any], reason: str, date: str) -> Entry:
    """Record that a run was executed again and agreed.

    Raises:
        BadInput: the run is not in the ledger, or not with the examples it has now.
    """
    digest = _examples_hash(results, run_id)
    if Standing(read_ledger(results)).listed.get(run_id) != digest:
        raise BadInput(f"run {run_id} with its present examples is not in the ledger; first: gauntlet ledger add")
    return _append(results, Entry("replay", run_id, date, reason, digest, badge=badge, figures=figures))


def supersede(results: Path, run_id: str, by: str, reason: str, date: str) -> Entry:
    """Record that another run takes a run's place.

    Raises:
        BadInput: one of the two does not count at present, or both are the same.
    """
    known = Standing(read_ledger(results))
    for name in (run_id, by):
        known.require_counting(name)
    if run_id == by:
        raise BadInput(f"run {run_id} cannot supersede itself")
    return _append(results, Entry("supersede", run_id, date, reason, by=by))


def retract(results: Path, run_id: str, reason: str, date: str) -> Entry:
    """Record that a run no longer counts; its files stay.

    Raises:
        BadInput: it does not count at present.
    """
    Standing(read_ledger(results)).require_counting(run_id)
    return _append(results, Entry("retract", run_id, date, reason))


def require_words(reason: str, date: str) -> None:
    """Refuse a reason or date that the ledger would not take, before anything is done.

    Raises:
        BadInput: names the field.
    """
    faults = field_faults(0, {"verb": "retract", "run_id": "0" * 16, "date": date, "reason": reason})
    if faults:
        raise BadInput(f"--{faults[0].field} is {faults[0].wrong}, expected {faults[0].expected}")


def uncounted(results: Path) -> dict[str, str]:
    """Return for each run that no longer counts whether it is `SUPERSEDED` or `RETRACTED`; the last word on it holds.

    Raises:
        CorruptResult: the ledger was tampered with.
    """
    badge = Standing(read_ledger(results)).badge
    return {run_id: told for run_id, (told, _) in badge.items() if told in {SUPERSEDED, RETRACTED}}


def badges(results: Path) -> dict[str, str]:
    """Return for each finished run how far it can be trusted: one of `BADGES`, or `SUPERSEDED` or `RETRACTED`.

    Raises:
        CorruptResult: the ledger was tampered with.
    """
    standing = Standing(read_ledger(results))
    found = {}
    for folder in stored_runs(results):
        if folder.result_file.is_file():
            badge, digest = standing.badge.get(folder.run_id, (SELF_REPORTED, None))
            counts_for_these = digest is None or digest == folder.read_result()["examples_sha256"]
            found[folder.run_id] = badge if counts_for_these else SELF_REPORTED
    return found


def _append(results: Path, entry: Entry) -> Entry:
    """Add a line; the file is written as a whole, so that it never ends in half a line.

    Raises:
        BadInput: a reason or date that will not do.
        CannotSave: the disk is full, say.
    """
    path = ledger_file(results)
    with FileLock(results / ".ledger.lock"):
        content = path.read_bytes() if path.is_file() else b""
        write_atomically(path, content + next_line(content, entry))
    return entry


def _examples_hash(results: Path, run_id: str) -> str:
    folder = RunFolder(results, run_id)
    if not is_run_id(run_id) or not folder.result_file.is_file():
        raise BadInput(f"no finished run {shown(run_id)} in {results}; `gauntlet status` lists them")
    return str(folder.read_result()["examples_sha256"])
