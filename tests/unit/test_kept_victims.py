"""Trained victims that are kept with results: found by their recipe, under whatever name, and not trained anew."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from small_training import made_up, write_conll

from benchmark.defending import fitted
from benchmark.training.architecture import Architecture
from benchmark.victims import VictimOptions, find_victim
from benchmark.victims.finding import parse_name
from benchmark.victims.recipe import CARD, COST, Recipe, cache_folder, trained_folder, training_cost

NAME = "cnn-lstm-crf/mine(batch_size=6,epochs=1)"
DEFENDED = f"{NAME}+word-dropout"

pytestmark = pytest.mark.usefixtures("small_glove")


@pytest.fixture
def options(tmp_path):
    return VictimOptions(device="cpu", data_dir=write_conll(made_up(), tmp_path / "data"), kept=tmp_path / "victims")


@pytest.fixture
def recipes(options, monkeypatch):
    """Recipes of the names, caught on their way to be trained."""
    caught = {}
    train = Architecture.train

    def catch(self, recipe, dataset, folder, name, *more):
        caught[name] = recipe
        train(self, recipe, dataset, folder, name, *more)

    monkeypatch.setattr(Architecture, "train", catch)
    return caught


@pytest.fixture
def no_cache(tmp_path, monkeypatch):
    """Another machine: an empty cache, and nothing may be trained into it."""

    def elsewhere():
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
        monkeypatch.setattr(Architecture, "train", lambda *_: pytest.fail("trained"))

    return elsewhere


@pytest.mark.parametrize("name", [NAME, DEFENDED])
def test_a_kept_victim_is_the_one_that_was_trained(options, recipes, no_cache, name):
    made = find_victim(name, options)
    shutil.copytree(cache_folder(recipes[name]), options.kept / "any-name")
    no_cache()
    kept = find_victim(name, options)
    assert kept.fingerprint == made.fingerprint
    assert kept.settings == made.settings
    if name == DEFENDED:
        assert fitted(parse_name(name), options).folder == options.kept / "any-name"


def test_one_of_another_recipe_is_not_taken(options, recipes):
    find_victim(NAME, options)
    recipe, folder = recipes[NAME], options.kept / "mine"
    assert trained_folder(recipe) == trained_folder(recipe, options.kept) == cache_folder(recipe)
    shutil.copytree(cache_folder(recipe), folder)
    assert trained_folder(recipe, options.kept) == folder
    other = replace(recipe, seed=1)
    assert trained_folder(other, options.kept) == cache_folder(other)
    card = json.loads((folder / CARD).read_text())
    for changed in ({**card, "seed": 1}, {**card, "id": other.id}, [], {**card, "seed": [[]]}, None):
        (folder / CARD).write_text(json.dumps(changed))
        assert trained_folder(recipe, options.kept) == cache_folder(recipe)


@pytest.mark.parametrize("content", ["{", "[" * 100_000, ""], ids=["cut", "deep", "empty"])
def test_a_kept_card_that_is_no_json_is_nobodys(options, content):
    recipe = Recipe("minilm", "a", "b", epochs=1)
    (options.kept / "mine").mkdir(parents=True)
    (options.kept / "mine" / CARD).write_text(content)
    assert trained_folder(recipe, options.kept) == cache_folder(recipe)
    assert training_cost(recipe.id, options.kept) == {}


def test_what_an_interrupted_training_left_is_not_taken(options):
    recipe = Recipe("minilm", "a", "b", epochs=1)
    for name in (".training-abc", ".mine.training", "mine"):
        (options.kept / name).mkdir(parents=True)
        (options.kept / name / CARD).write_text(json.dumps(recipe.to_json()))
    assert trained_folder(recipe, options.kept) == options.kept / "mine"


def test_what_a_kept_victim_cost_is_told(options, recipes, no_cache):
    find_victim(NAME, options)
    recipe = recipes[NAME]
    cost = training_cost(recipe.id)
    shutil.copytree(cache_folder(recipe), options.kept / "mine")
    no_cache()
    assert training_cost(recipe.id) == {}
    assert training_cost(recipe.id, options.kept) == cost
    (options.kept / "mine" / COST).unlink()
    assert training_cost(recipe.id, options.kept) == {}
