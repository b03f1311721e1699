"""What the other projects run on: PyTorch, for all models of an attack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmark.resources.encoders import SentenceEncoder, load_encoder
from benchmark.resources.loading import Resources

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["REFERENCE", "TorchEncoder", "on_reference"]

REFERENCE = "torch"


class TorchEncoder(SentenceEncoder):
    """A sentence encoder as sentence-transformers runs it: on PyTorch, in batches of 32, sorted by length.

    Args:
        encoder: as we run it.
    """

    def __init__(self, encoder: SentenceEncoder) -> None:
        vars(self).update(vars(encoder))
        self.identity = f"{encoder.name} on PyTorch"
        self._model = load_encoder(self.name, self._device)

    def answer(self, questions: Sequence[str]) -> list[NDArray[np.float32]]:
        """Return each text's unit vector."""
        return list(self._model.encode(list(questions), normalize_embeddings=True, show_progress_bar=False))


def on_reference(resources: Resources) -> Resources:
    """Return the same resources with the encoder on PyTorch; language models are there already."""
    models = {kind: getattr(resources, kind) for kind in resources.identities}
    if "encoder" in models:
        models["encoder"] = TorchEncoder(models["encoder"])
    return Resources(models)
