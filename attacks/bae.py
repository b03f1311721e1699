"""BAE-R (Garg & Ramakrishnan 2020, EMNLP), as SeqAttack adapts it to named-entity recognition.

BAE is TextFooler's frame with the words that fit the gap. TextAttack 0.2.15, which SeqAttack runs on, proposes nothing
but sub-word fragments here (mended later); ours are whole words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attacks.substitution import Substitution
from benchmark.contracts import attack
from benchmark.resources.language_models import DEFAULT_LANGUAGE_MODEL
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence


@attack(
    "bae",
    version=2,
    access=Access.SCORES,
    touch=Touch.CONTEXT,
    paper="Garg & Ramakrishnan 2020, BAE: BERT-based Adversarial Examples for Text Classification",
)
class Bae(Substitution):
    """Mask the most important context words and replace them by what fits the gap and keeps the part of speech.

    Attributes:
        language_model: fills the gaps.
    """

    similarity: float = 0.93
    language_model: str = DEFAULT_LANGUAGE_MODEL

    @property
    def resources(self) -> Mapping[str, str]:
        """Language model, tagger and encoder."""
        return {**super().resources, "language_model": self.language_model}

    async def edits(self, sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[list[Sentence]]:
        """Fill the gap that each word leaves in the sentence as it is now."""
        proposals = await probe.resources.language_model.fill(sentence.tokens, positions, self.k)
        return [
            [sentence.replace(i, proposal.word) for proposal in own]
            for i, own in zip(positions, proposals, strict=True)
        ]
