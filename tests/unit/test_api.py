"""The Python interface: one call, any callable."""

from __future__ import annotations

import numpy as np
import pytest
from stubs import StubVictim, lexicon, sentence

import benchmark
from benchmark.api import CallableVictim, attack
from benchmark.errors import BadInput
from benchmark.threat import Access
from benchmark.types import Status

KNOWN = {"Ana": "B-PER", "Ruiz": "I-PER", "Rome": "B-LOC"}
LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
SENTENCES = [
    (["Ana", "Ruiz", "visited", "Rome", "."], ["B-PER", "I-PER", "O", "B-LOC", "O"]),
    (["nothing", "here"], ["O", "O"]),
    (["Rome", "was", "empty"], ["B-LOC", "O", "O"]),
]


def tags(texts):
    return [[KNOWN.get(token, "O") for token in text] for text in texts]


def probabilities(texts):
    """Certain for known words as written, doubtful for all others."""
    out = []
    for text in texts:
        rows = np.full((len(text), len(LABELS)), 0.05)
        for i, token in enumerate(text):
            rows[i, LABELS.index(KNOWN.get(token, "O"))] = 0.8
        out.append(rows)
    return out


def test_a_callable_that_returns_tags_is_attacked():
    outcomes = attack(tags, SENTENCES, "deepwordbug-labels")
    assert [outcome.status for outcome in outcomes] == [Status.SUCCESS, Status.SKIPPED, Status.SUCCESS]
    assert outcomes[1].reason == "no entity"
    adversarial = benchmark.apply_edits(tuple(SENTENCES[0][0]), outcomes[0].edits)
    assert tuple(tags([adversarial])[0]) == outcomes[0].adversarial_prediction
    assert outcomes[0].adversarial_prediction != outcomes[0].clean


def test_a_callable_that_returns_probabilities_is_attacked_with_labels():
    outcomes = attack(probabilities, SENTENCES, "deepwordbug-i", labels=LABELS)
    assert [outcome.status for outcome in outcomes] == [Status.SUCCESS, Status.SKIPPED, Status.SUCCESS]
    assert outcomes[0].clean == tuple(SENTENCES[0][1])


def test_the_default_attack_needs_scores_and_says_so():
    with pytest.raises(BadInput, match="needs the victim's scores"):
        attack(tags, SENTENCES)
    assert len(attack(probabilities, SENTENCES, labels=LABELS)) == 3


def test_a_victim_object_is_taken_as_it_is():
    victim = StubVictim(lexicon(KNOWN))
    outcomes = attack(victim, SENTENCES, "identity")
    assert [outcome.status.value for outcome in outcomes] == ["failed", "skipped", "failed"]
    assert tuple(SENTENCES[2][0]) in victim.asked


def test_outcomes_come_in_the_order_of_the_sentences_whichever_ends_first():
    many = [([f"w{k}"] * (k % 5) + ["Ana"], ["O"] * (k % 5) + ["B-PER"]) for k in range(100)]
    outcomes = attack(tags, many, "deepwordbug-labels")
    assert [outcome.length for outcome in outcomes] == [len(tokens) for tokens, _ in many]
    assert [outcome.sentence_id for outcome in outcomes] == [str(k) for k in range(100)]


def test_sentences_that_share_an_id_keep_their_own_outcomes():
    given = [sentence("Ana left", "B-PER O", "same"), sentence("Rome was empty", "B-LOC O O", "same")]
    assert [outcome.length for outcome in attack(tags, given, "identity")] == [2, 3]


def test_sentences_and_pairs_may_be_mixed():
    given = [sentence("Rome was empty", "B-LOC O O", "mine"), SENTENCES[0]]
    assert [outcome.length for outcome in attack(tags, given, "identity")] == [3, 5]


def test_goal_mode_budget_seed_and_parameters_are_passed_on():
    stubborn = [(["Ana", "met", "Rome"], ["B-PER", "O", "B-LOC"])]

    def unmoved(texts):
        return [["B-PER", "O", "B-LOC"] for _ in texts]

    (outcome,) = attack(unmoved, stubborn, "random-edit", queries=20, parameters={"words": 2})
    assert (outcome.status, outcome.search_queries) == (Status.FAILED, 20)
    (outcome,) = attack(tags, stubborn, "casing", mode="escalate")
    assert outcome.score == 1.0
    (outcome,) = attack(tags, stubborn, "casing", goal="targeted(PER)")
    assert outcome.status is Status.FAILED
    first, again, other = (
        attack(tags, stubborn, "random-edit", seed=seed, parameters={"words": 3})[0].edits for seed in (0, 0, 1)
    )
    assert first == again != other


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attack": "deepwordbug"}, "did you mean"),
        ({"attack": "identity", "goal": "untargetted"}, "unknown goal"),
        ({"attack": "identity", "mode": "fast"}, "unknown mode"),
        ({"attack": "identity", "queries": 0}, "at least 1"),
        ({"attack": "identity", "parameters": {"words": 1}}, "no parameter"),
        ({"attack": "random-edit", "parameters": {"words": "1"}}, "must be int"),
    ],
)
def test_wrong_options_are_refused_before_the_victim_is_asked(options, message):
    asked = []
    with pytest.raises(BadInput, match=message):
        attack(asked.extend, SENTENCES, **options)
    assert asked == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([], []), "no tokens"),
        ((["Ana"], ["I-PER"]), "dangling"),
        ((["Ana"], ["S-PER"]), "not IOB2"),
        ((["Ana"], ["PER"]), "neither O nor"),
        ((["Ana", "left"], ["B-PER"]), "2 tokens but 1 tags"),
    ],
)
def test_wrong_sentences_are_refused(given, message):
    with pytest.raises(BadInput, match=message):
        attack(tags, [given], "identity")


@pytest.mark.parametrize(
    ("answer", "labels", "message"),
    [
        (lambda texts: [["O"] for _ in texts], (), "1 tags for 2 tokens"),
        (lambda texts: [["O"] * 3 for _ in texts], (), "3 tags for 2 tokens"),
        (lambda texts: [], (), "0 texts of 1"),
        (lambda texts: [["O", "O"]] * 2, (), "2 texts of 1"),
        (lambda texts: [np.zeros((2, 4)) for _ in texts], LABELS, r"shape \(2, 4\), wanted \(2, 5\)"),
        (lambda texts: [np.zeros((3, 5)) for _ in texts], LABELS, r"shape \(3, 5\), wanted \(2, 5\)"),
        (lambda texts: [np.zeros(5) for _ in texts], LABELS, r"shape \(5,\)"),
    ],
)
def test_answers_of_the_wrong_shape_are_refused(answer, labels, message):
    victim = CallableVictim(answer, labels)
    with pytest.raises(BadInput, match=message):
        victim.predict([("Ana", "left")])
    (outcome,) = attack(answer, [(["Ana", "left"], ["B-PER", "O"])], "identity", labels=labels)
    assert outcome.status is Status.ERROR
    assert "BadInput" in outcome.reason


def test_a_callable_victim_gives_labels_or_scores():
    by_tags, by_scores = CallableVictim(tags), CallableVictim(probabilities, LABELS)
    assert (by_tags.access, by_scores.access) == (Access.LABELS, Access.SCORES)
    (prediction,) = by_tags.predict([("Ana", "left")])
    assert (prediction.tags, prediction.probabilities) == (("B-PER", "O"), None)
    (prediction,) = by_scores.predict([("Ana", "left")])
    assert prediction.tags == ("B-PER", "O")
    assert prediction.probabilities.dtype == np.float32
    assert prediction.probabilities[0, 1] == pytest.approx(0.8)


def test_a_callable_gets_lists_and_one_call_a_batch():
    calls = []

    def spy(texts):
        calls.append(texts)
        return tags(texts)

    attack(spy, SENTENCES, "identity")
    assert calls == [[list(tokens) for tokens, _ in SENTENCES]]


def test_a_callable_that_fails_on_one_sentence_spoils_only_that():
    def fragile(texts):
        if any("nothing" in text for text in texts):
            raise ZeroDivisionError("nothing")
        return tags(texts)

    outcomes = attack(fragile, SENTENCES, "identity")
    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.ERROR, Status.FAILED]
    assert "ServiceFailed (ZeroDivisionError)" in outcomes[1].reason


def test_public_names_are_found_in_the_package_and_others_are_not():
    for name in benchmark.__all__:
        assert getattr(benchmark, name).__name__
    with pytest.raises(AttributeError, match="nonsense"):
        _ = benchmark.nonsense
