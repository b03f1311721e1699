"""The transfer board: adversarial examples made against one victim, put to another."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from benchmark.metrics import Value
from benchmark.statistics.intervals import wilson
from leaderboard.citations import of_attacks
from leaderboard.entries import average, entries, grouped, labels, protocol, shared_protocol, told_apart
from leaderboard.rows import Reading, Run
from leaderboard.tables import Column, Table, table
from leaderboard.transferring import Transfer, read_transfers

__all__ = ["transfer_board"]


def transfer_board(reading: Reading) -> list[Table]:
    """Return one table for each data set and protocol: a row is an attack on a victim, a column who read its texts."""
    transfers: dict[str, list[Transfer]] = defaultdict(list)
    for transfer in read_transfers(reading):
        transfers[transfer.run_id].append(transfer)
    asked = [run for run in reading.runs if run.run_id in transfers]
    groups = grouped(asked, lambda run: protocol(run, *_OF_THE_VICTIM))
    return [_table(group, transfers) for group in groups]


_OF_THE_VICTIM = ("victim", "victim_fingerprint", "victim_settings", "selection", "sentence_ids", "judges")


def _table(group: list[Run], transfers: dict[str, list[Transfer]]) -> Table:
    targets = {t.target: t for run in group for t in transfers[run.run_id]}
    names = dict(
        zip(
            targets,
            told_apart([t.victim for t in targets.values()], [t.details for t in targets.values()]),
            strict=True,
        )
    )
    columns = (
        Column("victim", "Made against", "the victim that the attack asked"),
        Column("attack", "Attack", "name, and parameters that are not its defaults"),
        *(Column(f"to {name}", f"{name} %", f"share that breaks {name} too", 100, 1) for name in names.values()),
    )
    rows = entries(group)
    records = []
    for row, attack in zip(rows, labels(rows), strict=True):
        cells: dict[str, Any] = {"victim": row.spec.victim, "attack": attack, "control": row.is_control}
        for target, name in names.items():
            values = [_value(run, t) for run in row.runs for t in transfers[run.run_id] if t.target == target]
            mean = average(values)
            cells |= mean.cells(f"to {name}") | {f"to {name}.n": mean.n}
        records.append(cells)
    spec = group[0].spec
    note = (
        "Of an attack's successes, the share that breaks the other victim too, over the sentences that both get right "
        "by the rule that chose the first one's. Intervals: 95 %, Wilson's. A victim's own column is left out: each "
        "success broke it."
    )
    title = f"Transfer on {spec.dataset} ({spec.split}): {spec.goal}, {spec.mode}, {spec.queries} queries"
    citations = of_attacks(row.spec.attack for row in rows)
    return table(title, columns, records, [note], citations, shared_protocol(spec))


def _value(run: Run, transfer: Transfer) -> Value:
    """Share of the joint sentences' adversarial examples that break the other victim."""
    most = run.spec.selection.get("max_missed", 1.0)
    joint = [answer for answer in transfer.answers if answer.missed <= most]
    if not joint:
        return Value(None, reason="no adversarial example of a sentence that both get right")
    broken = sum(answer.score > 0 for answer in joint)
    return Value(broken / len(joint), *wilson(broken, len(joint)), len(joint))
