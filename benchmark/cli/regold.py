"""gauntlet regold: how many successes were annotation errors?"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.board import Attacks, Datasets, Victims, asked_for, tell_damage
from benchmark.cli.console import DataDir, Json, Results, errors, output, require_results

__all__ = ["regold"]


def regold(
    gold: Annotated[str, typer.Argument(help="A data set with the same sentences, labelled otherwise: conllpp.")],
    victim: Victims = None,
    dataset: Datasets = None,
    attack: Attacks = None,
    scheme: Annotated[str, typer.Option(help="Tag scheme of local files: IOB1, IOB2, BIOES, BILOU.")] = "IOB2",
    data_dir: DataDir = None,
    results: Results = Path("results"),
    json: Json = False,
) -> None:
    """Judge stored answers by other gold labels of the same sentences; asks no model and stores nothing.

    Runs on other sentences than those of GOLD are left out and named.
    """
    from benchmark.cli.tables import print_tables
    from benchmark.datasets import find_dataset
    from benchmark.errors import BadInput, MissingResource
    from leaderboard.export.to_json import to_json
    from leaderboard.regolding import regolded_table, same_protocol
    from leaderboard.rows import read_runs

    require_results(results)
    load = cache(lambda name: find_dataset(name, data_dir, scheme))
    other = load(gold)
    reading = read_runs(results, asked_for(dataset, victim, attack))
    if not reading.runs:
        raise BadInput(f"no finished run of that kind in {results}; gauntlet status shows runs")
    tables, left_out = [], []
    for rows in same_protocol(reading.runs):
        try:
            tables.append(regolded_table(rows, load(rows[0].spec.dataset), other))
        except (BadInput, MissingResource) as error:
            left_out.append(str(error))
    if json:
        sys.stdout.write(to_json(tables))
    else:
        print_tables(tables, output)
    for told in dict.fromkeys(left_out):
        errors.print(f"left out: {told}", markup=False, highlight=False, soft_wrap=True)
    tell_damage(reading)
