"""Verify a run or a results folder: look at everything that is stored, execute nothing that was submitted.

JSON is parsed, Parquet is read, numbers are computed again, and where the data set is at hand its texts are put back
and the project's own judges read them. No submitted module is imported, nothing is unpickled, no symbolic link is
followed.
Whether the victim still says what is stored only asking it can tell: `gauntlet replay`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from benchmark.errors import BadInput
from benchmark.progress import silent
from benchmark.types import Sentence
from leaderboard.cards import card_file_faults
from leaderboard.ledger import ledger_file
from leaderboard.ledger_lines import read_entries
from leaderboard.published import read_published
from leaderboard.tables import printable
from leaderboard.verifying.attack_cards import card_faults
from leaderboard.verifying.audits import audit_faults
from leaderboard.verifying.entries import base_named, entry_faults, ledger_gaps, victim_gaps
from leaderboard.verifying.files import folder_faults, folders_in, opened, results_faults
from leaderboard.verifying.finding import Finding, NotChecked, Report
from leaderboard.verifying.hashes import hash_faults
from leaderboard.verifying.judgements import Panel
from leaderboard.verifying.metrics import metric_faults
from leaderboard.verifying.outcomes import outcome_faults
from leaderboard.verifying.sentences import Library, Shelf, sentence_faults
from leaderboard.verifying.stored_run import StoredRun, read_run
from leaderboard.verifying.transfers import transfer_faults, transferred_runs

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
    if path.is_symlink():  # a submission may lead away from what it holds
        raise BadInput(f"{path} is a symbolic link; pass the folder itself")
    path = path.resolve()
    library, panel = library or Library(), panel or Panel()
    said: list[Finding | NotChecked] = []
    if (path / "runs").is_dir():
        folders = folders_in(path / "runs")
        said += results_faults(path)
        said += _ledger_faults(path, {folder.name for folder in folders})
        said += card_file_faults(path)
        said += _published_faults(path)
        where = "runs/{}/"
    elif path.parent.name == "runs":
        folders, where = [path], ""
    else:
        raise BadInput(f"{path} is neither a results folder (with runs in it) nor RESULTS/runs/RUN_ID")
    if base is not None:
        results = path if where else path.parent.parent
        earlier = base_named(base, results)
        said += entry_faults(results, earlier)
        said += ledger_gaps(results, earlier)
        said += victim_gaps(results, earlier)
    asked_of_others = transferred_runs(path) if where else set()
    kept: dict[str, tuple[StoredRun, Mapping[str, Sentence]]] = {}
    for number, folder in enumerate(folders):
        report("verifying runs", number, len(folders))
        run = read_run(folder, where.format(folder.name))
        shelf = None if run.spec is None else library.shelf(run, run.spec)
        said += _verify_run(run, shelf, panel)
        if folder.name in asked_of_others:
            kept[folder.name] = (run, shelf.by_id if isinstance(shelf, Shelf) else {})
    report("verifying runs", len(folders), len(folders))
    said += transfer_faults(path, kept) if where else ()
    findings = tuple(one for one in said if isinstance(one, Finding))
    return Report(len(folders), findings, tuple(one for one in said if isinstance(one, NotChecked)))


def _verify_run(run: StoredRun, found: Shelf | Finding | NotChecked | None, panel: Panel) -> list[Finding | NotChecked]:
    """Return what there is to say of a run, given its split or why that is not at hand."""
    said: list[Finding | NotChecked] = [*folder_faults(run.folder, run.shown_as), *run.findings]
    said += hash_faults(run)
    said += card_faults(run)
    shelf = None
    if isinstance(found, Shelf):
        shelf = found
        said += sentence_faults(run, shelf)
    elif found is not None:
        said.append(found)
    said += outcome_faults(run, shelf.by_id if shelf else {})
    # Texts are judged that can be played back, by the judges that a sound specification asks for.
    unsound = {run.shown_as + "spec.json", run.shown_as + "examples.parquet"}
    playable = not any(isinstance(one, Finding) and one.file in unsound for one in said)
    said += metric_faults(run)
    if playable:
        said += panel.faults(run, shelf)
    said += audit_faults(run)
    return said


def _published_faults(results: Path) -> list[Finding]:
    _, damage = read_published(results)
    return [
        Finding("published", "file", printable(str(error)), "a paper's tables as the others have them")
        for error in damage
    ]


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
