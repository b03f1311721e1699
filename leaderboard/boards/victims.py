"""The victims board: how victims hold out against the same attacks on the same sentences."""

from __future__ import annotations

from typing import Any

from leaderboard.joining import joint_groups
from leaderboard.joint import Joint
from leaderboard.rows import Reading
from leaderboard.standing import STANDING
from leaderboard.tables import Column, Table, table

__all__ = ["ROBUSTNESS", "joint_title", "robustness_cells", "victims_board"]

ROBUSTNESS = (
    Column("clean_f1", "Clean F1", "strict F1 on the clean texts of the joint sentences", 100, 1, "high"),
    Column("robust_f1", "Robust F1", "strict F1 in the worst case over the attacks", 100, 1, "high", headline=True),
    Column(
        "robust_f1_all", "Robust F1 all", "the same over every attack shown, frozen or not", 100, 1, "high", extra=True
    ),
)

COLUMNS = (
    STANDING[0],
    Column("victim", "Victim", "name"),
    ROBUSTNESS[1],
    STANDING[1],
    ROBUSTNESS[2],
    ROBUSTNESS[0],
    Column("drop", "Drop", "clean F1 minus robust F1", 100, 1, "low"),
    Column("worst_rate", "Top rate %", "highest attack rate of a single attack", 100, 1, "low"),
    Column("worst_attack", "by", "the attack that has it"),
)


def victims_board(reading: Reading) -> list[Table]:
    """Return one table for each data set and protocol under which at least two victims were given the same attacks."""
    groups = joint_groups(reading, base=False)
    return [_table(joint) for joint in groups]


def joint_title(joint: Joint, what: str) -> str:
    """Say in one line what the rows of a table share."""
    spec = joint.spec
    constraints = f", constraints {spec.constraints}" if spec.constraints else ""
    return (
        f"{what} on {spec.dataset} ({spec.split}): {len(joint.sentences)} sentences, {spec.goal}, {spec.mode}, "
        f"{spec.queries} queries{constraints}"
    )


def robustness_cells(joint: Joint, victim: int) -> dict[str, Any]:
    """Return the cells that tell where a victim stands."""
    return {
        **joint.standings[victim].cells(),
        "victim": joint.victims[victim],
        **joint.f1([joint.clean(victim)]).cells("clean_f1"),
        # The interval resamples sentences with the outcomes chosen for all of them; to choose anew changes little.
        **joint.f1([joint.robust[victim].counts]).cells("robust_f1"),
        "robust_f1_all": joint.robust_over_all(victim).value,
    }


def _table(joint: Joint) -> Table:
    records = []
    for victim in range(len(joint.victims)):
        cells = robustness_cells(joint, victim)
        rates = [joint.rate(victim, attack) for attack in range(len(joint.attacks))]
        worst = max(range(len(rates)), key=lambda k: rates[k].value or 0.0)
        cells |= {"drop": cells["clean_f1"] - cells["robust_f1"], "worst_attack": joint.attacks[worst]}
        records.append({**cells, **rates[worst].cells("worst_rate")})
    records.sort(key=lambda record: (record["rank"], record["victim"]))
    return table(joint_title(joint, "Victims"), COLUMNS, records, joint.notes, joint.citations, joint.shared)
