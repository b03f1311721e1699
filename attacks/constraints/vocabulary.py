"""A misspelling must not be a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.alignment import changed
from benchmark.types import Sentence

if TYPE_CHECKING:
    from benchmark.resources.loading import Resources

__all__ = ["OutOfVocabulary"]


@dataclass(frozen=True, slots=True)
class OutOfVocabulary:
    """No edited word is one that the word vectors know, in whatever casing.

    As in HotFlip (Ebrahimi et al. 2018, section 4), "to avoid changes that are more likely to change the meaning". The
    default vocabulary is that of the 60,000 most frequent words of GloVe.
    """

    async def objections(
        self, original: Sentence, candidates: Sequence[Sentence], resources: Resources
    ) -> list[str | None]:
        """Object to candidates in which an edited word is a word."""
        known = resources.word_vectors
        return [
            "another word" if any(candidate.tokens[i] in known for i in changed(original, candidate)) else None
            for candidate in candidates
        ]
