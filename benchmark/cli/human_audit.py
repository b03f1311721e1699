"""gauntlet human-audit: let people read adversarial examples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.console import DataDir, Json, Results, errors, print_json, print_rows
from benchmark.cli.verify import Scheme
from benchmark.errors import BadInput

if TYPE_CHECKING:
    from leaderboard.human_audit import Item

__all__ = ["human_audit_app"]

human_audit_app = typer.Typer(
    help="Are the gold labels of adversarial examples still right, and how natural are they? People tell.",
    no_args_is_help=True,
)

Runs = Annotated[list[str], typer.Argument(help="Ids of runs, one of each attack.")]
Successes = Annotated[int, typer.Option(help="Adversarial examples of each run, at most.")]
Clean = Annotated[int, typer.Option(help="Originals of each run, mixed in.")]
Seed = Annotated[int, typer.Option(help="Of the draw and the order.")]


@human_audit_app.command("export")
def export_sheet(
    runs: Runs,
    out: Annotated[Path, typer.Option(help="The CSV file; it holds text of the data set, so do not publish it.")],
    successes: Successes = 50,
    clean: Clean = 25,
    seed: Seed = 0,
    data_dir: DataDir = None,
    scheme: Scheme = "IOB2",
    results: Results = Path("results"),
) -> None:
    """Write a sheet: successes and originals, shuffled, with two questions to be filled in.

    labels_right: are the marked names and types right, and is none missing? yes or no. natural: 1 (nobody writes so) to
    5 (anybody might).
    """
    from benchmark.datasets import find_dataset
    from benchmark.store import RunFolder, write_atomically
    from leaderboard.human_audit import sheet

    items, examples = _drawn(results, runs, successes, clean, seed)
    sentences = {}
    for run_id in runs:
        spec = RunFolder(results, run_id).read_spec()
        dataset = find_dataset(spec.dataset, data_dir, scheme)
        if dataset.hash(spec.split) != spec.dataset_hash:
            raise BadInput(f"run {run_id} is about another version of {spec.dataset}; --data-dir names the right one")
        sentences[run_id] = {sentence.id: sentence for sentence in dataset.split(spec.split)}
    write_atomically(out, sheet(items, examples, sentences, seed))
    errors.print(f"{len(items)} texts in {out}; give each reader a copy", highlight=False, markup=False)


@human_audit_app.command("import")
def import_sheets(
    runs: Runs,
    sheet: Annotated[list[Path], typer.Option(help="A filled-in sheet; once for each reader.")],
    successes: Successes = 50,
    clean: Clean = 25,
    seed: Seed = 0,
    results: Results = Path("results"),
    json: Json = False,
) -> None:
    """Put the answers together and store them beside the runs; pass the same numbers as at the export."""
    from benchmark.store import RunFolder
    from leaderboard.human_audit import read_sheet, store_audit

    _require_once("sheet", [path.resolve() for path in sheet])
    items, _ = _drawn(results, runs, successes, clean, seed)
    answers = [read_sheet(path, items) for path in sheet]
    records = [store_audit(RunFolder(results, run_id), items, answers, seed) for run_id in runs]
    if json:
        print_json(records)
        return
    print_rows([_row(record) for record in records], json=False)


def _drawn(
    results: Path, runs: list[str], successes: int, clean: int, seed: int
) -> tuple[list[Item], dict[str, list[Any]]]:
    from benchmark.store import RunFolder
    from leaderboard.human_audit import sample

    if min(successes, clean) < 0:
        raise BadInput("--successes and --clean cannot be negative")
    _require_once("run", runs)
    items, examples = [], {}
    for run_id in runs:
        folder = RunFolder(results, run_id)
        if not folder.result_file.is_file():
            raise BadInput(f"no finished run {run_id!r} in {results}; `gauntlet status` lists them")
        folder.read_result()
        examples[run_id], _ = folder.read_examples()
        items += sample(run_id, examples[run_id], successes, clean, seed)
    return items, examples


def _require_once(what: str, given: Sequence[object]) -> None:
    """Refuse what is given twice: it would count twice."""
    twice = next((one for one in given if given.count(one) > 1), None)
    if twice is not None:
        raise BadInput(f"{what} {twice} is given twice; give each once")


def _row(record: dict[str, Any]) -> dict[str, Any]:
    preserved = record["label_preservation"]
    return {
        "run": record["run_id"],
        "readers": record["annotators"],
        "labels right": f"{preserved['value']} ({preserved['low']} to {preserved['high']}, n {preserved['n']})",
        "originals": record["label_preservation.clean"]["value"],
        "natural": record["natural"],
        "originals natural": record["natural.clean"],
        "kappa": record["agreement"]["labels_right"],
        "audited attack rate": record["attack_rate.audited"],
    }
