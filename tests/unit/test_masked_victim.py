"""A victim that was trained with word masks: found by its name, the same after a crash, open to gradients."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_training import made_up, write_conll

from attacks.search.first_order import read, rises
from benchmark.defending import fitted
from benchmark.errors import BadInput
from benchmark.resources.encoders import minilm_folder
from benchmark.victims import VictimOptions, find_victim
from benchmark.victims.finding import parse_name
from benchmark.victims.transformer import from_folder
from benchmark.victims.white_box import Attribution, AttributionService, Gradient, GradientService

BASE = "minilm/mine(epochs=1,sentences=8)"
NAME = f"{BASE}+flat(attack=random-edit,rounds=1,n=4,goal=perturbed)"
TEXT = ("Lena", "Falk", "flew", "to", "Tallinn", ".")


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    return VictimOptions(
        device="cpu", backend="torch", data_dir=write_conll(made_up(), tmp_path_factory.mktemp("data"))
    )


@pytest.fixture
def shared_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "masked-cache"))


@pytest.fixture
def victim(options, shared_cache):
    return find_victim(NAME, options)


def folder_of(victim):
    (found,) = Path(os.environ["XDG_CACHE_HOME"]).glob(f"gauntlet/victims/*{victim.settings['recipe']}")
    return found


def test_words_have_an_importance_that_depends_on_them_alone(victim):
    scores = victim.importance(["Tallinn", "flew", "tallinn", "Kuressaare"])
    assert scores.shape == (4,)
    assert ((scores > 0) & (scores < 1)).all()
    assert scores[0] == scores[2]  # uncased
    assert len(set(scores.tolist())) == 3
    assert victim.importance(["Kuressaare"])[0] == pytest.approx(scores[3], rel=1e-6)


@pytest.mark.parametrize("word", ["flew", "Kuressaare", "Tallinn-Kuressaare"])  # one piece, several, several words
def test_what_is_looked_up_for_a_word_is_what_a_forward_pass_looks_up(victim, word):
    ((_, units),) = victim.batches([("Lena", word, ".")])
    places = list(units.places["pieces"][0][1])
    assert len(places) == len(victim.tables["pieces"].of(word))
    forward = units.vectors["pieces"][0, places].numpy()
    assert np.allclose(victim.tables["pieces"].looked_up(word), forward, atol=1e-6)


def test_pieces_of_a_word_share_its_importance(victim):
    pieces = victim.tables["pieces"].of("Kuressaare")
    assert len(pieces) > 1
    shared = victim.tables["pieces"].looked_up("Kuressaare") / bare_vectors()[list(pieces)]
    assert np.allclose(shared, victim.importance(["Kuressaare"])[0], rtol=1e-3)


@pytest.mark.parametrize("other", ["Tartu-Kuressaare", "Haapsalu"])
def test_estimates_of_flips_are_those_of_what_a_forward_pass_looks_up(victim, other):
    table, word = victim.tables["pieces"], "Kuressaare"
    assert len(table.of(word)) > 1
    slopes = np.random.default_rng(0).normal(size=(len(table.of(word)), table.vectors.shape[1])).astype(np.float32)
    (found,) = rises(read(word, [other], victim.tables), victim.tables, {"pieces": slopes})
    old, new = table.looked_up(word), table.looked_up(other)
    if len(old) == len(new):
        expected = -(slopes * (new - old)).sum()
    else:
        expected = -(slopes.sum(axis=0) * (new.mean(axis=0) - old.mean(axis=0))).sum()
    assert found == pytest.approx(expected, rel=1e-4)


def bare_vectors():
    from safetensors.numpy import load_file

    weights = load_file(minilm_folder() / "model.safetensors")
    (name,) = (key for key in weights if "word_embeddings" in key)
    return weights[name]


def test_what_is_looked_up_are_the_vectors_times_the_importance(victim):
    bare = bare_vectors()
    ((_, units),) = victim.batches([TEXT])
    (place,) = units.places["pieces"][0][2]
    (piece,) = victim.tables["pieces"].of("flew")
    expected = bare[piece] * victim.importance(["flew"])[0]
    assert np.allclose(units.vectors["pieces"][0, place].numpy(), expected, atol=1e-6)
    assert np.allclose(victim.tables["pieces"].looked_up("flew")[0], expected, atol=1e-6)
    assert not np.allclose(expected, bare[piece], atol=1e-3)


def test_gradients_and_attributions_are_those_of_the_masked_network(victim):
    target = ((0, "B-PER"),)
    (answer,) = GradientService(victim).answer([Gradient(TEXT, target)])
    assert all(np.abs(slopes).sum() > 0 for slopes in answer.by_table["pieces"])
    (prediction,) = victim.predict([TEXT])
    column = victim.labels.index("B-PER")
    assert answer.value == pytest.approx(float(np.log(prediction.probabilities[0, column])), abs=1e-4)
    (shares,) = AttributionService(victim).answer([Attribution(TEXT, target, steps=4)])
    assert np.abs(shares).min() > 0


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_every_back_end_reads_through_the_masks(victim, options, backend):
    compiled = find_victim(NAME, replace(options, backend=backend))
    asked = [TEXT, ("Bo", "slept")]
    for one, other in zip(victim.predict(asked), compiled.predict(asked), strict=True):
        assert np.allclose(one.probabilities, other.probabilities, atol=1e-4)
    bare = from_folder(str(folder_of(victim)), options)
    assert np.allclose(bare.predict(asked)[0].probabilities, victim.predict(asked)[0].probabilities)


def test_the_masks_are_part_of_the_fingerprint_and_damage_is_told(victim, options):
    file = folder_of(victim) / "word_masks.safetensors"
    whole = file.read_bytes()
    try:
        changed = bytearray(whole)
        changed[-1] ^= 1
        file.write_bytes(bytes(changed))
        assert find_victim(NAME, options).fingerprint != victim.fingerprint
        file.write_bytes(whole[:50])
        with pytest.raises(BadInput, match=r"the word masks in .* do not fit"):
            find_victim(NAME, options)
    finally:
        file.write_bytes(whole)


def test_interrupted_it_ends_in_the_same_bytes(victim, options, tmp_path, monkeypatch):
    """Before the epoch of the round; the attack's journal and the masks' optimizer go on from where they were."""
    whole = folder_of(victim)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "again"))

    def report(told, now, total):
        if "+flat" in told and "epoch 1: dev F1" in told:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(parse_name(NAME), replace(options, report=report))
    broken = fitted(parse_name(NAME), options).folder
    assert broken.name == whole.name
    for name in ("adapter_model.safetensors", "word_masks.safetensors", "recipe.json"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()
