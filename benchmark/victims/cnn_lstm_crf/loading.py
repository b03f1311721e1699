"""From a data set's name or a folder to a CNN-LSTM-CRF."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmark.datasets import Dataset, find_dataset
from benchmark.device import choose_device
from benchmark.errors import BadInput, first_line
from benchmark.model_files import fingerprint_of
from benchmark.victims.cnn_lstm_crf.victim import CnnLstmCrfVictim
from benchmark.victims.cnn_lstm_crf.vocabulary import glove, read_vocabulary
from benchmark.victims.finding import VictimOptions, require_own_backend
from benchmark.victims.label_map import require_iob2_labels
from benchmark.victims.recipe import CnnLstmCrfRecipe, cache_folder

__all__ = ["ARCHITECTURE", "load_folder", "recipe_for", "trained"]

ARCHITECTURE = "cnn-lstm-crf"


def trained(name: str, options: VictimOptions) -> CnnLstmCrfVictim:
    """Return `cnn-lstm-crf/NAME`: cached, or trained now with a progress bar.

    Raises:
        BadInput: no such data set, or it has no training and dev splits.
        MissingResource: GloVe is not installed.
    """
    dataset = find_dataset(name, options.data_dir, options.scheme)
    recipe = recipe_for(dataset)
    folder = cache_folder(recipe)
    if not folder.is_dir():
        from benchmark.victims.cnn_lstm_crf.training import train_network

        train_network(recipe, dataset, folder, choose_device(options.device), options.report)
    return load_folder(folder, f"{ARCHITECTURE}/{name}", options)


def recipe_for(dataset: Dataset) -> CnnLstmCrfRecipe:
    """Return the default recipe for a data set: fifteen epochs at most; up to 200 where there are few sentences.

    Raises:
        BadInput: it has no training or dev split.
        MissingResource: GloVe is not installed.
    """
    epochs = min(200, max(15, -(-75_000 // len(dataset.split("train")))))
    return CnnLstmCrfRecipe(
        ARCHITECTURE,
        dataset.hash("train"),
        dataset.hash("dev"),
        epochs=epochs,
        patience=epochs // 5,
        word_vectors=glove().fingerprint,
    )


def load_folder(folder: Path, name: str, options: VictimOptions) -> CnnLstmCrfVictim:
    """Load what `gauntlet train` made.

    Raises:
        BadInput: the folder's files are not as they should be, or another back end than PyTorch is asked for.
        MissingResource: GloVe is not installed.
    """
    require_own_backend(options, ARCHITECTURE, "torch")
    table = glove()
    again = "delete the folder to train it again"
    try:
        card: dict[str, Any] = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
        labels, recipe, vectors = list(map(str, card["labels"])), str(card["id"]), card["word_vectors"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        told = f"{type(error).__name__}: {first_line(error)}"
        raise BadInput(f"the card of the victim in {folder} is damaged ({told}); {again}") from None
    if vectors != table.fingerprint:
        raise BadInput(f"the victim in {folder} was trained on other word vectors than are installed; {again}")
    require_iob2_labels(labels, str(folder))
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise BadInput(f"the victim in {folder} has no model.safetensors; weights in other forms are not read")
    vocabulary = read_vocabulary(folder / "vocabulary.json", table.words)
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from benchmark.victims.cnn_lstm_crf.network import CnnLstmCrf

    network = CnnLstmCrf(vocabulary, labels, table.of(vocabulary.others))
    try:
        network.load_state_dict(load_file(weights))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise BadInput(f"the weights in {folder} do not fit ({first_line(error)}); {again}") from None
    fingerprint = f"{table.fingerprint[:32]}{fingerprint_of(folder, ('*',))[:32]}"
    victim = CnnLstmCrfVictim(network.eval(), vocabulary, labels, name, fingerprint, choose_device(options.device))
    victim.settings = {**victim.settings, "recipe": recipe}
    return victim
