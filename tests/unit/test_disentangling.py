"""The auto-encoder that rewrites mentions, and its adversary."""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from stubs import sentence

from benchmark.errors import BadInput, CorruptResult
from benchmark.resources import disentangling
from benchmark.resources.disentangling import DisentanglerRecipe, disentangler_for, train_disentangler
from benchmark.threat import Access
from benchmark.victims import VictimOptions, find_victim
from benchmark.victims.white_box import EmbeddingTable

WORDS = [f"{kind}{k}" for kind in ("name", "word") for k in range(40)]


FAST = {"learning_rate": 0.02, "epochs": 200, "steps": 0, "batch_size": 8}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(disentangling, "user_cache_path", lambda _: tmp_path / "cache")
    monkeypatch.setattr(disentangling, "DisentanglerRecipe", partial(DisentanglerRecipe, **FAST))


@pytest.fixture
def victim():
    """Half of a name's vector is that of the words it stands beside, half its own."""
    rng = np.random.default_rng(0)
    around = rng.normal(size=(40, 8)).astype(np.float32)
    own = rng.normal(size=(40, 8)).astype(np.float32)
    names = np.concatenate([around[:, :4] + 0.1 * own[:, :4], own[:, 4:]], axis=1)
    vectors = np.concatenate([names, around]).astype(np.float32)
    table = EmbeddingTable(vectors, WORDS, lambda word: (WORDS.index(word),))
    return SimpleNamespace(name="v", fingerprint="f", access=Access.GRADIENTS, tables={"words": table})


TRAINING = [sentence(f"name{k} word{k}", "B-PER O", str(k)) for k in range(40)]


def trained(victim, tmp_path, **changes):
    folder = tmp_path / repr(changes)
    folder.mkdir()
    train_disentangler(DisentanglerRecipe(**changes), victim, TRAINING, folder, {"recipe": {"hidden": [64, 10]}})
    return json.loads((folder / "card.json").read_text())["history"]


def test_the_adversary_stays_bounded_over_the_papers_epochs(victim, tmp_path):
    for beta in (0.5, 50.0):
        history = trained(victim, tmp_path, beta=beta, learning_rate=0.05, steps=0)
        assert len(history) == 25
        for epoch in history:
            assert np.isfinite([epoch["rebuilt"], epoch["recovered"]]).all()
            assert epoch["recovered"] < 2 * epoch["ignorant"]


def test_with_the_adversary_less_of_the_context_can_be_read_off(victim, tmp_path):
    without = trained(victim, tmp_path, beta=0.0, **FAST)[-1]
    beside = trained(victim, tmp_path, beta=2.0, **FAST)[-1]
    assert without["recovered"] < 0.8 * without["ignorant"]
    assert beside["recovered"] > without["recovered"] + 0.1


def test_the_decoder_rebuilds_the_names(victim, tmp_path):
    history = trained(victim, tmp_path, beta=0.0, **FAST)
    assert history[-1]["rebuilt"] < 0.5 * history[0]["rebuilt"]


def test_a_small_split_gets_more_epochs(victim, tmp_path):
    # 40 entity vectors are two batches of 32.
    assert len(trained(victim, tmp_path, learning_rate=0.05, steps=101)) == 51
    assert len(trained(victim, tmp_path, learning_rate=0.05, steps=40)) == 25


@pytest.mark.parametrize("rate", [1e-9, 1e9], ids=["stands still", "diverges"])
def test_a_training_that_learns_nothing_is_told(rate, victim, tmp_path):
    with pytest.raises(BadInput, match=r"learns nothing from 40 entity vectors .* disentangle=false"):
        trained(victim, tmp_path, learning_rate=rate, steps=0)


def test_rewriting_is_equation_2(victim):
    """Encoder and decoder by hand, each given the standardised context beside its input."""
    disentangler = disentangler_for("auto-encoder", victim, TRAINING)
    weights = {name: value.numpy() for name, value in disentangler._networks.state_dict().items()}
    mean, deviation, context_mean, context_deviation = disentangler._scale
    table = victim.tables["words"].vectors
    assert mean == pytest.approx(table[:40].mean(0), abs=1e-6)
    assert context_deviation == pytest.approx(table[40:].std(0), abs=1e-6)

    def layer(name, rows):
        return rows @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def relu(rows):
        return np.maximum(rows, 0)

    entity, context = table[:3], table[41:43]
    c = np.tile((context.mean(0) - context_mean) / context_deviation, (3, 1))
    hidden = layer("encoder.2", relu(layer("encoder.0", np.hstack([(entity - mean) / deviation, c]))))
    narrow = relu(layer("decoder.0", np.hstack([hidden, c])))
    by_hand = layer("decoder.4", relu(layer("decoder.2", narrow))) * deviation + mean
    assert disentangler.rewritten(entity, context) == pytest.approx(by_hand, abs=1e-4)
    assert disentangler.rewritten(entity, context) != pytest.approx(disentangler.rewritten(entity, table[50:]))


def test_it_is_trained_once_for_a_victim_and_a_training_split(victim, monkeypatch):
    calls = []
    real = disentangling.train_disentangler
    monkeypatch.setattr(disentangling, "train_disentangler", lambda *given: calls.append(1) or real(*given))
    one = disentangler_for("auto-encoder", victim, TRAINING)
    two = disentangler_for("auto-encoder", victim, TRAINING)
    assert len(calls) == 1
    assert one.identity == two.identity
    rng = np.random.default_rng(1)
    entity, context = rng.normal(size=(3, 8)).astype(np.float32), rng.normal(size=(2, 8)).astype(np.float32)
    assert np.array_equal(one.rewritten(entity, context), two.rewritten(entity, context))
    assert one.rewritten(entity, context).shape == (3, 8)
    assert np.isfinite(one.rewritten(entity, context[:0])).all()
    other = disentangler_for("auto-encoder", victim, TRAINING[:30])
    assert len(calls) == 2
    assert other.identity != one.identity


def test_who_cannot_be_disentangled_is_told_in_one_line(victim):
    blind = SimpleNamespace(name="blind", access=Access.SCORES)
    with pytest.raises(BadInput, match="blind, which shows none"):
        disentangler_for("auto-encoder", blind, TRAINING)
    with pytest.raises(BadInput, match="disentangle=false"):
        disentangler_for("auto-encoder", victim, [])
    with pytest.raises(BadInput, match="both mentions and context"):
        disentangler_for("auto-encoder", victim, [sentence("name1", "B-PER"), sentence("word1 word2", "O O")])
    with pytest.raises(BadInput, match="unknown disentangler 'magic'"):
        disentangler_for("magic", victim, TRAINING)


def test_a_damaged_folder_is_told(victim, tmp_path):
    disentangler_for("auto-encoder", victim, TRAINING)
    (weights,) = (tmp_path / "cache").rglob("networks.safetensors")
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(CorruptResult, match="delete the folder"):
        disentangler_for("auto-encoder", victim, TRAINING)


@pytest.mark.parametrize("pieces", [("Kowalczyk", "Rome"), ("Rome", "Rome")])
def test_every_piece_of_a_name_is_a_row(pieces, tmp_path):
    victim = find_victim("minilm/newsroom", VictimOptions(device="cpu"))
    table = victim.tables["pieces"]
    training = [sentence(f"{name} won", "B-PER O", str(k)) for k, name in enumerate(pieces)]
    folder = tmp_path / "one"
    folder.mkdir()
    train_disentangler(DisentanglerRecipe(learning_rate=2e-3, steps=400), victim, training, folder, {})
    rows = json.loads((folder / "card.json").read_text())["rows"]
    assert rows == sum(len(table.of(name)) for name in pieces)
