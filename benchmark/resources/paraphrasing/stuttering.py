"""Words said twice: SCPN's network says things twice, and rearranged clauses can do so by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["without_stuttering"]

T = TypeVar("T")


def without_stuttering(items: Iterable[T], word: Callable[[T], str | None]) -> list[T]:
    """Leave out a word, or two, that directly repeat what stands before them.

    Args:
        items: a text.
        word: gives an item's word in lower case, None for an item that must stay (a mention, a number, a mark).
    """
    out: list[T] = []
    for item in items:
        out.append(item)
        for n in (1, 2):
            tail, before = [word(i) for i in out[-n:]], [word(i) for i in out[-2 * n : -n]]
            if tail == before and None not in tail:
                del out[-n:]
    return out
