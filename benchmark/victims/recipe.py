"""A trained victim's recipe: all that decides how it comes out, so that it can be named before it is trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from benchmark.model_files import fingerprint_of

__all__ = [
    "CARD",
    "COST",
    "CnnLstmCrfRecipe",
    "Recipe",
    "TrainingRecipe",
    "architecture_in",
    "cache_folder",
    "recipe_id_in",
    "trained_fingerprint",
    "trained_folder",
    "training_cost",
]

CARD = "recipe.json"
"""The recipe, and how the training went: everything about it that two machines of a kind would say alike."""
COST = "cost.json"
"""What the training took; no part of what the victim is."""


@dataclass(frozen=True)
class TrainingRecipe:
    """Everything that decides what a trained victim is, whatever its architecture.

    Two machines do not train the same bits, so a trained victim is named by its recipe, and the hash of the weights in
    use is recorded beside it.

    Attributes:
        architecture: the family of victims, such as "minilm".
        train_hash: content hash of the training split.
        dev_hash: content hash of the dev split, by which the best epoch is chosen.
        epochs: passes over the training sentences.
        sentences: number of training sentences used, the first ones of a seeded shuffle; None for all.
        learning_rate: peak.
        batch_size: sentences a step.
        seed: of weights, order and dropout.
        version: raised when the training code changes.
        defense: what was different from plain training, as `benchmark.defending` names it; None for nothing.
    """

    architecture: str
    train_hash: str
    dev_hash: str
    epochs: int
    sentences: int | None = None
    learning_rate: float = 2e-3
    batch_size: int = 16
    seed: int = 0
    version: int = 1
    defense: Mapping[str, Any] | None = None

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits that name the recipe."""
        return hashlib.sha256(json.dumps(self._fields(), sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"id": self.id, **self._fields()}

    def _fields(self) -> dict[str, Any]:
        """Return what decides; plain training has no defense to name."""
        fields = asdict(self)
        return fields if self.defense else {name: value for name, value in fields.items() if name != "defense"}


@dataclass(frozen=True)
class Recipe(TrainingRecipe):
    """Of MiniLM with an adapter. The learning rate warms up over the first tenth and decays to zero, both linearly.

    Attributes:
        rank: of the low-rank updates.
    """

    rank: int = 16


@dataclass(frozen=True)
class CnnLstmCrfRecipe(TrainingRecipe):
    """Of the CNN-LSTM-CRF. The learning rate falls by the same factor each epoch, to a tenth at the end.

    Attributes:
        patience: epochs without a better dev F1 after which training ends.
        unknown: words and characters that occur n times are taken for unknown ones with probability
            unknown / (unknown + n) (Kiperwasser & Goldberg 2016, section 5.1).
        word_vectors: sha256 of GloVe's files.
    """

    learning_rate: float = 2e-3
    batch_size: int = 32
    patience: int = 4
    unknown: float = 0.25
    word_vectors: str = ""


def cache_folder(recipe: TrainingRecipe) -> Path:
    """Return where the victim of a recipe is cached."""
    defense = f"{recipe.defense['name']}-" if recipe.defense else ""
    return user_cache_path("gauntlet") / "victims" / f"{recipe.architecture}-{defense}{recipe.id}"


def trained_folder(recipe: TrainingRecipe, kept: Path | None = None) -> Path:
    """Return where the victim of a recipe is: among those that are kept, else in the cache, where it may be missing.

    Args:
        recipe: all of it must stand in the card of a victim that is kept.
        kept: a folder of trained victims, whatever they are called there; None for none.
    """
    wanted = json.loads(json.dumps(recipe.to_json())).items()
    fitting = (folder for folder in _folders_in(kept) if wanted <= _card(folder).items())
    return next(fitting, cache_folder(recipe))


def training_cost(recipe_id: str, kept: Path | None = None) -> dict[str, Any]:
    """Return what the training of a victim took; nothing where it is not here or its cost is not known.

    Args:
        recipe_id: of the victim, as its settings name it.
        kept: see `trained_folder`.
    """
    for folder in [*_folders_in(kept), *_folders_in(user_cache_path("gauntlet") / "victims")]:
        if recipe_id and recipe_id_in(folder) == recipe_id:
            return _record(folder / COST)
    return {}


def trained_fingerprint(folder: Path) -> str:
    """Return the sha256 of a trained victim's files: weights, settings, card, but not what its training took."""
    return fingerprint_of(folder, [path.name for path in folder.iterdir() if path.name != COST])


def architecture_in(folder: Path) -> str:
    """Return which family's victim `gauntlet train` left in a folder; nothing where its card is damaged."""
    return str(_card(folder).get("architecture", ""))


def recipe_id_in(folder: Path) -> str:
    """Return by which recipe the victim in a folder was trained; nothing where its card is damaged."""
    return str(_card(folder).get("id", ""))


def _card(folder: Path) -> dict[str, Any]:
    return _record(folder / CARD)


def _record(file: Path) -> dict[str, Any]:
    """Return what a JSON file says; nothing where it is missing or damaged."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _folders_in(folder: Path | None) -> list[Path]:
    """Return the victims' folders in a folder; hidden ones are what a training that was interrupted left."""
    if folder is None or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
