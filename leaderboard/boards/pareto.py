"""The Pareto board: attack rate against what it costs the text."""

from __future__ import annotations

from leaderboard.boards.attacks import METRICS, attacks_of_groups, judged_by, shared
from leaderboard.citations import of_attacks
from leaderboard.entries import Entry, labels, seeds_of
from leaderboard.rows import Reading
from leaderboard.tables import Column, Table, table

__all__ = ["front", "pareto_board"]

# The axes, each with which end is good: success, words changed, meaning kept.
_AXES = ("attack_rate", "modification_rate", "similarity")

COLUMNS = (
    Column("attack", "Attack", "name, and parameters that are not its defaults"),
    *(column for column in METRICS if column.key in _AXES),
    Column("front", "Front", "yes where no other attack is at least as good on all three and better on one"),
    Column("beaten_by", "Beaten by", "an attack that is at least as good on all three and better on one"),
)


def pareto_board(reading: Reading) -> list[Table]:
    """Return one table for each data set, victim, threat model and protocol."""
    return [_table(title, rows) for title, rows in attacks_of_groups(reading.runs)]


def front(points: list[tuple[float, ...]]) -> list[int | None]:
    """Return for each point which one beats it, None on the front.

    Args:
        points: all alike, more is better on each axis.

    Returns:
        Of those that are at least as good on all axes and better on one, the one that is best on the first axis.
    """
    found = []
    for point in points:
        beating = [
            k
            for k, other in enumerate(points)
            if other != point and all(a >= b for a, b in zip(other, point, strict=True))
        ]
        found.append(max(beating, key=lambda k: points[k]) if beating else None)
    return found


def _table(title: str, rows: list[Entry]) -> Table:
    names = labels(rows)
    averages = [{axis: row.average(axis) for axis in _AXES} for row in rows]
    placed = [
        k
        for k, row in enumerate(rows)
        if not row.is_control and all(averages[k][axis].value is not None for axis in _AXES)
    ]
    signs = {"high": 1, "low": -1, None: 1}
    better = {column.key: signs[column.better] for column in METRICS}
    points = [tuple(better[axis] * (averages[k][axis].value or 0.0) for axis in _AXES) for k in placed]
    beaten = {k: None if by is None else placed[by] for k, by in zip(placed, front(points), strict=True)}
    records = []
    for k, row in enumerate(rows):
        cells = {key: cell for axis in _AXES for key, cell in averages[k][axis].cells(axis).items()}
        by = beaten.get(k)
        on = None if k not in beaten else "yes" if by is None else "no"
        beside = {"front": on, "beaten_by": None if by is None else names[by], "control": row.is_control}
        records.append({"attack": names[k], **cells, **beside})
    records.sort(key=lambda record: (record["front"] != "yes", record["control"], -(record["attack_rate"] or 0.0)))
    spread = ", ± their standard deviation" if any(len(row.runs) > 1 for row in rows) else ""
    note = (
        "On the front: no other attack has as high a rate with as few edits and as much similarity. Compared by means, "
        f"{seeds_of(rows)}{spread}: neighbours need not be told apart by the sentences."
    )
    notes = (note, judged_by(rows[0], "similarity"))
    return table(title, COLUMNS, records, notes, of_attacks(row.spec.attack for row in rows), shared(rows))
