"""TextFooler (Jin, Jin, Zhou & Szolovits 2020, AAAI), as SeqAttack adapts it to named-entity recognition.

The paper's synonyms are the nearest counter-fitted vectors (Mrksic et al. 2016), which part antonyms; with
`word_vectors=path:FILE` they are here too. The default, GloVe, offers whatever is used alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attacks.substitution import Substitution
from benchmark.casing import cased_like
from benchmark.contracts import attack
from benchmark.resources.word_vectors import DEFAULT_WORD_VECTORS
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence


@attack(
    "textfooler",
    version=2,
    access=Access.SCORES,
    touch=Touch.CONTEXT,
    paper="Jin et al. 2020, Is BERT Really Robust? A Strong Baseline for Natural Language Attack",
)
class TextFooler(Substitution):
    """Replace the most important context words by words with near vectors and the same part of speech.

    Attributes:
        min_cosine: of the two words' vectors (the paper's δ for candidates, as released: 0.5).
        word_vectors: where near words come from.
    """

    min_cosine: float = 0.5
    similarity: float = 0.84
    word_vectors: str = DEFAULT_WORD_VECTORS

    @property
    def resources(self) -> Mapping[str, str]:
        """Word vectors, tagger and encoder."""
        return {**super().resources, "word_vectors": self.word_vectors}

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
