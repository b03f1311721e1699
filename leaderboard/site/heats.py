"""Heat maps: tables whose cells are tinted by their number, which stands in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from leaderboard.tables import Table, shown_cell, shown_number

__all__ = ["HEATS", "Heat", "HeatCell", "attacks_by_victims", "transfers"]

_RATE = "rate of "
_TO = "to "


class HeatCell(NamedTuple):
    """A number as a tint.

    Attributes:
        text: the number.
        tint: from 0, for none, to 1, or to -1 in another colour.
        told: what it says in words.
        bold: whether it stands out.
        link: where it leads to; empty for nowhere.
    """

    text: str
    tint: float
    told: str
    bold: bool = False
    link: str = ""


class Heat(NamedTuple):
    """A heat map.

    Attributes:
        title: what its cells hold.
        columns: headers.
        rows: each with its name; None for a cell that has no meaning.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[HeatCell | None, ...]], ...]


def attacks_by_victims(table: Table) -> Heat | None:
    """Draw the attack rates of a table of victims, a column an attack."""
    columns = [column for column in table.columns if column.key.startswith(_RATE)]
    if not columns:
        return None
    (victims,) = (column for column in table.columns if column.key == "victim")
    rows = []
    for row, record in enumerate(table.frame.to_dict(orient="records")):
        victim, cells = shown_cell(table, row, victims), []
        for column in columns:
            text = shown_number(record[column.key], column)
            known = text != column.missing
            told = f"{column.description} on {victim}: {text}"
            cells.append(HeatCell(text, round(float(record[column.key]), 3) if known else 0.0, told))
        rows.append((victim, tuple(cells)))
    names = tuple(column.key.removeprefix(_RATE) for column in columns)
    return Heat("Attack rate (%) of each attack on each victim", names, tuple(rows))


def transfers(table: Table) -> Heat | None:
    """Draw the shares of a transfer table, a column a victim asked; a victim's own texts have no cell."""
    columns = [column for column in table.columns if column.key.startswith(_TO)]
    if not columns:
        return None
    rows = []
    for record in table.frame.to_dict(orient="records"):
        name = f"{record['attack']} on {record['victim']}"
        cells: list[HeatCell | None] = []
        for column in columns:
            text = shown_number(record[column.key], column, digits=0)
            if text == column.missing:
                cells.append(None)
            else:
                told = f"{name}: {column.description}, {text} %"
                cells.append(HeatCell(text, round(float(record[column.key]), 3), told))
        rows.append((name, tuple(cells)))
    names = tuple(column.key.removeprefix(_TO) for column in columns)
    return Heat("Share (%) of the texts that broke one victim which break another, too", names, tuple(rows))


# The boards that have one.
HEATS: Mapping[str, Callable[[Table], Heat | None]] = {"defenses": attacks_by_victims, "transfer": transfers}
