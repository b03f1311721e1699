"""How long work tells how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "silent"]

# Called with what is going on, how much is done, and how much there is.
Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """Report to nobody."""
