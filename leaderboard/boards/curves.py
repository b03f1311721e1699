"""The curves board: attack rate against the queries it took."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from benchmark.metrics.attack_rate import attack_rate
from leaderboard.boards.attacks import attacks_of_groups, shared
from leaderboard.citations import of_attacks
from leaderboard.entries import Entry, average, labels, seeds_of
from leaderboard.rows import Reading
from leaderboard.tables import Column, Table, table

__all__ = ["curves_board"]


def curves_board(reading: Reading) -> list[Table]:
    """Return one table for each data set, victim, threat model and protocol: a column is a number of queries."""
    return [_table(title, rows) for title, rows in attacks_of_groups(reading.runs)]


def _table(title: str, rows: list[Entry]) -> Table:
    budget = rows[0].spec.queries
    points = [*takewhile(lambda queries: queries < budget, (2**k for k in range(budget.bit_length()))), budget]
    columns = (
        Column("attack", "Attack", "name, and parameters that are not its defaults"),
        *(Column(f"within {n}", f"@{n}", f"attack rate (%) within {n} queries", 100, 0, "high") for n in points),
    )
    records = []
    for name, row in zip(labels(rows), rows, strict=True):
        cells: dict[str, Any] = {"attack": name, "control": row.is_control}
        for queries in points:
            rate = average([attack_rate(list(run.examples.values()), queries) for run in row.runs])
            cells |= rate.cells(f"within {queries}")
        records.append(cells)
    records.sort(key=lambda record: (record["control"], -(record[f"within {budget}"] or 0.0), record["attack"]))
    note = (
        f"Attack rate (%) by the number of the query that first reached the goal; {seeds_of(rows)}. Intervals: 95 %, "
        "Wilson's."
    )
    return table(title, columns, records, [note], of_attacks(row.spec.attack for row in rows), shared(rows))
