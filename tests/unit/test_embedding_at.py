"""Perturbed embeddings: every formula on a case worked out by hand, then on small networks."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
import torch
from small_training import SENTENCES, SETTINGS, new_trainee

from benchmark.errors import BadInput
from benchmark.victims.cnn_lstm_crf import CNN_LSTM_CRF, load_folder
from benchmark.victims.cnn_lstm_crf.normalising import moments
from benchmark.victims.cnn_lstm_crf.vocabulary import glove
from benchmark.victims.finding import VictimOptions
from defenses.embedding_at import EmbeddingAt, Perturbing
from defenses.perturbing import Perturbation, towards

pytestmark = pytest.mark.usefixtures("small_glove")


# --- the formula ------------------------------------------------------------------------------------------------------


def test_the_norm_is_that_of_a_whole_sequence_and_padding_stays_where_it_is():
    # Two sequences of three units in two dimensions; the second one has a unit of padding with a slope of its own.
    slope = torch.tensor([[[3.0, 0], [0, 4], [0, 0]], [[1, 2], [2, 0], [50, 50]]])
    present = torch.tensor([[True, True, True], [True, True, False]])
    moves = towards(slope, present, torch.tensor([0.5, 0.3]))
    # ‖g‖ of the first is 5, of the second √(1 + 4 + 4) = 3.
    expected = torch.tensor([[[0.3, 0], [0, 0.4], [0, 0]], [[0.1, 0.2], [0.2, 0], [0, 0]]])
    assert torch.allclose(moves, expected, atol=1e-7)
    assert moves.flatten(1).norm(dim=1).tolist() == pytest.approx([0.5, 0.3])


def test_no_slope_gives_no_move():
    moves = towards(torch.zeros(2, 3, 4), torch.ones(2, 3, dtype=torch.bool), torch.tensor([0.5, 0.5]))
    assert (moves == 0).all()


def test_moves_are_constants():
    slope = torch.ones(1, 2, 2, requires_grad=True)
    assert not towards(slope * 2, torch.ones(1, 2, dtype=torch.bool), torch.tensor([1.0])).requires_grad


def test_the_moments_of_embeddings_are_weighted_by_frequency():
    # E = (0.5·0 + 0.25·4 + 0.25·8, 1) = (3, 1), Var = (0.5·9 + 0.25·1 + 0.25·25, 0) = (11, 0).
    mean, spread = moments(torch.tensor([[0.0, 1], [4, 1], [8, 1]]), torch.tensor([0.5, 0.25, 0.25]))
    assert mean.tolist() == [3, 1]
    assert spread.tolist() == pytest.approx([11**0.5, 1e-3], rel=1e-4)


@pytest.mark.parametrize("parameter", ["weight", "word_norm", "character_norm", "epsilon"])
def test_negative_parameters_are_refused(parameter):
    with pytest.raises(BadInput, match=rf"{parameter} must be at least 0, not -1"):
        EmbeddingAt(**{parameter: -1.0})


# --- on the CNN-LSTM-CRF ----------------------------------------------------------------------------------------------


def moves_of(trainee, sentences, perturbation=None):
    batch = trainee.encode(sentences)
    vectors = trainee.vectors(batch)
    loss = trainee.loss(batch, vectors)
    moves = (perturbation or EmbeddingAt().perturbation).of(trainee, batch, vectors, loss)
    return batch, vectors, loss, moves


def test_each_sequence_moves_by_its_norm_in_each_table(cnn, dataset):
    batch, vectors, _, moves = moves_of(cnn, dataset.split("train")[::3])
    for table, norm in (("words", 0.4), ("characters", 0.2)):
        assert moves[table].shape == vectors[table].shape
        assert moves[table].flatten(1).norm(dim=1).tolist() == pytest.approx([norm] * len(batch.sentences), rel=1e-5)
        padding = ~cnn.present(batch)[table]
        assert padding.any()
        assert (moves[table][padding] == 0).all()


def test_what_is_present_are_the_words_and_their_letters(cnn, dataset):
    sentences = dataset.split("train")[::3]
    present = cnn.present(cnn.encode(sentences))
    assert present["words"].sum(1).tolist() == [len(s) for s in sentences]
    assert present["characters"].sum(1).tolist() == [sum(map(len, s.tokens)) for s in sentences]


def test_the_move_raises_the_loss_and_a_random_one_of_the_same_norm_less(cnn, dataset):
    batch, vectors, loss, moves = moves_of(cnn, dataset.split("train"), Perturbation(1.0, 0.0, 0.0))
    moved = cnn.loss(batch, {"words": vectors["words"] + moves["words"], "characters": vectors["characters"]})
    torch.manual_seed(0)
    at_random = towards(torch.randn_like(moves["words"]), cnn.present(batch)["words"], torch.ones(len(batch.sentences)))
    aside = cnn.loss(batch, {"words": vectors["words"] + at_random, "characters": vectors["characters"]})
    assert moved > loss + 0.01
    assert moved - loss > 3 * (aside - loss).abs()


def test_the_loss_is_the_plain_one_and_the_weighted_one_at_the_moved_vectors(cnn, dataset):
    sentences = dataset.split("train")[:6]
    torch.manual_seed(5)
    total = Perturbing(0.6, EmbeddingAt().perturbation).loss(cnn, sentences, random.Random(0))
    torch.manual_seed(5)
    batch, vectors, plain, moves = moves_of(cnn, sentences)
    adversarial = cnn.loss(batch, {table: vectors[table] + moves[table] for table in vectors})
    assert total.item() == pytest.approx((plain + 0.6 * adversarial).item(), rel=1e-9)
    assert adversarial > plain


def test_embeddings_are_normalised_with_padding_at_zero(cnn, dataset):
    sentences = dataset.split("train")
    # Rare words are taken for unknown ones by chance; here every word shall be itself.
    cnn._chances = tuple(torch.zeros_like(chance) for chance in cnn._chances)
    batch = cnn.encode(sentences)
    for table, vectors in cnn.vectors(batch).items():
        seen = vectors[cnn.present(batch)[table]]
        assert seen.mean(0).abs().max() < 1e-5
        assert seen.var(0, correction=0).tolist() == pytest.approx([1] * seen.shape[1], rel=1e-3)
    unseen = ~cnn.present(batch)["characters"] & (batch.inputs.characters == 0).flatten(1)
    assert (cnn.vectors(batch)["characters"][unseen] == 0).all()


def test_the_embeddings_learn_through_their_normalisation(cnn, dataset):
    cnn.loss(cnn.encode(dataset.split("train"))).backward()
    assert cnn.network.words.weight.grad.abs().sum() > 0
    # Adding the same to all embeddings changes nothing, so the slopes of each dimension sum to zero.
    assert cnn.network.words.weight.grad.sum(0).abs().max() < 1e-5


def test_the_stored_victim_answers_as_the_network_in_training(cnn, dataset, tmp_path):
    card = CNN_LSTM_CRF.recipe_with(dataset, SETTINGS).to_json() | {"labels": list(cnn.victim.labels)}
    (tmp_path / "recipe.json").write_text(json.dumps(card))
    cnn.save(cnn.state(), tmp_path)
    stored = load_folder(tmp_path, "stored", VictimOptions(device="cpu"))
    # Norway and Rome are words of GloVe's that training did not see.
    texts = [s.tokens for s in dataset.split("train")] + [("Rome", "and", "Norway", "bored", "zzyzx")]
    for one, other in zip(cnn.victim.predict(texts), stored.predict(texts), strict=True):
        assert np.array_equal(one.probabilities, other.probabilities)
    mean, spread = moments(cnn.network.words.weight.detach(), cnn.network.word_shares)
    known = torch.from_numpy(glove().of(["norway"]))
    assert np.allclose(stored.tables["words"].looked_up("Norway"), ((known - mean) / spread).numpy(), atol=1e-6)


def test_plain_training_normalises_nothing(dataset):
    plain = new_trainee(dataset)
    assert "glove_mean" not in plain.state()
    word = dataset.split("train")[0].tokens[0]
    row = plain.network.words.weight[plain._vocabulary.look_up(word).word]
    plain._chances = tuple(torch.zeros_like(chance) for chance in plain._chances)
    assert torch.equal(plain.vectors(plain.encode(dataset.split("train")[:1]))["words"][0, 0], row)


# --- on a transformer -------------------------------------------------------------------------------------------------


def test_pieces_move_relative_to_the_size_of_the_table_and_of_the_sequence(minilm_in_training):
    batch, vectors, _, moves = moves_of(minilm_in_training, SENTENCES, Perturbation(9, 9, 0.05))
    pieces = batch.inputs[1].sum(1)
    assert len(set(pieces.tolist())) > 1
    expected = 0.05 * minilm_in_training.scale("pieces") * (pieces * 384).sqrt()
    assert moves["pieces"].flatten(1).norm(dim=1).tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    assert (moves["pieces"][batch.inputs[1] == 0] == 0).all()
    moved = minilm_in_training.loss(batch, {"pieces": vectors["pieces"] + moves["pieces"]})
    assert moved > minilm_in_training.loss(batch)


def test_the_adversarial_loss_teaches_the_adapter_only(minilm_in_training):
    trainee = minilm_in_training
    Perturbing(0.6, EmbeddingAt().perturbation).loss(trainee, SENTENCES, random.Random(0)).backward()
    slopes = {name: parameter.grad for name, parameter in trainee.network.named_parameters()}
    trainee.network.zero_grad()
    assert all((slope is not None) == (name in trainee.trained) for name, slope in slopes.items())
    assert any(slope.abs().sum() > 0 for slope in slopes.values() if slope is not None)
