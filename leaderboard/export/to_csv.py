"""Tables as one CSV file: a row an entry, title and what its table shares first, numbers on their natural scale."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.plain_text import harmless_cell
from leaderboard.tables import BOUNDS, Table

__all__ = ["to_csv"]


def to_csv(tables: Sequence[Table]) -> str:
    """Return all tables below one another, each number with its bounds; what a table lacks is empty."""
    import pandas as pd

    parts = []
    for table in tables:
        keys = [key for column in table.columns for key in (column.key, *(f"{column.key}.{b}" for b in BOUNDS))]
        frame = table.frame[[key for key in [*keys, "control"] if key in table.frame]]
        # The title alone tells apart tables that differ in weights, say, or in a setting.
        shared = {"title": table.title, **table.shared}
        parts.append(frame.assign(**shared)[[*shared, *frame.columns]])
    if not parts:
        return ""
    frame = pd.concat(parts).map(lambda value: harmless_cell(value) if isinstance(value, str) else value)
    return frame.rename(columns=harmless_cell).to_csv(index=False)
