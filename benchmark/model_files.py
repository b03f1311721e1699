"""Reading transformers from folders and from the hub: which files, none of them pickled, and their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.errors import BadInput, MissingResource, first_line
from benchmark.quiet import silent_transformers

__all__ = ["MODEL_FILES", "fetch_from_hub", "fingerprint_of", "load_transformer", "require_safetensors"]

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


def fetch_from_hub(repository: str, what: str, files: Sequence[str] = MODEL_FILES) -> Path:
    """Return the folder of a repository on the Hugging Face hub, `OWNER/MODEL` or `OWNER/MODEL@REVISION`.

    Args:
        repository: which.
        what: it is, for messages ("victim").
        files: patterns of what is fetched.

    Raises:
        MissingResource: the hub cannot be reached or has no such repository.
    """
    from huggingface_hub import snapshot_download

    name, _, revision = repository.partition("@")
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=list(files)))
    except Exception as error:
        raise MissingResource(
            f"{what} hf:{repository} cannot be fetched from the hub: {first_line(error)}; "
            "a copy on disk works as path:FOLDER"
        ) from error


def load_transformer(folder: Path, kind: str, what: str, *, words: bool = True) -> tuple[Any, Any]:
    """Return model and tokenizer of a folder, in single precision.

    Args:
        folder: with safetensors weights, tokenizer and configuration.
        kind: the class of transformers that reads it, such as "AutoModelForMaskedLM".
        what: it should be, for messages ("token classifier").
        words: the tokenizer will be given words one by one, so each begins as after a space.

    Raises:
        BadInput: no such folder, weights missing or pickled, or the model is something else.
    """
    require_safetensors(folder)
    import torch
    import transformers
    from safetensors import SafetensorError

    try:
        with silent_transformers():
            model, loading = getattr(transformers, kind).from_pretrained(
                folder, use_safetensors=True, trust_remote_code=False, output_loading_info=True, dtype=torch.float32
            )
            options = {"use_fast": True, "add_prefix_space": True} if words else {}
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False, **options)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise BadInput(f"{folder} cannot be loaded as a {what}: {first_line(error)}") from error
    if loading["missing_keys"]:
        missing = ", ".join(sorted(loading["missing_keys"])[:4])
        raise BadInput(f"{folder} is no trained {what}: its weights lack {missing}; fine-tune it first")
    return model, tokenizer
