"""gauntlet train: make a victim by its recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.console import DataDir, Device, Json, output, print_json, progress_report
from benchmark.errors import BadInput

if TYPE_CHECKING:
    from benchmark.contracts import Victim
    from benchmark.datasets import Dataset

__all__ = ["Epochs", "Scheme", "Seed", "Sentences", "f1_by_split", "train"]

Epochs = Annotated[
    int | None, typer.Option(help="Passes over the data, at most. Default: by size.", show_default=False)
]
Sentences = Annotated[int | None, typer.Option(help="Train on so many sentences only.", show_default=False)]
Seed = Annotated[int | None, typer.Option(help="Of weights, order and dropout. Default: 0.")]
Scheme = Annotated[str, typer.Option(help="Tag scheme of local files.")]


def train(
    name: Annotated[str, typer.Argument(help="As `run` takes it: minilm/DATASET(seed=1), cnn-lstm-crf/DATASET.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the victim. Default: the cache.", show_default=False)
    ] = None,
    epochs: Epochs = None,
    sentences: Sentences = None,
    seed: Seed = None,
    scheme: Scheme = "IOB2",
    device: Device = "auto",
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Train a small victim and report its F1. With default settings this is what `run` does on first use."""
    from benchmark.calls import spelled
    from benchmark.datasets import find_dataset
    from benchmark.device import choose_device
    from benchmark.victims import VictimOptions
    from benchmark.victims.finding import TRAINED, architecture_named, parse_name
    from benchmark.victims.recipe import cache_folder

    parts = parse_name(name)
    if parts.defense:
        raise BadInput(f"{name!r} is defended: `gauntlet defend` trains such victims, and `gauntlet run` on first use")
    if parts.family not in TRAINED:
        forms = " or ".join(f"{family}/DATASET" for family in TRAINED)
        raise BadInput(f"{name!r} cannot be trained; the form is {forms}, for example minilm/newsroom")
    architecture = architecture_named(parts.family)
    dataset = find_dataset(parts.rest, data_dir, scheme)
    options = {"epochs": epochs, "seed": seed, "sentences": sentences}
    if twice := sorted(key for key in parts.settings if options.get(key) is not None):
        raise BadInput(f"{name!r} has {' and '.join(twice)} already; leave --{twice[0]} away")
    settings = dict(sorted({**parts.settings, **settings_given(seed, sentences, epochs)}.items()))
    recipe = architecture.recipe_with(dataset, settings)
    name = f"{parts.family}/{spelled(parts.rest, settings)}"
    folder = out or cache_folder(recipe)
    if folder.exists():
        raise BadInput(f"{folder} is there already; delete it first to train again")
    with progress_report() as report:
        architecture.train(recipe, dataset, folder, name, choose_device(device), report)
    scores = f1_by_split(architecture.load(folder, name, VictimOptions(device=device)), dataset)
    if json:
        print_json({"name": name, "recipe": recipe.to_json(), "folder": str(folder), "f1.strict": scores})
        return
    output.print(f"{name} in {folder}", highlight=False, soft_wrap=True)
    for split, f1 in scores.items():
        output.print(f"{split} F1 (strict) {f1:.3f}", highlight=False)


def settings_given(seed: int | None, sentences: int | None, epochs: int | None) -> dict[str, int]:
    """Return the settings of a recipe that differ from the default, in the order in which names spell them."""
    settings = {"epochs": epochs, "seed": seed or None, "sentences": sentences}
    return {name: value for name, value in settings.items() if value is not None}


def f1_by_split(victim: Victim, dataset: Dataset) -> dict[str, float]:
    """Return the strict F1 on dev and test, as far as the data set has them."""
    from benchmark.training.sentences import strict_f1

    splits = [split for split in ("dev", "test") if split in dataset.splits]
    return {split: round(strict_f1(victim, dataset.split(split)), 4) for split in splits}
