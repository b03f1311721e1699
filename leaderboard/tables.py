"""What a board is made of: tables whose columns are values, and whose numbers are numbers until they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

    from leaderboard.citations import Citation

__all__ = [
    "BOUNDS",
    "Column",
    "Table",
    "best_rows",
    "printable",
    "shown_cell",
    "shown_interval",
    "shown_number",
    "shown_on_paper",
    "table",
]

# What may stand beside a number in a frame, as KEY.low and so on: ends of its interval, standard deviation over seeds,
# number of items behind it.
BOUNDS = ("low", "high", "spread", "n")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; adding one is adding a value to a board's list.

    Attributes:
        key: of the frame.
        title: short header, with the unit.
        description: what it says, in one line.
        scale: what a number is multiplied by where it is shown; 100 for rates.
        digits: after the point; None for text.
        better: which end is marked as the best; None for neither.
        extra: left out where space is dear, on paper.
        headline: shown with its interval on paper, too, and with the spread over seeds.
        missing: what stands for a number that is not there.
        beginning: of texts, left out where they are shown, since the title tells it; CSV and JSON hold the whole text.
    """

    key: str
    title: str
    description: str
    scale: float = 1
    digits: int | None = None
    better: Literal["high", "low"] | None = None
    extra: bool = False
    headline: bool = False
    missing: str = "n/a"
    beginning: str = ""

    @property
    def bounded(self) -> bool:
        """Whether its interval is shown on paper, too: that of a headline number, and that of a rank."""
        return self.headline or self.key == "rank"


@dataclass(frozen=True)
class Table:
    """One table of a board.

    Attributes:
        title: what all rows share.
        columns: in order; each key is a column of the frame.
        frame: one row an entry; numbers on their natural scale, NaN where there is none; KEY.low and the other `BOUNDS`
            where they are known; `control` where some rows are controls.
        notes: sentences for the caption.
        citations: of the attacks and papers whose numbers it holds.
        shared: what all rows share, by name, for files that hold many tables.
    """

    title: str
    columns: tuple[Column, ...]
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    shared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def controls(self) -> list[bool]:
        """Whether each row is a control."""
        flags = self.frame["control"] if "control" in self.frame else [None] * len(self.frame)
        return [flag == True for flag in flags]  # noqa: E712 - NaN, where nothing is said, is no control


def table(
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    notes: Sequence[str] = (),
    citations: Sequence[Citation] = (),
    shared: Mapping[str, Any] | None = None,
) -> Table:
    """Make a table of records; columns in which no row has anything are left out.

    All text becomes printable here, so that nothing a stranger submitted moves a cursor or hides.
    """
    import pandas as pd

    frame = pd.DataFrame([{printable(key): _clean(value) for key, value in row.items()} for row in rows])
    kept = tuple(
        column for column in map(_clean_column, columns) if column.key in frame and frame[column.key].notna().any()
    )
    for column in kept:
        if column.digits == 0:  # whole numbers stay whole where some are missing
            frame[column.key] = frame[column.key].convert_dtypes()
    told = tuple(printable(note) for note in notes if note)
    of_all = {name: _clean(value) for name, value in (shared or {}).items()}
    return Table(printable(title), kept, frame, told, tuple(citations), of_all)


def printable(text: str) -> str:
    """Return a text with escapes for what does not print: control characters, line ends, marks that turn writing."""
    if text.isprintable():  # nearly all are, and a site asks millions of times
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shown_number(value: float, column: Column, *, missing: str = "n/a", digits: int | None = None) -> str:
    """Return a number as a column shows it.

    Args:
        value: on its natural scale; NaN for none.
        column: of numbers.
        missing: what stands for none.
        digits: where they are not the column's.
    """
    import pandas as pd

    if pd.isna(value):
        return missing
    text = f"{value * column.scale:.{column.digits if digits is None else digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def shown_cell(shown: Table, row: int, column: Column) -> str:
    """Return a cell as text: a number with the number of items behind it, where that is told.

    Args:
        shown: the table.
        row: number of the row.
        column: of numbers or of text.
    """
    value = shown.frame[column.key].iloc[row]
    if column.digits is None:
        return value.removeprefix(column.beginning) if isinstance(value, str) else ""
    text = shown_number(value, column, missing=column.missing)
    items = f"{column.key}.n"
    if items not in shown.frame or text == column.missing:
        return text
    return f"{text} of {shown.frame[items].iloc[row]:.4g}"


def shown_interval(shown: Table, row: int, column: Column, digits: int) -> str:
    """Return the interval of a number as a column shows it; nothing where there is none.

    Args:
        shown: the table.
        row: number of the row.
        column: of numbers.
        digits: of both ends.
    """
    ends = [f"{column.key}.{bound}" for bound in ("low", "high")]
    if not all(end in shown.frame and shown.frame[end].notna().iloc[row] for end in ends):
        return ""
    low, high = (shown_number(shown.frame[end].iloc[row], column, digits=digits) for end in ends)
    return f"{low} to {high}" if "-" in low + high else f"{low}–{high}"


def shown_on_paper(shown: Table, row: int, column: Column) -> tuple[str, str]:
    """Return a cell and its interval as there is room for on paper: a headline number comes with its spread over seeds.

    Args:
        shown: the table.
        row: number of the row.
        column: of numbers or of text.
    """
    text, spread = shown_cell(shown, row, column), f"{column.key}.spread"
    if column.headline and spread in shown.frame:
        beside = shown_number(shown.frame[spread].iloc[row], column, missing="")
        text += f" ±{beside}" if beside else ""
    return text, shown_interval(shown, row, column, 0) if column.bounded else ""


def best_rows(shown: Table, column: Column) -> list[bool]:
    """Return which rows hold the best number of a column, as it is shown; none where all are alike.

    Controls do not compete.
    """
    values = shown.frame[column.key]
    rivals = values[[not control for control in shown.controls]].dropna()
    if column.better is None or not len(rivals):
        return [False] * len(values)
    shown_rivals = {shown_number(value, column) for value in rivals}
    best = shown_number(rivals.max() if column.better == "high" else rivals.min(), column)
    return [
        len(shown_rivals) > 1 and not control and shown_number(value, column, missing="") == best
        for value, control in zip(values, shown.controls, strict=True)
    ]


def _clean_column(column: Column) -> Column:
    key, title, description = map(printable, (column.key, column.title, column.description))
    return replace(column, key=key, title=title, description=description)


def _clean(value: Any) -> Any:
    return printable(value) if isinstance(value, str) else value
