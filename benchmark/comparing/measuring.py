"""Measuring ways by turns, on models that remember nothing of the turn before."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmark.attacking import Assault, Mode
from benchmark.backends import AUTO, require_backend
from benchmark.comparing.findings import Comparison, Measured
from benchmark.comparing.reference import REFERENCE, on_reference
from benchmark.comparing.ways import LIMIT, OURS, Lockstep, Noted, OthersWay, PureForward, Questions, Way, models_of
from benchmark.errors import BadInput
from benchmark.finding import attack_named, resources_wanted
from benchmark.goals import goal_named
from benchmark.probe import VictimService
from benchmark.progress import Progress, silent
from benchmark.registry import Registry
from benchmark.resources.language_models import Gap
from benchmark.threat import Budget
from benchmark.workshop import Workshop

if TYPE_CHECKING:
    from benchmark.comparing.ways import Attacked
    from benchmark.plan import Plan

__all__ = ["COMPARISONS", "compare"]

# Questions of each kind that the models answer before they are timed.
_RUN_IN = 64

# The component is called without arguments and makes the way.
COMPARISONS: Registry[Callable[[], OthersWay]] = Registry("comparison", "gauntlet.comparisons")


def compare(
    plans: Sequence[Plan],
    backends: Sequence[str],
    repeats: int,
    report: Progress = silent,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    """Measure our engine, every registered way, and the pure forward.

    Args:
        plans: one for each attack, alike in all else.
        backends: of the victim, in single precision; `REFERENCE` is measured whether it is named or not.
        repeats: timed runs of each.
        report: told how far it is.
        clock: tells seconds.

    Raises:
        BadInput: the numbers, an attack or the victim cannot be compared.
        MissingResource: a way needs something that is not installed.
    """
    if repeats < 1:
        raise BadInput(f"the number of repeats must be at least 1, not {repeats}")
    for plan in plans:
        _require_comparable(plan)
    for name in backends:
        require_backend(name, "float32")
    others = {name: COMPARISONS.get(name)() for name in COMPARISONS}
    for other, plan in itertools.product(others.values(), plans):
        other.require(attack_named(plan.attack, plan.parameters))
    bench = _Bench(plans[0], report, clock)
    backends = list(dict.fromkeys([REFERENCE, *map(bench.backend_named, backends)]))
    for plan, backend in itertools.product(plans, backends):
        assault = bench.assault(plan, backend)
        for other in others.values():
            other.equipped(assault)  # what cannot be measured is said before anything is
    measured: dict[tuple[str, str, str], Measured] = {}
    asked: dict[tuple[str, str], dict[str, int]] = {}
    for plan in plans:
        questions = {backend: bench.questions(plan, backend) for backend in backends}
        for (backend, way), found in bench.contest(plan, questions, others, repeats).items():
            measured[plan.attack, backend, way] = found
        for backend, models in questions.items():
            asked[plan.attack, backend] = {model: len(own) for model, own in models.items()}
    return Comparison(plans[0], len(bench.sentences), measured, asked)


class _Bench:
    """The sentences, chosen once; a victim and an encoder for every measurement, so that none remembers an answer.

    Language models are loaded once: they keep no answers.
    """

    def __init__(self, plan: Plan, report: Progress, clock: Callable[[], float]) -> None:
        self._report = report
        self._clock = clock
        self._plan = plan
        self._workshop = Workshop(report)
        self.sentences = self._workshop.selection(_on(plan, AUTO)).sentences

    def backend_named(self, name: str) -> str:
        """Return which back end `AUTO` is; others are what they are called."""
        if name != AUTO:
            return name
        return str(self._workshop.victim(_on(self._plan, AUTO)).settings["backend"]).rpartition("-")[0]

    def assault(self, plan: Plan, backend: str) -> Assault:
        """Load all models."""
        plan, workshop = _on(plan, backend), Workshop()
        attack, victim = attack_named(plan.attack, plan.parameters), workshop.victim(plan)
        resources = workshop.resources(resources_wanted(attack, None), plan)
        if backend == REFERENCE:
            resources = on_reference(resources)
        return Assault(
            attack,
            victim,
            goal_named(plan.goal),
            plan.mode,
            Budget(plan.queries),
            plan.seed,
            resources=resources,
        )

    def questions(self, plan: Plan, backend: str) -> Questions:
        """Attack once, untimed, to see what is asked."""
        noted = Noted()
        tick = self._ticking(f"{plan.attack} on {backend}, noting what is asked")
        Lockstep(noted).attack(self.assault(plan, backend), self.sentences, tick)
        return noted.questions

    def contest(
        self, plan: Plan, questions: Mapping[str, Questions], others: Mapping[str, Way], repeats: int
    ) -> dict[tuple[str, str], Measured]:
        """Measure all ways by turns; return what was found by back end and way."""
        entries: list[tuple[str, str, Way]] = [
            (backend, name, way)
            for backend, own in questions.items()
            for name, way in {OURS: Lockstep(), **others, LIMIT: PureForward(own)}.items()
        ]
        runs: dict[tuple[str, str], list[tuple[float, Mapping[str, Attacked]]]] = {}
        for repeat in range(repeats):
            turn = repeat * len(entries) // repeats
            for backend, name, way in entries[turn:] + entries[:turn]:
                tick = self._ticking(f"{plan.attack}, {name} on {backend}, {repeat + 1} of {repeats}")
                assault = way.equipped(self.assault(plan, backend))
                _run_in(assault, questions[backend])
                runs.setdefault((backend, name), []).append(self._timed(way, assault, tick))
        return {
            (backend, name): Measured(tuple(seconds for seconds, _ in own), own[0][1])
            for (backend, name), own in ((entry[:2], runs[entry[:2]]) for entry in entries)
        }

    def _timed(self, way: Way, assault: Assault, tick: Callable[[], None]) -> tuple[float, Mapping[str, Attacked]]:
        gc.collect()
        start = self._clock()
        attacked = way.attack(assault, self.sentences, tick)
        return self._clock() - start, attacked

    def _ticking(self, stage: str) -> Callable[[], None]:
        total = len(self.sentences)
        done = iter(range(1, total + 1))
        self._report(stage, 0, total)
        return lambda: self._report(stage, next(done), total)


def _require_comparable(plan: Plan) -> None:
    """Refuse what other ways would leave out without a word."""
    if plan.constraints is not None or plan.mode is not Mode.FIRST_SUCCESS or plan.options.precision != "float32":
        raise BadInput(
            "speeds are compared in single precision, in the mode first-success and without a profile of constraints: "
            "TextAttack's loop knows no other"
        )


def _on(plan: Plan, backend: str) -> Plan:
    return replace(plan, options=replace(plan.options, backend=backend))


def _run_in(assault: Assault, questions: Questions) -> None:
    """Let the models warm up without giving answers away: cut all words into pieces, answer some questions backwards.

    Texts read from their end have the shapes of those that will be asked, but are others.
    """
    for identity, service in models_of(assault).items():
        asked = questions.get(identity, ())
        model = assault.victim if isinstance(service, VictimService) else service
        if hasattr(model, "fits"):
            texts: Iterable[Any] = (question.tokens if isinstance(question, Gap) else question for question in asked)
            model.fits(tuple(dict.fromkeys(word for text in texts for word in text)))
        known = set(asked)
        sample = [_backwards(question) for question in asked[:: -(-len(asked) // _RUN_IN) or 1]]
        sample = [question for question in sample if question not in known]
        for few in (sample[:1], sample[1:]):  # a lone text too: torch.compile makes a graph of its own for it
            service.answer(few)


def _backwards(question: Any) -> Hashable:
    if isinstance(question, Gap):
        return question._replace(tokens=question.tokens[::-1], at=len(question.tokens) - 1 - question.at)
    return " ".join(question.split(" ")[::-1]) if isinstance(question, str) else tuple(question[::-1])
