"""The text must stay similar to the original, as a sentence encoder sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.types import Sentence

if TYPE_CHECKING:
    from benchmark.resources.loading import Resources

__all__ = ["SimilarityAtLeast"]


@dataclass(frozen=True, slots=True)
class SimilarityAtLeast:
    """Cosine of the two whole texts, at least `threshold`.

    Published thresholds are for USE 4 and mean nothing for another encoder. The attacks' defaults are for
    all-MiniLM-L6-v2 and let through the same share of random one-word edits: of 800 such edits of newswire and
    encyclopedia text, USE (multilingual 3, the relative of USE 4 that could be run) puts 0.5 % below 0.7, 17 % below
    0.878 (angular 0.841), 45 % below 0.936 and 89 % below 0.98; MiniLM puts those shares below 0.65, 0.84, 0.93, 0.986.
    No edit fell below 0.58 for either, so thresholds of 0.2 or 0.4 bind only where many words change.
    """

    threshold: float

    async def objections(
        self, original: Sentence, candidates: Sequence[Sentence], resources: Resources
    ) -> list[str | None]:
        """Object to candidates that are too far away."""
        cosines = await resources.encoder.similarities(original.text, [candidate.text for candidate in candidates])
        return ["not similar enough" if cosine < self.threshold else None for cosine in cosines]
