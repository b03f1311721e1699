"""gauntlet defend: train a victim with a defense."""

from __future__ import annotations

from typing import Annotated

import typer

from benchmark.cli.console import DataDir, Device, Json, output, print_json, progress_report
from benchmark.cli.train import Epochs, Scheme, Seed, Sentences, f1_by_split, settings_given

__all__ = ["defend"]


def defend(
    defense: Annotated[str, typer.Option(help="Name, perhaps with parameters: augment(bert-attack,n=1000).")],
    dataset: Annotated[str, typer.Option(help="Data set to train on.")],
    victim: Annotated[str, typer.Option(help="Architecture: minilm or cnn-lstm-crf.")] = "minilm",
    param: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE, a parameter of the defense; may be repeated.", show_default=False),
    ] = None,
    epochs: Epochs = None,
    sentences: Sentences = None,
    seed: Seed = None,
    scheme: Scheme = "IOB2",
    device: Device = "auto",
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Train a defended victim, or go on where its training was interrupted, and tell its name, F1 and cost.

    The name goes wherever a victim is named: gauntlet run --victim minilm/wnut17+mat.
    """
    from json import loads

    from benchmark.calls import named_values, parsed, spelled
    from benchmark.datasets import find_dataset
    from benchmark.defending import fitted
    from benchmark.victims import VictimOptions
    from benchmark.victims.finding import architecture_named, parse_name
    from benchmark.victims.recipe import CARD, COST

    architecture_named(victim)
    plain = f"{victim}/{spelled(dataset, settings_given(seed, sentences, epochs))}"
    name, unnamed, named = parsed(defense)
    with progress_report() as report:
        options = VictimOptions(device=device, data_dir=data_dir, scheme=scheme, report=report)
        made = fitted(parse_name(f"{plain}+{spelled(name, named | named_values(param or []), unnamed)}"), options)
    card, cost = (loads((made.folder / file).read_text(encoding="utf-8")) for file in (CARD, COST))
    scores = f1_by_split(
        made.architecture.load(made.folder, made.name, options), find_dataset(dataset, data_dir, scheme)
    )
    if json:
        record = {"name": made.name, "folder": str(made.folder), "card": card, "cost": cost, "f1.strict": scores}
        print_json(record)
        return
    output.print(f"{made.name} in {made.folder}", highlight=False, soft_wrap=True)
    if "added" in (told := card["made"]):
        output.print(f"sentences added: {told['added']}, wanted: {told['wanted']}", highlight=False)
    if "attacked" in told:
        output.print(f"sentences attacked: {told['attacked']}, with success: {told['successes']}", highlight=False)
    seconds = cost["preparing_seconds"] + cost["training_seconds"]
    output.print(f"cost {seconds:.0f} s, {cost.get('victim_queries', 0)} queries of the victim", highlight=False)
    for split, f1 in scores.items():
        output.print(f"{split} F1 (strict) {f1:.3f}", highlight=False)
