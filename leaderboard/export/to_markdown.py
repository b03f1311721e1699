"""Tables as GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from leaderboard.tables import Column, Table, best_rows, shown_on_paper

__all__ = ["to_markdown"]

# What could begin markup, a link, a cell or an HTML element.
_SPECIAL = re.compile(r"([\\`*_\[\]|~<>&$])")


def to_markdown(tables: Sequence[Table]) -> str:
    """Return one table each, below its title, above its notes; the best of a column is bold."""
    return "\n".join(_table(table) for table in tables)


def _table(table: Table) -> str:
    columns = [column for column in table.columns if not column.extra]
    cells = [_cells(table, column) for column in columns]
    lines = [
        [_escaped(column.title) for column in columns],
        ["---" if column.digits is None else "--:" for column in columns],
        *map(list, zip(*cells, strict=True)),
    ]
    body = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    notes = "".join(f"{_escaped(note)}\n" for note in table.notes)
    return f"**{_escaped(table.title)}**\n\n{body}\n{notes}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _cells(table: Table, column: Column) -> list[str]:
    cells = []
    for row, is_best in enumerate(best_rows(table, column)):
        text, interval = map(_escaped, shown_on_paper(table, row, column))
        cells.append((f"**{text}**" if is_best else text) + (f" ({interval})" if interval else ""))
    return cells
