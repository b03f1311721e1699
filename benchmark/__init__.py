"""Gauntlet: how robust is a named-entity recogniser?

from benchmark import attack, find_victim
outcomes = attack(find_victim("minilm/newsroom"), [(["Ana", "Ruiz", "left", "."], ["B-PER", "I-PER", "O", "O"])])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.alignment import apply_edits
    from benchmark.api import attack
    from benchmark.datasets import find_dataset
    from benchmark.errors import GauntletError
    from benchmark.types import Outcome, Sentence
    from benchmark.victims import find_victim

__all__ = ["GauntletError", "Outcome", "Sentence", "apply_edits", "attack", "find_dataset", "find_victim"]

_HOMES = {
    "GauntletError": "benchmark.errors",
    "Outcome": "benchmark.types",
    "Sentence": "benchmark.types",
    "apply_edits": "benchmark.alignment",
    "attack": "benchmark.api",
    "find_dataset": "benchmark.datasets",
    "find_victim": "benchmark.victims",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used, so that the command line starts at once."""
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'benchmark' has no attribute {name!r}")
