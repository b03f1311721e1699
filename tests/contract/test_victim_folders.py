"""Victims from folders: what loads, and what is refused with one plain line."""

from __future__ import annotations

import json
import shutil
import sys

import pytest
import torch
from stubs import LABELS
from transformers import BertConfig, BertForMaskedLM, BertForTokenClassification, BertTokenizerFast

from benchmark.cli.main import main
from benchmark.errors import BadInput, MissingResource
from benchmark.victims import LabelMap, VictimOptions, find_victim

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ana", "ruiz", "left", "os", "##lo", ".")


def config(labels=LABELS):
    return BertConfig(
        vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=24, id2label=dict(enumerate(labels)), label2id={x: k for k, x in enumerate(labels)},
    )  # fmt: skip


def save(folder, labels=LABELS, model=BertForTokenClassification):
    """Store a tiny model with its tokenizer."""
    torch.manual_seed(0)
    model(config(labels)).save_pretrained(folder)
    BertTokenizerFast(vocab={word: k for k, word in enumerate(WORDS)}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    return save(tmp_path_factory.mktemp("victims") / "intact")


@pytest.fixture
def folder(intact, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(intact, tmp_path / "victim")


def refused(folder):
    with pytest.raises(BadInput) as told:
        find_victim(f"path:{folder}")
    assert str(folder) in str(told.value)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_intact_folder_answers_with_one_tag_a_token(folder):
    victim = find_victim(f"path:{folder}")
    assert victim.labels == LABELS
    assert victim.name == f"path:{folder.name}"  # not where it lies on one machine
    (answer,) = victim.predict([("Ana", "Ruiz", "left", "Oslo", ".")])
    assert len(answer.tags) == 5
    assert answer.probabilities.shape == (5, len(LABELS))


def test_words_are_cut_into_the_pieces_of_the_vocabulary(folder):
    pieces, starts = find_victim(f"path:{folder}").encode(("Ana", "left", "Oslo", "zzz"))
    assert [WORDS[k] for k in pieces] == ["[CLS]", "ana", "left", "os", "##lo", "[UNK]", "[SEP]"]
    assert starts == [1, 2, 3, 5]


def test_texts_beyond_the_last_position_do_not_fit(folder):
    victim = find_victim(f"path:{folder}")
    assert victim.fits(("ana",) * 22)
    assert not victim.fits(("ana",) * 23)
    assert not victim.fits(("oslo",) * 12)
    assert len(victim.predict([("ana",) * 22])[0].tags) == 22
    with pytest.raises(BadInput, match="24 at most"):
        victim.predict([("ana",) * 23])


def test_poolings_are_told_apart_in_the_settings(folder):
    first = find_victim(f"path:{folder}")
    characters = find_victim(f"path:{folder}", VictimOptions(pooling="characters"))
    assert first.settings["pooling"] == "first-piece"
    assert characters.settings["pooling"] == "characters"
    one, other = (v.predict([("Oslo", "left")])[0].probabilities for v in (first, characters))
    assert not torch.allclose(torch.tensor(one[0]), torch.tensor(other[0]))  # two pieces
    assert torch.allclose(torch.tensor(one[1]), torch.tensor(other[1]))  # one piece


def test_fingerprint_follows_the_content_and_not_the_place(intact, folder):
    before = find_victim(f"path:{folder}").fingerprint
    assert before == find_victim(f"path:{intact}").fingerprint
    torch.manual_seed(1)
    BertForTokenClassification(config()).save_pretrained(folder)
    assert find_victim(f"path:{folder}").fingerprint != before


def test_missing_folder(tmp_path):
    assert "no such model folder" in refused(tmp_path / "nothing")


def test_missing_configuration(folder):
    (folder / "config.json").unlink()
    assert "has no config.json" in refused(folder)


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"model_type": "nonesuch"}'])
def test_damaged_configuration(folder, content):
    (folder / "config.json").write_text(content, encoding="utf-8")
    refused(folder)


def test_missing_weights(folder):
    (folder / "model.safetensors").unlink()
    assert "has no weights (*.safetensors)" in refused(folder)


def test_pickled_weights_are_never_read_and_the_way_out_is_told(folder, monkeypatch):
    (folder / "model.safetensors").unlink()
    torch.save(BertForTokenClassification(config()).state_dict(), folder / "pytorch_model.bin")
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("read a pickle"))
    told = refused(folder)
    assert "pytorch_model.bin" in told
    assert "save_pretrained(" in told


def test_pickle_beside_safetensors_is_left_alone(folder, monkeypatch):
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("read a pickle"))
    assert len(find_victim(f"path:{folder}").predict([("ana",)])[0].tags) == 1


@pytest.mark.parametrize("keep", [0, 5, 2000, -8])
def test_damaged_weights(folder, keep):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    refused(folder)


def test_weights_of_another_shape_than_the_configuration(folder):
    record = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**record, "hidden_size": 64}), encoding="utf-8")
    refused(folder)


def test_model_without_a_trained_head_is_refused_and_never_given_a_random_one(tmp_path):
    told = refused(save(tmp_path / "masked", model=BertForMaskedLM))
    assert "classifier" in told


def test_missing_tokenizer_is_refused_and_never_replaced_by_an_empty_one(folder):
    for path in folder.iterdir():
        if path.name.startswith(("tokenizer", "vocab", "special_tokens")):
            path.unlink()
    assert "tokenizer" in refused(folder)


def test_damaged_tokenizer(folder):
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    refused(folder)


def test_nameless_labels_show_how_to_map_them(tmp_path):
    told = refused(save(tmp_path / "nameless", ("LABEL_0", "LABEL_1", "LABEL_2")))
    assert "LABEL_0, LABEL_1, LABEL_2" in told
    assert "--label-map LABEL_0=O" in told


def test_nameless_labels_with_a_map_answer_with_the_new_names(tmp_path):
    folder = save(tmp_path / "nameless", ("LABEL_0", "LABEL_1", "LABEL_2"))
    options = VictimOptions(label_map=LabelMap.parse("LABEL_0=O,LABEL_1=B-PER,LABEL_2=I-PER"))
    victim = find_victim(f"path:{folder}", options)
    assert victim.labels == ("O", "B-PER", "I-PER")
    assert set(victim.predict([("ana", "left")])[0].tags) <= set(victim.labels)


def test_hub_victim_without_a_network_points_to_a_copy_on_disk():
    with pytest.raises(MissingResource, match=r"hf:nobody/nothing cannot be fetched.*path:FOLDER"):
        find_victim("hf:nobody/nothing")


@pytest.mark.parametrize("spoil", ["config.json", "model.safetensors"])
def test_command_line_says_it_in_one_line_and_shows_the_traceback_only_with_debug(folder, monkeypatch, capsys, spoil):
    (folder / spoil).write_bytes(b"{")

    def call(*more):
        arguments = ["run", "--attack", "identity", "--limit", "2", "--queries", "4", "--victim", f"path:{folder}"]
        monkeypatch.setattr(sys, "argv", ["gauntlet", *arguments, *more])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, *capsys.readouterr()

    code, out, err = call()
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("error: ")
    code, _, err = call("--debug")
    assert code == 2
    assert "Traceback" in err
