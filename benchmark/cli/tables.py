"""Tables of the leaderboard in a terminal, and runs as JSON rows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

if TYPE_CHECKING:
    from leaderboard.tables import Column, Table

__all__ = ["json_row", "print_tables"]


def json_row(result: dict[str, Any]) -> dict[str, Any]:
    """Return the row that `--json` prints for a run."""
    spec = result["spec"]
    return {
        "attack": spec["attack"],
        "victim": spec["victim"],
        "dataset": spec["dataset"],
        "seed": spec["seed"],
        "goal": spec["goal"],
        "parameters": spec["parameters"],
        "constraints": spec["constraints"],
        "run_id": result["run_id"],
        "judges": result["judges"],
        "metrics": result["metrics"],
        "per_type": result["per_type"],
    }


def print_tables(tables: Sequence[Table], console: Console) -> None:
    """Print tables with their titles and notes; columns that do not fit are left out from the right, and named."""
    boundless = console.options.update(max_width=10_000)
    for number, table in enumerate(tables):
        columns = list(table.columns)
        drawing = _drawn(table, columns, console.width)
        while len(columns) > 1 and Measurement.get(console, boundless, drawing).maximum > console.width:
            columns.pop()
            drawing = _drawn(table, columns, console.width)
        if number:
            console.print()
        console.print(Text(table.title, style="bold"))
        console.print(drawing)
        for note in table.notes:
            console.print(Text(note, style="dim"))
        hidden = ", ".join(column.title for column in table.columns[len(columns) :])
        if hidden:
            console.print(Text(f"For want of room not shown: {hidden} (--json shows all).", style="dim"))


def _drawn(table: Table, columns: Sequence[Column], width: int) -> RichTable:
    drawing = RichTable(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    longest = width * 2 // 5
    for column in columns:
        texts = [_cell(table, row, column) for row in range(len(table.frame))]
        needed = max([0, *(len(line) for text in texts for line in text.splitlines())])
        header = textwrap.wrap(column.title, max(needed, *map(len, column.title.split())))
        if column.digits is None:
            drawing.add_column(escape("\n".join(header)), max_width=longest, overflow="fold")
        else:
            drawing.add_column(escape("\n".join(header)), justify="right", no_wrap=True)
    # Controls stand apart, below.
    first_control = next((k for k, control in enumerate(table.controls) if control), 0)
    for row, control in enumerate(table.controls):
        if row and row == first_control:
            drawing.add_section()
        cells = [_marked(_cell(table, row, column)) for column in columns]
        drawing.add_row(*cells, style="dim" if control else None)
    return drawing


def _cell(table: Table, row: int, column: Column) -> str:
    """Return a cell's lines: the number, below it its interval."""
    from leaderboard.tables import shown_interval, shown_on_paper

    text, _ = shown_on_paper(table, row, column)
    if column.digits is None:
        return text
    # Intervals in whole units where the number itself has one digit: they are wide anyway, and rows stay short.
    interval = shown_interval(table, row, column, max(0, column.digits - 1))
    return f"{text}\n{interval}" if interval else text


def _marked(cell: str) -> str:
    first, newline, rest = escape(cell).partition("\n")
    return f"{first}{newline}[dim]{rest}[/dim]" if rest else first
