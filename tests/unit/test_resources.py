"""What attacks lean on: loading by kind and name; the files of a model; numbers of a processor."""

from __future__ import annotations

import pytest
import torch
from stubs import StubEncoder, StubLanguageModel, stub_resources

from benchmark.device import has_native_bfloat16
from benchmark.errors import BadInput, MissingResource
from benchmark.model_files import MODEL_FILES, fingerprint_of, require_safetensors
from benchmark.resources.encoders import DEFAULT_ENCODER
from benchmark.resources.grammar import DEFAULT_CHECKER
from benchmark.resources.loading import KINDS, Circumstances, Resources

CPU = torch.device("cpu")


# --- resources --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_the_attack_does_not_declare_is_told_by_name(kind):
    with pytest.raises(LookupError, match=f"uses a {kind} that its `resources` do not name"):
        getattr(Resources(), kind)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_declared_kind_is_given(kind):
    resources = stub_resources()
    assert getattr(resources, kind).identity == resources.identities[kind]


def test_identities_are_sorted_by_kind():
    model, encoder = StubLanguageModel(), StubEncoder()
    resources = Resources({"language_model": model, "encoder": encoder})
    assert list(resources.identities.items()) == [("encoder", encoder.identity), ("language_model", model.identity)]
    assert Resources().identities == {}


def test_later_changes_of_what_was_given_do_not_matter():
    given = {"encoder": StubEncoder()}
    resources = Resources(given)
    given.clear()
    assert resources.encoder.identity == "stub encoder"


def test_resources_are_loaded_by_kind_and_name(tmp_path):
    (tmp_path / "v.txt").write_text("red 1 0\nblue 0 1\n")
    resources = Resources.load(
        {"word_vectors": f"path:{tmp_path / 'v.txt'}", "grammar": DEFAULT_CHECKER}, Circumstances(CPU)
    )
    assert list(resources.identities) == ["grammar", "word_vectors"]
    assert resources.word_vectors.cosine("red", "blue") == 0
    assert Resources.load({}, Circumstances(CPU)).identities == {}


@pytest.mark.parametrize(
    ("kind", "name", "error"),
    [
        ("language_model", "nonesuch", BadInput),
        ("language_model", "path:/no/such/folder", BadInput),
        ("language_model", "hf:nobody/nothing", MissingResource),
        ("word_vectors", "nonesuch", BadInput),
        ("grammar", "nonesuch", BadInput),
        ("tagger", "xx_nonesuch", MissingResource),
        ("knowledge", "nonesuch", BadInput),
        ("encoder", "/no/such/folder", MissingResource),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_line(kind, name, error):
    with pytest.raises(error) as told:
        Resources.load({kind: name}, Circumstances(CPU))
    assert "\n" not in str(told.value)
    assert name.partition(":")[2] in str(told.value) or name in str(told.value)


def test_the_encoder_goes_where_the_rest_goes():
    """To the second graphics card too, not to the first."""
    assert KINDS["encoder"](DEFAULT_ENCODER, Circumstances(torch.device("cuda:1")))._device == "cuda:1"
    assert KINDS["encoder"](DEFAULT_ENCODER, Circumstances(CPU))._device == "cpu"


# --- the files of a model ---------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """Files with the names of a model's."""
    (tmp_path / "model").mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / "model" / name).write_bytes(name.encode())
    return tmp_path / "model"


def refused(folder):
    with pytest.raises(BadInput) as told:
        require_safetensors(folder)
    assert str(folder) in str(told.value)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_whole_folder_is_fine(folder):
    require_safetensors(folder)


@pytest.mark.parametrize(("missing", "told"), [("config.json", "no config.json"), ("tokenizer.json", "no tokenizer")])
def test_what_is_missing_is_told(folder, missing, told):
    (folder / missing).unlink()
    assert told in refused(folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "spiece.model"])
def test_any_tokenizer_will_do(folder, name):
    (folder / "tokenizer.json").rename(folder / name)
    require_safetensors(folder)


def test_a_tokenizers_configuration_is_no_tokenizer(folder):
    (folder / "tokenizer.json").rename(folder / "tokenizer_config.json")
    assert "no tokenizer files" in refused(folder)


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "pytorch_model-00001-of-2.bin", "m.pt", "m.pth", "m.ckpt", "m.pkl"]
)
def test_pickles_are_named(folder, name):
    (folder / "model.safetensors").rename(folder / name)
    assert f"pickled weights ({name})" in refused(folder)


def test_no_weights_and_no_folder(folder):
    (folder / "model.safetensors").unlink()
    assert "has no weights" in refused(folder)
    assert "no such model folder" in refused(folder / "nothing")
    assert "no such model folder" in refused(folder / "config.json")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_the_fingerprint_follows_every_file_that_decides(folder, name):
    before = fingerprint_of(folder)
    (folder / name).write_bytes(b"else")
    assert fingerprint_of(folder) != before


@pytest.mark.parametrize("name", ["vocab.txt", "merges.txt", "special_tokens_map.json", "added_tokens.json", "x.model"])
def test_the_fingerprint_follows_every_file_that_is_added(folder, name):
    before = fingerprint_of(folder)
    (folder / name).write_bytes(b"more")
    assert fingerprint_of(folder) != before


def test_the_fingerprint_follows_names_and_not_what_is_beside_the_point(folder, tmp_path):
    before = fingerprint_of(folder)
    assert len(before) == 64
    (folder / "README.md").write_text("words")
    (folder / "pytorch_model.bin").write_text("words")
    (folder / "vocab").mkdir()
    assert fingerprint_of(folder) == before
    assert fingerprint_of(folder.rename(tmp_path / "elsewhere")) == before
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "model.safetensors").rename(elsewhere / "other.safetensors")
    assert fingerprint_of(elsewhere) != before


def test_the_fingerprint_of_some_files(folder):
    weights = fingerprint_of(folder, ("*.safetensors",))
    (folder / "config.json").write_bytes(b"else")
    assert fingerprint_of(folder, ("*.safetensors",)) == weights
    assert fingerprint_of(folder, ("*.safetensors", "model.*")) == weights  # no file counts twice


def test_no_pattern_of_model_files_takes_a_pickle():
    from fnmatch import fnmatch

    for name in ("pytorch_model.bin", "model.pt", "model.pth", "optimizer.ckpt", "data.pkl", "training_args.bin"):
        assert not any(fnmatch(name, pattern) for pattern in MODEL_FILES)


# --- bfloat16 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [True, False])
def test_a_cpu_has_bfloat16_where_avx512_has(monkeypatch, there):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: there)
    assert has_native_bfloat16(CPU) is there


@pytest.mark.parametrize("there", [True, False])
def test_a_graphics_card_is_asked_without_emulation(monkeypatch, there):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: there or including_emulation)
    assert has_native_bfloat16(torch.device("cuda:0")) is there


def test_this_machine_can_tell():
    assert has_native_bfloat16(CPU) in {True, False}
