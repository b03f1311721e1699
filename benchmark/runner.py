"""From a plan to a result: one sentence's way through the house, once.

`run` is idempotent: a finished run is read back, an interrupted one goes on, examples without a result are scored
again. It always ends in the same bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmark.attacking import Assault, Mode, mentions_of
from benchmark.contracts import Attack, ConstraintProfile, Victim
from benchmark.datasets import Dataset, find_dataset
from benchmark.device import choose_device
from benchmark.engine import Engine, Memory
from benchmark.errors import BadInput
from benchmark.goals import goal_named
from benchmark.journal import Journal
from benchmark.judging import Judges
from benchmark.metrics import METRICS, per_type, rejections
from benchmark.progress import Progress, silent
from benchmark.provenance import Stopwatch, machine, versions
from benchmark.registry import Registry
from benchmark.resources.encoders import DEFAULT_ENCODER
from benchmark.resources.grammar import DEFAULT_CHECKER
from benchmark.resources.loading import LEARNING, Circumstances, Resource, Resources, load_resource
from benchmark.selection import Selection, SelectionRule, select
from benchmark.spec import SCHEMA, RunSpec
from benchmark.store import RunFolder, open_results
from benchmark.threat import Budget
from benchmark.types import Status
from benchmark.victims import VictimOptions, find_victim, require_same_types

if TYPE_CHECKING:
    from benchmark.types import Tokens

__all__ = [
    "ATTACKS",
    "ATTACK_FAMILIES",
    "CONSTRAINTS",
    "EngineOptions",
    "Plan",
    "RunReport",
    "Workshop",
    "attack_named",
    "profile_named",
    "resources_wanted",
    "run",
]

ATTACKS: Registry[type[Attack]] = Registry("attack", "gauntlet.attacks")
# FAMILY:REST names an attack of a family; the family's component makes it from the rest and the parameters.
ATTACK_FAMILIES: Registry[Callable[[str, Mapping[str, Any]], Attack]] = Registry(
    "attack family", "gauntlet.attack_families"
)
CONSTRAINTS: Registry[type[ConstraintProfile]] = Registry("constraint profile", "gauntlet.constraints")


@dataclass(frozen=True)
class Plan:
    """What a user asks for, by names.

    Attributes:
        attack: name.
        victim: name.
        dataset: name.
        split: of the data set.
        parameters: of the attack, where they differ from the defaults.
        constraints: a profile of constraints on top of the attack's own; None for none.
        goal: what counts as success.
        mode: first-success or escalate.
        queries: budget a sentence.
        seed: of the attack's random numbers.
        selection: which sentences.
        options: how the victim is loaded.
        encoder: sentence encoder that judges similarity; None for the default.
        grammar: checker that judges grammar; None for the default.
        fluency: language model that judges fluency; None for nobody. A finished run is judged again, by all three, only
            if at least one is named.
    """

    attack: str
    victim: str = "minilm/newsroom"
    dataset: str = "newsroom"
    split: str = "test"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    constraints: str | None = None
    goal: str = "untargeted-strict"
    mode: Mode = Mode.FIRST_SUCCESS
    queries: int = 512
    seed: int = 0
    selection: SelectionRule = field(default_factory=SelectionRule)
    options: VictimOptions = field(default_factory=VictimOptions)
    encoder: str | None = None
    grammar: str | None = None
    fluency: str | None = None


@dataclass(frozen=True)
class EngineOptions:
    """How the work is cut; it never changes a result.

    Attributes:
        concurrency: sentences attacked at once.
        batch_size: texts handed to the victim at a time.
        reverse: take the sentences from the last to the first.
        retry_errors: attack sentences again that ended in an error.
    """

    concurrency: int = 64
    batch_size: int = 256
    reverse: bool = False
    retry_errors: bool = False


class RunReport(NamedTuple):
    """A run's result and what this call had to do for it.

    Attributes:
        result: the content of result.json.
        folder: where it is.
        attacked: sentences attacked by this call; 0 if all were finished before.
    """

    result: dict[str, Any]
    folder: RunFolder
    attacked: int


def attack_named(name: str, parameters: Mapping[str, Any]) -> Attack:
    """Return a configured attack.

    Args:
        name: a registered name, or FAMILY:REST.
        parameters: where they differ from the defaults.

    Raises:
        BadInput: no such attack, unknown parameters, or a class that carries another attack's card: results go by the
            card's name and version, so a subclass needs its own `@attack`.
        MissingResource: an attack of a family needs something that is not there.
    """
    family, colon, rest = name.partition(":")
    member = ATTACK_FAMILIES.get(family)(rest, parameters) if colon else None
    found = type(member) if member else ATTACKS.get(name)
    if "card" not in vars(found) or found.card.name != name:
        raise BadInput(
            f"the class registered as {name!r} has no card of its own; decorate it with @attack({name!r}, ...)"
        )
    return member or found.configured(parameters)


def profile_named(name: str | None) -> ConstraintProfile | None:
    """Return a profile of constraints; None for none.

    Raises:
        BadInput: no such profile.
    """
    return None if name is None else CONSTRAINTS.get(name)()


def resources_wanted(attack: Attack, profile: ConstraintProfile | None) -> dict[str, str]:
    """Return by kind the names of what an attack and a profile of constraints lean on.

    Raises:
        BadInput: they want different ones of a kind; a profile's thresholds hold for its own only.
    """
    wanted = dict(attack.resources)
    if profile is None:
        return wanted
    for kind, name in profile.resources.items():
        if wanted.setdefault(kind, name) != name:
            raise BadInput(f"constraints {profile.name} are made for the {kind} {name}, not {wanted[kind]}")
    return wanted


class Workshop:
    """What the runs of a suite share: data sets, victims, resources, selections and judges, each made once.

    Attributes:
        report: told how far the work is.
        memory: answers of all models, so that a text that two attacks try is forwarded once.
    """

    def __init__(self, report: Progress = silent) -> None:
        self.report = report
        self.memory = Memory()
        self._datasets: dict[Any, Dataset] = {}
        self._victims: dict[Any, Victim] = {}
        self._selections: dict[Any, Selection] = {}
        self._judges: dict[Any, Judges] = {}
        self._resources: dict[Any, Resource] = {}
        self._known_types: dict[int, Mapping[Tokens, frozenset[str]]] = {}

    def dataset(self, plan: Plan) -> Dataset:
        """Return the plan's data set."""
        key = (plan.dataset, plan.options.data_dir, plan.options.scheme)
        if key not in self._datasets:
            self._datasets[key] = find_dataset(plan.dataset, plan.options.data_dir, plan.options.scheme)
        return self._datasets[key]

    def victim(self, plan: Plan) -> Victim:
        """Return the plan's victim."""
        key = (plan.victim, repr(plan.options))
        if key not in self._victims:
            self._victims[key] = find_victim(plan.victim, replace(plan.options, report=self.report))
        return self._victims[key]

    def resources(self, wanted: Mapping[str, str], plan: Plan) -> Resources:
        """Return what an attack leans on, each loaded once for all attacks that want it."""
        return Resources({kind: self._resource(kind, name, plan) for kind, name in wanted.items()})

    def _resource(self, kind: str, name: str, plan: Plan) -> Resource:
        learning = kind in LEARNING  # only these are loaded anew for each data set and victim
        key = (kind, name, plan.options.device, *((plan.dataset, plan.victim, repr(plan.options)) if learning else ()))
        if key not in self._resources:
            circumstances = Circumstances(choose_device(plan.options.device), report=self.report)
            if learning:
                training = self.dataset(plan).splits.get("train", ())
                circumstances = circumstances._replace(training=training, victim=self.victim(plan))
            self._resources[key] = load_resource(kind, name, circumstances)
        return self._resources[key]

    def selection(self, plan: Plan) -> Selection:
        """Return the plan's sentences."""
        key = (plan.victim, repr(plan.options), plan.dataset, plan.split, plan.selection)
        if key not in self._selections:
            dataset, victim = self.dataset(plan), self.victim(plan)
            require_same_types(victim, dataset.types, plan.dataset)
            self._selections[key] = select(
                dataset.split(plan.split),
                victim,
                plan.selection,
                lambda done, total: self.report("choosing sentences", done, total),
            )
        return self._selections[key]

    def known_types(self, plan: Plan) -> Mapping[Tokens, frozenset[str]] | None:
        """Return the types of each lower-cased mention of the training split; None where there is none to compare."""
        dataset = self.dataset(plan)
        if "train" not in dataset.splits or plan.split == "train":
            return None
        key = id(dataset)  # kept alive by this workshop
        if key not in self._known_types:
            types: dict[Tokens, set[str]] = {}
            for sentence in dataset.split("train"):
                for mention, span in zip(mentions_of(sentence), sentence.spans, strict=True):
                    types.setdefault(mention, set()).add(span.type)
            self._known_types[key] = {mention: frozenset(found) for mention, found in types.items()}
        return self._known_types[key]

    def judges(self, plan: Plan) -> Judges:
        """Return the plan's judges."""
        key = (plan.encoder, plan.grammar, plan.fluency, plan.victim, repr(plan.options))
        if key not in self._judges:
            self._judges[key] = Judges.named(
                plan.encoder or DEFAULT_ENCODER,
                plan.grammar or DEFAULT_CHECKER,
                plan.fluency,
                self.victim(plan),
                choose_device(plan.options.device),
            )
        return self._judges[key]


class PreparedRun:
    """A plan with everything it names loaded and checked; nothing has been attacked yet."""

    def __init__(self, plan: Plan, workshop: Workshop) -> None:
        goal = goal_named(plan.goal)
        budget = Budget(plan.queries)
        self.attack = attack_named(plan.attack, plan.parameters)
        profile = profile_named(plan.constraints)
        resources = workshop.resources(resources_wanted(self.attack, profile), plan)
        self.plan = plan
        self.workshop = workshop
        dataset, victim = workshop.dataset(plan), workshop.victim(plan)
        self.known_types = workshop.known_types(plan)
        known = None if self.known_types is None else frozenset(self.known_types)
        self.assault = Assault(self.attack, victim, goal, plan.mode, budget, plan.seed, known, resources, profile)
        selection = workshop.selection(plan)
        self.sentences = {sentence.id: sentence for sentence in selection.sentences}
        card = self.attack.card
        self.spec = RunSpec(
            attack=card.name,
            attack_version=card.version,
            parameters=self.attack.parameters,
            constraints=None if profile is None else f"{profile.name} {profile.version}",
            resources=resources.identities,
            victim=victim.name,
            victim_fingerprint=victim.fingerprint,
            victim_settings=dict(victim.settings),
            dataset=dataset.name,
            dataset_hash=dataset.hash(plan.split),
            split=plan.split,
            train_hash=None if known is None else dataset.hash("train"),
            selection={**plan.selection.to_json(), "passed_over": dict(selection.passed_over)},
            sentence_ids=tuple(self.sentences),
            touch=card.touch.value,
            access=card.access.name.lower(),
            goal=plan.goal,
            mode=plan.mode.value,
            queries=plan.queries,
            seed=plan.seed,
        )

    @cached_property
    def judges(self) -> Judges:
        """The judges, made when first needed."""
        return self.workshop.judges(self.plan)


def run(
    plan: Plan,
    results: Path,
    workshop: Workshop | None = None,
    engine_options: EngineOptions | None = None,
) -> RunReport:
    """Run a plan, or as much of it as is not done yet.

    Raises:
        GauntletError: bad input, a missing resource, damaged results, a folder that cannot be written; said before
            anything is attacked wherever it can be known.
    """
    workshop = workshop or Workshop()
    open_results(results)
    prepared = PreparedRun(plan, workshop)
    folder = RunFolder(results, prepared.spec.run_id)
    options = engine_options or EngineOptions()
    asked_for_judges = any(name is not None for name in (plan.encoder, plan.grammar, plan.fluency))
    if folder.result_file.is_file():
        result = folder.read_result()
        if options.retry_errors and result["metrics"]["error.count"]["value"]:
            with folder.locked():
                _reopen(folder)
        elif not asked_for_judges or result["judges"] == prepared.judges.identity:
            return RunReport(result, folder, 0)
    with folder.locked():
        folder.write_spec(prepared.spec)
        attacked = 0
        if not folder.examples_file.is_file():
            _ = prepared.judges  # one that is not there is told before anything is attacked
            attacked = _attack(prepared, folder, options)
        elif asked_for_judges:
            _judge_again(prepared, folder)
        result = score(folder)
        folder.write_result(result)
        folder.journal_file.unlink(missing_ok=True)
    return RunReport(result, folder, attacked)


def score(folder: RunFolder) -> dict[str, Any]:
    """Compute the result of a run from its examples alone."""
    spec = folder.read_spec()
    examples, judges = folder.read_examples()
    return {
        "schema": SCHEMA,
        "run_id": folder.run_id,
        "spec": spec.to_json(),
        "examples_sha256": folder.examples_hash(),
        "judges": judges,
        "metrics": {metric.name: metric.value(examples, spec.queries).to_json() for metric in METRICS},
        "per_type": per_type(examples),
        "rejected": rejections(examples),
    }


def _attack(prepared: PreparedRun, folder: RunFolder, options: EngineOptions) -> int:
    """Attack what the journal does not hold yet, judge, write the examples; return how many were attacked."""
    workshop, spec, sentences = prepared.workshop, prepared.spec, prepared.sentences
    engine = Engine(options.concurrency, options.batch_size, workshop.memory)
    stopwatch = Stopwatch()
    with _errors_log(folder), Journal(folder.journal_file, folder.run_id) as journal:
        done_before = len(journal.finished)
        todo = [sentences[name] for name in spec.sentence_ids if name not in journal.finished]
        jobs = [prepared.assault.job(s) for s in (reversed(todo) if options.reverse else todo)]
        workshop.report(spec.attack, done_before, len(sentences))
        for done in engine.run(jobs):
            journal.append(done.result)
            workshop.report(spec.attack, len(journal.finished), len(sentences))
        outcomes = [journal.finished[name] for name in spec.sentence_ids]
    attack_seconds = stopwatch.seconds()
    workshop.report("judging texts", 0, 1)
    examples = prepared.judges.judge(outcomes, sentences, prepared.known_types)
    folder.write_examples(examples, prepared.judges.identity)
    workshop.report("judging texts", 1, 1)
    folder.write_provenance(
        stopwatch.record(
            attack_seconds=attack_seconds,
            sentences_attacked=len(todo),
            sentences_resumed=done_before,
            concurrency=options.concurrency,
            batch_size=options.batch_size,
            texts_asked=sum(engine.asked.values()),
            texts_forwarded=sum(engine.forwarded.values()),
            machine=machine(str(prepared.assault.victim.settings.get("backend", "python"))),
            versions=versions(),
        )
    )
    return len(todo)


def _reopen(folder: RunFolder) -> None:
    """Turn a finished run back into an unfinished one that lacks the sentences with errors."""
    examples, _ = folder.read_examples()
    folder.result_file.unlink()
    with Journal(folder.journal_file, folder.run_id) as journal:
        for example in examples:
            if example.outcome.status is not Status.ERROR:
                journal.append(example.outcome)
    folder.examples_file.unlink()


@contextmanager
def _errors_log(folder: RunFolder) -> Iterator[None]:
    """Keep the full text of errors beside the run; results themselves hold no messages, which may quote the data."""
    handler = logging.FileHandler(folder.errors_file, delay=True, encoding="utf-8")
    log = logging.getLogger("benchmark.attacking")
    log.addHandler(handler)
    propagates, log.propagate = log.propagate, False
    try:
        yield
    finally:
        log.propagate = propagates
        log.removeHandler(handler)
        handler.close()


def _judge_again(prepared: PreparedRun, folder: RunFolder) -> None:
    """Let other judges read the texts of a finished run; nothing is attacked."""
    examples, _ = folder.read_examples()
    folder.result_file.unlink(missing_ok=True)  # it no longer belongs to the examples
    outcomes = [example.outcome for example in examples]
    again = prepared.judges.judge(outcomes, prepared.sentences, prepared.known_types)
    folder.write_examples(again, prepared.judges.identity)
