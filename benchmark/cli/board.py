"""gauntlet board: the leaderboard's tables, from stored results alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.console import Json, Results, errors, output, require_results

if TYPE_CHECKING:
    from leaderboard.rows import Filter, Reading
    from leaderboard.tables import Table

__all__ = ["Attacks", "Datasets", "Victims", "asked_for", "board", "print_board", "tables_of", "tell_damage"]

Datasets = Annotated[
    list[str] | None, typer.Option("--dataset", help="Only this data set; may be repeated.", show_default=False)
]
Victims = Annotated[
    list[str] | None, typer.Option("--victim", help="Only this victim; may be repeated.", show_default=False)
]
Attacks = Annotated[
    list[str] | None, typer.Option("--attack", help="Only this attack; may be repeated.", show_default=False)
]


def board(
    name: Annotated[
        str, typer.Argument(help="attacks, victims, defenses, curves, pareto, transfer or published.")
    ] = "attacks",
    dataset: Datasets = None,
    victim: Victims = None,
    attack: Attacks = None,
    results: Results = Path("results"),
    json: Json = False,
) -> None:
    """Print a board; what is left out of it does not take part in its ranks and ties."""
    print_board(name, results, asked_for(dataset, victim, attack), json=json)


def asked_for(datasets: Sequence[str] | None, victims: Sequence[str] | None, attacks: Sequence[str] | None) -> Filter:
    """Return which runs are asked for by names; where nothing was said all."""
    from leaderboard.rows import Filter

    return Filter(tuple(datasets or ()), tuple(victims or ()), tuple(attacks or ()))


def print_board(name: str, results: Path, wanted: Filter | None = None, *, json: bool = False) -> None:
    """Print a board's tables, then what could not be read."""
    from benchmark.cli.tables import print_tables
    from leaderboard.export.to_json import to_json

    tables, reading = tables_of(name, results, wanted)
    if json:
        sys.stdout.write(to_json(tables))
    else:
        print_tables(tables, output)
    tell_damage(reading)


def tables_of(name: str, results: Path, wanted: Filter | None) -> tuple[list[Table], Reading]:
    """Return the tables of a board and what was read for it; says what is left out, and what to do where there is none.

    Raises:
        BadInput: no such board or folder.
    """
    from leaderboard.boards import board_named
    from leaderboard.rows import read_runs
    from leaderboard.tables import printable

    board = board_named(name)
    require_results(results)
    reading = read_runs(results, wanted)
    tables = board.tables(reading)
    remarks = [printable(remark) for remark in reading.remarks]
    if reading.unfinished:
        remarks.append(f"unfinished runs left out: {reading.unfinished} (gauntlet status)")
    if not tables and not reading.damage:
        remarks.append(f"nothing for this board among {len(reading.runs)} finished runs in {results}; {board.needs}")
    for remark in remarks:
        errors.print(remark, markup=False, highlight=False, soft_wrap=True)
    return tables, reading


def tell_damage(reading: Reading) -> None:
    """Print what could not be read, a line each; the last one ends the command with its exit code."""
    from leaderboard.tables import printable

    for error in reading.damage[:-1]:
        line = f"error: {printable(str(error))}"
        errors.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
    if reading.damage:
        raise type(reading.damage[-1])(printable(str(reading.damage[-1])))
