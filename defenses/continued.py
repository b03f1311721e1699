"""The control of defenses that train a victim on: as long, on the same clean sentences."""

from __future__ import annotations

from dataclasses import replace

from benchmark.defending import Case, TrainedDefense, defense
from benchmark.training.hooks import Hooks
from benchmark.training.loop import Regimen
from benchmark.training.schedules import warm_up_then_stay
from benchmark.victims.recipe import TrainingRecipe
from defenses.adding import require_number
from defenses.augment import GENTLER


@defense("continued")
class Continued(TrainedDefense):
    """Train the victim for more epochs at a fifth of its learning rate, which does not fall.

    Beside `adversarial-rounds` and `flat` it tells what the longer training alone does.

    Attributes:
        epochs: how many; those of three rounds after a clean epoch by default. The last one is kept.
    """

    epochs: int = 4

    def __post_init__(self) -> None:
        require_number("epochs", self.epochs, 1)

    def recipe(self, plain: TrainingRecipe) -> TrainingRecipe:
        """Go on, gently."""
        return replace(plain, epochs=self.epochs, learning_rate=plain.learning_rate / GENTLER)

    def regimen(self, case: Case) -> Regimen:
        """Go on from the base."""
        return Regimen(case.sentences, _Staying(self.epochs), case.base_folder)


class _Staying(Hooks):
    """The last of some epochs is kept, and the rate stays where it is."""

    schedule = staticmethod(warm_up_then_stay)

    def __init__(self, epochs: int) -> None:
        self.chosen_from = epochs - 1
