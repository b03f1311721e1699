"""gauntlet transfer: put stored adversarial examples to another victim."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.board import Attacks, Datasets, asked_for, tell_damage
from benchmark.cli.console import DataDir, Device, Results, errors, progress_report, require_results

__all__ = ["transfer"]


def transfer(
    victim: Annotated[str, typer.Argument(help="The victim to ask.")],
    source: Annotated[
        list[str] | None, typer.Option(help="Only runs against this victim; may be repeated.", show_default=False)
    ] = None,
    dataset: Datasets = None,
    attack: Attacks = None,
    label_map: Annotated[
        str | None,
        typer.Option(help="Victim's labels to the data set's: PERSON=PER,GPE=LOC,DATE=O.", show_default=False),
    ] = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    results: Results = Path("results"),
) -> None:
    """Ask a victim about the adversarial examples of runs against others, for `gauntlet board transfer`.

    Nothing is attacked; what was asked before is not asked again.
    """
    from benchmark.datasets import find_dataset
    from benchmark.errors import BadInput
    from benchmark.store import kept_victims
    from benchmark.victims import LabelMap, VictimOptions, find_victim
    from leaderboard.rows import read_runs
    from leaderboard.transferring import transfer as ask
    from leaderboard.victim_names import as_recorded

    require_results(results)
    reading = read_runs(results, asked_for(dataset, source, attack))
    itself = as_recorded(victim)
    made_against_others = [run for run in reading.runs if as_recorded(run.spec.victim) != itself]
    if not made_against_others:
        others = [name for name in source or () if as_recorded(name) != itself] or [f"another victim than {victim}"]
        raise BadInput(f"no finished run in {results} against {' or '.join(others)}; gauntlet status shows runs")
    options = VictimOptions(
        device=device,
        data_dir=data_dir,
        label_map=LabelMap.parse(label_map) if label_map else None,
        kept=kept_victims(results),
    )
    datasets = {name: find_dataset(name, data_dir) for name in {run.spec.dataset for run in made_against_others}}
    with progress_report() as report:
        asked = find_victim(victim, options)
        for number, run in enumerate(made_against_others, 1):
            ask(results, run, asked, datasets[run.spec.dataset])
            report(f"asking {victim}", number, len(made_against_others))
    errors.print(f"runs put to {victim}: {len(made_against_others)}, in {results / 'transfers'}", highlight=False)
    tell_damage(reading)
