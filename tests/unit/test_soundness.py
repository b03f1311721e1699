"""Signs that an attack says little: answers that vary, gradients that are zero."""

from __future__ import annotations

import itertools
import json

import numpy as np
from stubs import StubVictim, StubWhiteBox, lexicon, sentence

from benchmark.datasets import Dataset
from benchmark.plan import Plan
from benchmark.runner import run
from benchmark.soundness import soundness
from benchmark.types import Prediction
from benchmark.victims.white_box import Gradients, GradientService
from benchmark.workshop import Workshop

NAMES = dict.fromkeys(("Ana", "Bea", "Cleo", "Dan"), "B-PER")
SENTENCES = [sentence(f"{name} left .", "B-PER O O", f"s{k}") for k, name in enumerate(NAMES)]


class Wavering(StubVictim):
    """Answers every other time a little otherwise, where Bea is told of."""

    def __init__(self):
        super().__init__(lexicon(NAMES), self._sure)
        self._times = itertools.count()

    def _sure(self, tokens):
        return 0.89 if "Bea" in tokens and next(self._times) % 2 else 0.9


class Fickle(StubVictim):
    """Gives tags alone, and other ones while the number of texts asked is odd."""

    def predict(self, batch):
        return [
            Prediction(("O",) * len(tokens) if len(self.asked) % 2 else said.tags) for tokens, said in self._said(batch)
        ]

    def _said(self, batch):
        return zip(batch, super().predict(batch), strict=True)


class Seeded(StubVictim):
    """Answers by where a text stands in its batch, as with noise that is seeded anew each time."""

    def predict(self, batch):
        return [
            Prediction(said.tags, said.probabilities * (0.5 if number else 1.0))
            for number, said in enumerate(super().predict(batch))
        ]


class Failing(StubVictim):
    def predict(self, batch):
        if any("Bea" in tokens for tokens in batch):
            raise ValueError("no room for Bea")
        return super().predict(batch)


class Shattered(StubWhiteBox):
    """Gives no gradient where Cleo is told of."""

    def log_probabilities(self, vectors, inputs):
        said = super().log_probabilities(vectors, inputs)
        return said * 0.0 if "Cleo" in self.differentiated[-1] else said


def test_a_victim_that_says_the_same_twice():
    victim = StubVictim(lexicon(NAMES))
    assert soundness(victim, SENTENCES, gradients=False) == {"asked_twice": 4, "answered_otherwise": 0}
    assert len(victim.asked) == 8


def test_probabilities_that_change_are_counted():
    assert soundness(Wavering(), SENTENCES, gradients=False) == {"asked_twice": 4, "answered_otherwise": 1}


def test_answers_that_depend_on_the_texts_beside_are_counted():
    victim = Seeded(lexicon(NAMES), labels=("O", "B-PER"))
    assert soundness(victim, SENTENCES, gradients=False) == {"asked_twice": 4, "answered_otherwise": 3}


def test_tags_that_change_are_counted():
    fickle = Fickle(lexicon(NAMES), None)
    assert soundness(fickle, SENTENCES, gradients=False) == {"asked_twice": 4, "answered_otherwise": 2}


def test_a_text_on_which_the_victim_fails_is_left_out():
    assert soundness(Failing(lexicon(NAMES)), SENTENCES, gradients=False)["asked_twice"] == 3


def test_gradients_that_are_no_numbers_count_as_zero(monkeypatch):
    def nowhere(_, questions):
        return [Gradients(0.0, {"pieces": (np.full((1, 2), np.nan, dtype=np.float32),)}) for _ in questions]

    monkeypatch.setattr(GradientService, "answer", nowhere)
    found = soundness(StubWhiteBox(lexicon(NAMES)), SENTENCES, gradients=True)
    assert (found["differentiated"], found["zero_gradient"]) == (4, 4)


def test_gradients_that_are_zero_are_counted():
    whole = soundness(StubWhiteBox(lexicon(NAMES)), SENTENCES, gradients=True)
    assert (whole["differentiated"], whole["zero_gradient"]) == (4, 0)
    found = soundness(Shattered(lexicon(NAMES)), SENTENCES, gradients=True)
    assert (found["differentiated"], found["zero_gradient"]) == (4, 1)


def test_only_the_first_sentences_are_asked():
    many = [sentence("Ana left .", "B-PER O O", f"s{k}") for k in range(50)]
    assert soundness(StubVictim(lexicon(NAMES)), many, gradients=False)["asked_twice"] == 16


def test_the_runs_of_a_suite_ask_a_victim_again_once(judges, monkeypatch, tmp_path):
    """The attack's own questions are remembered by the workshop, so all that more runs could ask is this."""
    victim = StubVictim(lexicon(NAMES), labels=("O", "B-PER", "I-PER"))
    monkeypatch.setattr(
        "benchmark.workshop.find_dataset", lambda *_: Dataset("four", {"test": tuple(SENTENCES)}, "here")
    )
    monkeypatch.setattr("benchmark.workshop.find_victim", lambda *_: victim)
    workshop = Workshop()
    told, asked = [], []
    for seed in range(3):
        report = run(Plan("identity", dataset="four", seed=seed), tmp_path, workshop)
        assert report.attacked == 4
        told.append(json.loads(report.folder.provenance_file.read_text(encoding="utf-8"))["soundness"])
        asked.append(len(victim.asked))
    assert told == [{"asked_twice": 4, "answered_otherwise": 0}] * 3
    assert asked[0] >= 8
    assert asked == asked[:1] * 3
