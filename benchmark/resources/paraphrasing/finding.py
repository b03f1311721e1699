"""Paraphrasers by name."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from benchmark.errors import BadInput

if TYPE_CHECKING:
    import torch

    from benchmark.resources.paraphrasing.contract import Paraphraser

__all__ = ["DEFAULT_PARAPHRASER", "paraphraser_named"]

DEFAULT_PARAPHRASER = "templates"


@lru_cache(maxsize=4)
def paraphraser_named(name: str, device: torch.device) -> Paraphraser:
    """Return a paraphraser: `templates`, or a sequence-to-sequence model as `path:FOLDER` or `hf:REPOSITORY`.

    Raises:
        BadInput: no such name or folder, or not a sequence-to-sequence model.
        MissingResource: it cannot be had; the message tells how to get it.
    """
    kind, _, where = name.partition(":")
    if name == DEFAULT_PARAPHRASER:
        from benchmark.resources.paraphrasing.templates import TemplateParaphraser

        return TemplateParaphraser()
    if kind == "path" and where:
        from benchmark.resources.paraphrasing.seq2seq import paraphraser_from_folder

        return paraphraser_from_folder(where, device)
    if kind == "hf" and where:
        from benchmark.resources.paraphrasing.seq2seq import paraphraser_from_hub

        return paraphraser_from_hub(where, device)
    raise BadInput(
        f"unknown paraphraser {name!r}; known: {DEFAULT_PARAPHRASER} (rules), path:FOLDER, and sequence-to-sequence "
        "models on the hub as hf:OWNER/MODEL"
    )
