"""gauntlet train: make a victim by its recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.console import DataDir, Device, Json, output, print_json, progress_report
from benchmark.errors import BadInput

__all__ = ["train"]


def train(
    name: Annotated[str, typer.Argument(help="minilm/DATASET.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the adapter. Default: the cache.", show_default=False)
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the data. Default: by size.", show_default=False)
    ] = None,
    sentences: Annotated[int | None, typer.Option(help="Train on so many sentences only.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and dropout.")] = 0,
    scheme: Annotated[str, typer.Option(help="Tag scheme of local files.")] = "IOB2",
    device: Device = "auto",
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Train minilm/DATASET and report its F1. With default settings this is what `run` does on first use."""
    from dataclasses import replace

    from benchmark.datasets import find_dataset
    from benchmark.device import choose_device
    from benchmark.victims import VictimOptions
    from benchmark.victims.minilm import adapter_folder, load_adapter, recipe_for
    from benchmark.victims.training import strict_f1, train_adapter

    family, _, dataset_name = name.partition("/")
    if family != "minilm" or not dataset_name:
        raise BadInput(f"{name!r} cannot be trained; the form is minilm/DATASET, for example minilm/newsroom")
    dataset = find_dataset(dataset_name, data_dir, scheme)
    recipe = replace(recipe_for(dataset), seed=seed, sentences=sentences)
    if epochs is not None:
        recipe = replace(recipe, epochs=epochs)
    if recipe.epochs < 1 or (sentences is not None and sentences < 1):
        raise BadInput("--epochs and --sentences must be at least 1")
    folder = out or adapter_folder(recipe)
    if folder.exists():
        raise BadInput(f"{folder} is there already; delete it first to train again")
    with progress_report() as report:
        train_adapter(recipe, dataset, folder, choose_device(device), report)
    victim = load_adapter(folder, name, VictimOptions(device=device))
    scores = {
        split: round(strict_f1(victim, dataset.split(split)), 4) for split in ("dev", "test") if split in dataset.splits
    }
    if json:
        print_json({"name": name, "recipe": recipe.to_json(), "folder": str(folder), "f1.strict": scores})
        return
    output.print(f"{name} in {folder}", highlight=False, soft_wrap=True)
    for split, f1 in scores.items():
        output.print(f"{split} F1 (strict) {f1:.3f}", highlight=False)
