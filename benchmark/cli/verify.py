"""gauntlet verify: do stored results hold? Nothing that was submitted is executed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.console import DataDir, Device, Json, errors, output, print_json, progress_report

if TYPE_CHECKING:
    from leaderboard.verifying.finding import Report

__all__ = ["DOES_NOT_HOLD", "Scheme", "verify"]

# The exit code of stored results that are damaged, for whatever reason.
DOES_NOT_HOLD = 5

Scheme = Annotated[str, typer.Option(help="Tag scheme of local files: IOB1, IOB2, BIOES, BILOU.")]


def verify(
    path: Annotated[Path, typer.Argument(help="A results folder, or RESULTS/runs/RUN_ID.")],
    base: Annotated[
        str | None,
        typer.Option(help="An earlier state, a folder or a git ref: nothing of it may be changed or removed."),
    ] = None,
    data_dir: DataDir = None,
    scheme: Scheme = "IOB2",
    device: Device = "auto",
    json: Json = False,
) -> int:
    """Check everything that is stored: form, hashes, numbers, edits, sentences, and list all that is wrong.

    What needs the text of a data set is checked where the data set is at hand, and told as not checked elsewhere.
    """
    from leaderboard.verifying.judgements import Panel
    from leaderboard.verifying.sentences import Library
    from leaderboard.verifying.verification import verify as verify_results

    with progress_report() as report:
        found = verify_results(path, base, Library(data_dir, scheme), Panel(device), report)
    if json:
        print_json(found.to_json())
    else:
        tell(found)
    return DOES_NOT_HOLD if found.findings else 0


def tell(found: Report) -> None:
    """Print a line for each finding and each gap, then how many there are."""
    for finding in found.findings:
        _print(finding.line)
    for gap in found.not_checked:
        _print(gap.line)
    errors.print(
        f"runs: {found.runs}; findings: {len(found.findings)}; not checked: {len(found.not_checked)}", highlight=False
    )


def _print(line: str) -> None:
    """Print a line that may hold the name of a folder, which a stranger chose."""
    from leaderboard.tables import printable

    output.print(printable(line), markup=False, highlight=False, soft_wrap=True)
