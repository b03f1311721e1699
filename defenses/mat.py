"""Masked adversarial training (Chen, Liu, Ruan & Lu 2020): embeddings are perturbed, and a few words are not there.

The paper's rows: MAT(S) is the default, MAT(R) `substitutes=random`. Without perturbation (`word_norm=0`,
`character_norm=0`, `epsilon=0`) they are Masking(S) and Masking(R); without masking (`sentence_rate=0`) it is AT, which
`embedding-at` is. The paper trains with `batch_size=64` and `learning_rate=0.0006`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmark.casing import cased_like
from benchmark.defending import Case, defense
from benchmark.errors import BadInput
from benchmark.training.loop import Regimen
from benchmark.types import Sentence
from defenses.adding import require_number
from defenses.embedding_at import PerturbedTraining, Perturbing
from defenses.perturbing import Perturbation
from defenses.substituting import GaussianSubstitution

if TYPE_CHECKING:
    from benchmark.training.trainee import Trainee

PAPER = "Chen, Liu, Ruan & Lu 2020, Enhance Robustness of Sequence Labelling with Masked Adversarial Training"
SUBSTITUTES = ("similar", "random")


@defense("mat", paper=PAPER)
class Mat(PerturbedTraining):
    """Train also on perturbed embeddings of sentences in which a word is hidden or replaced by a similar one.

    Attributes:
        sentence_rate: share of the sentences of a batch in which one random word is changed (ρ).
        mask_rate: share of the changed words that are hidden behind the mask; the others are replaced (α).
        substitutes: "similar", or "random": any word of the training split alike.
        omega: spread of the Gaussian over similarities (Ω); see `GaussianSubstitution`.
        candidates: most similar words among which a substitute is drawn.
        normalise: "softmax", or "sum"; see `GaussianSubstitution`.
    """

    sentence_rate: float = 0.06
    mask_rate: float = 0.9
    substitutes: str = SUBSTITUTES[0]
    omega: float = 0.02
    candidates: int = 1000
    normalise: str = "softmax"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_number("sentence_rate", self.sentence_rate, 0, 1)
        require_number("mask_rate", self.mask_rate, 0, 1)
        if self.substitutes not in SUBSTITUTES:
            raise BadInput(f"substitutes must be one of {', '.join(SUBSTITUTES)}, not {self.substitutes!r}")
        self.gaussian.require()

    @property
    def gaussian(self) -> GaussianSubstitution:
        """The distribution of similar words."""
        return GaussianSubstitution(self.omega, self.candidates, self.normalise)

    def regimen(self, case: Case) -> Regimen:
        """Train on what there is, with the masked adversarial loss."""
        return Regimen(case.sentences, MaskedPerturbing(self))


class MaskedPerturbing(Perturbing):
    """The loss with the masked adversarial term (equations 7 and 9)."""

    def __init__(self, mat: Mat) -> None:
        super().__init__(mat.weight, Perturbation(mat.word_norm, mat.character_norm, mat.epsilon))
        self._mat = mat

    def changes(
        self, trainee: Trainee, sentences: Sequence[Sentence], drawn: random.Random
    ) -> dict[tuple[int, int], str | None]:
        """Pick sentences, a word in each, and what stands there instead (section 3.2.2)."""
        chosen: dict[tuple[int, int], str | None] = {}
        for row, sentence in enumerate(sentences):
            if drawn.random() < self._mat.sentence_rate:
                at = drawn.randrange(len(sentence))
                hidden = drawn.random() < self._mat.mask_rate
                chosen[row, at] = None if hidden else self.substitute(trainee, sentence.tokens[at], drawn)
        return chosen

    def substitute(self, trainee: Trainee, word: str, drawn: random.Random) -> str:
        """Draw another word, written in the casing of the one that it stands for; the word itself if there is none."""
        import torch

        words, vectors, own, itself = trainee.alternatives(word)
        others = len(words) - (itself is not None)
        if not others:
            return word
        if self._mat.substitutes == "random" or others == 1:
            k = drawn.randrange(others)
        else:
            distances = (vectors - own).norm(dim=1)
            if itself is not None:
                distances = torch.cat([distances[:itself], distances[itself + 1 :]])
            candidates, probabilities = self._mat.gaussian.of(distances)
            (k,) = drawn.choices(candidates.tolist(), probabilities.tolist())
        return cased_like(words[k if itself is None or k < itself else k + 1], word)
