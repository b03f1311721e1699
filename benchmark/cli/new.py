"""gauntlet new: the scaffold of a component."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.console import Json, output, print_json

__all__ = ["new"]


def new(
    kind: Annotated[str, typer.Argument(help="attack, defense or victim.")],
    name: Annotated[str, typer.Argument(help="Small letters, digits, hyphens.")],
    into: Annotated[Path, typer.Option(help="Where its folder is made.")] = Path(),
    json: Json = False,
) -> None:
    """Write the package of a new component: code that works already, entry point, card and test."""
    from leaderboard.submitting.scaffolding import scaffold

    files = scaffold(kind, name, into)
    if json:
        print_json([str(path) for path in files])
        return
    for path in files:
        output.print(str(path), markup=False, highlight=False, soft_wrap=True)
    called = f"{name}:v1" if kind == "victim" else name
    output.print(
        f"next: pip install --editable {into / name}, then: gauntlet check {called}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
