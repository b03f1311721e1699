"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import HealthCheck, settings

from benchmark.cli.main import main
from benchmark.datasets import find_dataset
from benchmark.victims import find_victim

# Tests never reach for the hub and never depend on the day's luck.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
settings.register_profile(
    "gauntlet", derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gauntlet")


@pytest.fixture(scope="session")
def minilm():
    """The bundled victim, on the real encoder."""
    return find_victim("minilm/newsroom")


@pytest.fixture(scope="session")
def newsroom():
    """The embedded corpus."""
    return find_dataset("newsroom")


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """Work in an empty folder with an empty cache, and without the user's data folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GAUNTLET_DATA", raising=False)


@pytest.fixture(scope="module")
def one_thread():
    """Models as tiny as these are slower with more."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def gauntlet(monkeypatch, capsys):
    """Call the command in process; return exit code, standard output and standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["gauntlet", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, *capsys.readouterr()

    return call
