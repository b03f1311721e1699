"""gauntlet submit: hand in finished runs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.console import Json, Results, errors, output, print_json
from benchmark.cli.replay import Date, today

__all__ = ["submit"]


def submit(
    card: Annotated[Path, typer.Argument(help="The component's card.toml.")],
    into: Annotated[Path, typer.Option(help="Results folder of the leaderboard's repository.")],
    results: Results = Path("results"),
    reason: Annotated[str, typer.Option(help="Of the ledger's lines.")] = "submitted",
    date: Date = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
    json: Json = False,
) -> None:
    """Plan what is handed in, all finished runs of the card's component; nothing is changed without --yes."""
    from leaderboard.ledger import ledger_file, require_words
    from leaderboard.submitting.handing_in import hand_in, plan_submission, require_sound

    when = date or today()
    require_words(reason, when)
    plan = plan_submission(card, results, into)
    require_sound(plan, results)
    lines = [
        *(f"copy {copy.source} to {copy.target}" for copy in plan.copies),
        *(f"ledger {into / 'LEDGER.jsonl'}: add {run_id}, {when}, {reason}" for run_id in plan.listed),
        *(f"left out, not finished: {run_id}" for run_id in plan.left_out),
    ]
    if json:
        copies = [{"from": str(copy.source), "to": str(copy.target)} for copy in plan.copies]
        print_json({"copies": copies, "ledger": plan.listed, "left_out": plan.left_out, "done": yes})
    else:
        for line in lines:
            output.print(line, markup=False, highlight=False, soft_wrap=True)
    if not plan.copies and not plan.listed:
        errors.print("all of it is there already", highlight=False)
    elif yes:
        hand_in(plan, reason, when)
        # By name and by force: a clone ignores runs, so that its own tries are not committed by accident.
        added = " ".join(file.as_posix() for file in (ledger_file(into).relative_to(into), *plan.files))
        for line in (
            f"done; now: gauntlet verify {into} --base main, then commit what was handed in and open a pull request:",
            f"git -C {shlex.quote(str(into))} add --force {added}",
        ):
            errors.print(line, markup=False, highlight=False, soft_wrap=True)
    else:
        errors.print("nothing was changed; --yes does it", highlight=False)
