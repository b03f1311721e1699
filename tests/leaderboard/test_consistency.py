"""Interpretation consistency: by hand, on a stub whose inside is open, and by the command."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from board_runs import LABELS, NAMES, attack_all, made_up, read
from stubs import StubWhiteBox, lexicon, sentence

from benchmark.datasets import Dataset
from benchmark.errors import BadInput
from benchmark.types import Status
from benchmark.victims.white_box import Attribution, AttributionService
from leaderboard.consistency import Agreement, aligned, compared, consistency

TAGS = {name: f"B-{kind}" for name, kind in NAMES.items()}
EVERY_WORD = [(k, k) for k in range(4)]


class OpenReader(StubWhiteBox):
    """Knows names by heart; its gradients are a formula of the text."""

    def __init__(self, name="minilm/made-up"):
        super().__init__(lexicon(TAGS), labels=LABELS)
        self.name = name


# --- two attributions -------------------------------------------------------------------------------------------------


def test_kendalls_tau_counts_pairs_in_the_same_order_against_those_in_the_other():
    # Pairs of (4, 3, 2, 1) against (4, 3, 1, 2): five of six in the same order.
    found = compared(np.array([4.0, 3.0, 2.0, 1.0]), np.array([4.0, 3.0, 1.0, 2.0]), EVERY_WORD, top=2)
    assert found == Agreement(pytest.approx((5 - 1) / 6), 1.0, 2 / 4)


def test_ties_are_left_out_of_taus_denominator():
    # tau-b: of six pairs one is tied in the first; four agree, one does not.
    found = compared(np.array([3.0, 2.0, 2.0, 0.0]), np.array([4.0, 3.0, 2.0, 2.5]), EVERY_WORD)
    assert found.tau == pytest.approx((4 - 1) / np.sqrt(5 * 6))


def test_the_most_attributed_words_are_those_that_speak_for_the_labels():
    found = compared(np.array([9.0, 1.0, -9.0, 2.0]), np.array([8.0, -9.0, 1.0, 3.0]), EVERY_WORD, top=2)
    assert found.top == 1.0
    found = compared(np.array([9.0, 1.0, -9.0, 2.0]), np.array([1.0, 9.0, 8.0, -3.0]), EVERY_WORD, top=2)
    assert found.top == 0.0


@pytest.mark.parametrize(("words", "k"), [(3, 1), (4, 2), (5, 2), (9, 4), (10, 5), (30, 5)])
def test_of_few_words_half_are_compared_so_that_they_can_differ(words, k):
    every = [(i, i) for i in range(words)]
    rising, falling = np.arange(float(words)), -np.arange(float(words))
    assert compared(rising, rising, every)[1:] == (1.0, k / words)
    assert compared(rising, falling, every)[1:] == (0.0, k / words)


def test_only_aligned_words_are_compared():
    before, after = np.array([4.0, 3.0, 2.0, 1.0]), np.array([4.0, -100.0, 3.0, 2.0, 1.0])
    assert compared(before, after, [(0, 0), (1, 2), (2, 3), (3, 4)]) == Agreement(pytest.approx(1.0), 1.0, 2 / 4)


@pytest.mark.parametrize(
    ("before", "words"), [([1.0, 2.0, 3.0, 4.0], EVERY_WORD[:2]), ([1.0, 1.0, 1.0, 1.0], EVERY_WORD)]
)
def test_too_few_words_or_attributions_all_alike_say_nothing(before, words):
    assert compared(np.array(before), np.array([1.0, 2.0, 3.0, 4.0]), words) is None


def test_inserted_deleted_and_merged_words_have_no_partner():
    original = sentence("Ana left the big house .", "B-PER O O O O O")
    assert aligned(original.replace(1, "quit").insert(1, "soon")) == ((0, 0), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6))
    assert aligned(original.delete(2)) == ((0, 0), (1, 1), (3, 2), (4, 3), (5, 4))
    assert aligned(original.merge(2, "thebig")) == ((0, 0), (1, 1), (4, 3), (5, 4))


# --- a run ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("consistency")
    attack_all(folder, [OpenReader()], ["deepwordbug-i", "identity"], limit=6)
    return folder


@pytest.fixture
def run(results):
    return next(run for run in read(results).runs if run.spec.attack == "deepwordbug-i")


def test_a_run_is_the_mean_over_the_mentions_of_its_successes(run):
    victim = OpenReader()
    found = consistency(run, victim, made_up(), steps=2)
    won = [example.outcome for example in run.examples.values() if example.outcome.status is Status.SUCCESS]
    assert found.sentences == len(won) > 2
    originals = {s.id: s for s in made_up().split("test")}
    taus = []
    for outcome in won:
        original = originals[outcome.sentence_id]
        words = list(original.tokens)
        for edit in outcome.edits:  # DeepWordBug replaces words
            (words[edit.at],) = edit.words
        service, own = AttributionService(victim), []
        for span in original.spans:
            target = ((span.start, original.tags[span.start]),)
            texts = (original.tokens, tuple(words))
            before, after = service.answer([Attribution(text, target, steps=2) for text in texts])
            own.append(compared(before, after, [(k, k) for k in range(len(words))]).tau)
        taus.append(sum(own) / len(own))
    assert found.kendall_tau == pytest.approx(sum(taus) / len(taus), abs=1e-6)
    assert -1 < found.kendall_tau < 1
    assert found.top_by_chance == pytest.approx(4 / 9, abs=1e-6)  # all of nine words
    # A sentence has two names; where one is broken the other may be right on both texts.
    assert 0 < found.sentences_right <= found.sentences
    assert found.kendall_tau_right != found.kendall_tau


def test_what_cannot_be_compared_is_refused(run):
    closed = OpenReader()
    closed.fingerprint = "0" * 64
    with pytest.raises(BadInput, match="made against other weights"):
        consistency(run, closed, made_up())
    blind = OpenReader()
    del blind.tables
    with pytest.raises(BadInput, match="gives no gradients"):
        consistency(run, blind, made_up())
    with pytest.raises(BadInput, match="another version of made-up"):
        consistency(run, OpenReader(), Dataset("made-up", {"test": made_up().split("test")[:-1]}, "here"))


def test_the_command_tells_of_all_runs_and_names_those_it_leaves_out(gauntlet, results, run, monkeypatch):
    monkeypatch.setattr("benchmark.workshop.find_dataset", lambda *_: made_up())
    monkeypatch.setattr("benchmark.workshop.find_victim", lambda *_: OpenReader())
    code, out, _ = gauntlet("consistency", "--results", results, "--steps", 2, "--json")
    (row,) = json.loads(out)  # controls are left out
    assert code == 0
    assert (row["victim"], row["attack"]) == ("minilm/made-up", "deepwordbug-i")
    found = consistency(run, OpenReader(), made_up(), steps=2)
    assert {key: row[key] for key in dataclasses.asdict(found)} == dataclasses.asdict(found)
    blind = OpenReader()
    del blind.tables
    monkeypatch.setattr("benchmark.workshop.find_victim", lambda *_: blind)
    code, out, err = gauntlet("consistency", "--results", results)
    assert (code, out) == (0, "")
    assert "left out: minilm/made-up gives no gradients" in err
    code, _, err = gauntlet("consistency", "--results", results, "--attack", "clare")
    assert code == 2
    assert "no finished run of that kind" in err


def test_a_terminal_gets_short_headers(gauntlet, results, monkeypatch):
    monkeypatch.setattr("benchmark.workshop.find_dataset", lambda *_: made_up())
    monkeypatch.setattr("benchmark.workshop.find_victim", lambda *_: OpenReader())
    code, out, _ = gauntlet("consistency", "--results", results, "--steps", 1)
    assert code == 0
    assert all(
        header in out for header in ("minilm/made-up", "tau right", "top 5 right", "integrated gradients in 1 steps")
    )
