"""The defenses board: a base victim and what defenses made of it, under the same attacks on the same sentences."""

from __future__ import annotations

from typing import Any

from benchmark.statistics.paired import difference_interval
from benchmark.statistics.totals import micro_f1
from leaderboard.boards.victims import ROBUSTNESS, joint_title, robustness_cells
from leaderboard.joint import Joint, base_of, joint_groups
from leaderboard.rows import Reading
from leaderboard.standing import STANDING
from leaderboard.tables import Column, Table, table

__all__ = ["COSTS", "defenses_board"]

# What a defense costs: the keys are those of `victim_cost` in the provenance of a run against the defended victim.
COSTS = (
    Column("preparing_seconds", "Preparing s", "seconds before training, attacks on training sentences included", 1, 0),
    Column("training_seconds", "Training s", "seconds of training", 1, 0),
    Column("victim_queries", "Queries", "texts that attacks asked in the making of the victim", 1, 0),
)

_GAIN = Column("gain", "Gain", "robust F1 minus the base's, on the same sentences", 100, 1, "high")


def defenses_board(reading: Reading) -> list[Table]:
    """Return one table for each base victim that has defended ones, data set and protocol."""
    groups = joint_groups(reading, base=True)
    return [_table(joint) for joint in groups]


def _table(joint: Joint) -> Table:
    specs = [own[0][0].spec for own in joint.runs]
    base = next((k for k, spec in enumerate(specs) if base_of(spec.victim) == spec.victim), None)
    records = []
    for victim in range(len(joint.victims)):
        cells = robustness_cells(joint, victim)
        for attack, name in enumerate(joint.attacks):
            cells |= joint.f1(joint.attacked(victim, attack)).cells(f"f1 after {name}")
            cells |= joint.rate(victim, attack).cells(f"rate of {name}")
        cost = joint.runs[victim][0][0].victim_cost
        cells |= _gain(joint, victim, base) | {c.key: cost[c.key] for c in COSTS if c.key in cost}
        records.append(cells)
    records.sort(key=lambda record: (record["rank"], record["victim"]))
    columns = (
        STANDING[0],
        Column("victim", "Victim", "name: the base, or BASE+DEFENSE"),
        ROBUSTNESS[1],
        _GAIN,
        STANDING[1],
        ROBUSTNESS[0],
        *(Column(f"f1 after {a}", f"F1 {a}", f"strict F1 after {a}", 100, 1, "high") for a in joint.attacks),
        *(Column(f"rate of {a}", f"{a} %", f"attack rate of {a}", 100, 1, "low", extra=True) for a in joint.attacks),
        *COSTS,
    )
    unknown = [column.title for column in COSTS if not any(column.key in record for record in records)]
    told = f"Not known: {', '.join(unknown)} (no run's provenance tells what its victim cost)." if unknown else ""
    title = joint_title(joint, base_of(specs[0].victim))
    return table(title, columns, records, (*joint.notes, told), joint.citations, joint.shared)


def _gain(joint: Joint, victim: int, base: int | None) -> dict[str, Any]:
    """Compare a defended victim with its base, by a paired bootstrap."""
    if base is None or victim == base:
        return {}
    own, other = joint.robust[victim], joint.robust[base]
    low, high = difference_interval(own.counts, other.counts, micro_f1, joint.clusters)
    return {"gain": own.value - other.value, "gain.low": low, "gain.high": high}
