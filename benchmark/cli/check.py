"""gauntlet check: does an installed component keep its contract?"""

from __future__ import annotations

from typing import Annotated

import typer

from benchmark.cli.console import DataDir, Device, Json, output, print_json

__all__ = ["check"]


def check(
    name: Annotated[str, typer.Argument(help="An attack, a defense, or a victim such as mine:v1.")],
    victim: Annotated[str, typer.Option(help="What an attack is tried on.")] = "minilm/newsroom",
    data_dir: DataDir = None,
    device: Device = "auto",
    json: Json = False,
) -> int:
    """Try an installed attack, defense or victim, and say in plain words what is wrong with it.

    This executes it. Exit code 1 if something is wrong.
    """
    from benchmark.victims import VictimOptions
    from leaderboard.submitting.checking import check as checks_of

    made = []
    for checked in checks_of(name, victim, VictimOptions(device=device, data_dir=data_dir)):
        made.append(checked)
        if not json:
            _print(f"{'ok ' if not checked.faults else 'NO '} {checked.promise}")
            for fault in checked.faults:
                _print(f"    {fault}")
    if json:
        print_json([checked._asdict() for checked in made])
    return int(any(checked.faults for checked in made))


def _print(line: str) -> None:
    output.print("".join(c if c.isprintable() else "?" for c in line), markup=False, highlight=False, soft_wrap=True)
