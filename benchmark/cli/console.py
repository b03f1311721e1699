"""What all verbs share: where messages go, how progress is shown, the common options."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from benchmark.errors import BadInput

__all__ = [
    "DataDir",
    "Device",
    "Json",
    "Results",
    "errors",
    "given",
    "output",
    "print_json",
    "print_rows",
    "progress_report",
    "require_results",
]

# A pipe or a log has no width of its own; tables must not be cut to a guess.
output = Console(width=None if sys.stdout.isatty() else 110)
errors = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Folder that holds NAME/{train,dev,test}.conll; GAUNTLET_DATA if not given.", show_default=False),
]
Results = Annotated[Path, typer.Option(help="Results folder.")]


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options that the user gave; one that may be repeated and was not is None or an empty list."""
    return {name: value for name, value in options.items() if value is not None and value != []}


def require_results(results: Path) -> Path:
    """Return a results folder that is there.

    Raises:
        BadInput: it is not.
    """
    if not results.is_dir():
        raise BadInput(f"no results folder {results}; pass --results, or start with: gauntlet run quick")
    return results


def print_json(value: Any) -> None:
    """Print JSON to standard output, and nothing else."""
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def print_rows(rows: Sequence[Mapping[str, Any]], *, json: bool, title: str | None = None) -> None:
    """Print records that share their keys, as JSON or as a table."""
    if json:
        print_json([dict(row) for row in rows])
        return
    table = Table(title=title)
    for k, column in enumerate(rows[0] if rows else ()):
        # Names stay whole, to be copied; where even the first has no room, it shows that it was cut.
        table.add_column(column, no_wrap=k == 0, overflow="fold" if k else "ellipsis")
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row.values()))
    output.print(table)


@contextmanager
def progress_report() -> Iterator[Any]:
    """Yield a `report(stage, done, total)` that draws one bar a stage on standard error."""
    bars: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Without a terminal (a log file, CI) a bar would only be noise: each stage gets one line.
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:

        def report(stage: str, done: int, total: int) -> None:
            if not errors.is_terminal and stage not in bars:
                errors.print(stage, markup=False, highlight=False, soft_wrap=True)
            if stage not in bars or progress.tasks[bars[stage]].finished:
                for bar in bars.values():
                    progress.update(bar, visible=False)
                bars[stage] = progress.add_task(stage, total=total)
            progress.update(bars[stage], completed=done, total=total)

        yield report


def quiet_libraries() -> None:
    """Keep libraries from drawing bars and printing advice over our own output."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    if not sys.warnoptions:
        import warnings

        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
