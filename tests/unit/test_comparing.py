"""Comparing speeds: what is measured, in which order, and what is told of it. Models and the clock are stubs."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from stubs import StubLanguageModel, StubVictim

from benchmark.attacking import Mode
from benchmark.backends import AUTO
from benchmark.comparing import COMPARISONS, LIMIT, OURS, Attacked, Comparison, Measured, compare
from benchmark.engine import Ask
from benchmark.errors import BadInput
from benchmark.plan import Plan
from benchmark.resources.language_models import Gap
from benchmark.resources.loading import Resources
from benchmark.selection import SelectionRule
from benchmark.types import Status
from benchmark.victims import VictimOptions

ONE, BATCHED = "one_text_a_forward", "textattack_batched"


class StubEncoder:
    """Finds all texts alike."""

    identity = "stub encoder"

    def __init__(self):
        self.asked = []

    def answer(self, questions):
        self.asked += questions
        return [np.ones(1) for _ in questions]

    async def similarities(self, text, others):
        return [1.0 for _ in await Ask(self, [text, *others])][1:]


class World:
    """Victims that know the corpus word by word and take a second a text, half of it on OpenVINO.

    Attributes:
        now: what the clock says.
        stages: reported, in order.
        loaded: by stage, what was loaded then.
    """

    def __init__(self, newsroom):
        self.now = 0.0
        self.stages = []
        self.loaded = {}
        self._lexicon = {}
        for sentence in newsroom.split("test"):
            for token, tag in zip(sentence.tokens, sentence.tags, strict=True):
                self._lexicon.setdefault(token, tag)
        self._labels = tuple(sorted({"O", *self._lexicon.values()}))

    def clock(self):
        return self.now

    def report(self, stage, done, total):
        if stage not in self.stages:
            self.stages.append(stage)

    def find_victim(self, name, options):
        backend = "openvino" if options.backend == AUTO else options.backend
        world = self

        class Timed(StubVictim):
            def predict(self, batch):
                world.now += len(batch) * (0.5 if backend == "openvino" else 1)
                return super().predict(batch)

        victim = Timed(lambda tokens: [self._lexicon.get(token, "O") for token in tokens], labels=self._labels)
        victim.settings = {"backend": f"{backend}-cpu"}
        self._keep(victim)
        return victim

    def resources(self, wanted):
        loaded = {"language_model": StubLanguageModel(), "encoder": StubEncoder()}
        own = {kind: model for kind, model in loaded.items() if kind in wanted}
        self._keep(*own.values())
        return Resources(own)

    def _keep(self, *models):
        self.loaded.setdefault(self.stages[-1] if self.stages else "", []).extend(models)

    def models(self, attack, way, backend, repeat="1 of 1"):
        """What was loaded for a measurement: victim, language model, encoder."""
        return self.loaded[f"{attack}, {way} on {backend}, {repeat}"]


class Sluggish:
    """Takes so many seconds for all and fails on every second sentence."""

    def __init__(self, world, seconds):
        self.world, self.seconds = world, seconds

    def require(self, attack):
        pass

    def equipped(self, assault):
        return assault

    def attack(self, assault, sentences, tick):
        self.world.now += self.seconds
        for _ in sentences:
            tick()
        statuses = (Status.SUCCESS, Status.FAILED)
        return {sentence.id: Attacked(statuses[k % 2], 7) for k, sentence in enumerate(sentences)}


@pytest.fixture
def world(monkeypatch, newsroom):
    world = World(newsroom)
    monkeypatch.setattr("benchmark.workshop.find_victim", world.find_victim)
    monkeypatch.setattr("benchmark.workshop.Workshop.resources", lambda _, wanted, plan: world.resources(wanted))
    monkeypatch.setattr("benchmark.comparing.measuring.on_reference", lambda resources: resources)
    ways = {ONE: lambda: Sluggish(world, 3000), BATCHED: lambda: Sluggish(world, 1000)}
    monkeypatch.setattr(COMPARISONS, "_targets", ways)
    return world


def compared(world, *attacks, backends=(AUTO,), repeats=1, limit=6, queries=60):
    plans = [Plan(attack, queries=queries, selection=SelectionRule(limit=limit)) for attack in attacks]
    return compare(plans, backends, repeats, world.report, world.clock)


def distinct(questions):
    assert len(set(questions)) == len(questions)
    return set(questions)


def test_our_seconds_are_the_models_where_the_engine_costs_nothing(world):
    """Every distinct text is forwarded once, by us and by the limit; that is all that this clock counts."""
    found = compared(world, "deepwordbug-i", "bert-attack")
    assert found.best == "openvino"
    record = found.to_json()
    own = sum(median for _, _, way, median in rows(record) if way == OURS) / 3  # once in seconds, once in halves
    assert record["ratios"] == {
        ONE: pytest.approx(6000 / own, abs=1e-3),
        BATCHED: pytest.approx(2000 / own, abs=1e-3),
        LIMIT: 1.0,
    }
    equal = record["ratios_on_equal_backends"]
    assert equal["openvino"] == record["ratios"]
    assert equal["torch"][ONE] == pytest.approx(record["ratios"][ONE] / 2, abs=1e-3)
    for attack, ratios in record["ratios_by_attack"].items():
        (mine,) = (seconds for *key, seconds in rows(record) if key == [attack, "openvino", OURS])
        assert ratios[ONE] == pytest.approx(3000 / mine, abs=1e-3)


def rows(record):
    return [(row["attack"], row["backend"], row["way"], row["seconds"]) for row in record["measurements"]]


@pytest.mark.parametrize("attack", ["deepwordbug-i", "bert-attack"])
def test_the_limit_is_exactly_what_our_engine_asked(world, attack):
    found = compared(world, attack, backends=["openvino"])
    for backend in ("torch", "openvino"):
        ours, limit = (world.models(attack, way, backend) for way in (OURS, LIMIT))
        assert len(ours) == len(limit) == (1 if attack == "deepwordbug-i" else 3)
        counted = list(found.asked[attack, backend].values())
        for mine, theirs, count in zip(ours, limit, counted, strict=True):
            assert distinct(mine.asked[-count:]) == distinct(theirs.asked[-count:])
            # What the models ran in on before is the same for both and gives no answer away.
            assert mine.asked[:-count] == theirs.asked[:-count]
            assert not set(mine.asked[:-count]) & set(mine.asked[-count:])
            assert 0 < len(mine.asked[:-count]) <= 64


def test_models_run_in_on_texts_of_the_same_shape(world):
    compared(world, "bert-attack", backends=["torch"])
    victim, language_model, encoder = world.models("bert-attack", OURS, "torch")
    asked = {text[::-1] for text in victim.asked}
    assert asked & set(victim.asked)
    gap, *_ = (question for question in language_model.asked if isinstance(question, Gap))
    assert gap._replace(tokens=gap.tokens[::-1], at=len(gap.tokens) - 1 - gap.at) in language_model.asked
    assert " ".join(encoder.asked[0].split()[::-1]) in encoder.asked
    assert victim.sizes[0] == 1  # one text alone has a shape of its own


def test_every_measurement_has_models_of_its_own_and_ways_take_turns(world):
    compared(world, "deepwordbug-i", backends=["openvino"], repeats=3, limit=2)
    timed = [stage for stage in world.stages if " of 3" in stage]
    assert len(timed) == len(set(timed)) == 2 * 4 * 3
    ends = [f", {n} of 3" for n in (1, 2, 3)]
    rounds = [[stage.removesuffix(end) for stage in timed if stage.endswith(end)] for end in ends]
    assert len({stages[0] for stages in rounds}) == 3
    assert len({frozenset(stages) for stages in rounds}) == 1
    victims = [victim for stage in timed for victim in world.loaded[stage]]
    assert len(victims) == len({id(victim) for victim in victims}) == len(timed)


def test_the_reference_is_measured_whether_it_is_named_or_not(world):
    assert compared(world, "deepwordbug-i", backends=["openvino"], limit=1).backends == ["torch", "openvino"]
    assert compared(world, "deepwordbug-i", backends=["torch"], limit=1).backends == ["torch"]


def test_on_a_gpu_too_the_encoder_is_run_as_other_projects_run_it(world, monkeypatch):
    given = []

    def on_reference(resources):
        given.append(resources)
        return resources

    monkeypatch.setattr("benchmark.comparing.measuring.on_reference", on_reference)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    compared(world, "bert-attack", backends=["torch"], limit=1)
    assert given


def measured(*seconds, statuses=("success", "failed"), queries=5):
    return Measured(seconds, {str(k): Attacked(Status(status), queries) for k, status in enumerate(statuses)})


def test_medians_rates_and_agreement():
    ours = measured(2.0, 9.0, 1.0, statuses=("success", "failed", "skipped", "success"))
    other = measured(30.0, 10.0, 20.0, statuses=("success", "success", "skipped", "error"))
    assert ours.attack_rate == pytest.approx(2 / 3)
    assert other.attack_rate == 1.0
    assert measured(1.0, statuses=("skipped",)).attack_rate is None
    assert ours.agreement(other) == 0.5
    found = Comparison(
        Plan("deepwordbug-i"),
        4,
        {("deepwordbug-i", "torch", way): each for way, each in ((OURS, ours), (ONE, other), (LIMIT, measured(1.5)))},
        {("deepwordbug-i", "torch"): {"victim": 12}},
    )
    record = found.to_json()
    assert found.errors == 1
    assert record["ratios"] == {ONE: 10.0, LIMIT: 0.75}
    assert record["attack_rates"] == {"deepwordbug-i": {OURS: 0.6667, ONE: 1.0}}
    assert record["agreement"] == {"deepwordbug-i": {ONE: 0.5}}
    assert record["measurements"][1]["statuses"] == {"error": 1, "skipped": 1, "success": 2}
    assert record["measurements"][2]["questions"] == {"victim": 12}


def test_the_command_prints_json(world, gauntlet):
    code, out, _ = gauntlet("bench", "--limit", 2, "--queries", 40, "--repeats", 1, "--json")
    record = json.loads(out)
    assert code == 0
    assert set(record["ratios"]) == {ONE, BATCHED, LIMIT}
    assert set(record["attack_rates"]) == {"deepwordbug-i", "bert-attack"}
    assert set(record["attack_rates"]["bert-attack"]) == {OURS, ONE, BATCHED}
    assert (record["sentences"], record["queries"]) == (2, 40)
    assert record["best_backend"] in {"torch", "openvino"}
    assert len(record["measurements"]) == 2 * 2 * 4


def test_the_command_prints_a_table(world, gauntlet):
    code, out, _ = gauntlet("bench", "--attack", "deepwordbug-i", "--limit", 5, "--repeats", 1, "--backend", "torch")
    assert code == 0
    words = " ".join(out.split())
    for told in ("one text a forward", "textattack batched", "pure forward", "pure forward / gauntlet %"):
        assert told in words


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--repeats", 0), "repeats must be at least 1"),
        (("--limit", 0), "sentences must be at least 1"),
        (("--backend", "tensorrt"), "unknown back end 'tensorrt'"),
        (("--attack", "casing"), "TextAttack's loop; those that can: deepwordbug-i, bert-attack"),
        (("--attack", "deepwordbugg-i"), "did you mean deepwordbug-i"),
    ],
)
def test_bad_input_is_told_in_one_line(gauntlet, arguments, told):
    code, out, err = gauntlet("bench", *arguments)
    assert (code, out) == (2, "")
    assert told in " ".join(err.split())
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "instead",
    [
        {"constraints": "adjusted"},
        {"mode": Mode.ESCALATE},
        {"options": VictimOptions(precision="bfloat16")},
    ],
)
def test_what_textattacks_loop_does_not_know_is_not_compared(world, instead):
    plan = replace(Plan("deepwordbug-i", queries=60, selection=SelectionRule(limit=6)), **instead)
    with pytest.raises(BadInput, match="TextAttack's loop knows no other"):
        compare([plan], (AUTO,), 1, world.report, world.clock)


def test_without_textattack_one_line_says_where_it_is(gauntlet, monkeypatch):
    monkeypatch.setitem(sys.modules, "textattack", None)
    code, out, err = gauntlet("bench")
    assert (code, out) == (3, "")
    assert "`make guests`, then `.venv-guests/bin/gauntlet bench`" in " ".join(err.split())
    assert len(err.splitlines()) == 1


def test_a_victim_that_is_no_transformer_is_refused(world, monkeypatch):
    class Refusing(Sluggish):
        def equipped(self, assault):
            raise BadInput("no transformer")

    monkeypatch.setattr(COMPARISONS, "_targets", {ONE: lambda: Refusing(world, 1)})
    with pytest.raises(BadInput, match="no transformer"):
        compared(world, "deepwordbug-i")
    assert world.stages == ["choosing sentences"]
