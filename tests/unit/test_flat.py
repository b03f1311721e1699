"""FLAT: its terms by hand, then its loss on MiniLM."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
import torch
from stubs import LABELS, sentence
from test_adapter_training import SENTENCES as TEXTS

from benchmark.errors import BadInput
from benchmark.victims.cnn_lstm_crf import CNN_LSTM_CRF
from benchmark.victims.recipe import Recipe
from benchmark.victims.training import AdapterTrainee
from defenses.adversarial_rounds import Rounds
from defenses.flat import Flat, MaskedRounds, floor_loss, importance_loss, replaced


def test_the_importance_loss_is_the_mean_distance_of_replaced_words():
    old, new = torch.tensor([0.9, 0.2, 0.5], requires_grad=True), torch.tensor([0.6, 0.4, 0.5], requires_grad=True)
    loss = importance_loss(old, new)
    assert loss.item() == pytest.approx((0.3 + 0.2 + 0) / 3)
    loss.backward()
    # Each is drawn to the other, by a slope of one over the number of pairs.
    assert old.grad[:2].tolist() == pytest.approx([1 / 3, -1 / 3])
    assert new.grad[:2].tolist() == pytest.approx([-1 / 3, 1 / 3])


def test_the_floor_asks_for_what_is_lacking_and_no_more():
    importance = torch.tensor([0.2, 0.45, 0.6, 0.99], requires_grad=True)
    loss = floor_loss(importance, 0.5)
    assert loss.item() == pytest.approx((0.3 + 0.05) / 4)
    loss.backward()
    assert importance.grad.tolist() == pytest.approx([-0.25, -0.25, 0, 0])
    assert floor_loss(importance, 0.0).item() == 0


def test_only_replaced_words_are_compared():
    original = sentence("the market in Oslo rose today", "O O O B-LOC O O")
    changed = original.insert(0, "well").replace(2, "bazaar").delete(6).replace(5, "ROSE").replace(1, "that")
    assert replaced(original, changed) == [("the", "that"), ("market", "bazaar")]
    assert replaced(original, original) == []
    mention = original.replace_span(original.spans[0], ["New", "Delhi"])
    assert replaced(original, mention) == [("Oslo", "New")]


# --- on a network -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def texts():
    """The texts, with ids of their own."""
    names = ("one", "two", "three")
    return [sentence(s.text, " ".join(s.tags), name) for s, name in zip(TEXTS, names, strict=True)]


@pytest.fixture(scope="module")
def flat(texts):
    """A MiniLM under training with masks, and the hooks that put them there."""
    trainee = AdapterTrainee(Recipe("minilm", "", "", 1), LABELS, texts, torch.device("cpu"))
    trainee.network.eval()
    hooks = MaskedRounds(SimpleNamespace(), Flat(beta=0.5, gamma=2.0, floor=0.95))
    hooks.equip(trainee)
    with torch.no_grad():  # as different as after some training
        hooks._masks.inferring[0].weight.mul_(20)
    attacked = (texts[0].replace(2, "walked"), texts[2].replace(1, "bazaar").replace(7, "stalls"))
    hooks._partners = {s.id: s for s in attacked}
    return trainee, hooks


def slopes_of(trainee, loss):
    """The gradients of the inference network."""
    trainee.network.zero_grad()
    loss.backward()
    return {name: parameter.grad.clone() for name, parameter in trainee.additions["word_masks"].named_parameters()}


def with_weights(hooks, beta=0.0, gamma=0.0, floor=0.0):
    other = MaskedRounds(SimpleNamespace(), Flat(beta=beta, gamma=gamma, floor=floor))
    other._masks, other._pieces, other._partners = hooks._masks, hooks._pieces, hooks._partners
    return other


def test_the_loss_is_the_sum_of_its_terms(flat, texts):
    trainee, hooks = flat
    drawn = random.Random(0)
    attacked = list(hooks._partners.values())
    predicted = Rounds.loss(with_weights(hooks), trainee, texts, drawn).item()
    bare = sum(share * trainee.loss(trainee.encode(given)).item() for share, given in ((1, texts), (2 / 3, attacked)))
    assert predicted == pytest.approx(bare, rel=1e-5)
    phi = lambda *words: hooks._importance(words)  # noqa: E731
    entropy = sum(
        share * hooks._masks.entropy(trainee.encode(given).inputs[0]).item()
        for share, given in ((1, texts), (2 / 3, attacked))
    )
    distance = (phi("went", "Market", "market") - phi("walked", "bazaar", "stalls")).abs().mean().item()
    # Of four words of mentions in the clean sentences, and of three in the attacked ones.
    lacking = floor_loss(phi("Ana", "Ruiz", "Kuressaare", "Bo", "Oslo"), 0.95).item()
    lacking += 2 / 3 * floor_loss(phi("Ana", "Ruiz", "Kuressaare", "Oslo"), 0.95).item()
    assert min(entropy, distance, lacking) > 1e-3
    whole = hooks.loss(trainee, texts, drawn).item()
    assert whole == pytest.approx(bare - 0.5 * entropy + 2 * 2 / 3 * distance + lacking, rel=1e-4)


def test_the_importance_loss_reaches_the_inference_network(flat, texts):
    """In the released code for transformers it does not."""
    trainee, hooks = flat
    drawn = random.Random(0)
    without = slopes_of(trainee, with_weights(hooks).loss(trainee, texts, drawn))
    among = slopes_of(trainee, with_weights(hooks, gamma=1.0).loss(trainee, texts, drawn))
    distance = importance_loss(
        hooks._importance(["went", "Market", "market"]), hooks._importance(["walked", "bazaar", "stalls"])
    )
    alone = slopes_of(trainee, distance)
    assert alone["0.weight"].norm() > 1e-3
    assert all(torch.allclose(among[name] - without[name], 2 / 3 * alone[name], atol=1e-5) for name in alone)


def test_after_one_step_the_masks_are_others_with_the_importance_loss_than_without(flat, texts):
    trainee, hooks = flat
    before = {name: tensor.clone() for name, tensor in trainee.additions["word_masks"].state_dict().items()}
    distances = {}
    for gamma in (0.0, 5.0):
        trainee.additions["word_masks"].load_state_dict(before)
        slopes = slopes_of(trainee, with_weights(hooks, gamma=gamma).loss(trainee, texts, random.Random(0)))
        with torch.no_grad():
            for name, parameter in trainee.additions["word_masks"].named_parameters():
                parameter.sub_(0.01 * slopes[name])
        pairs = hooks._importance(["went", "Market", "market"]), hooks._importance(["walked", "bazaar", "stalls"])
        distances[gamma] = importance_loss(*pairs).item()
    trainee.additions["word_masks"].load_state_dict(before)
    assert distances[5.0] < distances[0.0]


def test_a_network_with_masks_draws_in_training_and_answers_the_same_in_use(flat, texts):
    trainee, _ = flat
    batch = trainee.encode(texts)
    asked = [s.tokens for s in texts]
    once = trainee.victim.predict(asked)
    torch.manual_seed(0)
    trainee.network.train()
    assert trainee.loss(batch).item() != trainee.loss(batch).item()
    trainee.network.eval()
    again = trainee.victim.predict(asked)
    assert all((one.probabilities == other.probabilities).all() for one, other in zip(once, again, strict=True))


def test_masks_are_trained_with_the_adapter_and_stored_apart_from_it(flat, tmp_path):
    trainee, _ = flat
    learnt = [name for name in trainee.trained if "inferring" in name]
    assert len(learnt) == 4
    assert not any("table" in name for name in trainee.trained)
    state = trainee.whole_state()
    assert {name for name in state if name.startswith("word_masks:")} == {
        f"word_masks:{layer}.{kind}" for layer in (0, 2) for kind in ("weight", "bias")
    }
    assert len(trainee.state()) == len(state) - 4
    trainee.save_whole(state, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "adapter_model.safetensors",
        "adapter_config.json",
        "word_masks.safetensors",
    }


# --- what does not go together ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"beta": -1.0}, "beta must be at least 0, not -1.0"),
        ({"gamma": -0.1}, "gamma must be at least 0"),
        ({"floor": 1.5}, "floor must be between 0 and 1, not 1.5"),
        ({"rounds": 0}, "rounds must be at least 1"),
    ],
)
def test_wrong_parameters_are_told(parameters, told):
    with pytest.raises(BadInput, match=told):
        Flat(**parameters)


def test_an_architecture_without_masks_is_told():
    case = SimpleNamespace(architecture=CNN_LSTM_CRF, base="cnn-lstm-crf/mine")
    with pytest.raises(BadInput, match="flat masks the words of transformers, such as minilm/DATASET, not of cnn-lstm"):
        Flat().regimen(case)
