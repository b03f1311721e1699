"""Where a defense can change a training."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmark.training.schedules import Schedule
from benchmark.training.sentences import similar_lengths
from benchmark.types import Sentence

if TYPE_CHECKING:
    import torch

    from benchmark.training.trainee import Trainee

__all__ = ["Hooks"]


class Hooks:
    """Plain training; a defense overrides what it does otherwise.

    The generators that methods are given are seeded by the epoch's number, so what a method draws from them is the same
    in a training that was interrupted. `drawn` is apart from the one that orders sentences: a defense that draws
    nothing, or more, meets the same order.

    Attributes:
        normalised: train on normalised embeddings, where the architecture has some to normalise.
        chosen_from: the first epoch that may be kept as the best one. A defense that begins to defend later would
            otherwise be judged by how it was before.
        schedule: the learning rate's course; None for the architecture's.
    """

    normalised: bool = False
    chosen_from: int = 0
    schedule: Schedule | None = None

    def equip(self, trainee: Trainee) -> None:
        """Put into a fresh network what the defense trains besides, and name it by `Trainee.add`."""

    def sentences(
        self,
        trainee: Trainee,  # noqa: ARG002 - for those who attack it as it is now
        epoch: int,  # noqa: ARG002
        given: Sequence[Sentence],
        drawn: random.Random,  # noqa: ARG002
    ) -> Sequence[Sentence]:
        """Return an epoch's sentences (epochs count from 0); what is drawn from PyTorch here changes nothing else."""
        return given

    def batches(self, sentences: Sequence[Sentence], size: int, order: random.Random) -> Iterator[list[Sentence]]:
        """Yield an epoch's batches."""
        return similar_lengths(sentences, size, order)

    def loss(self, trainee: Trainee, sentences: Sequence[Sentence], drawn: random.Random) -> torch.Tensor:  # noqa: ARG002
        """Return the loss of a batch."""
        return trainee.loss(trainee.encode(sentences))

    def made(self) -> Mapping[str, Any]:
        """Return what the card should tell of the training, when it is done."""
        return {}

    def cost(self) -> Mapping[str, Any]:
        """Return what was spent besides training, when it is done."""
        return {}
