"""MiniLM under training."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from small_training import CPU, SENTENCES
from stubs import LABELS, StubVictim, lexicon

from benchmark.errors import BadInput
from benchmark.victims.minilm import BUNDLED, MINILM
from benchmark.victims.recipe import Recipe, recipe_id_in
from benchmark.victims.training import AdapterTrainee


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


def test_a_network_is_dead_if_it_says_the_same_of_every_word(minilm_in_training, newsroom, monkeypatch):
    sentences = newsroom.split("test")[:5]
    monkeypatch.setattr(minilm_in_training, "victim", StubVictim(lambda tokens: ["O"] * len(tokens)))
    assert minilm_in_training.is_dead(sentences)
    name = sentences[0].tokens[0]
    monkeypatch.setattr(minilm_in_training, "victim", StubVictim(lexicon({name: "B-PER"})))
    assert not minilm_in_training.is_dead(sentences)


def test_the_bundled_victim_is_alive(minilm_in_training, minilm, newsroom, monkeypatch):
    monkeypatch.setattr(minilm_in_training, "victim", minilm)
    assert not minilm_in_training.is_dead(newsroom.split("dev")[:5])


def test_the_loss_is_the_same_at_the_vectors_that_are_looked_up(minilm_in_training):
    batch = minilm_in_training.encode(SENTENCES)
    vectors = minilm_in_training.vectors(batch)
    assert torch.equal(minilm_in_training.loss(batch), minilm_in_training.loss(batch, vectors))
    (slope,) = torch.autograd.grad(minilm_in_training.loss(batch, vectors), list(vectors.values()))
    present = minilm_in_training.present(batch)["pieces"]
    assert slope.shape == vectors["pieces"].shape
    assert (slope[~present] == 0).all()
    assert (slope[present].abs().sum(-1) > 0).all()


def test_only_the_first_piece_of_a_word_has_a_label(minilm_in_training):
    batch = minilm_in_training.encode(SENTENCES[:1])
    ids, mask = batch.inputs
    pieces, starts = minilm_in_training._reader.encode(SENTENCES[0].tokens)
    assert ids[0].tolist() == pieces
    assert mask.all()
    assert [k for k, tag in enumerate(batch.tags[0].tolist()) if tag >= 0] == starts
    assert [LABELS[k] for k in batch.tags[0].tolist() if k >= 0] == list(SENTENCES[0].tags)


def test_a_hidden_word_is_all_masks_and_a_substitute_has_its_own_pieces(minilm_in_training):
    batch = minilm_in_training.encode(SENTENCES)
    (town,) = minilm_in_training._words.of(("Kuressaare",))
    assert len(town) > 1
    changed = minilm_in_training.with_words(batch, {(0, 4): None, (1, 1): "rose"})
    ids, new = batch.inputs[0], changed.inputs[0]
    start = minilm_in_training._reader.encode(SENTENCES[0].tokens)[1][4]
    assert (new[0, start : start + len(town)] == minilm_in_training._mask).all()
    assert new[1].tolist()[2] == minilm_in_training._words.of(("rose",))[0][0]
    assert (ids != new).sum() == len(town) + 1
    assert torch.equal(batch.tags, changed.tags)


def test_alternatives_have_as_many_pieces_and_stand_for_their_mean(minilm_in_training):
    words, vectors, own, itself = minilm_in_training.alternatives("market")
    # "Market" and "market" are one word to this tokenizer, as are "the" and "The".
    assert words[itself] == "Market"
    assert {len(minilm_in_training._words.of((word,))[0]) for word in words} == {1}
    assert torch.equal(vectors[itself], own)
    several = minilm_in_training.alternatives("Kuressaare")
    pieces = minilm_in_training._words.of(("Kuressaare",))[0]
    assert torch.allclose(several.own, minilm_in_training._table[list(pieces)].mean(0))
    assert minilm_in_training.alternatives("unheard").itself is None


def test_the_scale_is_the_root_mean_square_of_the_table(minilm_in_training):
    table = minilm_in_training._table.double().numpy()
    assert minilm_in_training.scale("pieces") == pytest.approx(float((table**2).mean() ** 0.5), rel=1e-5)


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
