"""Names that nobody has: a name's letters, each by another of its sort."""

from __future__ import annotations

import random
import string

__all__ = ["made_up"]

_VOWELS = "aeiou"
_CONSONANTS = "".join(letter for letter in string.ascii_lowercase if letter not in _VOWELS)


def made_up(word: str, rng: random.Random) -> str:
    """Put a random vowel in the place of each vowel and a random consonant in that of each consonant, in its casing.

    What is no English letter stays.
    """
    return "".join(_other(letter, rng) for letter in word)


def _other(letter: str, rng: random.Random) -> str:
    small = letter.lower()
    sort = _VOWELS if small in _VOWELS else _CONSONANTS
    if small not in string.ascii_lowercase:
        return letter
    other = rng.choice(sort)
    return other if letter == small else other.upper()
