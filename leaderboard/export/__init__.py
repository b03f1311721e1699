"""Export: tables as text in a format. A format is an entry of `FORMATS`; adding one is adding a value here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmark.errors import BadInput
from benchmark.registry import did_you_mean
from leaderboard.export.to_bibtex import to_bibtex
from leaderboard.export.to_csv import to_csv
from leaderboard.export.to_json import to_json
from leaderboard.export.to_latex import to_latex
from leaderboard.export.to_markdown import to_markdown
from leaderboard.tables import Table

__all__ = ["FORMATS", "format_named"]

FORMATS: dict[str, Callable[[Sequence[Table]], str]] = {
    "bibtex": to_bibtex,
    "csv": to_csv,
    "json": to_json,
    "latex": to_latex,
    "markdown": to_markdown,
}


def format_named(name: str) -> Callable[[Sequence[Table]], str]:
    """Return a format.

    Raises:
        BadInput: no such format.
    """
    if name not in FORMATS:
        raise BadInput(f"unknown format {name!r}; {did_you_mean(name, list(FORMATS))}")
    return FORMATS[name]
