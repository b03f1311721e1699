"""Word dropout (Gal & Ghahramani 2016): words are hidden at random, so that others must do."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmark.defending import Case, TrainedDefense, defense
from benchmark.training.hooks import Hooks
from benchmark.training.loop import Regimen
from benchmark.types import Sentence
from defenses.adding import require_number

if TYPE_CHECKING:
    import torch

    from benchmark.training.trainee import Trainee


@defense("word-dropout")
class WordDropout(TrainedDefense):
    """Hide random words behind the mask, other ones in each epoch.

    Attributes:
        rate: share of the words.
    """

    rate: float = 0.1

    def __post_init__(self) -> None:
        require_number("rate", self.rate, 0, 1)

    def regimen(self, case: Case) -> Regimen:
        """Train on what there is, words hidden."""
        return Regimen(case.sentences, _HidingWords(self.rate))


class _HidingWords(Hooks):
    def __init__(self, rate: float) -> None:
        self._rate = rate

    def loss(self, trainee: Trainee, sentences: Sequence[Sentence], drawn: random.Random) -> torch.Tensor:
        """Return the loss with words hidden."""
        places = [(row, i) for row, sentence in enumerate(sentences) for i in range(len(sentence))]
        hidden = [place for place in places if drawn.random() < self._rate]
        return trainee.loss(trainee.with_words(trainee.encode(sentences), dict.fromkeys(hidden)))
