"""Adversarial training in rounds: the training set is attacked again and again with the victim as it is by then.

This is the traditional adversarial training that FLAT is compared with (Chen & Ji 2022, equation 5), and the frame in
which `flat` trains: the victim goes on learning from its own weights, after some clean epochs it is attacked on its
training set, and each attacked sentence is learnt beside its original until the next attack replaces it. The paper
learns what all attacks left behind, failed ones included; here it is the successes, as in `augment`, so that defenses
can be compared at equal n.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchmark.defending import Case, TrainedDefense, defense
from benchmark.errors import BadInput
from benchmark.finding import attack_named, resources_wanted
from benchmark.threat import Access, Budget
from benchmark.training.hooks import Hooks
from benchmark.training.loop import Regimen
from benchmark.training.schedules import warm_up_then_stay
from benchmark.types import Sentence
from benchmark.victims.recipe import TrainingRecipe
from defenses.adding import require_number, tell_if_fewer
from defenses.attacking import Assailant, attacked
from defenses.augment import GENTLER

if TYPE_CHECKING:
    import torch

    from benchmark.resources.loading import Resources
    from benchmark.training.trainee import Trainee

__all__ = ["FLAT", "AdversarialRounds", "InRounds", "Rounds"]

FLAT = "Chen & Ji 2022, Adversarial Training for Improving Model Robustness? Look at Both Prediction and Interpretation"


@dataclass(frozen=True, kw_only=True)
class InRounds(TrainedDefense):
    """Base of defenses that attack their own victim while they train it.

    Training goes on from the base victim at a fifth of its learning rate, which does not fall, so that the last round
    is learnt as the first; for `clean` + `rounds` · `epochs` epochs. Of those of the last round the one with the best
    dev F1 is kept. The control `continued` trains as long and is not attacked.

    Attributes:
        attack: name of an attack that asks for no gradients, perhaps with parameters.
        rounds: how often the training set is attacked.
        clean: epochs before the first attack.
        epochs: epochs after each.
        n: attacked sentences learnt in each round, successes only, at most one of each; 0 for as many as there are.
        goal: what counts as success.
        among: a goal; sentences that offer it nothing to break are left out. So a control with random edits, whose goal
            is "perturbed", learns from the sentences that an attack can break.
        queries: budget a sentence.
    """

    attack: str = "textfooler"
    rounds: int = 3
    clean: int = 1
    epochs: int = 1
    n: int = 500
    goal: str = "untargeted"
    among: str = "untargeted"
    queries: int = 512

    def __post_init__(self) -> None:
        require_number("rounds", self.rounds, 1)
        require_number("clean", self.clean, 0)
        require_number("epochs", self.epochs, 1)
        require_number("n", self.n, 0)

    @property
    def assailant(self) -> Assailant:
        """The attack that is named."""
        return Assailant(self.attack, self.goal, self.queries, self.among)

    @property
    def leans_on(self) -> Mapping[str, Any]:
        """The attack and its version.

        Raises:
            BadInput: no such attack, or one that asks for gradients.
        """
        attack = attack_named(*self.assailant.named)
        if attack.card.access is Access.GRADIENTS:
            # Attacks read a victim's tables once; these change from step to step.
            raise BadInput(
                f"{self.card.name} attacks a victim in training, and {attack.card.name} needs its gradients; "
                "take an attack that does not, such as textfooler or bert-attack"
            )
        return self.assailant.identity

    def recipe(self, plain: TrainingRecipe) -> TrainingRecipe:
        """Go on, gently, for all the epochs."""
        epochs = self.clean + self.rounds * self.epochs
        return replace(plain, epochs=epochs, learning_rate=plain.learning_rate / GENTLER)

    def regimen(self, case: Case) -> Regimen:
        """Go on from the base."""
        return Regimen(case.sentences, self.hooks(case), case.base_folder)

    @abstractmethod
    def hooks(self, case: Case) -> Rounds:
        """Return what is different in training."""


@defense("adversarial-rounds", version=2, paper=FLAT)
class AdversarialRounds(InRounds):
    """Train on adversarial examples of the victim as it is by then, round after round; the control of `flat`."""

    def hooks(self, case: Case) -> Rounds:
        """Return the rounds alone."""
        return Rounds(case, self)


class Rounds(Hooks):
    """The attacks, and the loss on clean and attacked sentences (FLAT, equations 2 and 5).

    Every sentence counts alike, clean or attacked.

    Args:
        case: the training.
        settings: of the rounds.
    """

    schedule = staticmethod(warm_up_then_stay)

    def __init__(self, case: Case, settings: InRounds) -> None:
        self._case, self._settings = case, settings
        self._round = 0  # of which the partners are; 0 before the first
        self._partners: dict[str, Sentence] = {}
        self.chosen_from = settings.clean + (settings.rounds - 1) * settings.epochs

    def sentences(
        self,
        trainee: Trainee,
        epoch: int,
        given: Sequence[Sentence],
        drawn: random.Random,  # noqa: ARG002 - an attack's generators are seeded by sentence
    ) -> Sequence[Sentence]:
        """Attack where a round begins; the attacked sentences come beside their originals."""
        after = epoch - self._settings.clean
        number = after // self._settings.epochs + 1 if after >= 0 else 0
        begins = number > 0 and after % self._settings.epochs == 0
        if begins:
            self._forget_unless_of(trainee, number)
        if begins or number != self._round:  # or a training that was interrupted goes on within a round
            self._partners = self._attacked(trainee, number) if number else {}
            self._round = number
        return given

    def loss(self, trainee: Trainee, sentences: Sequence[Sentence], drawn: random.Random) -> torch.Tensor:  # noqa: ARG002
        """Return the loss of a batch and of the attacked sentences beside it."""
        loss = self.prediction(trainee, sentences)
        partners = [partner for _, partner in self.pairs(sentences)]
        if not partners:
            return loss
        return loss + len(partners) / len(sentences) * self.prediction(trainee, partners)

    def prediction(self, trainee: Trainee, sentences: Sequence[Sentence]) -> torch.Tensor:
        """Return the mean loss of sentences, clean or attacked."""
        return trainee.loss(trainee.encode(sentences))

    def pairs(self, sentences: Sequence[Sentence]) -> list[tuple[Sentence, Sentence]]:
        """Return the sentences that were attacked in this round, each with what came of it."""
        return [(one, self._partners[one.id]) for one in sentences if one.id in self._partners]

    def made(self) -> Mapping[str, Any]:
        """Return how the attacked sentences of each round came about."""
        return {"rounds": [told["made"] for told in self._told()]}

    def cost(self) -> Mapping[str, Any]:
        """Return queries of the victim, and the seconds of the training that went to attacks."""
        costs = [told["cost"] for told in self._told()]
        return {
            "attacking_seconds": round(sum(cost["preparing_seconds"] for cost in costs), 3),
            "victim_queries": sum(cost["victim_queries"] for cost in costs),
        }

    def _told(self) -> list[dict[str, Any]]:
        numbers = range(1, self._settings.rounds + 1)
        files = [self._case.work / f"round-{number}" / "told.json" for number in numbers]
        # Patience may have ended the training before the last round's end, never before its beginning.
        return [json.loads(file.read_text(encoding="utf-8")) for file in files]

    def _forget_unless_of(self, trainee: Trainee, number: int) -> None:
        """Drop what another network left, one that died at a higher rate."""
        from benchmark.store import write_atomically

        folder = self._case.work / f"round-{number}"
        digest = hashlib.sha256()
        for name, tensor in sorted(trainee.whole_state().items()):
            digest.update(name.encode() + tensor.numpy().tobytes())
        mark = folder / "weights"
        if mark.is_file() and mark.read_text(encoding="utf-8") == digest.hexdigest():
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_atomically(mark, digest.hexdigest())

    def _attacked(self, trainee: Trainee, number: int) -> dict[str, Sentence]:
        """Attack, or read what a finished attack left, and return by id what broke the victim."""
        from benchmark.attacking import Assault, Mode
        from benchmark.goals import goal_named
        from benchmark.store import write_atomically

        settings, case = self._settings, self._case
        trainee.network.eval()  # nothing is drawn while it is asked
        assault = Assault(
            attack_named(*settings.assailant.named),
            trainee.victim,
            goal_named(settings.goal),
            Mode.FIRST_SUCCESS,
            Budget(settings.queries),
            case.plain.seed,
            resources=self._resources,
        )
        folder = case.work / f"round-{number}"
        order, among = f"{case.plain.seed} attacked {number}", goal_named(settings.among)
        spoils = attacked(case, assault, folder, settings.n, order, among)
        # Even where as many are wanted as there are: a round without any teaches nothing but the clean sentences.
        tell_if_fewer(f"{settings.card.name}, round {number},", len(spoils.sentences), max(settings.n, 1))
        write_atomically(folder / "told.json", json.dumps({"made": spoils.made, "cost": spoils.cost}))
        return {sentence.id: sentence for sentence in spoils.sentences}

    @cached_property
    def _resources(self) -> Resources:
        """What the attack leans on, loaded once for all rounds; a victim that it looks at is the base."""
        from benchmark.plan import Plan
        from benchmark.workshop import Workshop

        case, attack = self._case, attack_named(*self._settings.assailant.named)
        plan = Plan(attack.card.name, case.base, case.source, "train", options=case.options)
        return Workshop(case.options.report).resources(resources_wanted(attack, None), plan)
