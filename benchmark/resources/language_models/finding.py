"""Language models by name."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from benchmark.resources.language_models.contract import LanguageModel

if TYPE_CHECKING:
    import torch

__all__ = ["DEFAULT_LANGUAGE_MODEL", "language_model_named"]

DEFAULT_LANGUAGE_MODEL = "minilm-mlm"


@lru_cache(maxsize=4)
def language_model_named(name: str, device: torch.device) -> LanguageModel:
    """Return a language model: `minilm-mlm`, `smollm2`, or a masked one as `path:FOLDER` or `hf:REPOSITORY`.

    Raises:
        BadInput: no such name or folder, or not a masked language model.
        MissingResource: it cannot be had; the message tells how to get it.
    """
    from benchmark.errors import BadInput

    kind, _, where = name.partition(":")
    if name == DEFAULT_LANGUAGE_MODEL:
        from benchmark.resources.language_models.masked import minilm_mlm

        return minilm_mlm(device)
    if name == "smollm2":
        from benchmark.resources.language_models.causal import smollm2

        return smollm2(device)
    if kind == "path" and where:
        from benchmark.resources.language_models.masked import masked_model_from_folder

        return masked_model_from_folder(where, device)
    if kind == "hf" and where:
        from benchmark.resources.language_models.masked import masked_model_from_hub

        return masked_model_from_hub(where, device)
    raise BadInput(
        f"unknown language model {name!r}; known: minilm-mlm and smollm2 (bundled), path:FOLDER, and masked language "
        "models on the hub such as hf:distilroberta-base"
    )
