"""Verify a run or a results folder: look at everything that is stored, execute nothing that was submitted.

JSON is parsed, Parquet is read, numbers are computed again, and where the data set is at hand its texts are put back
and the project's own judges read them. No submitted module is imported, nothing is unpickled, no symbolic link is
followed.
Whether the victim still says what is stored only asking it can tell: `gauntlet replay`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmark.errors import BadInput
from benchmark.progress import silent
from leaderboard.cards import card_file_faults
from leaderboard.ledger import ledger_file, read_entries
from leaderboard.verifying.attack_cards import card_faults
from leaderboard.verifying.audits import audit_faults
from leaderboard.verifying.entries import base_named, entry_faults
from leaderboard.verifying.files import folder_faults, opened, results_faults
from leaderboard.verifying.finding import Finding, NotChecked, Report
from leaderboard.verifying.hashes import hash_faults
from leaderboard.verifying.judgements import Panel
from leaderboard.verifying.metrics import metric_faults
from leaderboard.verifying.outcomes import outcome_faults
from leaderboard.verifying.sentences import Library, Shelf, sentence_faults
from leaderboard.verifying.stored_run import read_run

__all__ = ["verify"]


def verify(
    path: Path,
    base: str | None = None,
    library: Library | None = None,
    panel: Panel | None = None,
    report: Callable[[str, int, int], None] = silent,
) -> Report:
    """Verify a run's folder, `RESULTS/runs/RUN_ID`, or a whole results folder.

    Args:
        path: the folder.
        base: an earlier state of the results folder, a folder or a git ref; nothing of it may be changed or gone.
        library: the data sets at hand.
        panel: the judges.
        report: told how far the work is.

    Raises:
        BadInput: the path is neither, or there is no such earlier state.
    """
    if not path.is_dir():
        raise BadInput(f"no folder {path}; pass a results folder or RESULTS/runs/RUN_ID")
    path = path.resolve()
    library, panel = library or Library(), panel or Panel()
    said: list[Finding | NotChecked] = []
    if (path / "runs").is_dir():
        runs = [] if (path / "runs").is_symlink() else sorted((path / "runs").iterdir())
        folders = [folder for folder in runs if folder.is_dir() and not folder.is_symlink()]
        said += results_faults(path)
        said += _ledger_faults(path, {folder.name for folder in folders})
        said += card_file_faults(path)
        where = "runs/{}/"
    elif path.parent.name == "runs":
        folders, where = [path], ""
    else:
        raise BadInput(f"{path} is neither a results folder (with runs in it) nor RESULTS/runs/RUN_ID")
    if base is not None:
        results = path if where else path.parent.parent
        said += entry_faults(results, base_named(base, results))
    for number, folder in enumerate(folders):
        report("verifying runs", number, len(folders))
        said += _verify_run(folder, where.format(folder.name), library, panel)
    report("verifying runs", len(folders), len(folders))
    findings = tuple(one for one in said if isinstance(one, Finding))
    return Report(len(folders), findings, tuple(one for one in said if isinstance(one, NotChecked)))


def _verify_run(folder: Path, shown_as: str, library: Library, panel: Panel) -> list[Finding | NotChecked]:
    run = read_run(folder, shown_as)
    said: list[Finding | NotChecked] = [*folder_faults(folder, shown_as), *run.findings]
    said += hash_faults(run)
    said += card_faults(run)
    shelf = None
    if run.spec is not None:
        found = library.shelf(run, run.spec)
        if isinstance(found, Shelf):
            shelf = found
            said += sentence_faults(run, shelf)
        else:
            said.append(found)
    said += outcome_faults(run, shelf.by_id if shelf else {})
    # Texts are judged that can be played back, by the judges that a sound specification asks for.
    unsound = {shown_as + "spec.json", shown_as + "examples.parquet"}
    playable = not any(isinstance(one, Finding) and one.file in unsound for one in said)
    said += metric_faults(run)
    if playable:
        said += panel.faults(run, shelf)
    said += audit_faults(run)
    return said


def _ledger_faults(results: Path, runs: set[str]) -> list[Finding]:
    name = ledger_file(results).name
    if not ledger_file(results).is_file():
        return []
    content, findings = opened(results, name, name)
    entries, faults = read_entries(content)
    said = [*findings, *(Finding(name, f"line {f.line}.{f.field}", f.wrong, f.expected) for f in faults)]
    gone = dict.fromkeys(entry.run_id for entry in entries if entry.run_id not in runs)
    said += [Finding(name, "run_id", f"{run_id}, of which there is no run", "a run in runs/") for run_id in gone]
    return said
