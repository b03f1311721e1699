"""Nothing is ever unpickled, and every file that decides an answer is in the fingerprint."""

from __future__ import annotations

import json
import shutil

import pytest

from benchmark.errors import BadInput, MissingResource
from benchmark.resources.encoders import SentenceEncoder, minilm_folder
from benchmark.victims import VictimOptions, find_victim
from benchmark.victims.minilm import BUNDLED, MINILM


@pytest.fixture
def adapter(tmp_path):
    return shutil.copytree(BUNDLED / "minilm-newsroom", tmp_path / "adapter")


def test_an_adapter_without_safetensors_is_refused(adapter):
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(BadInput, match=r"adapter_model\.safetensors"):
        find_victim(f"path:{adapter}")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("adapter_model.safetensors", ""),
        ("adapter_model.safetensors", "cut"),
        ("adapter_config.json", "[]"),
        ("recipe.json", "{}"),
        ("recipe.json", '{"id": "a", "labels": 3}'),
        ("recipe.json", '{"id": "a", "labels": ["PER", "O"]}'),
        pytest.param("recipe.json", "[" * 100_000, id="deep"),
    ],
)
def test_a_damaged_adapter_is_told_in_one_line(adapter, file, content):
    (adapter / file).write_text(content)
    with pytest.raises(BadInput) as told:
        MINILM.load(adapter, "minilm/mine", VictimOptions(device="cpu"))
    assert str(adapter) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_trained_folder_is_a_victim_and_its_settings_are_in_the_fingerprint(adapter, minilm):
    copy = find_victim(f"path:{adapter}")
    assert copy.fingerprint == minilm.fingerprint
    assert (
        copy.predict([("Ana", "Ruiz", "left", ".")])[0].tags == minilm.predict([("Ana", "Ruiz", "left", ".")])[0].tags
    )
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 1}))
    assert find_victim(f"path:{adapter}").fingerprint != minilm.fingerprint


def test_an_encoder_with_pickled_weights_is_refused(tmp_path):
    folder = shutil.copytree(minilm_folder(), tmp_path / "encoder")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(MissingResource, match="cannot be loaded"):
        SentenceEncoder(str(folder))
