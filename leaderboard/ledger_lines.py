"""The lines of a ledger: what each may say, how they are chained, and what they say of a run taken together.

Each line carries the checksum of the line before and its own, so a line that was changed, moved or taken out is found
by reading the file alone.

    add        a run is submitted
    replay     a run was executed again, and what came out agrees with what is stored
    supersede  another run takes its place
    retract    a run no longer counts
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from benchmark.errors import BadInput
from benchmark.spec import canonical_json
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
    "Standing",
    "field_faults",
    "is_run_id",
    "next_line",
    "read_entries",
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
_CHAIN = ("number", "previous", "sha256")
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
        found = [*_chain_faults(number, record, previous), *field_faults(number, record)]
        previous = str(record.get("sha256"))
        faults += found
        if not any(fault.field not in _CHAIN for fault in found):
            entries.append(_entry(record))
    if rest:
        faults.append(LineFault(len(lines) + 1, "line", shown(rest.decode("utf-8", "replace")), "a whole line"))
    return tuple(entries), tuple(faults or _order_faults(entries))


def next_line(content: bytes, entry: Entry) -> bytes:
    """Return the line that puts an entry after a ledger's others.

    Raises:
        BadInput: a reason or date that will not do.
    """
    *lines, _ = content.split(b"\n")
    previous = json.loads(lines[-1])["sha256"] if lines else _NO_LINE
    record = {"number": len(lines) + 1, "previous": previous, **entry.to_json()}
    for fault in field_faults(len(lines) + 1, record):
        raise BadInput(f"ledger: {fault.field}: {fault.wrong}, expected {fault.expected}")
    return canonical_json({**record, "sha256": _checksum(record)}).encode() + b"\n"


def is_run_id(value: Any) -> bool:
    """Tell whether a value has the form of a run's id."""
    return _is_match(_RUN_ID, value)


class Standing:
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
        """Refuse a run that does not count.

        Raises:
            BadInput: tells what became of it.
        """
        if run_id not in self.listed:
            told = self.badge.get(run_id, ("not in the ledger",))[0]
            raise BadInput(f"run {run_id} is {told}; `gauntlet ledger show` lists the runs that count")


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


def field_faults(number: int, record: Mapping[str, Any]) -> list[LineFault]:
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
    known = Standing()
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
    "run_id": (is_run_id, "sixteen hexadecimal digits"),
    "date": (_is_date, "a date such as 2026-11-22"),
    "examples_sha256": (lambda value: value is None or _is_match(_SHA256, value), "64 hexadecimal digits"),
    "badge": (lambda value: value is None or value in BADGES[1:], f"one of {', '.join(BADGES[1:])}"),
    "by": (lambda value: value is None or is_run_id(value), "sixteen hexadecimal digits"),
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
