"""Casing: what users of named-entity recognition meet most often, names in capitals or in small letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmark.alignment import CASINGS
from benchmark.contracts import Attack, attack
from benchmark.threat import Access

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence


@attack("casing", access=Access.LABELS)
class Casing(Attack):
    """Write the mentions, the context or the whole sentence in lower case, in capitals or with capital initials.

    Nine texts at most, mentions first. An uncased victim is immune but for words that do not survive the round trip.
    """

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Ask one casing at a time, so that the smallest change that works is the one found."""
        seen = {sentence.tokens}
        for candidate in self.candidates(sentence):
            if candidate.tokens not in seen:
                seen.add(candidate.tokens)
                await probe([candidate])

    def candidates(self, sentence: Sentence) -> Iterator[Sentence]:
        """Yield the nine variants."""
        everywhere = range(len(sentence))
        mentions = [i for i in everywhere if sentence.inside(i)]
        context = [i for i in everywhere if not sentence.inside(i)]
        for positions in (mentions, context, everywhere):
            for casing in CASINGS.values():
                variant = sentence
                for i in positions:
                    variant = variant.replace(i, casing(sentence.tokens[i]))
                yield variant
