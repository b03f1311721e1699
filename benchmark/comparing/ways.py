"""Ways to run an attack of ours: what another project's has to offer, our engine's, and the pure forward."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from benchmark.engine import Engine, Memory, Service
from benchmark.plan import EngineOptions
from benchmark.probe import VictimService
from benchmark.types import Status

if TYPE_CHECKING:
    from benchmark.attacking import Assault
    from benchmark.contracts import Attack
    from benchmark.types import Sentence

__all__ = [
    "LIMIT",
    "OURS",
    "Attacked",
    "Lockstep",
    "Noted",
    "OthersWay",
    "PureForward",
    "Questions",
    "Way",
    "models_of",
]

OURS, LIMIT = "gauntlet", "pure_forward"

Questions = Mapping[str, Sequence[Hashable]]
"""What was asked of each model, by its identity."""


class Attacked(NamedTuple):
    """How the attack on a sentence ended.

    Attributes:
        status: as in `Outcome`.
        queries: texts asked, the clean one not counted.
    """

    status: Status
    queries: int


class Way(Protocol):
    """A way to attack sentences with an attack of ours."""

    def equipped(self, assault: Assault) -> Assault:
        """Return the same assault with the models as this way asks them.

        Raises:
            BadInput: it cannot run this victim.
        """

    def attack(
        self, assault: Assault, sentences: Sequence[Sentence], tick: Callable[[], None]
    ) -> Mapping[str, Attacked]:
        """Attack the sentences and call `tick` after each; this is what is timed.

        Returns:
            How each ended, by sentence id.
        """


class OthersWay(Way, Protocol):
    """Another project's way."""

    def require(self, attack: Attack) -> None:
        """Make sure that it can be measured, before anything is loaded.

        Raises:
            MissingResource: something is not installed.
            BadInput: it cannot run this attack.
        """


class Lockstep:
    """Our engine.

    Args:
        memory: keeps answers; one of its own for each attack if None.
    """

    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory

    def equipped(self, assault: Assault) -> Assault:
        """As loaded."""
        return assault

    def attack(
        self, assault: Assault, sentences: Sequence[Sentence], tick: Callable[[], None]
    ) -> Mapping[str, Attacked]:
        """Attack as `gauntlet run` does."""
        options = EngineOptions()
        attacked = {}
        engine = Engine(options.concurrency, options.batch_size, self._memory)
        for done in engine.run(assault.job(sentence) for sentence in sentences):
            attacked[done.name] = Attacked(done.result.status, done.result.search_queries)
            tick()
        return attacked


class PureForward:
    """The limit.

    Args:
        questions: put to the models.
    """

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def equipped(self, assault: Assault) -> Assault:
        """As loaded."""
        return assault

    def attack(
        self,
        assault: Assault,
        sentences: Sequence[Sentence],  # noqa: ARG002 - nothing is attacked
        tick: Callable[[], None],  # noqa: ARG002 - there are no steps
    ) -> Mapping[str, Attacked]:
        """Let each model answer all its questions."""
        for identity, service in models_of(assault).items():
            service.answer(self._questions.get(identity, ()))
        return {}


class Noted(Memory):
    """Remembers, and keeps which questions models had to answer."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: dict[str, dict[Hashable, None]] = {}

    @property
    def questions(self) -> Questions:
        """The distinct ones."""
        return {model: list(asked) for model, asked in self._asked.items()}

    def keep(self, key: tuple[str, Hashable], answer: Any) -> None:
        """Remember the answer and note the question."""
        model, question = key
        self._asked.setdefault(model, {})[question] = None
        super().keep(key, answer)


def models_of(assault: Assault) -> dict[str, Service[Any, Any]]:
    """Return the models of an assault by identity."""
    resources = assault.resources
    services: list[Service[Any, Any]] = [VictimService(assault.victim)]
    services += [getattr(resources, kind) for kind in resources.identities]
    return {service.identity: service for service in services}
