"""A trained victim's recipe: all that decides how it comes out, so that it can be named before it is trained."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a trained victim is.

    Two machines do not train the same bits, so a trained victim is named by its recipe, and the hash of the weights in
    use is recorded beside it.

    Attributes:
        architecture: "minilm".
        train_hash: content hash of the training split.
        dev_hash: content hash of the dev split, by which the best epoch is chosen.
        epochs: passes over the training sentences.
        sentences: number of training sentences used, the first ones of a seeded shuffle; None for all.
        learning_rate: peak; linear warm-up over the first tenth, then linear decay.
        batch_size: sentences a step.
        rank: of the low-rank updates.
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
    rank: int = 16
    seed: int = 0
    version: int = 1

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits that name the recipe."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"id": self.id, **asdict(self)}
