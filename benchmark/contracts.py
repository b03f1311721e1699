"""What an attack and a victim are to the harness.

An attack *proposes*: it walks through a sentence and hands candidates to the probe. It never counts queries and never
judges success. A victim *answers*: tags, and with more access probabilities.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar, dataclass_transform

from benchmark.errors import BadInput
from benchmark.threat import Access, Touch
from benchmark.types import Prediction, Sentence, Tags, Tokens

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.resources.loading import Resources

__all__ = [
    "Attack",
    "AttackCard",
    "Configured",
    "Constraint",
    "ConstraintProfile",
    "ModelConstraint",
    "PredictionConstraint",
    "Victim",
    "attack",
]


class Victim(Protocol):
    """A named-entity recogniser.

    Attributes:
        name: as given on the command line, for example `minilm/newsroom`.
        labels: IOB2 label set, in the order of the probabilities' columns.
        access: what it can give away.
        fingerprint: sha256 over weights, tokenizer and configuration.
        unknown_word: stands for a word it does not know; `[UNK]` where it has none of its own.
        settings: what else its answers depend on (back end, precision, pooling, shapes); part of a run's identity.
    """

    name: str
    labels: Tags
    access: Access
    fingerprint: str
    unknown_word: str
    settings: Mapping[str, Any]

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        """Tag each text, of which there may be thousands; the answer to one must not depend on the others."""

    def fits(self, tokens: Tokens) -> bool:
        """Tell whether the victim can read the whole text. Nothing is ever cut off in silence."""


class Constraint(Protocol):
    """A condition on the text of a candidate, checked before the victim is asked."""

    def objection(self, original: Sentence, candidate: Sentence) -> str | None:
        """Return why the candidate is not allowed, in a few words that reports count by, or None."""


class ModelConstraint(Protocol):
    """A condition on the text of a candidate that a model decides (an encoder, a tagger), asked through the engine."""

    async def objections(
        self, original: Sentence, candidates: Sequence[Sentence], resources: Resources
    ) -> list[str | None]:
        """Return for each candidate why it is not allowed, in a few words, or None."""


class PredictionConstraint(Protocol):
    """A condition on the victim's answer: a candidate may break the victim and yet not count."""

    def objection(self, original: Sentence, candidate: Sentence, prediction: Prediction) -> str | None:
        """Return why the candidate does not count, in a few words, or None."""


@dataclass(frozen=True, slots=True)
class AttackCard:
    """Facts about an attack.

    Attributes:
        name: the registered name.
        version: raised whenever the behaviour changes; name and version identify it.
        access: what it must see of the victim.
        touch: which tokens it may edit.
        paper: where it comes from.
        summary: first line of the class's docstring.
    """

    kind: ClassVar[str] = "attack"
    name: str
    version: int
    access: Access
    touch: Touch
    paper: str | None
    summary: str


class Configured(ABC):
    """What a user configures by parameters: annotated class attributes, as in a dataclass.

    Attributes:
        card: with name and kind; set by the decorator that makes the class a frozen dataclass.
    """

    card: ClassVar[Any]

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters in force, for specifications."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]  # every subclass is made a dataclass

    @classmethod
    def configured(cls, parameters: Mapping[str, Any]) -> Self:
        """Make one with some parameters changed.

        Raises:
            BadInput: an unknown parameter, or a value of the wrong type.
        """
        known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]  # every subclass is made a dataclass
        it = f"{cls.card.kind} {cls.card.name}"
        for name, value in parameters.items():
            if name not in known:
                raise BadInput(f"{it} has no parameter {name!r}; it has: {', '.join(known) or 'none'}")
            default = known[name].default
            if type(value) is not type(default) and not (isinstance(default, float) and type(value) is int):
                wanted = type(default).__name__
                raise BadInput(
                    f"{cls.card.kind} {cls.card.name}: {name} must be {wanted} (now {default!r}), not {value!r}"
                )
        return cls(**parameters)


class Attack(Configured):
    """Base of all attacks.

    Attributes:
        card: set by the `@attack` decorator.
        resources: what it leans on besides the victim.
        constraints: conditions on candidates' texts.
        model_constraints: conditions on candidates' texts that a model decides.
        prediction_constraints: conditions on the victim's answers.
    """

    card: ClassVar[AttackCard]

    def require(self, victim: Victim) -> None:
        """Refuse a victim that gives the access but lacks something else; asked before anything is attacked.

        Raises:
            VictimLacks: what it lacks, in one line.
        """

    @property
    def resources(self) -> Mapping[str, str]:
        """Name by kind (`resources.loading.KINDS`) of what is loaded for the attack; nothing by default."""
        return {}

    @property
    def constraints(self) -> Sequence[Constraint]:
        """Conditions on candidates' texts; none by default."""
        return ()

    @property
    def model_constraints(self) -> Sequence[ModelConstraint]:
        """Conditions on candidates' texts that a model decides; none by default."""
        return ()

    @property
    def prediction_constraints(self) -> Sequence[PredictionConstraint]:
        """Conditions on the victim's answers; none by default."""
        return ()

    @abstractmethod
    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Attack one sentence: propose candidates to the probe until it ends the attack or ideas run out."""


class ConstraintProfile(Protocol):
    """Constraints that can be put on top of any attack's own, by name (entry-point group `gauntlet.constraints`).

    Attributes:
        name: the registered name.
        version: raised whenever it turns away other candidates.
        resources: what it leans on; as in `Attack`.
    """

    name: str
    version: int
    resources: Mapping[str, str]
    constraints: Sequence[Constraint]
    model_constraints: Sequence[ModelConstraint]


AttackClass = TypeVar("AttackClass", bound=Attack)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def attack(
    name: str, *, access: Access, touch: Touch = Touch.ANY, version: int = 1, paper: str | None = None
) -> Callable[[type[AttackClass]], type[AttackClass]]:
    """Make a class an attack: a frozen dataclass of its parameters with a card.

    The class is found by name through the entry-point group `gauntlet.attacks`; the decorator does not register it.
    """

    def decorate(cls: type[AttackClass]) -> type[AttackClass]:
        summary = (cls.__doc__ or "").strip().partition("\n")[0]
        cls.card = AttackCard(name, version, access, touch, paper, summary)
        return dataclass(frozen=True, kw_only=True)(cls)

    return decorate
