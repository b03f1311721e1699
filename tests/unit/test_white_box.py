"""Gradients and attributions of a victim, against what the victim itself says."""

from __future__ import annotations

import numpy as np
import pytest
from open_victims import moved, without_words

from benchmark.errors import BadInput
from benchmark.threat import Access
from benchmark.victims import LabelMap, VictimOptions, find_victim
from benchmark.victims.white_box import (
    Attribution,
    AttributionService,
    Gradient,
    GradientService,
    Method,
)

TEXTS = [
    tuple(line.split())
    for line in (
        "Maria Lindqvist flew to Toronto on Friday .",
        "The central bank of Norway raised rates",
        "Rome",
        "Unhappily , antidisestablishmentarianism bored Kowalczyk and the rest of us in Gdańsk that evening",
    )
]


@pytest.fixture(scope="module")
def victim():
    return find_victim("minilm/newsroom", VictimOptions(device="cpu"))


@pytest.fixture(scope="module")
def by_characters():
    return find_victim("minilm/newsroom", VictimOptions(device="cpu", pooling="characters"))


def target_of(victim, tokens):
    """All words, as the victim tags them."""
    return tuple(enumerate(victim.predict([tokens])[0].tags))


def value(victim, tokens, target):
    (answer,) = victim.predict([tokens])
    return sum(np.log(answer.probabilities[i, victim.labels.index(label)]) for i, label in target)


@pytest.mark.parametrize("pooling", ["victim", "by_characters"])
def test_f_is_what_the_victim_says(pooling, request):
    victim = request.getfixturevalue(pooling)
    questions = [Gradient(tokens, target_of(victim, tokens)) for tokens in TEXTS]
    for question, answer in zip(questions, GradientService(victim).answer(questions), strict=True):
        assert answer.value == pytest.approx(value(victim, *question), abs=1e-4)


@pytest.mark.parametrize("pooling", ["victim", "by_characters"])
def test_gradients_foretell_what_small_steps_do(pooling, request):
    victim = request.getfixturevalue(pooling)
    tokens = TEXTS[3]
    target = ((4, "B-LOC"), (12, "O"))
    (answer,) = GradientService(victim).answer([Gradient(tokens, target)])
    slopes = answer.by_table["pieces"]
    assert [len(word) for word in slopes] == [len(victim.tables["pieces"].of(word)) for word in tokens]
    rng = np.random.default_rng(0)
    for word in (2, 4, 12):
        step = rng.normal(size=slopes[word].shape).astype(np.float32)
        step *= 1e-2 / np.linalg.norm(step)
        there, back = (moved(victim, tokens, target, "pieces", [word], sign * step) for sign in (1, -1))
        assert (there - back) / 2 == pytest.approx(float((slopes[word] * step).sum()), rel=0.02, abs=2e-5)


def test_integrated_gradients_are_complete(victim):
    questions = [Attribution(tokens, target_of(victim, tokens)) for tokens in TEXTS]
    for question, answer in zip(questions, AttributionService(victim).answer(questions), strict=True):
        there = without_words(victim, question.tokens, question.target, "pieces")
        assert answer.sum() == pytest.approx(value(victim, question.tokens, question.target) - there, rel=0.05)
        assert len(answer) == len(question.tokens)


@pytest.mark.parametrize("method", list(Method))
def test_an_answer_does_not_depend_on_its_neighbours(victim, method):
    service = AttributionService(victim)
    questions = [Attribution(tokens, ((0, "B-PER"),), method, 8) for tokens in TEXTS * 4]
    together = service.answer(questions)
    alone = [service.answer([question])[0] for question in questions[:4]]
    for k, answer in enumerate(alone):
        assert np.array_equal(answer, together[k])
        assert np.array_equal(answer, together[k + 4])


def test_no_attack_can_change_the_attributions_that_the_next_one_is_told(victim):
    (answer,) = AttributionService(victim).answer([Attribution(TEXTS[0], ((0, "B-PER"),), Method.SALIENCY)])
    with pytest.raises(ValueError, match="read-only"):
        answer /= answer.sum()


def test_gradients_do_not_depend_on_neighbours(victim):
    service = GradientService(victim)
    questions = [Gradient(tokens, ((0, "B-PER"),)) for tokens in TEXTS]
    together = service.answer(questions)
    for question, beside in zip(questions, together, strict=True):
        (alone,) = service.answer([question])
        assert alone.value == beside.value
        for a, b in zip(alone.by_table["pieces"], beside.by_table["pieces"], strict=True):
            assert np.array_equal(a, b)


def test_methods_are_what_their_names_say(victim):
    tokens, target = TEXTS[0], ((0, "B-PER"), (4, "B-LOC"))
    slopes = GradientService(victim).answer([Gradient(tokens, target)])[0].by_table["pieces"]
    vectors = [victim.tables["pieces"].looked_up(word) for word in tokens]
    product, saliency = AttributionService(victim).answer(
        [Attribution(tokens, target, method, 1) for method in (Method.GRADIENT_TIMES_INPUT, Method.SALIENCY)]
    )
    by_hand = [float((slope * own).sum()) for slope, own in zip(slopes, vectors, strict=True)]
    assert product == pytest.approx(by_hand, abs=1e-5)
    assert saliency == pytest.approx([float(np.abs(slope).sum()) for slope in slopes], abs=1e-4)


def test_other_vectors_stand_in_for_a_word(victim):
    tokens, target = TEXTS[0], ((4, "B-LOC"),)
    other = victim.tables["pieces"].looked_up("Berlin")
    swapped = Attribution(tokens, target, instead=((4, other.tobytes()),))
    plain = Attribution((*tokens[:4], "Berlin", *tokens[5:]), target)
    one, two = AttributionService(victim).answer([swapped, plain])
    assert one == pytest.approx(two, abs=1e-5)


def test_new_labels_are_sums_of_the_old(victim):
    merged = find_victim(
        "minilm/newsroom", VictimOptions(device="cpu", label_map=LabelMap.parse("LOC=PLACE,ORG=PLACE,MISC=O"))
    )
    assert merged.access is Access.GRADIENTS
    (answer,) = GradientService(merged).answer([Gradient(TEXTS[0], ((4, "B-PLACE"), (1, "O")))])
    assert answer.value == pytest.approx(value(merged, TEXTS[0], ((4, "B-PLACE"), (1, "O"))), abs=1e-4)


def test_an_unknown_label_or_table_is_told(victim):
    with pytest.raises(BadInput, match="no label 'B-DOG'"):
        GradientService(victim).answer([Gradient(TEXTS[0], ((0, "B-DOG"),))])
    with pytest.raises(BadInput, match="no embedding table 'words'; it has: pieces"):
        AttributionService(victim).answer([Attribution(TEXTS[0], ((0, "O"),), table="words")])
