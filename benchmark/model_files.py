"""The files a transformer is read from: which they are, that none is pickled, and their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from benchmark.errors import BadInput

__all__ = ["MODEL_FILES", "fingerprint_of", "require_safetensors"]

# Everything a transformer is read from. Weights come as safetensors only: a pickle can run code when it is read.
MODEL_FILES = (
    *("*.safetensors", "*.safetensors.index.json", "config.json", "tokenizer*", "special_tokens_map.json"),
    *("added_tokens.json", "vocab*", "merges.txt", "*.model"),
)
_TOKENIZER = ("tokenizer.json", "vocab*", "*.model", "merges.txt")
_PICKLES = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def require_safetensors(folder: Path) -> None:
    """Refuse a folder without safetensors weights.

    Raises:
        BadInput: says what is there instead.
    """
    if not folder.is_dir():
        raise BadInput(f"no such model folder: {folder}")
    if not (folder / "config.json").is_file():
        raise BadInput(f"{folder} has no config.json; save the model with save_pretrained()")
    if any(folder.glob("*.safetensors")):
        if not any(path for pattern in _TOKENIZER for path in folder.glob(pattern)):
            raise BadInput(f"{folder} has no tokenizer files; save the tokenizer there too, with save_pretrained()")
        return
    pickles = [path.name for pattern in _PICKLES for path in folder.glob(pattern)]
    if pickles:
        raise BadInput(
            f"{folder} holds pickled weights ({pickles[0]}), which can run code when read and are never loaded; "
            "save the model again with save_pretrained(safe_serialization=True)"
        )
    raise BadInput(f"{folder} has no weights (*.safetensors)")


def fingerprint_of(folder: Path, patterns: Sequence[str] = MODEL_FILES) -> str:
    """Return the sha256 over weights, tokenizer and configuration files, names included."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
