"""Limit how many words may change."""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchmark.alignment import edit_script
from benchmark.types import Sentence

__all__ = ["AtMostShareOfWords"]


@dataclass(frozen=True, slots=True)
class AtMostShareOfWords:
    """At most `share` of the original words are edited, rounded up: one edit is always allowed."""

    share: float

    def objection(self, original: Sentence, candidate: Sentence) -> str | None:
        """Object to a candidate with too many edits."""
        allowed = math.ceil(round(self.share * len(original), 9))  # 0.28 of 25 is 7, not 7.000000000000001
        return "too many words changed" if len(edit_script(original, candidate)) > allowed else None
