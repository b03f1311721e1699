"""Character edits of a word (Gao et al. 2018, section IV-B)."""

from __future__ import annotations

import random
import string

__all__ = ["delete_letter", "insert_letter", "misspellings", "substitute_letter", "swap_letters"]


def misspellings(word: str, rng: random.Random) -> list[str]:
    """Return up to four misspellings, one by each operator at one random place.

    An operator that cannot apply (one letter cannot be swapped or deleted) or that gives the word back is left out.
    """
    candidates = [operator(word, rng) for operator in (swap_letters, substitute_letter, delete_letter, insert_letter)]
    return [candidate for candidate in candidates if candidate and candidate != word]


def swap_letters(word: str, rng: random.Random) -> str:
    """Exchange two neighbouring characters."""
    if len(word) < 2:  # noqa: PLR2004 - two neighbours
        return word
    i = rng.randrange(len(word) - 1)
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def substitute_letter(word: str, rng: random.Random) -> str:
    """Put a random letter in the place of one character."""
    i = rng.randrange(len(word))
    return word[:i] + rng.choice(string.ascii_letters) + word[i + 1 :]


def delete_letter(word: str, rng: random.Random) -> str:
    """Leave one character out; never the only one."""
    if len(word) < 2:  # noqa: PLR2004 - one must stay
        return word
    i = rng.randrange(len(word))
    return word[:i] + word[i + 1 :]


def insert_letter(word: str, rng: random.Random) -> str:
    """Insert a random letter."""
    i = rng.randrange(len(word) + 1)
    return word[:i] + rng.choice(string.ascii_letters) + word[i:]
