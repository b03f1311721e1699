"""gauntlet export: a board as a file for others to read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.board import Attacks, Datasets, Victims, asked_for, tables_of, tell_damage
from benchmark.cli.console import Results

__all__ = ["export"]


def export(
    name: Annotated[str, typer.Argument(help="Of the board, as in `gauntlet board`.")],
    format: Annotated[str, typer.Option(help="csv, json, latex, bibtex or markdown.")] = "csv",  # noqa: A002
    out: Annotated[Path | None, typer.Option(help="File; standard output if not given.", show_default=False)] = None,
    dataset: Datasets = None,
    victim: Victims = None,
    attack: Attacks = None,
    results: Results = Path("results"),
) -> None:
    """Write a board as CSV, JSON, LaTeX (booktabs) or Markdown, or what to cite with it as BibTeX."""
    from benchmark.store import write_atomically
    from leaderboard.export import format_named

    write = format_named(format)
    wanted = asked_for(dataset, victim, attack)
    tables, reading = tables_of(name, results, wanted)
    text = write(tables)
    if out is None:
        sys.stdout.write(text)
    else:
        write_atomically(out, text)
    tell_damage(reading)
