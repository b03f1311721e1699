"""Adversarial training on embeddings (Miyato, Dai & Goodfellow 2017), as MAT runs it on sequence labelling."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.defending import Case, TrainedDefense, defense
from benchmark.training.hooks import Hooks
from benchmark.training.loop import Regimen
from benchmark.types import Sentence
from defenses.adding import require_number
from defenses.perturbing import Perturbation

if TYPE_CHECKING:
    import torch

    from benchmark.training.trainee import Batch, Trainee

__all__ = ["EmbeddingAt", "PerturbedTraining", "Perturbing"]

PAPER = "Miyato, Dai & Goodfellow 2017, Adversarial Training Methods for Semi-Supervised Text Classification"


@dataclass(frozen=True, kw_only=True)
class PerturbedTraining(TrainedDefense):
    """Base of defenses that add the loss at perturbed embeddings: L = L_label + weight · L_adv.

    The embeddings of a network that trains them are normalised; those of a transformer are taken as they are. The
    perturbation follows the gradient of L_label, under the dropout masks of that pass; L_adv draws new masks. It is a
    constant to the optimizer (no second derivatives), and its norm is that of a whole sequence, padding left out.

    Attributes:
        weight: of the adversarial loss (λ of MAT, section 4.2).
        word_norm: of the perturbation of a sequence's normalised word vectors (δ_w).
        character_norm: of the perturbation of a sequence's normalised character vectors (δ_c).
        epsilon: of embeddings that are not normalised: norm = epsilon · RMS(table) · √(pieces · dimensions).
    """

    weight: float = 0.6
    word_norm: float = 0.4
    character_norm: float = 0.2
    epsilon: float = 0.05

    def __post_init__(self) -> None:
        require_number("weight", self.weight, 0)
        _ = self.perturbation  # wrong norms are told at once

    @property
    def perturbation(self) -> Perturbation:
        """How far to go."""
        return Perturbation(self.word_norm, self.character_norm, self.epsilon)


@defense("embedding-at", paper=PAPER)
class EmbeddingAt(PerturbedTraining):
    """Train also on embeddings that are moved in the direction that raises the loss most."""

    def regimen(self, case: Case) -> Regimen:
        """Train on what there is, with the adversarial loss."""
        return Regimen(case.sentences, Perturbing(self.weight, self.perturbation))


class Perturbing(Hooks):
    """The loss with an adversarial term."""

    normalised = True

    def __init__(self, weight: float, perturbation: Perturbation) -> None:
        self._weight, self._perturbation = weight, perturbation

    def loss(self, trainee: Trainee, sentences: Sequence[Sentence], drawn: random.Random) -> torch.Tensor:
        """Return L_label + λ L_adv."""
        changes = self.changes(trainee, sentences, drawn)
        batch = trainee.encode(sentences, [word for word in changes.values() if word is not None])
        vectors = trainee.vectors(batch)
        plain = trainee.loss(batch, vectors)
        moves = self._perturbation.of(trainee, batch, vectors, plain)
        return plain + self._weight * self.adversarial(trainee, batch, moves, changes)

    def changes(
        self,
        trainee: Trainee,  # noqa: ARG002 - for those who change something
        sentences: Sequence[Sentence],  # noqa: ARG002
        drawn: random.Random,  # noqa: ARG002
    ) -> dict[tuple[int, int], str | None]:
        """Return what stands elsewhere in the adversarial loss, as `with_words` takes it; nothing by default."""
        return {}

    def adversarial(
        self,
        trainee: Trainee,
        batch: Batch,
        moves: dict[str, torch.Tensor],
        changes: dict[tuple[int, int], str | None],
    ) -> torch.Tensor:
        """Return L_adv: the loss at w' + d_w, c' + d_c, where the moves d are those of the unchanged text."""
        changed = trainee.with_words(batch, changes)
        present = trainee.present(changed)
        moved = {
            table: vectors + moves[table] * present[table][:, :, None]
            for table, vectors in trainee.vectors(changed).items()
        }
        return trainee.loss(changed, moved)
