"""What the results at hand say of defenses: measured gains of defended models, or that there are none."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmark.defending.finding import DEFENSES
from benchmark.errors import GauntletError
from leaderboard.boards.defenses import defenses_board
from leaderboard.rows import read_runs
from leaderboard.tables import Table

__all__ = ["gains", "helped", "registered"]

# Of the board's columns those that a practitioner asks for.
_WANTED = ("victim", "robust_f1", "gain", "clean_f1", "flags")


def gains(results: Path, dataset: str) -> list[Table]:
    """Return the tables of defended models with their bases, those on the same data first.

    Args:
        results: a results folder.
        dataset: of the audit.
    """
    tables = [table for table in defenses_board(read_runs(results)) if "gain" in table.frame]
    tables.sort(key=lambda table: table.shared.get("dataset") != dataset)
    return [
        dataclasses.replace(table, columns=tuple(column for column in table.columns if column.key in _WANTED))
        for table in tables
    ]


def helped(tables: list[Table]) -> Iterator[tuple[str, float, float, float, str]]:
    """Yield name, gain, both ends of its interval and data of each defended model whose gain is above chance."""
    for table in tables:
        for row in table.frame.to_dict(orient="records"):
            if row.get("gain.low", 0) > 0:
                yield row["victim"], row["gain"], row["gain.low"], row["gain.high"], str(table.shared.get("dataset"))


def registered() -> Mapping[str, str]:
    """Return what each defense in the registry does, by name; one that cannot be loaded is left out."""
    found = {}
    for name in DEFENSES:
        try:
            found[name] = DEFENSES.get(name).card.summary
        except GauntletError:
            continue
    return found
