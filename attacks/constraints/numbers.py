"""A number may only become another number."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchmark.alignment import changed
from benchmark.types import Sentence

__all__ = ["NumbersStayNumbers", "is_number"]

_NUMBER = re.compile(r"[+-]?[\d.,:/-]*\d[\d.,:/-]*%?")


def is_number(word: str) -> bool:
    """Tell whether a word is written in digits: 3, -0.5, 6-4, 12:30, 7%."""
    return bool(_NUMBER.fullmatch(word))


@dataclass(frozen=True, slots=True)
class NumbersStayNumbers:
    """What was written in digits still is (stated in SeqAttack, section 3.3; its code has no such rule)."""

    def objection(self, original: Sentence, candidate: Sentence) -> str | None:
        """Object if a number has become a word."""
        for i in changed(original, candidate):
            numbers = [is_number(original.tokens[source]) for source in candidate.sources[i]]
            if any(numbers) and not is_number(candidate.tokens[i]):
                return "number became a word"
        return None
