"""A board's table as cells to be printed: a column is a value, and only those that link are known by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from leaderboard.ledger_lines import BADGES, RETRACTED, SUPERSEDED
from leaderboard.site.addresses import Addresses
from leaderboard.tables import Column, Table, best_rows, shown_interval, shown_number

__all__ = ["Cell", "ShownColumn", "ShownRow", "ShownTable", "shown_table"]

# Columns whose texts name things with pages of their own.
_LINKS: Mapping[str, Callable[[Addresses, str], str | None]] = {
    "attack": Addresses.attack,
    "worst_attack": Addresses.attack,
    "beaten_by": Addresses.attack,
    "victim": Addresses.victim,
    "dataset": Addresses.dataset,
    "defense": Addresses.defense,
    "runs": Addresses.run,
}
# Columns that tell how far a row can be trusted.
_TRUST = frozenset({"badge", "earned", "trust"})
# Columns that hold several names, with spaces between.
_LISTS = frozenset({"runs"})
_RUN_DIGITS = 4
# A menu of values helps where there are some, and not where there are many.
_MENU = range(2, 13)
_FEWEST_ROWS = 4


class Whisker(NamedTuple):
    """A number with its interval as places on a scale of a hundred."""

    low: float
    value: float
    high: float


class Cell(NamedTuple):
    """What a cell shows.

    Attributes:
        text: to be read.
        sort: to be sorted by and downloaded: the number on its natural scale, or the text; empty for none.
        interval: below the number.
        links: texts with their pages, instead of the text.
        best: whether it is marked.
        whisker: drawn beside a headline number.
        badge: of the ledger, where the text is one.
    """

    text: str
    sort: str
    interval: str = ""
    links: tuple[tuple[str, str], ...] = ()
    best: bool = False
    whisker: Whisker | None = None
    badge: str = ""


class ShownColumn(NamedTuple):
    """How a column is headed.

    Attributes:
        key: of the board's column.
        title: header.
        description: what it says.
        numeric: whether numbers stand in it.
        extra: shown on demand.
        headline: intervals are always shown.
        menu: values to choose from.
    """

    key: str
    title: str
    description: str
    numeric: bool
    extra: bool
    headline: bool
    menu: tuple[str, ...]


class ShownRow(NamedTuple):
    """A row, and whether it is a control."""

    cells: tuple[Cell, ...]
    control: bool


@dataclass(frozen=True)
class ShownTable:
    """A table to be printed.

    Attributes:
        id: unique on its page.
        heading: the title, or its first part.
        about: the rest of it.
        columns: in order.
        rows: in order.
        notes: sentences.
    """

    id: str
    heading: str
    about: str
    columns: tuple[ShownColumn, ...]
    rows: tuple[ShownRow, ...]
    notes: tuple[str, ...]

    @property
    def has_extra(self) -> bool:
        """Whether there are columns on demand."""
        return any(column.extra for column in self.columns)

    @property
    def has_intervals(self) -> bool:
        """Whether there are intervals on demand."""
        hidden = [k for k, column in enumerate(self.columns) if not column.headline]
        return any(row.cells[k].interval for row in self.rows for k in hidden)


def shown_table(table: Table, number: int, addresses: Addresses) -> ShownTable:
    """Return a table ready to be printed.

    Args:
        table: of a board.
        number: of the table on its page, from 1.
        addresses: to link names.
    """
    # A board's own titles tell victim and data before the colon, and what else the rows share behind it.
    heading, _, about = table.title.partition(": ") if table.shared else (table.title, "", "")
    columns = [_column(table, column) for column in table.columns]
    by_column = [_cells(table, column, addresses) for column in table.columns]
    rows = zip(zip(*by_column, strict=True), table.controls, strict=True) if by_column else ()
    shown = tuple(ShownRow(tuple(cells), control) for cells, control in rows)
    return ShownTable(f"t{number}", heading, about, tuple(columns), shown, table.notes)


def _column(table: Table, column: Column) -> ShownColumn:
    numeric = column.digits is not None
    values = (
        () if numeric or column.key in _LISTS else tuple(sorted({_text(v) for v in table.frame[column.key]} - {""}))
    )
    # Letters of ties are no words to choose from.
    fits = len(values) in _MENU and len(table.frame) > max(_FEWEST_ROWS, len(values)) and len(min(values, key=len)) > 2  # noqa: PLR2004
    menu = values if fits else ()
    # Ranks are read with what the tests leave of them.
    headline = column.headline or (numeric and not column.missing)
    extra = column.extra and column.key not in {*_LINKS, *_TRUST}
    return ShownColumn(column.key, column.title, column.description, numeric, extra, headline, menu)


def _cells(table: Table, column: Column, addresses: Addresses) -> list[Cell]:
    values = list(table.frame[column.key])
    if column.digits is None:
        return [_text_cell(column, _text(value), addresses) for value in values]
    best = best_rows(table, column)
    return [_number_cell(table, row, column, value, best[row]) for row, value in enumerate(values)]


def _text_cell(column: Column, text: str, addresses: Addresses) -> Cell:
    key, short = column.key, text.removeprefix(column.beginning)
    if key in _TRUST and text in {*BADGES, SUPERSEDED, RETRACTED}:
        return Cell(short, text, badge=text)
    if key in _LISTS:
        names = text.split()
        digits = _RUN_DIGITS if len(names) > 1 else 2 * _RUN_DIGITS
        links = [(name[:digits], _LINKS[key](addresses, name)) for name in names]
    else:
        links = [(short, _LINKS[key](addresses, text))] if key in _LINKS else []
    return Cell(short, text, links=tuple((name, page) for name, page in links if page))


def _number_cell(table: Table, row: int, column: Column, value: Any, best: bool) -> Cell:
    import pandas as pd

    text = shown_number(value, column, missing=column.missing)
    spread = f"{column.key}.spread"
    if column.headline and spread in table.frame:
        beside = shown_number(table.frame[spread].iloc[row], column, missing="")
        text += f" ±{beside}" if beside else ""
    missing = bool(pd.isna(value))
    return Cell(
        text,
        "" if missing else repr(float(value)),
        shown_interval(table, row, column, max(0, (column.digits or 0) - 1)),
        best=best,
        whisker=None if missing or not column.headline else _whisker(table, row, column, float(value)),
    )


def _whisker(table: Table, row: int, column: Column, value: float) -> Whisker | None:
    """Return where a rate and its interval lie between nothing and all; numbers of other kinds have no such scale."""
    import pandas as pd

    keys = [f"{column.key}.{bound}" for bound in ("low", "high")]
    if column.scale != 100 or not all(key in table.frame for key in keys):  # noqa: PLR2004 - a rate in per cent
        return None
    ends = [table.frame[key].iloc[row] for key in keys]
    if any(map(pd.isna, ends)) or table.frame[keys[0]].min() < 0:
        return None
    return Whisker(*(min(max(round(100 * float(number), 1), 0.0), 100.0) for number in (ends[0], value, ends[1])))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
