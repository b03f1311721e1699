"""A suite of defended victims trains what is missing, goes on after a kill, and leads straight to the board."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from small_training import made_up, write_conll

# The command on a small network and with few resamples; it kills itself in the middle of a certain training.
SCRIPT = """
import os, signal
from contextlib import nullcontext
from pathlib import Path

from benchmark.cli import run
from benchmark.cli.main import main
from benchmark.statistics import intervals
from small_training import small_network

stages = []


def report(told, now, total):
    if told not in stages:
        stages.append(told)
        print(told, flush=True)
    if os.environ["KILL_AT"] and os.environ["KILL_AT"] in told:
        os.kill(os.getpid(), signal.SIGKILL)


run.progress_report = lambda: nullcontext(report)
intervals.RESAMPLES = 50
with small_network(Path("glove")):
    main()
"""
BASE = "cnn-lstm-crf/mine(batch_size=6,epochs=10,learning_rate=0.01)"
SUITE = """
description = "small"
datasets = ["mine"]
victims = [
  "cnn-lstm-crf/{dataset}(epochs=10,batch_size=6,learning_rate=0.01)",
  "cnn-lstm-crf/{dataset}(epochs=10,batch_size=6,learning_rate=0.01)+word-dropout",
]
attacks = ["identity", "deepwordbug-i"]
limit = 4
max_missed = 1.0
queries = 20
"""


@pytest.fixture
def gauntlet_run(tmp_path):
    """Run the suite in a process of its own; return what it told on the way."""
    write_conll(made_up(), tmp_path / "data")
    (tmp_path / "small.toml").write_text(SUITE, encoding="utf-8")
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")

    def run(kill_at=""):
        environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "KILL_AT": kill_at}
        environment["PYTHONPATH"] = os.pathsep.join(map(str, sys.path))
        command = [sys.executable, "script.py", "run", "small.toml", "--data-dir", "data", "--device", "cpu"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == (-signal.SIGKILL if kill_at else 0), done.stderr
        return done.stdout.splitlines()

    return run


def test_a_killed_suite_goes_on_and_the_board_has_the_whole_table(gauntlet_run, gauntlet, tmp_path):
    first = gauntlet_run(kill_at="+word-dropout, epoch 4")
    assert f"training {BASE}" in first
    assert "deepwordbug-i" in first  # the base was attacked before the defended victim was trained
    second = gauntlet_run()
    assert "asking defended victims about what broke their base" in second
    told = [stage for stage in second if stage.startswith("training ")]
    assert told
    assert all("+word-dropout" in stage for stage in told)  # the base is not trained again, nor
    assert not any("epoch 2" in stage for stage in told)  # the epochs that were finished
    code, out, err = gauntlet("board", "defenses", "--results", tmp_path / "results", "--json")
    assert (code, err) == (0, "")
    (table,) = json.loads(out)
    rows = {row["victim"]: row for row in table["rows"]}
    assert set(rows) == {BASE, f"{BASE}+word-dropout"}
    assert all(row["training_seconds"] > 0 for row in rows.values())
    assert rows[f"{BASE}+word-dropout"]["transfer of deepwordbug-i"] is not None
