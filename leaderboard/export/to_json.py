"""Tables as JSON: columns with what they say, rows of numbers on their natural scale, null where there is none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from leaderboard.tables import BOUNDS, Table

__all__ = ["to_json"]


def to_json(tables: Sequence[Table]) -> str:
    """Return a list of tables. The text may stand inside a script element: it holds no `<`."""
    text = json.dumps([_record(table) for table in tables], indent=1, ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c") + "\n"


def _record(table: Table) -> dict[str, Any]:
    shown = ("key", "title", "description", "scale", "digits", "better")
    columns = [{name: value for name, value in asdict(column).items() if name in shown} for column in table.columns]
    keys = [key for column in table.columns for key in (column.key, *(f"{column.key}.{b}" for b in BOUNDS))]
    rows = [
        {key: _plain(row[key]) for key in [*keys, "control"] if key in table.frame}
        for row in table.frame.to_dict(orient="records")
    ]
    told = {"title": table.title, "notes": list(table.notes), "shared": dict(table.shared)}
    return {**told, "columns": columns, "rows": rows}


def _plain(value: Any) -> Any:
    """Return a cell as JSON knows it: no NaN, none of numpy's types."""
    import pandas as pd

    if isinstance(value, str):
        return value
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
