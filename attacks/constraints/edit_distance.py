"""Limit how many characters of the whole sentence may change."""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from benchmark.types import Sentence

__all__ = ["MaximumEditDistance"]


@dataclass(frozen=True, slots=True)
class MaximumEditDistance:
    """Levenshtein distance between the two texts, in characters, at most `limit`."""

    limit: int

    def objection(self, original: Sentence, candidate: Sentence) -> str | None:
        """Object to a candidate that is too far away."""
        distance = Levenshtein.distance(original.text, candidate.text, score_cutoff=self.limit)
        return "too many characters changed" if distance > self.limit else None
