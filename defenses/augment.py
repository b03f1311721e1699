"""Training on adversarial examples of one's own training set, and the control with random ones."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from benchmark.defending import Case, TrainedDefense, defense
from benchmark.errors import BadInput
from benchmark.training.hooks import Hooks
from benchmark.training.loop import Regimen
from benchmark.training.sentences import similar_lengths
from benchmark.types import Sentence
from benchmark.victims.recipe import TrainingRecipe
from defenses.adding import require_number, tell_if_fewer
from defenses.attacking import Assailant, attacked_training_set

SEQATTACK = "Simoncini & Spanakis 2021, SeqAttack: On Adversarial Attacks for Named Entity Recognition"
SCHEDULES = ("from-scratch", "continue")
# How much lower the learning rate is where training goes on.
GENTLER = 5


@dataclass(frozen=True, kw_only=True)
class AttackedSentences(TrainedDefense):
    """Base of defenses that attack the victim's own training set and train on what came of it.

    Attributes:
        n: how many attacked sentences are added, at most one of each; 0 for as many as there are.
        schedule: "from-scratch" trains a new network on the clean sentences and the attacked ones (SeqAttack, section
            3.2); "continue" trains the victim for one epoch more, at a fifth of its learning rate, on batches half of
            clean and half of attacked sentences, each attacked one once (Jin et al. 2023 leave all but this open).
        queries: budget a sentence.
    """

    n: int = 500
    schedule: str = SCHEDULES[0]
    queries: int = 512

    def __post_init__(self) -> None:
        require_number("n", self.n, 0)
        if self.schedule not in SCHEDULES:
            raise BadInput(f"schedule must be one of {', '.join(SCHEDULES)}, not {self.schedule!r}")

    @property
    @abstractmethod
    def assailant(self) -> Assailant:
        """What attacks."""

    @property
    def leans_on(self) -> Mapping[str, Any]:
        """The attack and its version."""
        return self.assailant.identity

    def recipe(self, plain: TrainingRecipe) -> TrainingRecipe:
        """Train one epoch more, gently, or all anew."""
        if self.schedule == "continue":
            return replace(plain, epochs=1, learning_rate=plain.learning_rate / GENTLER)
        return plain

    def regimen(self, case: Case) -> Regimen:
        """Attack, then train."""
        attacked, made, cost = attacked_training_set(case, self.assailant, self.n)
        tell_if_fewer(self.card.name, len(attacked), self.n)
        if self.schedule == "continue":
            return Regimen(attacked, HalfClean(case.sentences), case.base_folder, made, cost)
        return Regimen([*case.sentences, *attacked], made=made, cost=cost)


@defense("augment", paper=SEQATTACK)
class Augment(AttackedSentences):
    """Train on adversarial examples of the victim's own training set, gold labels kept.

    Attributes:
        attack: name of an attack, perhaps with parameters: deepwordbug-i(max_edit_distance=5).
        goal: what counts as success.
    """

    attack: str = ""
    goal: str = "untargeted"

    @property
    def assailant(self) -> Assailant:
        """The attack that is named."""
        return Assailant(self.attack, self.goal, self.queries)


@defense("random-augment", version=2, paper=SEQATTACK)
class RandomAugment(AttackedSentences):
    """The control of `augment`: as many training sentences, edited at random without regard to the victim.

    They are drawn from those that `augment` draws from, in which the victim gets something right that could be broken;
    else the control would learn from fewer mentions.

    Attributes:
        attack: one that edits at random: random-edit beside misspellings, random-word(like=NAME) beside the word attack
            of that name. Choose its `words` so that the modification rates are near each other.
        among: the goal of the `augment` that it stands beside.
    """

    attack: str = "random-edit"
    among: str = "untargeted"

    @property
    def assailant(self) -> Assailant:
        """The random attack; its first text that is another one will do."""
        return Assailant(self.attack, "perturbed", self.queries, self.among)


class HalfClean(Hooks):
    """Batches half of the sentences they are given, half of clean ones in random order.

    Args:
        clean: sentences; they come again where there are fewer of them.
    """

    def __init__(self, clean: Sequence[Sentence]) -> None:
        self._clean = clean

    def batches(self, sentences: Sequence[Sentence], size: int, order: random.Random) -> Iterator[list[Sentence]]:
        """Yield the batches of an epoch; in batches of an odd size the clean ones are one more."""
        half = max(1, size // 2)
        clean = self._shuffled(order)
        for given in similar_lengths(sentences, half, order):
            yield [*given, *islice(clean, len(given) + size - 2 * half)]

    def _shuffled(self, order: random.Random) -> Iterator[Sentence]:
        while True:
            yield from order.sample(self._clean, len(self._clean))
