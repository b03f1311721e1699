"""A trained victim's recipe: all that decides how it comes out, so that it can be named before it is trained."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

__all__ = ["CnnLstmCrfRecipe", "Recipe", "TrainingRecipe", "architecture_in", "cache_folder"]


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

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits that name the recipe."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"id": self.id, **asdict(self)}


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
    return user_cache_path("gauntlet") / "victims" / f"{recipe.architecture}-{recipe.id}"


def architecture_in(folder: Path) -> str:
    """Return which family's victim `gauntlet train` left in a folder; nothing where its card is damaged."""
    try:
        card = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
        return str(card["architecture"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
