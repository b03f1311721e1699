"""gauntlet status, gauntlet results: what has been run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.console import Json, Results, errors, given, print_json, print_rows, require_results
from benchmark.errors import BadInput, GauntletError

if TYPE_CHECKING:
    from benchmark.store import RunFolder

__all__ = ["results", "status"]

_PASSED_OVER = "passed over"
_COLUMNS = ("run", "attack", "victim", "dataset", "goal", "seed", "done", "sentences", "seconds", "state")
# In seconds; provenance is taken on trust, and what claims to have taken longer counts as saying nothing.
_CENTURY = 100 * 365 * 86_400


def status(
    suite: Annotated[
        str | None,
        typer.Argument(help="Only the runs of a suite, those that were not run included.", show_default=False),
    ] = None,
    victim: Annotated[
        list[str] | None, typer.Option(help="In place of the suite's victims.", show_default=False)
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="In place of the suite's data sets.", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option(help="In place of the suite's numbers of sentences.")] = None,
    queries: Annotated[int | None, typer.Option(help="In place of the suite's query budget.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="In place of the suite's seeds.", show_default=False)] = None,
    results: Results = Path("results"),
    json: Json = False,
) -> None:
    """Tell which runs are finished, how far the others are, and how long they took.

    A suite that was run with other victims, data sets, sizes or seeds is asked for with the same options. Of a run that
    was interrupted the time is that of its last sitting.
    """
    from benchmark.store import stored_runs

    overrides = given({"victims": victim, "datasets": dataset, "limit": limit, "queries": queries, "seeds": seed})
    if suite is None and overrides:
        raise BadInput("--victim, --dataset and the like go with a suite: gauntlet status quick --dataset wnut17")
    require_results(results)
    damage: list[GauntletError] = []
    if suite is None:
        rows = [_row(folder, damage) for folder in stored_runs(results)]
    else:
        rows = _rows_of(suite, overrides, results, damage)
    _tell_what_counts_no_more(rows, results, damage)
    if not rows and not json:
        errors.print(f"no runs in {results}; start with: gauntlet run quick", markup=False)
        return
    if json:
        print_json(rows)
    else:
        print_rows(_narrow(rows), json=False, title=_total(rows))
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


def _rows_of(
    suite: str, overrides: Mapping[str, Any], results: Path, damage: list[GauntletError]
) -> list[dict[str, Any]]:
    """Return a row for each run of a suite, and for each that is still to be made."""
    from benchmark.suites import load_suite
    from leaderboard.coverage import cells
    from leaderboard.entries import attack_label
    from leaderboard.victim_names import recorded_victim

    rows = []
    for plan, folders, lacking in cells(load_suite(suite, overrides).plans, results):
        rows += [_row(folder, damage) for folder in folders] or [
            dict.fromkeys(_COLUMNS)
            | {"attack": attack_label(plan.attack, plan.parameters), "victim": recorded_victim(plan.victim)}
            | {"dataset": plan.dataset, "goal": plan.goal, "seed": plan.seed}
            | {"state": _PASSED_OVER if lacking else "not run"}
        ]
    return rows


def _tell_what_counts_no_more(rows: list[dict[str, Any]], results: Path, damage: list[GauntletError]) -> None:
    """Put what the ledger says in the place of "finished"."""
    from leaderboard.ledger import uncounted

    try:
        gone = uncounted(results)
    except GauntletError as error:
        damage.append(error)
        return
    for row in rows:
        if row["state"] == "finished":
            row["state"] = gone.get(row["run"], "finished")


def _row(folder: RunFolder, damage: list[GauntletError]) -> dict[str, Any]:
    """Return how far a run is; damage is noted, and does not hide the other runs."""
    from benchmark.journal import Journal
    from leaderboard.entries import attack_label
    from leaderboard.rows import provenance, sound_spec

    row: dict[str, Any] = dict.fromkeys(_COLUMNS)
    row["run"] = folder.run_id
    try:
        spec = sound_spec(folder)
        row |= {"attack": attack_label(spec.attack, spec.parameters), "victim": spec.victim, "dataset": spec.dataset}
        row |= {"goal": spec.goal, "seed": spec.seed}
        row["sentences"] = row["done"] = len(spec.sentence_ids)
        if folder.result_file.is_file():
            folder.read_result()
            row["state"] = "finished"
            seconds = provenance(folder.path).get("seconds")
            told = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds <= _CENTURY
            row["seconds"] = seconds if told else None
        elif folder.examples_file.is_file():
            row["state"] = "attacked, not scored"
        else:
            row["done"] = len(Journal.read(folder.journal_file, folder.run_id))
            row["state"] = "unfinished"
    except GauntletError as error:
        row["state"] = "damaged"
        damage.append(error)
    return row


def _narrow(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows for people: numbers of one thing in one column, and goals only where there are several."""
    several = len({row["goal"] for row in rows}) > 1
    names = ("run", "attack", "victim", "dataset", *(["goal"] if several else []), "seed")
    return [
        {name: row[name] for name in names}
        | {"sentences": "" if row["done"] is None else f"{row['done']} of {row['sentences']}"}
        | {"time": _duration([row]), "state": row["state"]}
        for row in rows
    ]


def _duration(rows: list[dict[str, Any]]) -> str:
    seconds = [row["seconds"] for row in rows if row["seconds"] is not None]
    return str(timedelta(seconds=round(sum(seconds)))) if seconds else ""


def _total(rows: list[dict[str, Any]]) -> str:
    """Return how many runs that count, or would, are finished, and what they took, in one line."""
    from leaderboard.ledger_lines import RETRACTED, SUPERSEDED

    counted = [row for row in rows if row["state"] not in {SUPERSEDED, RETRACTED, _PASSED_OVER}]
    finished = [row for row in counted if row["state"] == "finished"]
    took = _duration(finished)
    return f"runs finished: {len(finished)} of {len(counted)}" + (f", in {took}" if took else "")
