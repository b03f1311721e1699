"""Putting what training made into its place."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmark.errors import CannotSave

__all__ = ["save_whole"]


def save_whole(folder: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a folder aside and move it into place, so that it is there as a whole or not at all.

    Raises:
        CannotSave: the folder cannot be written.
    """
    scratch: str | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.mkdtemp(dir=folder.parent, prefix=".training-")
        write(Path(scratch))
        Path(scratch).chmod(0o755)  # temporary folders and safetensors are private
        for file in Path(scratch).glob("*.safetensors"):
            file.chmod(0o644)
        os.replace(scratch, folder)  # noqa: PTH105 - beside its twin in `store`
    except OSError as error:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
        if (folder / "recipe.json").is_file():
            return  # another process trained the same recipe meanwhile; its victim serves as well
        raise CannotSave(f"the trained victim cannot be saved in {folder}: {error.strerror or error}") from error
