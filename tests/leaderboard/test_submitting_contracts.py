"""Attacks, defenses and victims with which something is wrong are told so in plain words; the others are not."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from stubs import LABELS, stub_resources
from touchy_victim import FEW, Touchy

from benchmark.contracts import Attack, attack
from benchmark.defending import FrontEnd, defense
from benchmark.threat import Access, Touch
from benchmark.types import Prediction
from leaderboard.submitting.attack_contract import ATTACK_CHECKS, AttackTrial
from leaderboard.submitting.checks import run_checks
from leaderboard.submitting.defense_contract import DEFENSE_CHECKS, DefenseTrial
from leaderboard.submitting.victim_contract import VICTIM_CHECKS, VictimTrial

# --- the contract of attacks ------------------------------------------------------------------------------------------


def faults_of(attacker, name="faulty"):
    trial = AttackTrial(attacker, name, Touchy(), FEW, stub_resources())
    return {checked.promise: checked.faults for checked in run_checks(ATTACK_CHECKS, trial) if checked.faults}


@attack("faulty", access=Access.SCORES)
class Swaps(Attack):
    """Make every word longer; nothing is wrong with it."""

    async def run(self, sentence, probe):
        for i in range(len(sentence)):
            sentence = sentence.replace(i, sentence.tokens[i] + "x")
            await probe([sentence])


def test_an_attack_with_which_nothing_is_wrong_has_no_faults():
    assert faults_of(Swaps()) == {}


@attack("faulty", access=Access.SCORES, version=0)
class NamedOtherwise(Swaps):
    @property
    def resources(self):
        return {"crystal_ball": "large"}


def test_a_card_that_says_something_else_is_told():
    told = "\n".join(faults_of(NamedOtherwise(), "other-name")["has a card"])
    assert "registered as 'other-name' and its card says 'faulty'" in told
    assert "versions are whole numbers from 1" in told
    assert "no docstring" in told
    assert "crystal_ball; there are: disentangler" in told


@attack("faulty", access=Access.SCORES)
class Untyped(Swaps):
    """Has parameters nobody can set."""

    words: object = None
    rate: float = float("nan")


def test_parameters_without_a_type_are_told():
    told = "\n".join(faults_of(Untyped())["has typed parameters"])
    assert "parameter words has the default None; give it a number" in told
    assert "cannot be stored as JSON" in told


@attack("faulty", access=Access.SCORES)
class BreaksOff(Swaps):
    """Fail on short sentences."""

    async def run(self, sentence, probe):
        await super().run(sentence.replace(1, "x"), probe)


def test_an_attack_that_breaks_off_is_told_with_its_sentence_and_place():
    told = "\n".join(faults_of(BreaksOff())["runs through, whatever the seed"])
    assert "'one name' with seed 1: it breaks off with BadInput (" in told
    assert "types.py" in told


@attack("faulty", access=Access.SCORES)
class AsksBehindTheProbe(Swaps):
    """Ask the victim directly."""

    async def run(self, sentence, probe):
        probe._service.victim.predict([sentence.replace(0, "other").tokens])
        await super().run(sentence, probe)


def test_asking_past_the_probe_is_told():
    told = "\n".join(faults_of(AsksBehindTheProbe())["keeps to its budget, and every text is counted"])
    assert "it asks the victim past the probe; `await probe(...)` is the only way" in told
    assert "more like these" in told  # not a line for each sentence and budget


@attack("faulty", access=Access.SCORES)
class CountsItself(Swaps):
    """Give back what was paid."""

    async def run(self, sentence, probe):
        try:
            await super().run(sentence, probe)
        finally:
            probe.search_queries = 0


def test_counts_that_are_not_what_was_asked_are_told():
    told = "\n".join(faults_of(CountsItself())["keeps to its budget, and every text is counted"])
    assert "texts were asked, 0 counted" in told


@attack("faulty", access=Access.SCORES)
class CannotStop(Swaps):
    """Trip over the end of the budget."""

    async def run(self, sentence, probe):
        for word in ("a", "b", "c"):
            if probe.queries_left == 0:
                raise RuntimeError("more!")
            await probe([sentence.replace(0, word)])


def test_an_attack_that_trips_over_an_empty_budget_is_told():
    assert (
        "with no query left it breaks off with RuntimeError: more!"
        in faults_of(CannotStop())["ends when there is no budget"][0]
    )


@attack("faulty", access=Access.SCORES)
class UsesGlobalRandomness(Swaps):
    """Throw dice of its own."""

    async def run(self, sentence, probe):
        for _ in range(10):
            await probe([sentence.replace(random.randrange(len(sentence)), f"w{random.random()}")])


@attack("faulty", access=Access.SCORES)
class UsesNumpysRandomness(Swaps):
    """Throw numpy's dice."""

    async def run(self, sentence, probe):
        for _ in range(10):
            await probe([sentence.replace(0, f"w{np.random.rand()}")])  # noqa: NPY002


SEEN = []


@attack("faulty", access=Access.SCORES)
class Remembers(Swaps):
    """Keep something from one sentence to the next."""

    async def run(self, sentence, probe):
        SEEN.append(sentence.id)
        await super().run(sentence.replace(0, f"w{len(SEEN)}"), probe)


@pytest.mark.parametrize("kind", [UsesGlobalRandomness, UsesNumpysRandomness, Remembers])
def test_an_attack_that_is_not_deterministic_is_told(kind):
    told = faults_of(kind())["does the same whatever the order and the batches"]
    assert all("take random numbers from probe.rng only" in fault for fault in told)
    assert any(fault.startswith("attacked again (first-success), ") for fault in told)


@attack("faulty", access=Access.SCORES)
class ChangesTheGold(Swaps):
    """Call a word a name."""

    async def run(self, sentence, probe):
        tags = ["B-MISC" if tag == "O" else tag for tag in sentence.tags]
        await probe([replace(sentence.replace(0, "x"), tags=tuple(tags))])


def test_gold_labels_that_do_not_follow_the_edits_are_told():
    told = "\n".join(faults_of(ChangesTheGold())["succeeds by edits only, and gold labels follow them"])
    assert "adversarial_gold" in told
    assert "B-MISC, expected O" in told


@attack("faulty", access=Access.SCORES, touch=Touch.CONTEXT)
class TouchesMentions(Swaps):
    """Say context and edit everything."""


@attack("faulty", access=Access.SCORES)
class WritesDebris(Swaps):
    """Leave pieces of words."""

    async def run(self, sentence, probe):
        await probe([sentence.replace(0, word) for word in ("##ing", "", "two words", "ok")])


def test_edits_out_of_bounds_are_told():
    (told,) = faults_of(TouchesMentions())["touches only what its card says"]
    assert "candidates that are turned away (touches a mention)" in told
    assert "look for `sentence.inside(i)`" in told
    told = "\n".join(faults_of(WritesDebris())["touches only what its card says"])
    for reason in ("empty word", "white space in a word", "debris of a language model"):
        assert f"turned away ({reason})" in told


# --- the contract of victims ------------------------------------------------------------------------------------------


def victim_faults(make, name="touchy:v1"):
    return {c.promise: c.faults for c in run_checks(VICTIM_CHECKS, VictimTrial(name, make)) if c.faults}


def test_a_victim_with_which_nothing_is_wrong_has_no_faults():
    assert victim_faults(Touchy) == {}


def made(**changes):
    def make():
        victim = Touchy()
        for name, value in changes.items():
            setattr(victim, name, value)
        return victim

    return make


class Short(Touchy):
    def _predict(self, tokens):
        answer = super()._predict(tokens)
        return Prediction(answer.tags[:-1], answer.probabilities)


class Inventive(Touchy):
    def _predict(self, tokens):
        return replace(super()._predict(tokens), tags=("B-STAR",) * len(tokens))


class Logits(Touchy):
    def _predict(self, tokens):
        answer = super()._predict(tokens)
        return Prediction(answer.tags, answer.probabilities * 7)


class ColumnsMixedUp(Touchy):
    def _predict(self, tokens):
        answer = super()._predict(tokens)
        return Prediction(answer.tags, answer.probabilities[:, ::-1])


class LooksAround(Touchy):
    def predict(self, batch):
        return [replace(a, probabilities=a.probabilities + len(batch) * 1e-6) for a in super().predict(batch)]


class CutsOff(Touchy):
    def _predict(self, tokens):
        return super()._predict(tokens[:512])


class ReadsNothing(Touchy):
    def fits(self, tokens):
        return len(tokens) == 0


@pytest.mark.parametrize(
    ("make", "promise", "told"),
    [
        (made(name="other"), "says who it is", "loaded as 'touchy:v1' it calls itself 'other'"),
        (made(fingerprint="v1"), "says who it is", "make it a sha256"),
        (made(unknown_word=""), "says who it is", "has to be one word"),
        (made(settings={}), "says who it is", "its settings name no backend"),
        (made(settings={"backend": object()}), "says who it is", "cannot be stored"),
        (made(labels=("PERSON", "O")), "has IOB2 labels", "are not IOB2"),
        (made(labels=(*LABELS, "O")), "has IOB2 labels", "stands twice"),
        (Inventive, "answers each text in full", "it gives 'B-STAR', which its labels do not hold"),
        (made(access=Access.LABELS), "answers each text in full", "its access is LABELS"),
        (Short, "answers each text in full", "tokens) it gives"),
        (Logits, "answers each text in full", "do they want a softmax?"),
        (ColumnsMixedUp, "answers each text in full", "do the columns of the probabilities stand in the order"),
        (LooksAround, "answers alone as among others", "alone, "),
        (CutsOff, "says what it can read", "`fits` must say no to what is too long"),
        (ReadsNothing, "says what it can read", "it cannot read a single word"),
        (made(access=Access.GRADIENTS), "gives gradients if it says so", "it breaks off with AttributeError"),
    ],
)
def test_what_is_wrong_with_a_victim_is_told(make, promise, told):
    assert told in "\n".join(victim_faults(make)[promise])


def test_a_victim_whose_fingerprint_is_another_each_time_is_told():
    numbers = iter(range(100))

    def make():
        victim = Touchy()
        victim.fingerprint = hashlib.sha256(str(next(numbers)).encode()).hexdigest()
        return victim

    assert "two fingerprints" in victim_faults(make)["is the same when loaded again"][0]


# --- the contract of defenses -----------------------------------------------------------------------------------------


@defense("faulty")
class InFront(FrontEnd):
    """Stand in front of any victim."""

    def before(self, victim, training):
        return victim


def defense_faults(make, defender=None, name="faulty"):
    trial = DefenseTrial(defender or InFront(), name, "touchy:v1", make, make, Touchy, lambda: None)
    return {checked.promise: checked.faults for checked in run_checks(DEFENSE_CHECKS, trial) if checked.faults}


def defended(number=0):
    victim = Touchy()
    victim.name = "touchy:v1+faulty"
    victim.fingerprint = hashlib.sha256(f"defended {number}".encode()).hexdigest()
    return victim


def test_a_defense_with_which_nothing_is_wrong_has_no_faults():
    assert defense_faults(defended) == {}


def test_a_defense_that_makes_the_same_victim_is_told():
    assert "has the fingerprint of one without it" in defense_faults(Touchy)["makes a victim of its own"][0]


def test_a_front_end_that_lets_more_through_than_it_says_is_told():
    class Opaque(InFront):
        access = Access(defended().access - 1)

    faults = defense_faults(defended, Opaque())
    assert "but the victim gives scores" in faults["gives no more than it says"][0]


def test_a_defense_that_makes_another_victim_each_time_is_told():
    numbers = iter(range(100))
    assert (
        "made twice it is two victims"
        in defense_faults(lambda: defended(next(numbers)))["makes the same victim again"][0]
    )


def test_a_defense_that_answers_otherwise_each_time_is_told():
    kinds = iter([Touchy, Inventive, Touchy])  # made, made again, loaded

    def make():
        victim = next(kinds)()
        victim.fingerprint = "0" * 64
        return victim

    told = defense_faults(make)["makes the same victim again"]
    assert "texts otherwise" in told[0]


def test_a_defense_that_breaks_off_is_told():
    told = defense_faults(lambda: 1 // 0)
    assert told["makes a victim of its own"] == [
        "it breaks off with ZeroDivisionError: integer division or modulo by zero"
    ]


def test_a_defense_with_a_card_of_another_name_is_told():
    assert "registered as 'other'" in defense_faults(defended, name="other")["has a card"][0]


def test_the_command_finds_defenses_and_trains_them_small(monkeypatch, gauntlet):
    """Not here: it takes a minute. What is asked for is what counts."""
    asked = []
    fit = SimpleNamespace(folder="nowhere")
    monkeypatch.setattr("leaderboard.submitting.defense_contract.fitted", lambda parts, _: asked.append(parts) or fit)
    monkeypatch.setattr("leaderboard.submitting.defense_contract.shutil.rmtree", lambda _: None)
    victims = []

    def find(name, options):
        victims.append(name)
        return defended() if "+" in name else Touchy()

    monkeypatch.setattr("leaderboard.submitting.defense_contract.find_victim", find)
    code, out, _ = gauntlet("check", "+identity")
    assert code == 1  # the stub calls itself otherwise
    assert out.splitlines()[: len(DEFENSE_CHECKS)] == [f"ok  {check.promise}" for check in DEFENSE_CHECKS]
    assert set(victims) == {"minilm/newsroom(epochs=1,sentences=64)+identity", "minilm/newsroom"}
    assert {parts.defense for parts in asked} == {"identity"}
