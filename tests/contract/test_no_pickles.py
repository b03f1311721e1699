"""Nothing is ever unpickled, and every file that decides an answer is in the fingerprint."""

from __future__ import annotations

import json
import shutil

import pytest

from benchmark.errors import BadInput, MissingResource
from benchmark.resources.encoders import SentenceEncoder, minilm_folder
from benchmark.victims import find_victim
from benchmark.victims.minilm import BUNDLED


@pytest.fixture
def adapter(tmp_path):
    return shutil.copytree(BUNDLED / "minilm-newsroom", tmp_path / "adapter")


def test_an_adapter_without_safetensors_is_refused(adapter):
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(BadInput, match=r"adapter_model\.safetensors"):
        find_victim(f"path:{adapter}")


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
