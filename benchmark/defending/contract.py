"""What a defense is to the harness."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

from benchmark.contracts import Configured, Victim
from benchmark.datasets import Dataset
from benchmark.threat import Access
from benchmark.types import Sentence
from benchmark.victims.finding import VictimOptions
from benchmark.victims.recipe import TrainingRecipe

if TYPE_CHECKING:
    from benchmark.training.architecture import Architecture
    from benchmark.training.loop import Regimen

__all__ = ["Case", "Defense", "DefenseCard", "FrontEnd", "TrainedDefense", "defense"]


@dataclass(frozen=True, slots=True)
class DefenseCard:
    """Facts about a defense.

    Attributes:
        name: the registered name.
        version: raised whenever the behaviour changes; name and version identify it.
        paper: where it comes from.
        summary: first line of the class's docstring.
    """

    kind: ClassVar[str] = "defense"
    name: str
    version: int
    paper: str | None
    summary: str


@dataclass(frozen=True)
class Case:
    """A training that a defense is to change.

    Attributes:
        architecture: of the victim.
        dataset: that it is trained on.
        source: name by which the data set is found.
        plain: recipe of the victim without the defense.
        base: name of that victim.
        options: how it is loaded.
        work: folder for what the defense must keep in case it is interrupted; gone when the training is done.
    """

    architecture: Architecture
    dataset: Dataset
    source: str
    plain: TrainingRecipe
    base: str
    options: VictimOptions
    work: Path

    @cached_property
    def sentences(self) -> list[Sentence]:
        """What the victim without the defense is trained on."""
        from benchmark.training.sentences import training_sentences

        return self.architecture.readable(training_sentences(self.plain, self.dataset))

    @cached_property
    def base_folder(self) -> Path:
        """Where the victim without the defense is; it is trained if need be."""
        return self.architecture.folder_of(self.plain, self.dataset, self.base, self.options)


class Defense(Configured):
    """Base of all defenses: a frozen dataclass of parameters, made so by `@defense`.

    A text that must be given has the empty text as its default.

    Attributes:
        card: set by the decorator.
    """

    card: ClassVar[DefenseCard]


class TrainedDefense(Defense):
    """A defense that trains a victim."""

    def recipe(self, plain: TrainingRecipe) -> TrainingRecipe:
        """Return the recipe that the defense trains by; by default that of the victim without it."""
        return plain

    @property
    def leans_on(self) -> Mapping[str, Any]:
        """What decides the outcome besides parameters and recipe, such as the version of an attack; JSON-ready."""
        return {}

    @abstractmethod
    def regimen(self, case: Case) -> Regimen:
        """Return what is trained on, and how. Called again where a training was interrupted.

        Raises:
            GauntletError: parameters that make no sense here, or something is missing.
        """


class FrontEnd(Defense):
    """A defense that stands before any victim and trains nothing.

    Attributes:
        access: the most that a victim behind it gives, whatever it gives alone.
    """

    access: ClassVar[Access] = Access.GRADIENTS

    @abstractmethod
    def before(self, victim: Victim, training: Sequence[Sentence]) -> Victim:
        """Return the victim with the defense in front of it, named and fingerprinted as another one.

        Args:
            victim: any.
            training: what it was trained on, where its name tells; else nothing.
        """


DefenseClass = TypeVar("DefenseClass", bound=Defense)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def defense(
    name: str, *, version: int = 1, paper: str | None = None
) -> Callable[[type[DefenseClass]], type[DefenseClass]]:
    """Make a class a defense: a frozen dataclass of its parameters with a card.

    The class is found by name through the entry-point group `gauntlet.defenses`; the decorator does not register it.
    """

    def decorate(cls: type[DefenseClass]) -> type[DefenseClass]:
        summary = (cls.__doc__ or "").strip().partition("\n")[0]
        cls.card = DefenseCard(name, version, paper, summary)
        return dataclass(frozen=True, kw_only=True)(cls)

    return decorate
