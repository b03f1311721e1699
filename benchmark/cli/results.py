"""gauntlet status, gauntlet results: what has been run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.cli.console import Json, Results, errors, print_json, print_rows, require_results
from benchmark.errors import GauntletError

if TYPE_CHECKING:
    from benchmark.store import RunFolder

__all__ = ["results", "status"]


def status(results: Results = Path("results"), json: Json = False) -> None:
    """Tell which runs are finished and how far the others are."""
    from benchmark.store import stored_runs

    damage: list[GauntletError] = []
    rows = [_row(folder, damage) for folder in stored_runs(require_results(results))]
    if not rows and not json:
        errors.print(f"no runs in {results}; start with: gauntlet run quick", markup=False)
        return
    print_rows(rows, json=json)
    if damage:
        raise damage[0]


def results(results: Results = Path("results"), json: Json = False) -> None:
    """Print the attacks board of all finished runs; missing results are computed from the examples again."""
    from benchmark.cli.board import print_board
    from benchmark.cli.tables import json_row
    from benchmark.runner import score
    from benchmark.store import stored_runs

    folders = list(stored_runs(require_results(results)))
    for folder in folders:
        if not folder.result_file.is_file() and folder.examples_file.is_file():
            with folder.locked():
                folder.write_result(score(folder))
    if json:
        print_json([json_row(folder.read_result()) for folder in folders if folder.result_file.is_file()])
    else:
        print_board("attacks", results)


def _row(folder: RunFolder, damage: list[GauntletError]) -> dict[str, Any]:
    """Return how far a run is; damage is noted, and does not hide the other runs."""
    from benchmark.journal import Journal

    row: dict[str, Any] = dict.fromkeys(("run", "attack", "victim", "dataset", "seed", "done", "sentences", "state"))
    row["run"] = folder.run_id
    try:
        spec = folder.read_spec()
        row |= {"attack": spec.attack, "victim": spec.victim, "dataset": spec.dataset, "seed": spec.seed}
        row["sentences"] = row["done"] = len(spec.sentence_ids)
        if folder.result_file.is_file():
            folder.read_result()
            row["state"] = "finished"
        elif folder.examples_file.is_file():
            row["state"] = "attacked, not scored"
        else:
            row["done"] = len(Journal.read(folder.journal_file, folder.run_id))
            row["state"] = "unfinished"
    except GauntletError as error:
        row["state"] = "damaged"
        damage.append(error)
    return row
