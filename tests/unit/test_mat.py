"""Masked adversarial training: what is masked, what stands in, and that the loss is another one than plain AT's."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest
import torch
from small_training import SENTENCES, new_trainee

from benchmark.errors import BadInput
from benchmark.victims.cnn_lstm_crf.vocabulary import MASK
from defenses.embedding_at import EmbeddingAt, Perturbing
from defenses.mat import MaskedPerturbing, Mat
from defenses.substituting import GaussianSubstitution

pytestmark = pytest.mark.usefixtures("small_glove")


# --- the distribution -------------------------------------------------------------------------------------------------


def density(away, spread):
    return math.exp(-((away / spread) ** 2) / 2) / (spread * math.sqrt(2 * math.pi))


@pytest.mark.parametrize(("normalise", "omega"), [("sum", 0.01), ("softmax", 0.05)])
def test_the_distribution_of_substitutes_by_hand(normalise, omega):
    # Of 101 distances 0, 1, … 100 the 99th percentile is 99. Three candidates without the nearest: 1, 2, 3; μ = 2/99.
    distances = torch.arange(101).double().flip(0)
    candidates, shares = GaussianSubstitution(omega, 3, normalise).of(distances)
    assert candidates.tolist() == [99, 98, 97]
    outer, middle = density(1 / 99, omega), density(0, omega)
    if normalise == "softmax":
        outer, middle = math.exp(outer), math.exp(middle)
    total = 2 * outer + middle
    assert shares.tolist() == pytest.approx([outer / total, middle / total, outer / total], rel=1e-9)


def divergence_from_uniform(gaussian, distances):
    """KL(P ‖ uniform), in nats."""
    shares = gaussian.of(distances).probabilities
    assert shares.sum().item() == pytest.approx(1)
    return float((shares * (shares * len(shares)).clamp_min(1e-300).log()).sum())


def test_it_is_far_from_uniform_at_the_default_and_all_but_uniform_at_a_wide_spread():
    distances = torch.from_numpy(np.random.default_rng(0).normal(5, 1, 5000))
    by_default = divergence_from_uniform(Mat().gaussian, distances)
    assert by_default > 1
    assert divergence_from_uniform(Mat(normalise="sum").gaussian, distances) > 0.2
    assert by_default > divergence_from_uniform(Mat(omega=0.05).gaussian, distances) > 0.1
    assert divergence_from_uniform(Mat(omega=0.4).gaussian, distances) < 0.01


def test_neither_the_nearest_nor_the_farthest_words_are_candidates():
    distances = torch.tensor([9.0, 1.0, 5.0, 2.0, 3.0, 8.0])
    assert GaussianSubstitution(0.05, 3, "softmax").of(distances).candidates.tolist() == [3, 4, 2]
    assert len(GaussianSubstitution(0.05, 99, "softmax").of(distances).candidates) == 5


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"omega": 0.0}, "omega must be at least 0.001, not 0.0"),
        ({"candidates": 0}, "candidates must be at least 1"),
        ({"normalise": "max"}, "normalise must be one of softmax, sum, not 'max'"),
        ({"substitutes": "near"}, "substitutes must be one of similar, random, not 'near'"),
        ({"mask_rate": 1.5}, "mask_rate must be between 0 and 1, not 1.5"),
        ({"sentence_rate": -0.1}, "sentence_rate must be between 0 and 1"),
        ({"weight": -1.0}, "weight must be at least 0"),
    ],
)
def test_wrong_parameters_are_told(parameters, told):
    with pytest.raises(BadInput, match=told):
        Mat(**parameters)


# --- what is changed --------------------------------------------------------------------------------------------------


def test_sentences_words_and_masks_are_drawn_at_their_rates(cnn, dataset):
    sentences = [dataset.split("train")[k % 16] for k in range(64)]
    hooks, drawn = MaskedPerturbing(Mat()), random.Random(0)
    changes = [(row, at, word) for _ in range(200) for (row, at), word in hooks.changes(cnn, sentences, drawn).items()]
    assert len(changes) / (64 * 200) == pytest.approx(0.06, abs=0.006)
    assert sum(word is None for *_, word in changes) / len(changes) == pytest.approx(0.9, abs=0.03)
    # One place a sentence, any of them.
    of_six = [at for row, at, _ in changes if len(sentences[row]) == 6]
    assert set(of_six) == set(range(6))
    assert max(Counter(of_six).values()) < 2 * min(Counter(of_six).values())


def test_substitutes_are_other_training_words_in_the_casing_of_the_place(cnn):
    hooks = MaskedPerturbing(Mat(substitutes="random"))
    found = {hooks.substitute(cnn, "Oslo", random.Random(k)) for k in range(300)}
    assert "Oslo" not in found
    assert {"Lima", "Flew", "Twelve", "."} <= found
    assert {"LIMA", "FLEW"} <= {hooks.substitute(cnn, "OSLO", random.Random(k)) for k in range(300)}


def test_similar_substitutes_come_from_the_distribution(cnn):
    hooks = MaskedPerturbing(Mat(candidates=5))
    words, vectors, own, itself = cnn.alternatives("oslo")
    distances = {word: float((vectors[k] - own).norm()) for k, word in enumerate(words) if k != itself}
    nearest = sorted(distances, key=distances.get)
    found = Counter(hooks.substitute(cnn, "oslo", random.Random(k)) for k in range(2000))
    assert set(found) <= set(nearest[1:6])
    _, shares = hooks._mat.gaussian.of(torch.tensor(list(distances.values())))
    assert [found[word] / 2000 for word in nearest[1:6]] == pytest.approx(shares.tolist(), abs=0.05)


def test_words_that_training_never_saw_have_substitutes_too(cnn):
    hooks = MaskedPerturbing(Mat())
    assert hooks.substitute(cnn, "Norway", random.Random(0)).lower() in cnn.alternatives("norway").words
    assert cnn.alternatives("norway").itself is None


def test_a_hidden_word_is_the_mask_with_its_own_character(cnn, dataset):
    sentences = dataset.split("train")[:4]
    batch = cnn.encode(sentences)
    changed = cnn.with_words(batch, {(0, 1): None})
    words, characters = cnn._vocabulary.words, cnn._vocabulary.characters
    assert words[changed.inputs.words[0, 1]] == MASK
    assert [characters[k] for k in changed.inputs.characters[0, 1].tolist() if k] == [MASK]
    assert torch.equal(batch.tags, changed.tags)
    same = torch.ones_like(batch.inputs.words, dtype=torch.bool)
    same[0, 1] = False
    assert torch.equal(batch.inputs.words[same], changed.inputs.words[same])
    assert torch.equal(batch.inputs.characters[same], changed.inputs.characters[same])
    assert not torch.equal(batch.inputs.words, changed.inputs.words)


def test_there_is_room_for_a_longer_substitute(cnn, dataset):
    sentences = dataset.split("train")[12:14]
    batch = cnn.encode(sentences, ["Unfathomable"])
    changed = cnn.with_words(batch, {(1, 0): "Unfathomable"})
    assert (changed.inputs.characters[1, 0] != 0).sum() == len("Unfathomable")
    assert changed.inputs.characters.shape == batch.inputs.characters.shape


def test_room_for_more_characters_changes_no_answer(dataset):
    trainee = new_trainee(dataset)
    trainee.network.eval()
    trainee._chances = tuple(torch.zeros_like(chance) for chance in trainee._chances)
    sentences = dataset.split("train")[:6]
    losses = [trainee.loss(trainee.encode(sentences, room)).item() for room in ((), ["Unfathomable"])]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


# --- the loss ---------------------------------------------------------------------------------------------------------


def losses(trainee, sentences, hooks, seed=1):
    """The weighted adversarial part of a loss."""
    torch.manual_seed(0)
    total = hooks.loss(trainee, sentences, random.Random(seed))
    torch.manual_seed(0)
    return float((total - trainee.loss(trainee.encode(sentences))).detach())


@pytest.mark.parametrize("architecture", ["cnn", "minilm_in_training"])
def test_the_adversarial_loss_is_ats_if_nothing_is_masked_and_another_one_if_words_are(architecture, dataset, request):
    trainee = request.getfixturevalue(architecture)
    sentences = list(dataset.split("train")) if architecture == "cnn" else SENTENCES
    at = losses(trainee, sentences, Perturbing(0.6, EmbeddingAt().perturbation))
    assert losses(trainee, sentences, MaskedPerturbing(Mat(sentence_rate=0.0))) == at
    masked = losses(trainee, sentences, MaskedPerturbing(Mat(sentence_rate=1.0, mask_rate=1.0)))
    replaced = losses(trainee, sentences, MaskedPerturbing(Mat(sentence_rate=1.0, mask_rate=0.0)))
    assert abs(masked - at) > 1e-4
    assert abs(replaced - at) > 1e-4
    assert masked != replaced


def test_the_moves_are_those_of_the_clean_text(cnn, dataset):
    """Masked everywhere: the moved vectors less the mask's own are the clean moves."""
    seen = {}

    class Spying(MaskedPerturbing):
        def adversarial(self, trainee, batch, moves, changes):
            seen.update(batch=batch, moves=moves, changes=changes)
            return super().adversarial(trainee, batch, moves, changes)

    sentences = dataset.split("train")[:6]
    Spying(Mat(sentence_rate=1.0)).loss(cnn, sentences, random.Random(0))
    batch, moves = seen["batch"], seen["moves"]
    assert len(seen["changes"]) == 6
    vectors = cnn.vectors(batch)
    again = EmbeddingAt().perturbation.of(cnn, batch, vectors, cnn.loss(batch, vectors))
    assert all(torch.allclose(moves[table], again[table], atol=1e-7) for table in moves)


def test_without_perturbation_it_is_masking_alone(cnn, dataset):
    sentences = list(dataset.split("train"))
    hooks = MaskedPerturbing(Mat(sentence_rate=1.0, word_norm=0.0, character_norm=0.0))
    torch.manual_seed(0)
    total = hooks.loss(cnn, sentences, random.Random(1))
    changes = hooks.changes(cnn, sentences, random.Random(1))
    torch.manual_seed(0)
    batch = cnn.encode(sentences, [word for word in changes.values() if word])
    masked = cnn.loss(cnn.with_words(batch, changes))
    assert float(total.detach()) == pytest.approx(float((cnn.loss(batch) + 0.6 * masked).detach()), rel=1e-9)
