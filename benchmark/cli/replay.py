"""gauntlet replay: execute stored runs again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.console import DataDir, Device, Json, errors, output, print_json, progress_report
from benchmark.cli.verify import DOES_NOT_HOLD, Scheme, tell
from benchmark.errors import BadInput

__all__ = ["Date", "replay", "today"]

Date = Annotated[str | None, typer.Option(help="Of the ledger's line. Default: today.", show_default=False)]


def replay(
    path: Annotated[Path, typer.Argument(help="RESULTS/runs/RUN_ID.")],
    sample: Annotated[int, typer.Option(help="Sentences attacked again; as many as there are: the whole run.")] = 64,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    victim: Annotated[
        str | None,
        typer.Option(help="Where the victim is here, if its name leads nowhere (path:FOLDER).", show_default=False),
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Write what was earned to the ledger.")] = False,
    reason: Annotated[str, typer.Option(help="Of the ledger's line.")] = "replayed",
    date: Date = None,
    data_dir: DataDir = None,
    scheme: Scheme = "IOB2",
    device: Device = "auto",
    json: Json = False,
) -> int:
    """Ask the victim again about all stored texts, and attack a random slice of the sentences again.

    This executes the attack and the victim. A slice that agrees earns the badge re-executed, a whole run verified.
    """
    from benchmark.store import RunFolder, kept_victims
    from benchmark.workshop import Workshop
    from leaderboard.ledger import record_replay, require_words
    from leaderboard.recorded_plans import recorded_plan
    from leaderboard.replaying import replay as replay_run
    from leaderboard.verifying.judgements import Panel
    from leaderboard.verifying.sentences import Library
    from leaderboard.verifying.verification import verify

    path = path.resolve()
    if path.parent.name != "runs":
        raise BadInput(f"{path} is not RESULTS/runs/RUN_ID; replay one run at a time")
    results = path.parent.parent
    when = date or today()
    require_words(reason, when)
    with progress_report() as report:
        sound = verify(path, None, Library(data_dir, scheme), Panel(device), report)
        if sound.findings:
            tell(sound)
            errors.print("error: the run does not hold, so it is not replayed", style="red", highlight=False)
            return DOES_NOT_HOLD
        folder = RunFolder(results, path.name)
        plan = recorded_plan(folder.read_spec(), device, data_dir, scheme, victim, kept_victims(results))
        found = replay_run(folder, plan, sample, seed, Workshop(report))
    for line in [] if json else [one.line for one in found.disagreements]:
        output.print(line, markup=False, highlight=False, soft_wrap=True)
    if json:
        print_json(found.to_json())
    else:
        output.print(
            f"{found.texts_agree} of {found.texts} texts get the stored tags; "
            f"{found.sampled_agree} of {found.sampled} sentences attacked again end as stored "
            f"({found.sentences} in the run, seed {seed}): {found.badge or 'does not agree'}",
            highlight=False,
            soft_wrap=True,
        )
    if record and found.badge is not None:
        record_replay(results, path.name, found.badge, found.figures, reason, when)
        errors.print(f"recorded in {results / 'LEDGER.jsonl'}", highlight=False, markup=False, soft_wrap=True)
    return 0 if found.agrees else DOES_NOT_HOLD


def today() -> str:
    """Return the date, in UTC."""
    import datetime as dt

    return dt.datetime.now(dt.UTC).date().isoformat()
