"""Tables as one CSV file: a row an entry, what its table shares first, numbers on their natural scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leaderboard.tables import BOUNDS, Table

__all__ = ["to_csv"]

# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(tables: Sequence[Table]) -> str:
    """Return all tables below one another, each number with its bounds; what a table lacks is empty."""
    import pandas as pd

    parts = []
    for table in tables:
        keys = [key for column in table.columns for key in (column.key, *(f"{column.key}.{b}" for b in BOUNDS))]
        frame = table.frame[[key for key in [*keys, "control"] if key in table.frame]]
        parts.append(frame.assign(**table.shared)[[*table.shared, *frame.columns]])
    if not parts:
        return ""
    frame = pd.concat(parts).map(_harmless)
    return frame.rename(columns=_harmless).to_csv(index=False)


def _harmless(value: Any) -> Any:
    """Keep a spreadsheet from running a text as a formula, by the apostrophe that it takes for the mark of a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
