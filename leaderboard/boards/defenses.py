"""The defenses board: a base victim and what defenses made of it, under the same attacks on the same sentences.

Every attack is run again on each defended victim; beside its rate stands what the examples that broke the base do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.statistics.paired import difference_interval
from benchmark.statistics.totals import micro_f1
from leaderboard.boards.victims import ROBUSTNESS, joint_title, robustness_cells
from leaderboard.defended import Defended
from leaderboard.entries import average
from leaderboard.joining import joint_groups
from leaderboard.joint import Joint
from leaderboard.rows import Reading, Run
from leaderboard.standing import STANDING
from leaderboard.tables import Column, Table, table
from leaderboard.transferring import Transfer, read_transfers
from leaderboard.victim_names import base_of

__all__ = ["COSTS", "defenses_board"]

# What a defense costs: the keys are those of `victim_cost` in the provenance of a run against the defended victim.
COSTS = (
    Column(
        "preparing_seconds",
        "Preparing s",
        "seconds of attacks on training sentences, and what else is not training",
        1,
        0,
    ),
    Column(
        "training_seconds",
        "Training s",
        "seconds of training, without its base's where it goes on from it; of a front end, its victim's",
        1,
        0,
    ),
    Column("victim_queries", "Queries", "texts that attacks asked in the making of the victim", 1, 0),
)

_GAIN = Column("gain", "Gain", "robust F1 minus the base's, on the same sentences", 100, 1, "high")

_CLEAN = (
    Column(
        "clean_f1_of_all",
        "Clean F1 all",
        "strict F1 on all clean texts with mentions that were looked at in choosing sentences",
        100,
        1,
        "high",
    ),
    Column(
        "nearly_right",
        "Nearly right %",
        "share of the sentences looked at of which the victim misses so little that they were chosen",
        100,
        1,
        "high",
    ),
)

_CLEAN_TOLD = (
    "Clean F1 is that of sentences which all victims get nearly right. What a defense costs on clean text is seen in "
    "Clean F1 all and Nearly right %, over all sentences with mentions that were looked at in choosing, in one order: "
    "more of them where a victim gets fewer nearly right."
)

_UNSEEN = (
    Column("unseen", "Unseen R", "recall of gold mentions that are no mention of the training split", 100, 1, "high"),
    Column("unseen_worst", "Unseen R worst", "the same on the texts that robust F1 took", 100, 1, "high"),
)

_FLAGS = Column("flags", "Flags", "signs that attack rates on this victim are too low")

_UNSEEN_TOLD = (
    "Unseen R: recall of gold mentions whose words, in lower case, are no mention of the data set's training split, "
    "whoever was trained on how much of it. Wrong mentions that a victim predicts are neither seen nor unseen and do "
    "not count. The sentences are those that the victims get nearly right, so on clean texts it is high."
)


def defenses_board(reading: Reading) -> list[Table]:
    """Return one table for each base victim that has defended ones, data set and protocol."""
    groups = joint_groups(reading, base=True)
    transfers: dict[str, list[Transfer]] = defaultdict(list)
    for transfer in read_transfers(reading) if groups else ():
        transfers[transfer.run_id].append(transfer)
    return [_table(joint, transfers) for joint in groups]


def _table(joint: Joint, transfers: Mapping[str, Sequence[Transfer]]) -> Table:
    defended = Defended(joint, transfers)
    records = []
    for victim in range(len(joint.victims)):
        cells = robustness_cells(joint, victim)
        cells |= {_CLEAN[0].key: joint.clean_f1_of_all(victim), _CLEAN[1].key: joint.nearly_right(victim)}
        for worst, column in enumerate(_UNSEEN):
            cells |= average([joint.unseen_recall(victim, worst=bool(worst))]).cells(column.key)
        for attack, name in enumerate(joint.attacks):
            cells |= joint.f1(joint.attacked(victim, attack)).cells(f"f1 after {name}")
            cells |= joint.rate(victim, attack).cells(f"rate of {name}")
            if transferred := defended.transfer_rate(victim, attack):
                cells |= transferred.cells(f"transfer of {name}")
        cost = _cost(joint.runs[victim][0][0])
        cells |= _gain(joint, victim, defended.base) | {c.key: cost[c.key] for c in COSTS if c.key in cost}
        records.append({**cells, _FLAGS.key: "; ".join(defended.flags(victim)) or None})
    records.sort(key=lambda record: (record["rank"], record["victim"]))
    base = base_of(joint.spec.victim)
    columns = (
        STANDING[0],
        Column("victim", "Victim", "the base, or what defends it", beginning=f"{base}+"),
        ROBUSTNESS[1],
        _GAIN,
        STANDING[1],
        ROBUSTNESS[2],
        ROBUSTNESS[0],
        *_CLEAN,
        _FLAGS,
        *(column for attack in joint.attacks for column in _columns_of(attack)),
        *_UNSEEN,
        *COSTS,
    )
    unknown = [column.title for column in COSTS if not any(column.key in record for record in records)]
    told = f"Not known: {', '.join(unknown)} (no run's provenance tells what its victim cost)." if unknown else ""
    unseen = _UNSEEN_TOLD if any(record[_UNSEEN[0].key] is not None for record in records) else ""
    title = joint_title(joint, base)
    return table(
        title,
        columns,
        records,
        (*joint.notes, _CLEAN_TOLD, *defended.notes, unseen, told),
        joint.citations,
        joint.shared,
    )


def _cost(run: Run) -> dict[str, float]:
    """Return what a victim cost; attacks in the middle of a training count as preparing it."""
    cost = run.victim_cost
    attacking = cost.get("attacking_seconds", 0.0)
    moved = {"preparing_seconds": attacking, "training_seconds": -attacking}
    return {name: seconds + moved.get(name, 0.0) for name, seconds in cost.items()}


def _columns_of(attack: str) -> tuple[Column, ...]:
    """Return what is told of an attack: F1 after it, its rate, and that of what broke the base."""
    beside = "share of the sentences that break under the adversarial examples made against the base"
    return (
        Column(f"f1 after {attack}", f"F1 {attack}", f"strict F1 after {attack}", 100, 1, "high"),
        Column(
            f"rate of {attack}", f"{attack} %", f"attack rate of {attack} on this victim", 100, 1, "low", extra=True
        ),
        Column(f"transfer of {attack}", f"{attack} transfer %", f"{attack}: {beside}", 100, 1, "low", extra=True),
    )


def _gain(joint: Joint, victim: int, base: int | None) -> dict[str, Any]:
    """Compare a defended victim with its base, by a paired bootstrap."""
    if base is None or victim == base:
        return {}
    own, other = joint.robust[victim], joint.robust[base]
    low, high = difference_interval(own.counts, other.counts, micro_f1, joint.clusters)
    return {"gain": own.value - other.value, "gain.low": low, "gain.high": high}
