"""A training that is killed goes on where it stopped and ends in the same bytes: `gauntlet defend`, with real kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from small_training import made_up, write_conll

# The command on a small network; it kills itself when it reports a certain stage and how much of it is done.
SCRIPT = """
import os, signal
from contextlib import nullcontext
from pathlib import Path

from benchmark.cli import defend
from benchmark.cli.main import main
from small_training import small_network

stage, done = os.environ["KILL_AT"].split("|")


def report(told, now, total):
    if stage and stage in told and now >= int(done):
        os.kill(os.getpid(), signal.SIGKILL)


defend.progress_report = lambda: nullcontext(report)
with small_network(Path("glove")):
    main()
"""
COMMAND = ("defend", "--victim", "cnn-lstm-crf", "--dataset", "mine", "--epochs", "4", "--device", "cpu", "--json")
FILES = ("model.safetensors", "recipe.json", "vocabulary.json")


@pytest.fixture
def defend(tmp_path):
    """Run the command in a process of its own, with a cache of its own; return what it printed, or None if killed."""
    write_conll(made_up(), tmp_path / "data")
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")

    def run(cache, defense, kill_at="|"):
        environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / cache), "KILL_AT": kill_at}
        environment["PYTHONPATH"] = os.pathsep.join(map(str, sys.path))
        command = [sys.executable, "script.py", *COMMAND, "--data-dir", "data", "--defense", defense]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == (-signal.SIGKILL if kill_at != "|" else 0), done.stderr
        return json.loads(done.stdout) if done.stdout else None

    return run


def stored(cache):
    """The files of all victims in a cache, by folder."""
    folders = sorted((cache / "gauntlet" / "victims").iterdir())
    return {folder.name: [(folder / name).read_bytes() for name in FILES] for folder in folders}


@pytest.mark.parametrize(
    ("defense", "kills"),
    [
        ("mat(sentence_rate=0.5,mask_rate=0.5)", ("epoch 2: dev F1|2",)),
        # While its base, trained on the way, is attacked, and while it is trained itself.
        ("random-augment(n=12)", ("attacking the training set|7", "+random-augment|2")),
    ],
)
def test_killed_and_restarted_the_victim_is_the_same(defend, tmp_path, defense, kills):
    whole = defend("whole", defense)
    for kill_at in kills:
        assert defend("killed", defense, kill_at) is None
        assert whole["card"]["id"] not in {name.rpartition("-")[2] for name in stored_names(tmp_path / "killed")}
    last = defend("killed", defense)
    assert (last["card"], last["f1.strict"]) == (whole["card"], whole["f1.strict"])
    assert stored(tmp_path / "killed") == stored(tmp_path / "whole")


def stored_names(cache):
    """The finished victims in a cache."""
    return [folder.name for folder in (cache / "gauntlet" / "victims").iterdir() if not folder.name.startswith(".")]
