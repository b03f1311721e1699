"""gauntlet bench: how fast attacks run here, and in other projects' ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from benchmark.cli.console import DataDir, Device, Json, output, print_json, progress_report

if TYPE_CHECKING:
    from benchmark.comparing import Comparison

__all__ = ["bench"]

_ATTACKS = ("deepwordbug-i", "bert-attack")


def bench(
    attack: Annotated[
        list[str] | None, typer.Option(help="Attack; may be repeated. Default: deepwordbug-i and bert-attack.")
    ] = None,
    victim: Annotated[str, typer.Option(help="Victim: minilm/..., hf:... or path:...")] = "minilm/newsroom",
    dataset: Annotated[str, typer.Option(help="Data set.")] = "newsroom",
    limit: Annotated[int, typer.Option(help="Sentences, at most.")] = 256,
    queries: Annotated[int, typer.Option(help="Query budget a sentence.")] = 512,
    repeats: Annotated[int, typer.Option(help="Timed runs of each way; their medians are compared.")] = 3,
    backend: Annotated[
        list[str] | None,
        typer.Option(help="Back end of our victim, in float32; may be repeated. Default: auto, and torch."),
    ] = None,
    device: Device = "auto",
    data_dir: DataDir = None,
    json: Json = False,
) -> int:
    """Measure this engine against TextAttack and SeqAttack's way: same victim, sentences, candidates, budget.

    Needs the guests' environment: make guests, then .venv-guests/bin/gauntlet bench.
    """
    from benchmark.backends import AUTO
    from benchmark.comparing import compare
    from benchmark.plan import Plan
    from benchmark.selection import SelectionRule
    from benchmark.victims import VictimOptions

    options = VictimOptions(device=device, data_dir=data_dir)
    plans = [
        Plan(name, victim, dataset, queries=queries, selection=SelectionRule(limit), options=options)
        for name in dict.fromkeys(attack or _ATTACKS)
    ]
    with progress_report() as report:
        found = compare(plans, backend or [AUTO], repeats, report)
    if json:
        print_json(found.to_json())
    else:
        _print(found)
    return int(found.errors > 0)


def _print(found: Comparison) -> None:
    """Print what was measured, and the ratios that count."""
    from benchmark.comparing import LIMIT, OURS, REFERENCE

    record = found.to_json()
    table = _table(
        f"{record['victim']} on {record['dataset']} ({record['split']}): {found.sentences} sentences, "
        f"{record['goal']}, {record['mode']}, {record['queries']} queries",
        "Seconds: median of the repeats. Agrees: share of the sentences that end as with us.",
        ("Attack", "Back end", "Way"),
        ("Seconds", "Sentences\na second", "Queries\na second", "Attack\nrate %", "Agrees\n%"),
    )
    for row in record["measurements"]:
        seconds = found.seconds(row["backend"], row["way"], row["attack"])
        table.add_row(
            *(escape(row[name].replace("_", " ")) for name in ("attack", "backend", "way")),
            f"{seconds:.2f}",
            "" if row["way"] == LIMIT else f"{found.sentences / seconds:.1f}",
            "" if row["way"] == LIMIT else f"{row['queries'] / seconds:.0f}",
            *(_percent(row.get(name)) for name in ("attack_rate", "agreement")),
            end_section=row["way"] == LIMIT,
        )
    output.print(table)
    ratios = _table(
        "How many times as long as we they take; which part of our time is the models'",
        f"First our best back end against theirs, {REFERENCE}, then equal ones, all attacks together. A text alone in "
        "its forward keeps one core busy on OpenVINO, all on PyTorch.",
        ("Attack", "Ours", "Theirs"),
        (*(way.replace("_", " ") for way in found.ways), f"{LIMIT.replace('_', ' ')} / {OURS} %"),
    )
    rows = [(attack, found.best, REFERENCE, own) for attack, own in record["ratios_by_attack"].items()]
    rows.append(("all", found.best, REFERENCE, record["ratios"]))
    rows += [("all", backend, backend, own) for backend, own in record["ratios_on_equal_backends"].items()]
    for *names, own in rows:
        ratios.add_row(*map(escape, names), *(f"{own[way]:.2f}" for way in found.ways), _percent(own[LIMIT]))
    output.print(ratios)


def _table(title: str, caption: str, names: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(
        title=escape(title),
        caption=escape(caption),
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title_justify="left",
        caption_justify="left",
    )
    for header in names:
        table.add_column(header, no_wrap=True)
    for header in numbers:
        table.add_column(header, justify="right")
    return table


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"
