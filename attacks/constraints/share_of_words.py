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
        allowed = math.ceil(self.share * len(original))
        return "too many words changed" if len(edit_script(original, candidate)) > allowed else None
