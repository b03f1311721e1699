"""CLARE (Li, Zhang, Peng, Chen, Brockett, Sun & Dolan 2021, NAACL), as SeqAttack adapts it.

What the published runs on named-entity recognition did otherwise, and ours does not: candidates were sub-word fragments
only (TextAttack 0.2.15), and of the up to thousand candidates of a step the alphabetically first 512 were asked, so
that the budget was spent in the first step. Here a step asks a sample, stratified over positions and weighted by the
language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attacks.sampled_word_attack import SampledWordAttack
from attacks.search.beam import beam_search
from attacks.search.sampling import stratified
from benchmark.contracts import attack
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.resources.language_models import Proposal
    from benchmark.types import Sentence


@attack(
    "clare",
    version=2,
    access=Access.SCORES,
    touch=Touch.CONTEXT,
    paper="Li et al. 2021, Contextualized Perturbation for Textual Adversarial Attack",
)
class Clare(SampledWordAttack):
    """Replace, insert and merge context words through a mask, whichever comes nearest to the goal, step by step.

    Attributes:
        insert: also insert a word before any word (never inside a mention).
        merge: also put one word in the place of two.
        min_replace: smallest probability of a proposal that replaces a word.
        min_insert: of one that is inserted.
        min_merge: of one that stands for two words.
        beam: sentences kept from step to step.
    """

    insert: bool = True
    merge: bool = False
    min_replace: float = 5e-4
    min_insert: float = 0.0
    min_merge: float = 5e-3
    similarity: float = 0.65
    beam: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("beam")

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Search among all three actions at all positions."""
        await beam_search(sentence, lambda current: self.sampled(current, probe), probe, self.beam)

    async def sampled(self, sentence: Sentence, probe: Probe) -> list[Sentence]:
        """Return a sample of the sentences one action away."""
        groups = await self.weighted(sentence, self.places(sentence, probe), probe)
        return stratified(groups, self.sample, probe.rng)

    def places(self, sentence: Sentence, probe: Probe) -> list[int]:  # noqa: ARG002 - the gold mentions decide
        """Return all positions but those inside mentions; before a mention a word can be inserted."""
        return [i for i, tag in enumerate(sentence.tags) if not tag.startswith("I-")]

    async def weighted(
        self, sentence: Sentence, positions: Sequence[int], probe: Probe
    ) -> list[list[tuple[Sentence, float]]]:
        """Return for each position the actions there and how likely the language model finds them."""
        model, tokens = probe.resources.language_model, sentence.tokens
        groups: dict[int, list[tuple[Sentence, float]]] = {i: [] for i in positions}

        def likely(proposals: Sequence[Proposal], least: float) -> list[Proposal]:
            return [proposal for proposal in proposals if proposal.probability >= least]

        words = [i for i in positions if self.may_replace(sentence, i, probe)]
        for i, found in zip(words, await model.fill(tokens, words, self.k), strict=True):
            groups[i] += [(sentence.replace(i, p.word), p.probability) for p in likely(found, self.min_replace)]
        if self.insert:
            # Before a first word in plain casing nothing is inserted: it would keep its capital.
            gaps = [i for i in positions if i > 0 or sentence.inside(0)]
            for i, found in zip(gaps, await model.fill_gap(tokens, gaps, self.k), strict=True):
                groups[i] += [(sentence.insert(i, p.word), p.probability) for p in likely(found, self.min_insert)]
        if self.merge:
            pairs = [i for i in words if i + 1 in groups and self.may_replace(sentence, i + 1, probe)]
            for i, found in zip(pairs, await model.fill_merged(tokens, pairs, self.k), strict=True):
                groups[i] += [(sentence.merge(i, p.word), p.probability) for p in likely(found, self.min_merge)]
        return list(groups.values())
