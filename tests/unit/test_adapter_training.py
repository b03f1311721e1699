"""MiniLM under training."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from stubs import LABELS, StubVictim, lexicon, sentence

from benchmark.errors import BadInput
from benchmark.victims.minilm import BUNDLED, MINILM
from benchmark.victims.recipe import Recipe, recipe_id_in
from benchmark.victims.training import AdapterTrainee

CPU = torch.device("cpu")
SENTENCES = [
    sentence("Ana Ruiz went to Kuressaare .", "B-PER I-PER O O B-LOC O"),
    sentence("Bo slept", "B-PER O"),
    sentence("the Market in Oslo rose , the market said", "O O O B-LOC O O O O O"),
]


@pytest.fixture(scope="module")
def trainee():
    fresh = AdapterTrainee(Recipe("minilm", "", "", 1), LABELS, SENTENCES, CPU)
    fresh.network.eval()
    return fresh


def test_the_bundled_victim_is_that_of_the_default_recipe(newsroom):
    bundled = recipe_id_in(BUNDLED / "minilm-newsroom")
    assert MINILM.recipe_for(newsroom).id == bundled
    assert MINILM.recipe_with(newsroom, {"seed": 0}).id == bundled
    assert MINILM.recipe_with(newsroom, {"seed": 1}).id != bundled


def test_a_recipe_without_a_defense_has_the_id_it_always_had():
    plain = Recipe("minilm", "a", "b", epochs=3)
    assert plain.id == "96a9c12afdab730e"
    assert "defense" not in plain.to_json()
    defended = replace(plain, defense={"name": "mat"})
    assert defended.id != plain.id
    assert defended.to_json()["defense"] == {"name": "mat"}


def test_a_network_is_dead_if_it_says_the_same_of_every_word(trainee, newsroom, monkeypatch):
    sentences = newsroom.split("test")[:5]
    monkeypatch.setattr(trainee, "victim", StubVictim(lambda tokens: ["O"] * len(tokens)))
    assert trainee.is_dead(sentences)
    name = sentences[0].tokens[0]
    monkeypatch.setattr(trainee, "victim", StubVictim(lexicon({name: "B-PER"})))
    assert not trainee.is_dead(sentences)


def test_the_bundled_victim_is_alive(trainee, minilm, newsroom, monkeypatch):
    monkeypatch.setattr(trainee, "victim", minilm)
    assert not trainee.is_dead(newsroom.split("dev")[:5])


def test_the_loss_is_the_same_at_the_vectors_that_are_looked_up(trainee):
    batch = trainee.encode(SENTENCES)
    vectors = trainee.vectors(batch)
    assert torch.equal(trainee.loss(batch), trainee.loss(batch, vectors))
    (slope,) = torch.autograd.grad(trainee.loss(batch, vectors), list(vectors.values()))
    present = trainee.present(batch)["pieces"]
    assert slope.shape == vectors["pieces"].shape
    assert (slope[~present] == 0).all()
    assert (slope[present].abs().sum(-1) > 0).all()


def test_only_the_first_piece_of_a_word_has_a_label(trainee):
    batch = trainee.encode(SENTENCES[:1])
    ids, mask = batch.inputs
    pieces, starts = trainee._reader.encode(SENTENCES[0].tokens)
    assert ids[0].tolist() == pieces
    assert mask.all()
    assert [k for k, tag in enumerate(batch.tags[0].tolist()) if tag >= 0] == starts
    assert [LABELS[k] for k in batch.tags[0].tolist() if k >= 0] == list(SENTENCES[0].tags)


def test_a_hidden_word_is_all_masks_and_a_substitute_has_its_own_pieces(trainee):
    batch = trainee.encode(SENTENCES)
    (town,) = trainee._words.of(("Kuressaare",))
    assert len(town) > 1
    changed = trainee.with_words(batch, {(0, 4): None, (1, 1): "rose"})
    ids, new = batch.inputs[0], changed.inputs[0]
    start = trainee._reader.encode(SENTENCES[0].tokens)[1][4]
    assert (new[0, start : start + len(town)] == trainee._mask).all()
    assert new[1].tolist()[2] == trainee._words.of(("rose",))[0][0]
    assert (ids != new).sum() == len(town) + 1
    assert torch.equal(batch.tags, changed.tags)


def test_alternatives_have_as_many_pieces_and_stand_for_their_mean(trainee):
    words, vectors, own, itself = trainee.alternatives("market")
    # "Market" and "market" are one word to this tokenizer, as are "the" and "The".
    assert words[itself] == "Market"
    assert {len(trainee._words.of((word,))[0]) for word in words} == {1}
    assert torch.equal(vectors[itself], own)
    several = trainee.alternatives("Kuressaare")
    pieces = trainee._words.of(("Kuressaare",))[0]
    assert torch.allclose(several.own, trainee._table[list(pieces)].mean(0))
    assert trainee.alternatives("unheard").itself is None


def test_the_scale_is_the_root_mean_square_of_the_table(trainee):
    table = trainee._table.double().numpy()
    assert trainee.scale("pieces") == pytest.approx(float((table**2).mean() ** 0.5), rel=1e-5)


def test_training_goes_on_from_a_stored_adapter(tmp_path):
    fresh = AdapterTrainee(Recipe("minilm", "", "", 1), LABELS, SENTENCES, CPU)
    before = fresh.state()
    fresh.continue_from(BUNDLED / "minilm-newsroom")
    bundled = load_file(BUNDLED / "minilm-newsroom" / "adapter_model.safetensors")
    after = fresh.state()
    assert before.keys() == after.keys() == bundled.keys()
    assert all(torch.equal(after[name], bundled[name].float()) for name in bundled)
    assert any(not torch.equal(before[name], after[name]) for name in before)
    fresh.save(after, tmp_path)
    again = load_file(tmp_path / "adapter_model.safetensors")
    assert all(torch.equal(again[name], bundled[name]) for name in bundled)


def test_an_adapter_of_other_labels_is_no_start(tmp_path):
    fewer = AdapterTrainee(Recipe("minilm", "", "", 1), LABELS[:3], SENTENCES, CPU)
    with pytest.raises(BadInput, match="training cannot go on from the adapter in"):
        fewer.continue_from(BUNDLED / "minilm-newsroom")
    with pytest.raises(BadInput, match="training cannot go on from the adapter in"):
        fewer.continue_from(tmp_path)
