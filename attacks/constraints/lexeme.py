"""A word may not be replaced by an inflection of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.alignment import changed
from benchmark.types import Sentence

if TYPE_CHECKING:
    from benchmark.resources.loading import Resources

__all__ = ["AnotherLexeme"]

_INFLECTED = ("NOUN", "VERB", "ADJ")


@dataclass(frozen=True, slots=True)
class AnotherLexeme:
    """No replaced word is a form of the word it replaces, whatever part of speech either is (Ebrahimi et al. 2018)."""

    async def objections(
        self, original: Sentence, candidates: Sequence[Sentence], resources: Resources
    ) -> list[str | None]:
        """Object to candidates in which a word was merely inflected."""
        out: list[str | None] = []
        for candidate in candidates:
            replaced = [
                (original.tokens[source], candidate.tokens[i].lower())
                for i in changed(original, candidate)
                for source in candidate.sources[i]
            ]
            inflected = any(
                new in (form.lower() for form in resources.inflector.inflections(old, universal))
                for old, new in replaced
                for universal in _INFLECTED
            )
            out.append("same lexeme" if inflected else None)
        return out
