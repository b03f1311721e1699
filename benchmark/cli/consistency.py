"""gauntlet consistency: does a victim see adversarial texts as it sees the clean ones?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.board import Attacks, Datasets, Victims, asked_for, tell_damage
from benchmark.cli.console import DataDir, Device, Json, Results, errors, print_rows, progress_report, require_results

__all__ = ["consistency"]

# Headers in a terminal; "right": of mentions that are predicted right on both texts.
_SHORT = {
    "kendall_tau": "tau",
    "top_shared": "top 5",
    "top_by_chance": "chance",
    "sentences": "n",
    "kendall_tau_right": "tau right",
    "top_shared_right": "top 5 right",
    "sentences_right": "n right",
}


def consistency(
    victim: Victims = None,
    dataset: Datasets = None,
    attack: Attacks = None,
    steps: Annotated[int, typer.Option(help="Of the integral of gradients, at least 1.", min=1)] = 50,
    device: Device = "auto",
    data_dir: DataDir = None,
    results: Results = Path("results"),
    json: Json = False,
) -> None:
    """Compare word attributions of clean and adversarial texts: Kendall's tau, and how many of the top five stay.

    Attributions are integrated gradients of the victim of each stored run; runs against victims without gradients are
    left out and named. Nothing is attacked or stored.
    """
    from benchmark.errors import BadInput
    from benchmark.store import kept_victims
    from benchmark.workshop import Workshop
    from leaderboard.consistency import consistency as compare
    from leaderboard.entries import CONTROLS
    from leaderboard.recorded_plans import recorded_plan
    from leaderboard.rows import read_runs

    require_results(results)
    reading = read_runs(results, asked_for(dataset, victim, attack))
    runs = [run for run in reading.runs if run.spec.attack not in CONTROLS]
    if not runs:
        raise BadInput(f"no finished run of that kind in {results}; gauntlet status shows runs")
    rows, left_out = [], []
    with progress_report() as report:
        workshop = Workshop(report)
        for number, run in enumerate(sorted(runs, key=lambda r: (r.spec.dataset, r.spec.attack, r.spec.victim)), 1):
            plan = recorded_plan(run.spec, device, data_dir, kept=kept_victims(results))
            try:
                found = compare(run, workshop.victim(plan), workshop.dataset(plan), steps)
            except BadInput as error:
                left_out.append(str(error))
                continue
            finally:
                report("comparing attributions", number, len(runs))
            named = {"victim": run.spec.victim, "attack": run.spec.attack, "seed": run.spec.seed}
            rows.append({**named, **found.to_json()})
    if rows or json:
        shown = rows if json else [{_SHORT.get(key, key): _shown(value) for key, value in row.items()} for row in rows]
        print_rows(shown, json=json, title=f"Interpretation consistency, integrated gradients in {steps} steps")
    for told in left_out:
        errors.print(f"left out: {told}", markup=False, highlight=False, soft_wrap=True)
    tell_damage(reading)


def _shown(value: object) -> object:
    return f"{value:.2f}" if isinstance(value, float) else "n/a" if value is None else value
