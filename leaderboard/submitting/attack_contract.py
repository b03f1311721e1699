"""What every attack promises, as checks that say in plain words what is wrong. Our own attacks are tested with them.

Checking an attack executes its code.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from benchmark.attacking import Assault, Mode
from benchmark.contracts import Attack
from benchmark.engine import Engine, Job, Memory
from benchmark.goals import Clean, goal_named
from benchmark.journal import outcome_from_json, outcome_to_json
from benchmark.metrics import Example
from benchmark.probe import AttackOver, Probe, VictimService, rng_for
from benchmark.resources.loading import KINDS, Resources
from benchmark.threat import Budget, ThreatModel, Touch
from benchmark.types import Outcome, Prediction, Sentence, Status, Tokens
from leaderboard.submitting.checks import Check, card_faults, first_few, parameter_faults
from leaderboard.verifying.outcomes import Rules, faults_in

if TYPE_CHECKING:
    from benchmark.contracts import Victim

__all__ = ["ATTACK_CHECKS", "AttackTrial", "WatchedVictim"]

BUDGETS = (1, 7, 60)
_GOALS = ("untargeted-strict", "spurious", "entity-miss")
# What the probe turns away because of the attack, not because of the victim or a constraint.
_OUT_OF_BOUNDS = (
    "touches a mention",
    "touches the context",
    "empty word",
    "white space in a word",
    "invisible character in a word",
    "debris of a language model",
)
_MOST_TOLD = 3


class WatchedVictim:
    """A victim that remembers which texts it was asked about.

    Args:
        victim: answers.

    Attributes:
        asked: texts it tagged.
        differentiated: texts it was differentiated at.
    """

    def __init__(self, victim: Victim) -> None:
        self.asked: list[Tokens] = []
        self.differentiated: list[Tokens] = []
        self._victim = victim

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        """As the victim behind."""
        self.asked += batch
        return self._victim.predict(batch)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._victim, name)
        return partial(self._watched, found) if name == "batches" else found

    def _watched(self, batches: Callable[[Sequence[Tokens]], Any], texts: Sequence[Tokens]) -> Any:
        self.differentiated += texts
        return batches(texts)


@dataclass
class AttackTrial:
    """An attack with what it is tried on.

    Attributes:
        attack: with its parameters.
        name: under which it is registered.
        victim: what it attacks.
        sentences: what is attacked; ids are told in faults.
        resources: what it leans on, loaded.
        memory: the victim's answers, so that no check asks again what another one asked.
    """

    attack: Attack
    name: str
    victim: Victim
    sentences: Sequence[Sentence]
    resources: Resources = field(default_factory=Resources)
    memory: Memory = field(default_factory=Memory)

    def outcomes(
        self,
        sentences: Sequence[Sentence] | None = None,
        *,
        victim: Victim | None = None,
        goal: str = "untargeted-strict",
        mode: Mode = Mode.FIRST_SUCCESS,
        budget: int = 25,
        seed: int = 7,
        engine: Engine | None = None,
    ) -> list[Outcome]:
        """Attack the sentences, all of them by default; return their outcomes in order."""
        chosen = self.sentences if sentences is None else sentences
        assault = Assault(
            self.attack,
            victim or self.victim,
            goal_named(goal),
            mode,
            Budget(budget),
            seed,
            resources=self.resources,
        )
        done = {d.name: d.result for d in (engine or Engine(memory=self.memory)).run([assault.job(s) for s in chosen])}
        return [done[sentence.id] for sentence in chosen]


def _card(trial: AttackTrial) -> Iterator[str]:
    yield from card_faults(trial.attack, trial.name)
    unknown = sorted(set(trial.attack.resources) - set(KINDS))
    if unknown:
        yield f"its resources name {', '.join(unknown)}; there are: {', '.join(sorted(KINDS))}"


def _runs_through(trial: AttackTrial) -> Iterator[str]:
    for seed in (1, 2):
        yield from _errors(trial.outcomes(seed=seed), f"with seed {seed}")


def _keeps_to_the_budget(trial: AttackTrial) -> Iterator[str]:
    for mode in Mode:
        for budget in BUDGETS:
            yield from first_few(_over_budget(trial, mode, budget))


def _over_budget(trial: AttackTrial, mode: Mode, budget: int) -> Iterator[str]:
    where = f"with {budget} queries, {mode.value}"
    for sentence in trial.sentences:
        watched = WatchedVictim(trial.victim)
        victim, engine = cast("Victim", watched), Engine()
        (outcome,) = trial.outcomes([sentence], victim=victim, mode=mode, budget=budget, engine=engine)
        identity = VictimService(victim).identity
        if len(watched.asked) != engine.forwarded.get(identity, 0):
            yield f"{sentence.id!r} {where}: it asks the victim past the probe; `await probe(...)` is the only way"
        if outcome.status is Status.ERROR and not outcome.clean:
            continue  # told as an error
        if engine.asked.get(identity, 0) != outcome.search_queries + 1:
            told = f"{engine.asked.get(identity, 0) - 1} texts were asked, {outcome.search_queries} counted"
            yield f"{sentence.id!r} {where}: {told}"
        if outcome.status in {Status.SUCCESS, Status.FAILED} and outcome.forwards != len(watched.asked):
            yield f"{sentence.id!r} {where}: {len(watched.asked)} texts were forwarded, {outcome.forwards} counted"
        if len(watched.differentiated) > outcome.gradient_queries:
            told = f"{len(watched.differentiated)} gradients were taken, {outcome.gradient_queries} counted"
            yield f"{sentence.id!r} {where}: {told}"
        rules = Rules(goal_named("untargeted-strict"), mode, budget, _threat(trial))
        for fault in faults_in(Example(outcome), sentence, rules):
            yield f"{sentence.id!r} {where}: {fault.field}: {fault.wrong}, expected {fault.expected}"


def _ends_without_a_budget(trial: AttackTrial) -> Iterator[str]:
    """With nothing left to ask, an attack ends by the probe's exception or by itself, and finds nothing."""
    for sentence in trial.sentences:
        watched = WatchedVictim(trial.victim)
        (prediction,) = watched.predict([sentence.tokens])
        watched.asked.clear()
        goal, budget = goal_named("untargeted-strict"), Budget(1)
        clean = Clean(sentence, prediction, trial.victim.labels)
        if goal.unusable(clean):
            continue
        probe = Probe(
            VictimService(cast("Victim", watched)),
            clean,
            goal,
            _threat(trial),
            budget,
            rng_for(7, trial.name, sentence.id),
            trial.attack.constraints,
            trial.attack.prediction_constraints,
            trial.attack.model_constraints,
            trial.resources,
        )
        probe.search_queries = budget.queries
        (done,) = Engine().run([_job(trial.attack, sentence, probe)])
        if done.error is not None and not isinstance(done.error, AttackOver):
            yield f"{sentence.id!r}: with no query left it breaks off with {type(done.error).__name__}: {done.error}"
        if watched.asked or probe.found or probe.queries_left < 0:
            yield f"{sentence.id!r}: with no query left it asks on"


def _job(attack: Attack, sentence: Sentence, probe: Probe) -> Job:
    return Job(sentence.id, lambda: attack.run(sentence, probe))


def _is_deterministic(trial: AttackTrial) -> Iterator[str]:
    for mode in Mode:
        with _shaken(1):
            wanted = trial.outcomes(mode=mode)
        ways: dict[str, tuple[Engine, bool]] = {
            "attacked again": (Engine(memory=trial.memory), False),
            "attacked one by one": (Engine(1, 1, trial.memory), False),
            "attacked in reverse": (Engine(5, 3, trial.memory), True),
        }
        for seed, (way, (engine, backwards)) in enumerate(ways.items(), 2):
            with _shaken(seed):
                order = list(trial.sentences[::-1] if backwards else trial.sentences)
                found = {o.sentence_id: o for o in trial.outcomes(order, mode=mode, engine=engine)}
            differing = [repr(o.sentence_id) for o in wanted if found[o.sentence_id] != o]
            if differing:
                some = ", ".join(differing[:_MOST_TOLD])
                yield (
                    f"{way} ({mode.value}), {len(differing)} sentences end otherwise ({some}); "
                    "take random numbers from probe.rng only, and keep nothing from one sentence to the next"
                )


def _follows_its_edits(trial: AttackTrial) -> Iterator[str]:
    for mode in Mode:
        for goal in _GOALS:
            yield from first_few(_wrong_examples(trial, mode, goal))


def _wrong_examples(trial: AttackTrial, mode: Mode, goal: str) -> Iterator[str]:
    rules = Rules(goal_named(goal), mode, 25, _threat(trial))
    outcomes = trial.outcomes(goal=goal, mode=mode)
    yield from _errors(outcomes, f"under {goal}")
    for sentence, outcome in zip(trial.sentences, outcomes, strict=True):
        if outcome.status is Status.ERROR:
            continue
        for fault in faults_in(Example(outcome), sentence, rules):
            yield f"{sentence.id!r} under {goal}: {fault.field}: {fault.wrong}, expected {fault.expected}"
        if outcome_from_json(json.loads(json.dumps(outcome_to_json(outcome)))) != outcome:
            yield f"{sentence.id!r} under {goal}: its outcome comes back from JSON as another one"


def _stays_in_bounds(trial: AttackTrial) -> Iterator[str]:
    """The probe turns such candidates away; an attack that keeps proposing them wastes its time and its sample."""
    rejected: Counter[str] = Counter()
    for outcome in trial.outcomes(budget=60):
        rejected.update(outcome.rejected)
    for reason in _OUT_OF_BOUNDS:
        if rejected[reason] and (trial.attack.card.touch is not Touch.ANY or not reason.startswith("touches")):
            yield (
                f"it proposed {rejected[reason]} candidates that are turned away ({reason}); its card says "
                f"touch={trial.attack.card.touch.value}, so look for `sentence.inside(i)` before you edit token i"
                if reason.startswith("touches")
                else f"it proposed {rejected[reason]} candidates that are turned away ({reason})"
            )


ATTACK_CHECKS: tuple[Check[AttackTrial], ...] = (
    Check("has a card", _card),
    Check("has typed parameters", lambda trial: parameter_faults(trial.attack)),
    Check("runs through, whatever the seed", _runs_through),
    Check("keeps to its budget, and every text is counted", _keeps_to_the_budget),
    Check("ends when there is no budget", _ends_without_a_budget),
    Check("does the same whatever the order and the batches", _is_deterministic),
    Check("succeeds by edits only, and gold labels follow them", _follows_its_edits),
    Check("touches only what its card says", _stays_in_bounds),
)


def _threat(trial: AttackTrial) -> ThreatModel:
    return ThreatModel(trial.attack.card.access, trial.attack.card.touch)


def _errors(outcomes: Sequence[Outcome], where: str) -> Iterator[str]:
    broken = [outcome for outcome in outcomes if outcome.reason and outcome.status is not Status.SKIPPED]
    for outcome in broken[:_MOST_TOLD]:
        *_, place, error = ["", *(outcome.reason or "").splitlines()]
        yield f"{outcome.sentence_id!r} {where}: it breaks off with {error} ({place})"
    if len(broken) > _MOST_TOLD:
        yield f"{where}: {len(broken) - _MOST_TOLD} more sentences break off"


@contextlib.contextmanager
def _shaken(seed: int) -> Iterator[None]:
    """Set the global random generators, so that an attack which uses them is caught; put them back afterwards."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the one an attack might use
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
