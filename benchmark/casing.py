"""Writing one word in the casing of another."""

from __future__ import annotations

__all__ = ["cased_like"]


def cased_like(word: str, like: str) -> str:
    """Return `word` in capitals or with a capital initial where `like` is, else as it is.

    A single capital letter counts as a capital initial ("A" at the start of a sentence). A word whose capitals are
    other letters ("straße", "STRASSE") stays as it is.
    """
    cased = word
    if len(like) > 1 and like.isupper():
        cased = word.upper()
    elif like[:1].isupper():
        cased = word[:1].upper() + word[1:]
    return cased if cased.lower() == word.lower() else word
