"""From a plan to what it names: loaded, checked, and shared by the runs of a suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchmark.attacking import Assault, mentions_of
from benchmark.contracts import Victim
from benchmark.datasets import Dataset, find_dataset
from benchmark.device import choose_device
from benchmark.engine import Memory
from benchmark.finding import attack_named, profile_named, resources_wanted
from benchmark.goals import goal_named
from benchmark.judging import Judges
from benchmark.plan import Plan
from benchmark.progress import Progress, silent
from benchmark.resources.encoders import DEFAULT_ENCODER
from benchmark.resources.grammar import DEFAULT_CHECKER
from benchmark.resources.loading import LEARNING, Circumstances, Resource, Resources, load_resource
from benchmark.selection import Selection, select
from benchmark.soundness import soundness
from benchmark.spec import PROTOCOL, RunSpec
from benchmark.threat import Budget
from benchmark.victims import find_victim, require_same_types

if TYPE_CHECKING:
    from benchmark.types import Tokens

__all__ = ["PreparedAttack", "PreparedRun", "Workshop"]


class Workshop:
    """What the runs of a suite share: data sets, victims, resources, selections, judges, signs of unsound answers.

    Each is made once.

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
        self._soundness: dict[Any, Mapping[str, int]] = {}
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

    def soundness(self, plan: Plan, *, gradients: bool) -> Mapping[str, int]:
        """Return what the plan's victim says when it is asked about the plan's sentences again, see `soundness`."""
        selection = self.selection(plan)
        key = (id(selection), gradients)  # a victim has selections of its own, kept alive by this workshop
        if key not in self._soundness:
            self._soundness[key] = soundness(self.victim(plan), selection.sentences, gradients=gradients)
        return self._soundness[key]


class PreparedAttack:
    """A plan's attack with everything it leans on, loaded and checked; which sentences it is for is left open.

    Args:
        plan: what is asked for.
        workshop: where things are loaded.

    Attributes:
        known_types: types of each lower-cased mention of the training split; None where there is none.
        assault: what attacks a sentence.

    Raises:
        GauntletError: bad input, or something is missing.
    """

    def __init__(self, plan: Plan, workshop: Workshop) -> None:
        goal = goal_named(plan.goal)
        budget = Budget(plan.queries)
        attack = attack_named(plan.attack, plan.parameters)
        profile = profile_named(plan.constraints)
        resources = workshop.resources(resources_wanted(attack, profile), plan)
        self.plan = plan
        self.workshop = workshop
        victim = workshop.victim(plan)
        self.known_types = workshop.known_types(plan)
        known = None if self.known_types is None else frozenset(self.known_types)
        self.assault = Assault(attack, victim, goal, plan.mode, budget, plan.seed, known, resources, profile)

    @property
    def identity(self) -> dict[str, Any]:
        """What decides an outcome besides the plan and the sentence, as the specification names it."""
        victim, profile = self.assault.victim, self.assault.profile
        return {
            "attack_version": self.assault.attack.card.version,
            "constraints": None if profile is None else f"{profile.name} {profile.version}",
            "resources": self.assault.resources.identities,
            "victim_fingerprint": victim.fingerprint,
            "victim_settings": dict(victim.settings),
            "train_hash": None if self.known_types is None else self.workshop.dataset(self.plan).hash("train"),
            "protocol": PROTOCOL,
        }


class PreparedRun(PreparedAttack):
    """A plan with everything it names loaded and checked, its sentences too; nothing has been attacked yet.

    Attributes:
        sentences: those to attack, by id.
        clean: what the victim gets right of all that were looked at, see `Selection`.
        spec: the run's specification.
    """

    def __init__(self, plan: Plan, workshop: Workshop) -> None:
        super().__init__(plan, workshop)
        selection = workshop.selection(plan)
        self.sentences = {sentence.id: sentence for sentence in selection.sentences}
        self.clean = selection.clean
        attack, dataset = self.assault.attack, workshop.dataset(plan)
        self.spec = RunSpec(
            attack=attack.card.name,
            parameters=attack.parameters,
            victim=self.assault.victim.name,
            dataset=dataset.name,
            dataset_hash=dataset.hash(plan.split),
            split=plan.split,
            selection={**plan.selection.to_json(), "passed_over": dict(selection.passed_over)},
            sentence_ids=tuple(self.sentences),
            touch=attack.card.touch.value,
            access=attack.card.access.name.lower(),
            goal=plan.goal,
            mode=plan.mode.value,
            queries=plan.queries,
            seed=plan.seed,
            **self.identity,
        )

    @cached_property
    def judges(self) -> Judges:
        """The judges, made when first needed."""
        return self.workshop.judges(self.plan)
