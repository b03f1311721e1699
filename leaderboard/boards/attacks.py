"""The attacks board: how the attacks of one threat model fare against one victim on the same sentences."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from benchmark.metrics import METRICS as STORED
from benchmark.spec import RunSpec
from leaderboard.citations import of_attacks
from leaderboard.entries import (
    Average,
    Entry,
    entries,
    grouped,
    labels,
    left_out,
    protocol,
    seeds_of,
    shared_protocol,
    told_apart,
)
from leaderboard.human_audit import right_of
from leaderboard.rows import Reading, Run
from leaderboard.standing import STANDING, Standing, enough_resamples, resolution, standings, told
from leaderboard.tables import Column, Table, table
from leaderboard.trials import succeeded, trials_of

__all__ = ["METRICS", "attacks_board", "attacks_of_groups", "judged_by", "protocol_title", "shared"]

_DESCRIPTIONS = {metric.name: metric.description for metric in STORED}


def _metric(
    name: str, title: str, scale: float, digits: int, better: Literal["high", "low"] | None, **more: Any
) -> Column:
    return Column(name, title, _DESCRIPTIONS[name], scale, digits, better, **more)


# Columns that are stored metrics: their keys are the metrics' names.
METRICS = (
    _metric("attack_rate", "Attack rate %", 100, 1, "high", headline=True),
    _metric("valid_attack_rate", "Valid rate %", 100, 1, "high"),
    _metric("f1.strict.after", "F1 after", 100, 1, "low"),
    _metric("modification_rate", "Mod %", 100, 1, "low"),
    _metric("similarity", "Sim %", 100, 1, "high"),
    _metric("grammar_errors", "ΔGErr", 1, 2, "low"),
    _metric("l_score.tokens", "L-Score %", 100, 1, "high"),
    _metric("queries", "Queries", 1, 1, None),
    _metric("f1.strict.before", "F1 before", 100, 1, None),
    *(_metric(f"attack_rate@{n}", f"@{n} %", 100, 1, "high", extra=True) for n in (10, 32, 128, 512)),
)

COLUMNS = (
    STANDING[0],
    Column("attack", "Attack", "name, and parameters that are not its defaults"),
    METRICS[0],
    STANDING[1],
    Column("trust", "Trust", "badge of the ledger; of several seeds the least", extra=True),
    METRICS[1],
    Column(
        "attack_rate.audited",
        "Audited rate %",
        "attack rate times the share of the texts read whose labels most readers found right",
        100,
        1,
        "high",
    ),
    *METRICS[2:],
    Column("access", "Sees", "what the attack sees of the victim", extra=True),
    Column("seeds", "Seeds", "number of seeds averaged over", 1, 0, extra=True),
    Column("runs", "Runs", "run ids", extra=True),
)

TOUCH = {"any": "any word", "context": "the context only", "entity": "the mentions only"}


def attacks_board(reading: Reading) -> list[Table]:
    """Return one table for each data set, victim, threat model and protocol."""
    return [_table(title, rows) for title, rows in attacks_of_groups(reading.runs)]


def attacks_of_groups(runs: Sequence[Run]) -> list[tuple[str, list[Entry]]]:
    """Return for each data set, victim, threat model and protocol its title and the rows that can be compared there."""
    groups = [(group, touch) for group in grouped(runs, protocol) for touch in _threat_models(group)]
    rows = [entries(run for run in group if _is_in(run, touch)) for group, touch in groups]
    titles = told_apart(
        [protocol_title(own[0].spec, touch) for own, (_, touch) in zip(rows, groups, strict=True)],
        [protocol(own[0].runs[0]) for own in rows],
    )
    return list(zip(titles, rows, strict=True))


def _threat_models(runs: Sequence[Run]) -> list[str]:
    """Return what the attacks of a group touch; `identity` keeps to every threat model and makes none."""
    return sorted({run.spec.touch for run in runs if run.spec.attack != "identity"}) or ["any"]


def protocol_title(spec: RunSpec, touch: str | None = None) -> str:
    """Say in one line what the rows of a table share."""
    parts = [
        *([f"attacks may touch {TOUCH[touch]}"] if touch else []),
        f"{len(spec.sentence_ids)} sentences",
        spec.goal,
        spec.mode,
        f"{spec.queries} queries",
        *([f"constraints {spec.constraints}"] if spec.constraints else []),
    ]
    return f"{spec.victim} on {spec.dataset} ({spec.split}): {', '.join(parts)}"


def shared(rows: Sequence[Entry]) -> dict[str, Any]:
    """Return what the rows of a table share, as columns of a file."""
    spec = rows[0].spec
    touches = {row.spec.touch for row in rows if row.spec.attack != "identity"}
    return {
        **shared_protocol(spec),
        "victim": spec.victim,
        "touch": touches.pop() if len(touches) == 1 else None,
        "sentences": len(spec.sentence_ids),
        "judges": judged_by(rows[0]),
    }


def judged_by(row: Entry, *of: str) -> str:
    """Name the judges of a group: all, or some by what they judge."""
    judges = row.runs[0].judges
    titles = {"similarity": "Similarity", "grammar_errors": "Grammar", "label_risk": "Valid", "fluency": "Fluency"}
    return " ".join(f"{titles[name]}: {judges[name]}." for name in of or titles if name in judges)


def _is_in(run: Run, touch: str) -> bool:
    return run.spec.touch == touch or run.spec.attack == "identity"


def _table(title: str, rows: list[Entry]) -> Table:
    rates = [row.average("attack_rate") for row in rows]
    ranked = [k for k, row in enumerate(rows) if not row.is_control and rates[k].value is not None]
    places, how = _standings([rows[k] for k in ranked], [rates[k].value or 0.0 for k in ranked])
    found = dict(zip(ranked, places, strict=False))
    names = labels(rows)
    # The best first, controls at the end.
    order = sorted(range(len(rows)), key=lambda k: (rows[k].is_control, -(rates[k].value or 0.0), names[k]))
    averages = [{column.key: row.average(column.key) for column in METRICS} for row in rows]
    records = [_record(names[k], rows[k], averages[k], found.get(k)) for k in order]
    at_the_end = f"attack_rate@{rows[0].spec.queries}"  # would say the attack rate again
    columns = [column for column in COLUMNS if column.key != at_the_end]
    notes = (*_notes(rows, names, averages), how)
    return table(title, columns, records, notes, of_attacks(row.spec.attack for row in rows), shared(rows))


def _record(name: str, row: Entry, averages: dict[str, Average], standing: Standing | None) -> dict[str, Any]:
    return {
        **(standing.cells() if standing else {}),
        "attack": name,
        **{key: cell for metric, value in averages.items() for key, cell in value.cells(metric).items()},
        "attack_rate.audited": _audited(row, averages["attack_rate"].value),
        "access": row.spec.access,
        "seeds": len(row.runs),
        "trust": row.trust,
        "runs": " ".join(run.run_id for run in row.runs),
        "control": row.is_control,
    }


def _standings(rows: Sequence[Entry], rates: Sequence[float]) -> tuple[list[Standing], str]:
    """Return the standings of rows and how they were found; nothing for a single row."""
    if len(rows) < 2:  # noqa: PLR2004
        return [], ""
    trials = trials_of(rows)
    pairs = list(itertools.combinations(range(len(rows)), 2))
    test = partial(trials.test, resamples=enough_resamples(len(pairs)))
    disagreement = [_disagreement(rows[i], rows[j], trials.sentences) for i, j in pairs]
    independent = len(set(trials.clusters)) == len(trials.sentences)
    gap = resolution(len(trials.sentences), disagreement, independent=independent)
    how = f"{told(trials.test_name, len(pairs))} {gap}"
    return standings(rates, test), how


def _disagreement(one: Entry, other: Entry, sentences: Sequence[str]) -> float:
    """Return the share of the sentences on which only one of the two first runs succeeded."""
    first, second = one.runs[0].examples, other.runs[0].examples
    return float(np.mean([succeeded(first[name]) != succeeded(second[name]) for name in sentences]))


def _notes(rows: Sequence[Entry], names: Sequence[str], averages: Sequence[dict[str, Average]]) -> list[str]:
    several = any(len(row.runs) > 1 for row in rows)
    spread = "; means over seeds, ± the standard deviation" if several else ""
    controls = sorted({row.spec.attack for row in rows if row.is_control})
    broken = [name for name, row in zip(names, rows, strict=True) if row.spec.attack == "identity"]
    broken = [name for name, own in zip(names, averages, strict=True) if name in broken and own["attack_rate"].value]
    there = {key for own in averages for key, value in own.items() if value.value is not None}
    reasons = sorted({(own[key].reason or "").partition(",")[0] for own in averages for key in there} - {""})
    return [
        f"{seeds_of(rows).capitalize()}. Intervals: 95 %, Wilson's for rates, else bootstrap{spread}.",
        judged_by(rows[0]),
        f"Controls, not ranked: {', '.join(controls)}." if controls else "",
        f"n/a: {'; '.join(reasons)}." if reasons else "",
        f"{', '.join(broken)} must be 0 and is not: a fault in the harness or in the result." if broken else "",
        left_out(rows, names),
        _read(rows, names),
    ]


def _audited(row: Entry, rate: float | None) -> float | None:
    """Return the attack rate that is left by what people read of a row's seeds, all texts put together."""
    right, read = right_of(_audits(row), adversarial=True)
    return rate * right / read if read and rate is not None else None


def _read(rows: Sequence[Entry], names: Sequence[str]) -> str:
    """Tell for each row how many texts people read, and of how many they found the labels right."""
    told = []
    for name, row in zip(names, rows, strict=True):
        (right, read), (clean, originals) = (right_of(_audits(row), adversarial=asked) for asked in (True, False))
        if read:
            told.append(f"{name} {right} of {read} and {clean} of {originals} originals")
    return f"Texts whose labels most readers found right: {'; '.join(told)}." if told else ""


def _audits(row: Entry) -> list[Mapping[str, Any]]:
    return [run.audit for run in row.runs if run.audit is not None]
