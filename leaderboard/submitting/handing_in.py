"""`gauntlet submit`: finished runs and a card, copied into the results folder of the leaderboard's repository.

First a plan is made, which changes nothing: what would be copied where, and which lines the ledger would get.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.errors import BadInput, CorruptResult
from benchmark.spec import RunSpec
from benchmark.store import open_results, stored_runs, write_atomically
from leaderboard.cards import card_file_name, read_card
from leaderboard.ledger import add, read_ledger
from leaderboard.verifying.files import AUDIT_FILE, RUN_FILES
from leaderboard.verifying.verification import verify

__all__ = ["Copy", "Submission", "hand_in", "plan_submission", "require_sound"]


class Copy(NamedTuple):
    """A file to be copied."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Submission:
    """What would be done.

    Attributes:
        into: the leaderboard's results folder.
        card: of the component.
        runs: ids of the runs, in order.
        files: all that belongs to the submission, below the results folder, but for the ledger.
        copies: files that are not there yet; the result of a run comes last of its files.
        listed: ids of the runs that the ledger gets a line for.
        left_out: unfinished runs.
    """

    into: Path
    card: Mapping[str, Any]
    runs: tuple[str, ...]
    files: tuple[Path, ...]
    copies: tuple[Copy, ...]
    listed: tuple[str, ...]
    left_out: tuple[str, ...]


def plan_submission(card_file: Path, results: Path, into: Path) -> Submission:
    """Plan what is handed in: all finished runs of the card's component.

    Args:
        card_file: card.toml.
        results: where the runs are.
        into: results folder of the leaderboard's repository; may be the same, then only card and ledger are written.

    Raises:
        BadInput: a card that will not do, no runs, or another file where one would be copied to.
        CorruptResult: a run does not hold; `gauntlet verify` tells why.
    """
    card = read_card(card_file)
    belongs = _belongs(card)
    own = [folder for folder in stored_runs(results) if belongs(folder.read_spec())]
    chosen = [folder for folder in own if folder.result_file.is_file()]
    if not chosen:
        raise BadInput(
            f"no finished run of {card['kind']} {card['name']} version {card['version']} in {results}; "
            "`gauntlet status` tells what there is"
        )
    wanted = [Copy(card_file, into / "cards" / card_file_name(card))]
    for folder in chosen:
        names = [*RUN_FILES[:-1], AUDIT_FILE, RUN_FILES[-1]]
        sources = [folder.path / name for name in names if (folder.path / name).is_file()]
        wanted += [Copy(path, into / "runs" / folder.run_id / path.name) for path in sources]
    listed = {entry.run_id for entry in read_ledger(into) if entry.verb == "add"}
    runs = tuple(folder.run_id for folder in chosen)
    return Submission(
        into,
        card,
        runs,
        tuple(copy.target.relative_to(into) for copy in wanted),
        tuple(copy for copy in wanted if not _is_there(copy)),
        tuple(run_id for run_id in runs if run_id not in listed),
        tuple(folder.run_id for folder in own if folder not in chosen),
    )


def require_sound(submission: Submission, results: Path) -> None:
    """Refuse runs that do not hold.

    Raises:
        CorruptResult: names the first thing that is wrong.
    """
    for run_id in submission.runs:
        report = verify(results / "runs" / run_id)
        if report.findings:
            raise CorruptResult(
                f"run {run_id} does not hold: {report.findings[0].line} ({len(report.findings)} findings; "
                f"gauntlet verify {results / 'runs' / run_id} lists them)"
            )


def hand_in(submission: Submission, reason: str, date: str) -> None:
    """Do what was planned; doing it again after an interruption finishes it.

    Raises:
        CannotSave: the disk is full, say.
        BadInput: a reason or date that will not do.
    """
    open_results(submission.into)
    for copy in submission.copies:
        copy.target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(copy.target, copy.source.read_bytes())
    for run_id in submission.listed:
        add(submission.into, run_id, reason, date)


def _belongs(card: Mapping[str, Any]) -> Callable[[RunSpec], bool]:
    """Return whether a run is one of the component's."""
    name, version = card["name"], card["version"]
    if card["kind"] == "attack":
        return lambda spec: (spec.attack, spec.attack_version) == (name, version)
    if card["kind"] == "victim":
        return lambda spec: re.split(r"[:/+]", spec.victim)[0] == name
    return lambda spec: re.search(rf"\+{re.escape(name)}(?![a-z0-9-])", spec.victim) is not None


def _is_there(copy: Copy) -> bool:
    """Tell whether the file is at its place already.

    Raises:
        BadInput: another one is.
    """
    if not copy.target.is_file():
        return False
    if copy.target.read_bytes() != copy.source.read_bytes():
        raise BadInput(
            f"{copy.target} is there and is another file; what was submitted is never changed: raise the version, "
            "or let a new run supersede the old one in the ledger"
        )
    return True
