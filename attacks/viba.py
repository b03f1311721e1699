"""After ViBA, the virtual boundary attack (Yang, Wu & Zhao 2024, LREC-COLING).

The paper's insight is that a tagger leans on the words at a mention's border, so that one word inserted there can shift
the border it sees. A success in which the victim draws the new word itself into an entity does not count here: then its
label would be in doubt. Which words it inserts we take from a language model: those that fit the gap best.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attacks.sampled_word_attack import SampledWordAttack
from attacks.search.sampling import stratified
from benchmark.contracts import attack
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence


@attack(
    "viba",
    version=2,
    access=Access.LABELS,
    touch=Touch.CONTEXT,
    paper="Yang et al. 2024, Attack Named Entity Recognition by Entity Boundary Interference",
)
class VirtualBoundary(SampledWordAttack):
    """Insert one word directly before or after a mention.

    Attributes:
        k: words tried at each border.
    """

    k: int = 48
    sample: int = 16

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Try words at all borders in turn, the likelier sooner."""
        groups = await self.weighted(sentence, self.places(sentence, probe), probe)
        queue = stratified(groups, sum(map(len, groups)), probe.rng)
        for start in range(0, len(queue), self.sample):
            await probe(queue[start : start + self.sample])

    def places(self, sentence: Sentence, probe: Probe) -> list[int]:  # noqa: ARG002 - the gold mentions decide
        """Return the places before and after each mention; between two mentions there is one."""
        return sorted({place for span in sentence.spans for place in (span.start, span.end)})

    async def weighted(
        self, sentence: Sentence, positions: Sequence[int], probe: Probe
    ) -> list[list[tuple[Sentence, float]]]:
        """Return for each place the insertions there and how likely the language model finds them."""
        proposals = await probe.resources.language_model.fill_gap(sentence.tokens, positions, self.k)
        return [
            [(sentence.insert(i, proposal.word), proposal.probability) for proposal in own]
            for i, own in zip(positions, proposals, strict=True)
        ]
