"""gauntlet train: make a victim by its recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.console import DataDir, Device, Json, output, print_json, progress_report
from benchmark.errors import BadInput

if TYPE_CHECKING:
    from benchmark.contracts import Victim
    from benchmark.datasets import Dataset
    from benchmark.victims import VictimOptions

__all__ = ["train"]


def train(
    name: Annotated[str, typer.Argument(help="minilm/DATASET or cnn-lstm-crf/DATASET.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the victim. Default: the cache.", show_default=False)
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the data, at most. Default: by size.", show_default=False)
    ] = None,
    sentences: Annotated[int | None, typer.Option(help="Train on so many sentences only.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and dropout.")] = 0,
    scheme: Annotated[str, typer.Option(help="Tag scheme of local files.")] = "IOB2",
    device: Device = "auto",
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Train a small victim and report its F1. With default settings this is what `run` does on first use."""
    from dataclasses import replace

    from benchmark.datasets import find_dataset
    from benchmark.device import choose_device
    from benchmark.victims import VictimOptions
    from benchmark.victims.finding import TRAINED
    from benchmark.victims.recipe import cache_folder
    from benchmark.victims.training import strict_f1

    family, _, dataset_name = name.partition("/")
    if family not in TRAINED or not dataset_name:
        forms = " or ".join(f"{family}/DATASET" for family in TRAINED)
        raise BadInput(f"{name!r} cannot be trained; the form is {forms}, for example minilm/newsroom")
    recipe_for, fit, load = _parts(family)
    dataset = find_dataset(dataset_name, data_dir, scheme)
    recipe = replace(recipe_for(dataset), seed=seed, sentences=sentences)
    if epochs is not None:
        recipe = replace(recipe, epochs=epochs)
    if recipe.epochs < 1 or (sentences is not None and sentences < 1):
        raise BadInput("--epochs and --sentences must be at least 1")
    folder = out or cache_folder(recipe)
    if folder.exists():
        raise BadInput(f"{folder} is there already; delete it first to train again")
    with progress_report() as report:
        fit(recipe, dataset, folder, choose_device(device), report)
    victim = load(folder, name, VictimOptions(device=device))
    scores = {
        split: round(strict_f1(victim, dataset.split(split)), 4) for split in ("dev", "test") if split in dataset.splits
    }
    if json:
        print_json({"name": name, "recipe": recipe.to_json(), "folder": str(folder), "f1.strict": scores})
        return
    output.print(f"{name} in {folder}", highlight=False, soft_wrap=True)
    for split, f1 in scores.items():
        output.print(f"{split} F1 (strict) {f1:.3f}", highlight=False)


def _parts(
    family: str,
) -> tuple[Callable[[Dataset], Any], Callable[..., None], Callable[[Path, str, VictimOptions], Victim]]:
    """Return what makes a family's recipe, trains by it, and loads what came out."""
    if family == "cnn-lstm-crf":
        from benchmark.victims import cnn_lstm_crf
        from benchmark.victims.cnn_lstm_crf.training import train_network

        return cnn_lstm_crf.recipe_for, train_network, cnn_lstm_crf.load_folder
    from benchmark.victims import minilm
    from benchmark.victims.training import train_adapter

    return minilm.recipe_for, train_adapter, minilm.load_adapter
