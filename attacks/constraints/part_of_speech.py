"""A replaced word must keep its part of speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.alignment import changed
from benchmark.types import Sentence

if TYPE_CHECKING:
    from benchmark.resources.loading import Resources

__all__ = ["SamePartOfSpeech"]

_NOUN_OR_VERB = {"NOUN", "VERB"}


@dataclass(frozen=True, slots=True)
class SamePartOfSpeech:
    """Universal part of speech, read in context; a noun may become a verb and the other way round.

    As in TextFooler (Jin et al. 2020, section 3). Inserted and merged words have nothing to keep.
    """

    async def objections(
        self, original: Sentence, candidates: Sequence[Sentence], resources: Resources
    ) -> list[str | None]:
        """Object to candidates in which a replaced word changed its part of speech."""
        replaced = [
            (k, i, candidate.sources[i][0])
            for k, candidate in enumerate(candidates)
            for i in sorted(changed(original, candidate))
            if len(candidate.sources[i]) == 1
        ]
        before = await resources.tagger.tag_word([original.tokens] * len(replaced), [at for _, _, at in replaced])
        after = await resources.tagger.tag_word(
            [candidates[k].tokens for k, _, _ in replaced], [i for _, i, _ in replaced]
        )
        out: list[str | None] = [None] * len(candidates)
        for (k, _, _), old, new in zip(replaced, before, after, strict=True):
            if old.universal != new.universal and not {old.universal, new.universal} <= _NOUN_OR_VERB:
                out[k] = "part of speech changed"
        return out
