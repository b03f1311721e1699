"""TextFooler (Jin, Jin, Zhou & Szolovits 2020, AAAI), as SeqAttack adapts it to named-entity recognition.

The paper's synonyms are the nearest counter-fitted vectors (Mrksic et al. 2016), which part antonyms; with
`word_vectors=path:FILE` they are here too. The default, GloVe, offers whatever is used alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attacks.constraints.part_of_speech import SamePartOfSpeech
from attacks.search.greedy import walk
from attacks.search.word_ranking import rank_by_deletion
from attacks.word_attack import WordAttack
from benchmark.casing import cased_like
from benchmark.contracts import ModelConstraint, attack
from benchmark.resources.tagging import DEFAULT_TAGGER
from benchmark.resources.word_vectors import DEFAULT_WORD_VECTORS
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence


@attack(
    "textfooler",
    access=Access.SCORES,
    touch=Touch.CONTEXT,
    paper="Jin et al. 2020, Is BERT Really Robust? A Strong Baseline for Natural Language Attack",
)
class TextFooler(WordAttack):
    """Replace the most important context words by words with near vectors and the same part of speech.

    Attributes:
        k: substitutes a word (the paper's N).
        min_cosine: of the two words' vectors (the paper's δ for candidates, as released: 0.5).
        word_vectors: where near words come from.
        tagger: tells parts of speech.
    """

    k: int = 50
    min_cosine: float = 0.5
    max_words: float = 1.0
    similarity: float = 0.84
    word_vectors: str = DEFAULT_WORD_VECTORS
    tagger: str = DEFAULT_TAGGER

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("k")

    @property
    def resources(self) -> Mapping[str, str]:
        """Word vectors, tagger and encoder."""
        return {**super().resources, "word_vectors": self.word_vectors, "tagger": self.tagger}

    @property
    def model_constraints(self) -> Sequence[ModelConstraint]:
        """The word keeps its part of speech, the text stays similar."""
        return (SamePartOfSpeech(), *super().model_constraints)

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Rank the words by deletion, then walk them greedily (the paper's algorithm 1)."""
        words = await self.ranked(sentence, probe)
        await walk(sentence, words, lambda current, i: self.edits_at(current, i, probe), probe)

    async def by_importance(self, sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[int]:
        """Order words by how much nearer to the goal the victim is with them deleted."""
        return await rank_by_deletion(sentence, positions, probe)

    async def edits(self, sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[list[Sentence]]:
        """Replace each word by its near words, in its casing."""
        vectors = probe.resources.word_vectors
        return [
            [
                sentence.replace(i, cased_like(word, sentence.tokens[i]))
                for word, cosine in vectors.neighbours(sentence.tokens[i], self.k)
                if cosine >= self.min_cosine
            ]
            for i in positions
        ]
