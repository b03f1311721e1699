"""Rows: runs that differ in nothing but their seed, what to call them, and which of them can be compared."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from benchmark.errors import GauntletError
from benchmark.metrics import Value
from benchmark.spec import RunSpec, canonical_json
from benchmark.types import TOO_LONG
from leaderboard.ledger_lines import BADGES
from leaderboard.rows import Run

__all__ = [
    "CONTROLS",
    "Average",
    "Entry",
    "attack_label",
    "average",
    "entries",
    "grouped",
    "labels",
    "left_out",
    "not_default",
    "protocol",
    "seeds_of",
    "shared_protocol",
    "told_apart",
]

# Attacks that are there to be compared with, and not ranked.
CONTROLS = frozenset({"identity", "random-edit", "random-word"})

# What makes an attack the attack it is; the rest of a specification is the protocol, or the seed.
OF_THE_ATTACK = ("attack", "attack_version", "parameters", "resources", "access", "touch")

_SHORT = 24


class Average(NamedTuple):
    """The mean of a number over seeds.

    Attributes:
        value: mean over the seeds that have one; None where none has.
        low: lower end of the 95 % interval, the mean of the seeds' lower ends: what the choice of sentences leaves
            open. Averaging can only narrow it, so it errs on the wide side.
        high: upper end.
        spread: standard deviation over seeds; None for a single one.
        n: number of items behind the value, the mean over seeds.
        reason: why there is no value.
    """

    value: float | None
    low: float | None
    high: float | None
    spread: float | None
    n: float
    reason: str | None = None

    def cells(self, key: str) -> dict[str, Any]:
        """Return the cells of a frame's row: the value as KEY, with what is known beside it as KEY.low and so on."""
        beside = {"low": self.low, "high": self.high, "spread": self.spread}
        return {key: self.value, **{f"{key}.{name}": number for name, number in beside.items() if number is not None}}


@dataclass(frozen=True)
class Entry:
    """A row of a board: the runs of one attack that differ in their seed alone.

    Attributes:
        runs: by seed.
    """

    runs: tuple[Run, ...]

    @property
    def spec(self) -> RunSpec:
        """That of the first seed."""
        return self.runs[0].spec

    @property
    def is_control(self) -> bool:
        """Whether it is a row to compare with."""
        return self.spec.attack in CONTROLS

    @property
    def trust(self) -> str | None:
        """The least badge of its seeds; None where there is no ledger."""
        given = [run.trust for run in self.runs]
        return min((badge for badge in given if badge), key=BADGES.index, default=None) if all(given) else None

    def average(self, metric: str) -> Average:
        """Average a stored metric over the seeds; a metric may be younger than a result."""
        younger = Value(None, reason="not computed by the version that scored the run")
        return average([run.metrics.get(metric, younger) for run in self.runs])


def average(values: Sequence[Value]) -> Average:
    """Average one number over seeds."""
    there = [value for value in values if value.value is not None]
    if not there:
        return Average(None, None, None, None, 0, next((v.reason for v in values if v.reason), None))
    numbers = [float(value.value or 0.0) for value in there]
    bounded = [(v.low, v.high) for v in there if v.low is not None and v.high is not None]
    low, high = (statistics.fmean(ends) for ends in zip(*bounded, strict=True)) if bounded else (None, None)
    spread = statistics.stdev(numbers) if len(numbers) > 1 else None
    return Average(statistics.fmean(numbers), low, high, spread, statistics.fmean(v.n for v in there))


def grouped(runs: Iterable[Run], key: Callable[[Run], Any]) -> list[list[Run]]:
    """Put runs of equal key together; in the order of data set, victim and attack, so that boards do not jump."""
    groups: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda r: (r.spec.dataset, r.spec.victim, r.spec.attack, r.spec.seed, r.run_id)):
        groups.setdefault(canonical_json(key(run)), []).append(run)
    return list(groups.values())


def protocol(run: Run, *but: str) -> dict[str, Any]:
    """Return all that rows must share to be compared: what is neither the attack's nor the seed, and the judges.

    Args:
        run: of a row.
        but: more fields that may differ.
    """
    return {
        **{k: v for k, v in asdict(run.spec).items() if k not in {*OF_THE_ATTACK, "seed", *but}},
        "judges": dict(run.judges),
    }


def shared_protocol(spec: RunSpec) -> dict[str, Any]:
    """Return a protocol as columns of a file."""
    names = ("dataset", "split", "goal", "mode", "constraints")
    return {**{name: getattr(spec, name) for name in names}, "budget": spec.queries}


def entries(runs: Iterable[Run]) -> list[Entry]:
    """Put the seeds of the same specification together."""
    same = grouped(runs, lambda run: {**asdict(run.spec), "seed": None, "judges": dict(run.judges)})
    return [Entry(tuple(group)) for group in same]


def not_default(attack: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that are not an attack's defaults; all of them where the attack is not installed."""
    from benchmark.finding import ATTACKS

    try:
        defaults = ATTACKS.get(attack).configured({}).parameters
    except GauntletError:
        defaults = {}
    return {name: value for name, value in parameters.items() if name not in defaults or defaults[name] != value}


def attack_label(attack: str, parameters: Mapping[str, Any]) -> str:
    """Name an attack by its name and the parameters that are not its defaults."""
    given = {name: value for name, value in parameters.items() if not isinstance(value, dict)}
    return " ".join([attack, *(f"{k}={_short(str(v), 80)}" for k, v in not_default(attack, given).items())])


def labels(rows: Sequence[Entry]) -> list[str]:
    """Name rows by attack and parameters that are not its defaults; what else tells two apart is added."""
    return told_apart(
        [attack_label(row.spec.attack, row.spec.parameters) for row in rows],
        [{name: getattr(row.spec, name) for name in OF_THE_ATTACK} for row in rows],
    )


def told_apart(names: Sequence[str], details: Sequence[Mapping[str, Any]]) -> list[str]:
    """Add to names that occur more than once what the things so named differ in."""
    flat = [dict(_flat("", record)) for record in details]
    told = []
    for name, own in zip(names, flat, strict=True):
        twins = [other for other_name, other in zip(names, flat, strict=True) if other_name == name and other != own]
        differing = [key for key in own if any(twin.get(key) != own[key] for twin in twins)]
        told.append(
            f"{name} ({', '.join(f'{key} {_short(own[key])}' for key in differing[:3])})" if differing else name
        )
    return told


def seeds_of(rows: Iterable[Entry]) -> str:
    """Tell the seeds of rows, in words."""
    seeds = sorted({run.spec.seed for row in rows for run in row.runs})
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"


def left_out(rows: Sequence[Entry], names: Sequence[str]) -> str:
    """Tell what the rates do not speak of: sentences too long, skipped, ended in an error."""
    too_long = rows[0].spec.selection.get("passed_over", {}).get(TOO_LONG, 0)
    told = f"Left out up front: {too_long} sentences too long for the victim. " if too_long else ""
    for ending in ("error", "skipped"):
        counts = [(name, row.average(f"{ending}.count").value) for name, row in zip(names, rows, strict=True)]
        hit = ", ".join(f"{name} {count:.4g}" for name, count in counts if count)
        told += f"Sentences that ended as {ending}: {hit}. " if hit else ""
    return told.strip()


def _flat(prefix: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [pair for key, item in value.items() for pair in _flat(f"{prefix}.{key}" if prefix else str(key), item)]
    return [(prefix, value)]


def _short(value: Any, longest: int = _SHORT) -> str:
    """Return a value as a part of a name; long ones by the first digits of their hash."""
    text = value if isinstance(value, str) else canonical_json(value)
    return text if len(text) <= longest else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
