"""The published board: the papers' tables as printed, ours beside, and in words what was done otherwise."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmark.defending.finding import defense_named, name_of
from benchmark.errors import GauntletError
from benchmark.victims.finding import parse_name
from leaderboard.entries import Entry, entries, labels, not_default
from leaderboard.published import NUMBERS, Ours, Paper, PublishedTable, differences, read_published
from leaderboard.rows import Reading
from leaderboard.tables import Column, Table, table

__all__ = ["published_board"]

COLUMNS = (
    Column("name", "Row", "as the paper names it; of ours attack, parameters and victim"),
    Column("source", "Source", "paper, or ours"),
    Column("protocol", "Differs", "in what ours was made otherwise: see the letters below"),
    *(number.column for number in NUMBERS),
)

_ROUNDING = 1e-9


def published_board(reading: Reading) -> list[Table]:
    """Return the papers' tables; runs of ours on the same data with the same attack stand under a paper's row."""
    papers, damage = read_published(reading.results)
    reading.damage.extend(damage)
    ours = entries(reading.runs)
    datasets = reading.wanted.datasets
    return [
        _table(paper, printed, ours)
        for paper in papers
        for printed in paper.tables
        if not datasets or printed.dataset in datasets
    ]


def _table(paper: Paper, printed: PublishedTable, ours: Sequence[Entry]) -> Table:
    records: list[dict[str, Any]] = []
    told: dict[str, str] = {}
    rows = [row for row in ours if row.spec.dataset == printed.dataset and _as_many(row, printed)]
    for row_of_theirs in printed.rows:
        records.append({"name": row_of_theirs.name, "source": "paper", **row_of_theirs.numbers})
        for row, name in zip(rows, labels(rows), strict=True):
            if not any(_is_like(row, like) for like in row_of_theirs.ours):
                continue
            words = "; ".join(differences(printed.protocol, row))
            letter = told.setdefault(words, _letter(len(told))) if words else None
            beside = {"name": f"{name} on {row.spec.victim}", "source": "ours", "protocol": letter}
            records.append({**beside, **_numbers(row)})
    notes = [
        f"{printed.about}. Rows marked paper: {_cited(paper)}, as printed.",
        *(f"Ours, {letter}, so not comparable: {words}." for words, letter in told.items()),
    ]
    used = {key for row in printed.rows for key in row.numbers}
    columns = [_as_printed(column, printed) for column in COLUMNS if column.digits is None or column.key in used]
    of_paper = {"paper": paper.key, "table": printed.name}
    return table(f"{paper.title} ({paper.year}), {printed.name}", columns, records, notes, [paper.citation], of_paper)


def _as_printed(column: Column, printed: PublishedTable) -> Column:
    """Show as many digits as the paper does where that is more."""
    numbers = [row.numbers[column.key] * column.scale for row in printed.rows if column.key in row.numbers]
    if column.digits is None or all(abs(number - round(number, column.digits)) < _ROUNDING for number in numbers):
        return column
    return replace(column, digits=column.digits + 1)


def _as_many(row: Entry, printed: PublishedTable) -> bool:
    """Refuse runs on sentences that the victim nearly gets right where a paper's F1 is that of all sentences."""
    everything = printed.protocol.get("max_missed") == 1
    return not everything or row.spec.selection.get("max_missed") == 1


def _is_like(row: Entry, like: Ours) -> bool:
    """Tell whether a row of ours is that attack with those parameters, else its defaults, on a victim so defended."""
    given = {k: v for k, v in row.spec.parameters.items() if not isinstance(v, dict)}
    same = row.spec.attack == like.attack and not_default(like.attack, given) == not_default(
        like.attack, like.parameters
    )
    return same and like.defense == _defense_of(row.spec.victim)


def _defense_of(victim: str) -> str:
    """Return a victim's defense as it is best written; nothing for a victim without one, or whose name has no parts."""
    try:
        defense = parse_name(victim).defense
        return name_of(defense_named(defense)) if defense else ""
    except GauntletError:
        return ""


def _numbers(row: Entry) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for number in NUMBERS:
        if number.ours is not None:
            cells |= row.average(number.ours).cells(number.column.key)
    return cells


def _cited(paper: Paper) -> str:
    families = [author.rsplit(" ", 1)[-1] for author in paper.authors]
    return f"{f'{families[0]} et al.' if len(families) > 2 else ' & '.join(families)} {paper.year}"  # noqa: PLR2004


def _letter(number: int) -> str:
    return string.ascii_lowercase[number % 26] + (str(number // 26 + 1) if number >= 26 else "")  # noqa: PLR2004
