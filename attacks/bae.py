"""BAE-R (Garg & Ramakrishnan 2020, EMNLP), as SeqAttack adapts it to named-entity recognition.

TextAttack 0.2.15, which SeqAttack runs on, proposes nothing but sub-word fragments here (mended later); ours are whole
words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attacks.constraints.part_of_speech import SamePartOfSpeech
from attacks.search.greedy import walk
from attacks.search.word_ranking import rank_by_deletion
from attacks.word_attack import WordAttack
from benchmark.contracts import ModelConstraint, attack
from benchmark.resources.language_models import DEFAULT_LANGUAGE_MODEL
from benchmark.resources.tagging import DEFAULT_TAGGER
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence


@attack(
    "bae",
    access=Access.SCORES,
    touch=Touch.CONTEXT,
    paper="Garg & Ramakrishnan 2020, BAE: BERT-based Adversarial Examples for Text Classification",
)
class Bae(WordAttack):
    """Mask the most important context words and replace them by what fits the gap and keeps the part of speech.

    Attributes:
        k: substitutes a word.
        language_model: fills the gaps.
        tagger: tells parts of speech.
    """

    k: int = 50
    max_words: float = 1.0
    similarity: float = 0.93
    language_model: str = DEFAULT_LANGUAGE_MODEL
    tagger: str = DEFAULT_TAGGER

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("k")

    @property
    def resources(self) -> Mapping[str, str]:
        """Language model, tagger and encoder."""
        return {**super().resources, "language_model": self.language_model, "tagger": self.tagger}

    @property
    def model_constraints(self) -> Sequence[ModelConstraint]:
        """The word keeps its part of speech, the text stays similar."""
        return (SamePartOfSpeech(), *super().model_constraints)

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Rank the words by deletion, then walk them greedily."""
        words = await self.ranked(sentence, probe)
        await walk(sentence, words, lambda current, i: self.edits_at(current, i, probe), probe)

    async def by_importance(self, sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[int]:
        """Order words by how much nearer to the goal the victim is with them deleted."""
        return await rank_by_deletion(sentence, positions, probe)

    async def edits(self, sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[list[Sentence]]:
        """Fill the gap that each word leaves in the sentence as it is now."""
        proposals = await probe.resources.language_model.fill(sentence.tokens, positions, self.k)
        return [
            [sentence.replace(i, proposal.word) for proposal in own]
            for i, own in zip(positions, proposals, strict=True)
        ]
