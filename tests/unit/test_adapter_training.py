"""Training a token classifier: what happens where the learning rate is too high."""

from __future__ import annotations

import pytest
import torch
from stubs import StubVictim, lexicon

from benchmark.datasets import find_dataset
from benchmark.errors import BadInput
from benchmark.victims import training
from benchmark.victims.minilm import recipe_for


@pytest.fixture
def rates(monkeypatch, tmp_path):
    """Train nothing; note the rates tried and what is stored, alive at `rates.fine` and below."""

    class Rates(list):
        fine = 0.0
        stored: dict | None = None

    tried = Rates()

    def train(recipe, rate, dataset, device, report):
        tried.append(rate)
        return training._Trained("model", {}, [0.5]) if rate <= tried.fine else None

    monkeypatch.setattr(training, "_train", train)
    monkeypatch.setattr(training, "_store", lambda model, state, card, folder: setattr(tried, "stored", card))
    return tried


def train(tmp_path):
    dataset = find_dataset("newsroom")
    recipe = recipe_for(dataset)
    training.train_adapter(recipe, dataset, tmp_path, torch.device("cpu"))
    return recipe


def test_a_rate_that_works_is_tried_alone(rates, tmp_path):
    rates.fine = 1.0
    recipe = train(tmp_path)
    assert rates == [recipe.learning_rate]
    assert rates.stored["rate_used"] == recipe.learning_rate


def test_a_dead_network_is_trained_again_with_half_the_rate(rates, tmp_path):
    rates.fine = 0.0006
    recipe = train(tmp_path)
    assert rates == [0.002, 0.001, 0.0005]
    assert (rates.stored["id"], rates.stored["learning_rate"], rates.stored["rate_used"]) == (recipe.id, 0.002, 0.0005)


def test_where_every_rate_is_too_high_one_line_says_so_and_nothing_is_stored(rates, tmp_path):
    with pytest.raises(BadInput, match=r"learns nothing from newsroom, with 4 learning rates from 0.002 down"):
        train(tmp_path)
    assert rates == [0.002, 0.001, 0.0005, 0.00025]
    assert rates.stored is None


def test_a_network_is_dead_if_it_says_the_same_of_every_word(newsroom):
    sentences = newsroom.split("test")[:5]
    constant = StubVictim(lambda tokens: ["O"] * len(tokens))
    name = sentences[0].tokens[0]
    assert training._is_dead(constant, sentences)
    assert not training._is_dead(StubVictim(lexicon({name: "B-PER"})), sentences)


def test_the_bundled_victim_is_alive(minilm, newsroom):
    assert not training._is_dead(minilm, newsroom.split("dev")[:5])
