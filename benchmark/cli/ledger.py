"""gauntlet ledger: what was added, superseded and retracted, when and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.console import Json, Results, errors, print_json, print_rows
from benchmark.cli.replay import Date, today
from benchmark.cli.verify import DOES_NOT_HOLD, tell

if TYPE_CHECKING:
    from leaderboard.ledger_lines import Entry

__all__ = ["ledger_app"]

ledger_app = typer.Typer(
    help="Show and extend the ledger of a results folder; it is never rewritten.", no_args_is_help=True
)

RunId = Annotated[str, typer.Argument(help="A run's id.")]
Reason = Annotated[str, typer.Option(help="Why, in plain words.")]


@ledger_app.command()
def show(results: Results = Path("results"), json: Json = False) -> None:
    """Show all lines, and how far each run can be trusted."""
    from leaderboard.ledger import badges, read_ledger

    entries, trust = read_ledger(results), badges(results)
    if json:
        print_json({"entries": [entry.to_json() for entry in entries], "badges": trust})
        return
    rows = [
        {"run": e.run_id, "date": e.date, "verb": e.verb, "what": e.badge or e.by or "", "reason": e.reason}
        for e in entries
    ]
    if rows:
        print_rows(rows, json=False)
    else:
        errors.print(f"no ledger in {results}; start with: gauntlet ledger add RUN_ID", markup=False)
    if trust:
        print_rows([{"run": run_id, "badge": badge} for run_id, badge in trust.items()], json=False)


@ledger_app.command()
def add(run: RunId, reason: Reason, date: Date = None, results: Results = Path("results"), json: Json = False) -> int:
    """Add a finished run, after verifying it."""
    from leaderboard.ledger import add as add_run
    from leaderboard.ledger import require_words
    from leaderboard.verifying.verification import verify

    require_words(reason, date or today())
    found = verify(results / "runs" / run)
    if found.findings:
        tell(found)
        return DOES_NOT_HOLD
    _print(add_run(results, run, reason, date or today()), json)
    return 0


@ledger_app.command()
def supersede(
    run: RunId,
    by: Annotated[str, typer.Option(help="The run that takes its place.")],
    reason: Reason,
    date: Date = None,
    results: Results = Path("results"),
    json: Json = False,
) -> None:
    """Let another run take a run's place."""
    from leaderboard.ledger import supersede as supersede_run

    _print(supersede_run(results, run, by, reason, date or today()), json)


@ledger_app.command()
def retract(
    run: RunId, reason: Reason, date: Date = None, results: Results = Path("results"), json: Json = False
) -> None:
    """Say that a run no longer counts; its files stay."""
    from leaderboard.ledger import retract as retract_run

    _print(retract_run(results, run, reason, date or today()), json)


def _print(entry: Entry, json: bool) -> None:
    print_rows([entry.to_json()], json=json)
