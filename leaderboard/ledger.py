"""The ledger of a results folder, `LEDGER.jsonl`: what was added, replayed, superseded, retracted, when and why.

It is only ever appended to. Each line carries the checksum of the line before and its own, so a line that was changed,
moved or taken out is found by reading the file alone. Lines cut off at the end are found by comparing with an earlier
state: `gauntlet verify --base`.

    add        a run is submitted
    replay     a run was executed again, and what came out agrees with what is stored
    supersede  another run takes its place
    retract    a run no longer counts

A badge holds for the examples it was given for: where they change, the run is self-reported again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from benchmark.errors import BadInput, CorruptResult
from benchmark.spec import canonical_json
from benchmark.store import RunFolder, stored_runs, write_atomically
from leaderboard.plain_text import fault_in_note, shown
from leaderboard.strict_json import loads

__all__ = [
    "BADGES",
    "RETRACTED",
    "RE_EXECUTED",
    "SELF_REPORTED",
    "SUPERSEDED",
    "VERBS",
    "VERIFIED",
    "Entry",
    "LineFault",
    "add",
    "badges",
    "ledger_file",
    "read_entries",
    "read_ledger",
    "record_replay",
    "require_words",
    "retract",
    "supersede",
]

SELF_REPORTED, RE_EXECUTED, VERIFIED = "self-reported", "re-executed", "verified"
SUPERSEDED, RETRACTED = "superseded", "retracted"
# From the least to the most that is known of a run that counts.
BADGES = (SELF_REPORTED, RE_EXECUTED, VERIFIED)
VERBS = ("add", "replay", "supersede", "retract")

_RANKS = {SELF_REPORTED: 0, RE_EXECUTED: 1, VERIFIED: 2, SUPERSEDED: 3, RETRACTED: 3}
_RUN_ID = re.compile(r"[0-9a-f]{16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_LINE = "0" * 64
# What is counted in a replay.
_REPLAYED = ("seed", "sentences", "sampled", "sampled_agree", "texts", "texts_agree")


@dataclass(frozen=True)
class Entry:
    """One line.

    Attributes:
        verb: one of `VERBS`.
        run_id: the run it speaks of.
        date: ISO 8601, as the caller gave it.
        reason: why, in plain words.
        examples_sha256: hash of the run's examples at that time; None for supersede and retract.
        badge: of a replay, what it earned.
        by: of a supersede, the run that takes the place.
        figures: of a replay, what was compared and agreed.
    """

    verb: str
    run_id: str
    date: str
    reason: str
    examples_sha256: str | None = None
    badge: str | None = None
    by: str | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form; what does not apply is left out."""
        return {name: value for name, value in vars(self).items() if value not in (None, {})}


class LineFault(NamedTuple):
    """What is wrong with a line, counted from 1."""

    line: int
    field: str
    wrong: str
    expected: str


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


def read_entries(content: bytes) -> tuple[tuple[Entry, ...], tuple[LineFault, ...]]:
    """Return the entries that can be read, and all that is wrong with the lines."""
    entries: list[Entry] = []
    faults: list[LineFault] = []
    previous = _NO_LINE
    *lines, rest = content.split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            record, told = loads(line), "a JSON object"
        except ValueError as error:
            record, told = None, f"a JSON object ({error})"
        if not isinstance(record, dict):
            faults.append(LineFault(number, "line", shown(line.decode("utf-8", "replace")), told))
            continue
        found = [*_chain_faults(number, record, previous), *_field_faults(number, record)]
        previous = str(record.get("sha256"))
        faults += found
        if not any(fault.field not in _CHAIN for fault in found):
            entries.append(_entry(record))
    if rest:
        faults.append(LineFault(len(lines) + 1, "line", shown(rest.decode("utf-8", "replace")), "a whole line"))
    return tuple(entries), tuple(faults or _order_faults(entries))


def add(results: Path, run_id: str, reason: str, date: str) -> Entry:
    """Record that a finished run is submitted.

    Raises:
        BadInput: no such run, not finished, or recorded with these examples before; a reason or date that will not do.
    """
    digest = _examples_hash(results, run_id)
    if _Standing(read_ledger(results)).listed.get(run_id) == digest:
        raise BadInput(f"run {run_id} is in the ledger already; `gauntlet ledger show` tells since when")
    return _append(results, Entry("add", run_id, date, reason, examples_sha256=digest))


def record_replay(results: Path, run_id: str, badge: str, figures: Mapping[str, Any], reason: str, date: str) -> Entry:
    """Record that a run was executed again and agreed.

    Raises:
        BadInput: the run is not in the ledger, or not with the examples it has now.
    """
    digest = _examples_hash(results, run_id)
    if _Standing(read_ledger(results)).listed.get(run_id) != digest:
        raise BadInput(f"run {run_id} with its present examples is not in the ledger; first: gauntlet ledger add")
    return _append(results, Entry("replay", run_id, date, reason, digest, badge=badge, figures=figures))


def supersede(results: Path, run_id: str, by: str, reason: str, date: str) -> Entry:
    """Record that another run takes a run's place.

    Raises:
        BadInput: one of the two does not count at present, or both are the same.
    """
    known = _Standing(read_ledger(results))
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
    _Standing(read_ledger(results)).require_counting(run_id)
    return _append(results, Entry("retract", run_id, date, reason))


def require_words(reason: str, date: str) -> None:
    """Refuse a reason or date that the ledger would not take, before anything is done.

    Raises:
        BadInput: names the field.
    """
    faults = _field_faults(0, {"verb": "retract", "run_id": "0" * 16, "date": date, "reason": reason})
    if faults:
        raise BadInput(f"--{faults[0].field} is {faults[0].wrong}, expected {faults[0].expected}")


def badges(results: Path) -> dict[str, str]:
    """Return for each finished run how far it can be trusted: one of `BADGES`, or `SUPERSEDED` or `RETRACTED`.

    Raises:
        CorruptResult: the ledger was tampered with.
    """
    standing = _Standing(read_ledger(results))
    found = {}
    for folder in stored_runs(results):
        if folder.result_file.is_file():
            badge, digest = standing.badge.get(folder.run_id, (SELF_REPORTED, None))
            counts_for_these = digest is None or digest == folder.read_result()["examples_sha256"]
            found[folder.run_id] = badge if counts_for_these else SELF_REPORTED
    return found


class _Standing:
    """What the ledger says of each run.

    Attributes:
        listed: hash of the examples of each run that counts.
        badge: badge and the hash it was given for; None where it does not depend on one.
    """

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self.listed: dict[str, str | None] = {}
        self.badge: dict[str, tuple[str, str | None]] = {}
        for entry in entries:
            self.learn(entry)

    def learn(self, entry: Entry) -> None:
        """Take note of the next entry."""
        run_id, digest = entry.run_id, entry.examples_sha256
        if entry.verb == "add":
            self.listed[run_id] = digest
            self.badge[run_id] = (SELF_REPORTED, digest)
        elif entry.verb == "replay":
            held, earned = self.badge.get(run_id, (SELF_REPORTED, None))[0], entry.badge or SELF_REPORTED
            # A slice replayed after the whole takes nothing away.
            self.badge[run_id] = (max(held, earned, key=_RANKS.__getitem__), digest)
        else:
            self.listed.pop(run_id, None)
            self.badge[run_id] = (SUPERSEDED if entry.verb == "supersede" else RETRACTED, None)

    def require_counting(self, run_id: str) -> None:
        if run_id not in self.listed:
            told = self.badge.get(run_id, ("not in the ledger",))[0]
            raise BadInput(f"run {run_id} is {told}; `gauntlet ledger show` lists the runs that count")


def _append(results: Path, entry: Entry) -> Entry:
    """Add a line; the file is written as a whole, so that it never ends in half a line.

    Raises:
        BadInput: a reason or date that will not do.
        CannotSave: the disk is full, say.
    """
    path = ledger_file(results)
    with FileLock(results / ".ledger.lock"):
        content = path.read_bytes() if path.is_file() else b""
        *lines, _ = content.split(b"\n")
        previous = json.loads(lines[-1])["sha256"] if lines else _NO_LINE
        record = {"number": len(lines) + 1, "previous": previous, **entry.to_json()}
        for fault in _field_faults(len(lines) + 1, record):
            raise BadInput(f"ledger: {fault.field}: {fault.wrong}, expected {fault.expected}")
        line = canonical_json({**record, "sha256": _checksum(record)})
        write_atomically(path, content + line.encode() + b"\n")
    return entry


def _examples_hash(results: Path, run_id: str) -> str:
    folder = RunFolder(results, run_id)
    if not _RUN_ID.fullmatch(run_id) or not folder.result_file.is_file():
        raise BadInput(f"no finished run {shown(run_id)} in {results}; `gauntlet status` lists them")
    return str(folder.read_result()["examples_sha256"])


_CHAIN = ("number", "previous", "sha256")


def _chain_faults(number: int, record: Mapping[str, Any], previous: str) -> list[LineFault]:
    found = []
    if record.get("number") != number:
        found.append(LineFault(number, "number", shown(record.get("number")), f"{number}: a line is missing or moved"))
    if record.get("previous") != previous:
        told = f"{previous[:16]}..., the checksum of the line before: it was changed or taken out"
        found.append(LineFault(number, "previous", shown(record.get("previous")), told))
    wanted = _checksum({name: value for name, value in record.items() if name != "sha256"})
    if record.get("sha256") != wanted:
        found.append(LineFault(number, "sha256", shown(record.get("sha256")), f"{wanted}: the line was changed"))
    return found


def _field_faults(number: int, record: Mapping[str, Any]) -> list[LineFault]:
    """Return what is wrong with a line's content, whatever its checksums say."""
    found = [
        LineFault(number, name, shown(record.get(name)), expected)
        for name, (fits, expected) in _FIELDS.items()
        if not fits(record.get(name))
    ]
    wanted = _FIELDS_OF.get(str(record.get("verb")), set()) | {"verb", "run_id", "date", "reason", *_CHAIN}
    found += [LineFault(number, name, "unknown field", "none of that name") for name in sorted({*record} - wanted)]
    found += [
        LineFault(number, name, "missing", f"one, of the verb {record.get('verb')}")
        for name in sorted(_FIELDS_OF.get(str(record.get("verb")), set()) - {*record})
    ]
    if record.get("verb") == "replay" and (told := _replay_fault(record.get("figures"), record.get("badge"))):
        found.append(LineFault(number, "figures", shown(record.get("figures")), told))
    reason = record.get("reason")
    fault = fault_in_note(reason) if isinstance(reason, str) else "a few words"
    return [*found, *([LineFault(number, "reason", shown(reason), fault)] if fault else [])]


def _replay_fault(figures: Any, badge: Any) -> str | None:
    """Return why figures do not earn a badge, or None; `verified` is a whole run that agreed."""
    if not isinstance(figures, dict) or {*figures} != {*_REPLAYED} or not all(map(_is_count, figures.values())):
        return f"counts: {', '.join(_REPLAYED)}"
    part, whole = figures["sampled"], figures["sentences"]
    if part != figures["sampled_agree"] or figures["texts"] != figures["texts_agree"] or not 0 < part <= whole:
        return "all that was replayed to agree"
    earned = VERIFIED if part == whole else RE_EXECUTED
    return None if badge == earned else f"those of the badge {badge}; {part} of {whole} sentences earn {earned}"


def _order_faults(entries: Sequence[Entry]) -> list[LineFault]:
    """Return lines that speak of runs which did not count at that time."""
    found = []
    known = _Standing()
    for number, entry in enumerate(entries, 1):
        if entry.verb != "add" and entry.run_id not in known.listed:
            found.append(LineFault(number, "run_id", shown(entry.run_id), "a run that counts at that time"))
        if entry.verb == "supersede" and (entry.by not in known.listed or entry.by == entry.run_id):
            found.append(LineFault(number, "by", shown(entry.by), "another run that counts at that time"))
        if entry.verb == "replay" and known.listed.get(entry.run_id) != entry.examples_sha256:
            told = "the hash that the run was added with"
            found.append(LineFault(number, "examples_sha256", shown(entry.examples_sha256), told))
        known.learn(entry)
    return found


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and dt.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_match(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


_FIELDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "verb": (lambda value: value in VERBS, f"one of {', '.join(VERBS)}"),
    "run_id": (lambda value: _is_match(_RUN_ID, value), "sixteen hexadecimal digits"),
    "date": (_is_date, "a date such as 2026-11-22"),
    "examples_sha256": (lambda value: value is None or _is_match(_SHA256, value), "64 hexadecimal digits"),
    "badge": (lambda value: value is None or value in BADGES[1:], f"one of {', '.join(BADGES[1:])}"),
    "by": (lambda value: value is None or _is_match(_RUN_ID, value), "sixteen hexadecimal digits"),
    "figures": (
        lambda value: value is None or (isinstance(value, dict) and all(map(_is_count, value.values()))),
        "counts by name",
    ),
}
# What a verb has beside verb, run_id, date and reason.
_FIELDS_OF: Mapping[str, set[str]] = {
    "add": {"examples_sha256"},
    "replay": {"examples_sha256", "badge", "figures"},
    "supersede": {"by"},
    "retract": set(),
}


def _entry(record: Mapping[str, Any]) -> Entry:
    return Entry(**{name: value for name, value in record.items() if name not in _CHAIN})


def _checksum(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()
