"""Workers on a Ray cluster of this machine: whatever becomes of them, the bytes are those of one process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from brittle_victim import ENTRY_POINT, NAMES, PATIENCE

from benchmark.errors import BadInput
from benchmark.executors.ray import RayExecutor
from benchmark.metrics import Example
from benchmark.plan import EngineOptions, Plan
from benchmark.runner import run
from benchmark.selection import SelectionRule
from benchmark.victims import VICTIMS, VictimOptions
from benchmark.workshop import Workshop

SENTENCES = 36


class NoJudges:
    """Nobody reads the texts; that is the same wherever they were attacked."""

    def __init__(self):
        self.identity = {"similarity": "none", "grammar_errors": "none"}

    def judge(self, outcomes, sentences, *more):
        return [Example(outcome, 1.0, {}) for outcome in outcomes]


@pytest.fixture(scope="module")
def plugged_in(tmp_path_factory):
    """The brittle victim can be loaded by this process and by those it starts."""
    site = tmp_path_factory.mktemp("site")
    (site / "brittle-1.0.dist-info").mkdir()
    (site / "brittle-1.0.dist-info" / "METADATA").write_text("Name: brittle\nVersion: 1.0\n", encoding="utf-8")
    (site / "brittle-1.0.dist-info" / "entry_points.txt").write_text(ENTRY_POINT, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(site), str(Path(__file__).parents[1])]))
        patch.setitem(VICTIMS._targets, "brittle", "brittle_victim:load")
        yield


@pytest.fixture(scope="module")
def cluster(plugged_in):
    """Two workers, for all tests of this module."""
    with RayExecutor(workers=2) as executor:
        yield executor


@pytest.fixture
def shop(monkeypatch, tmp_path):
    """A workshop that has loaded a brittle victim and chosen its sentences, and the plan for them."""
    monkeypatch.setattr("benchmark.judging.Judges.named", staticmethod(lambda *names: NoJudges()))
    for folder in ("victim", "data/names"):
        (tmp_path / folder).mkdir(parents=True)
    lines = [f"{NAMES[k % len(NAMES)]} B-PER\nleft O\nquay O\n{k} O\n" for k in range(SENTENCES)]
    (tmp_path / "data" / "names" / "test.conll").write_text("\n".join(lines), encoding="utf-8")
    options = VictimOptions(data_dir=tmp_path / "data")
    plan = Plan("deepwordbug-i", f"brittle:{tmp_path / 'victim'}", "names", queries=16, options=options)
    workshop = Workshop()
    assert len(workshop.selection(plan).sentences) == SENTENCES
    return workshop, plan, tmp_path / "victim"


def finished_files(folder):
    return folder.examples_file.read_bytes(), folder.result_file.read_bytes()


def provenance(folder):
    return json.loads(folder.provenance_file.read_text(encoding="utf-8"))


def test_two_workers_end_in_the_bytes_of_one_process(cluster, shop, tmp_path):
    workshop, plan, victim = shop
    alone = run(plan, tmp_path / "alone", workshop).folder
    (victim / "together").write_text("3", encoding="utf-8")
    steps = []
    workshop.report = lambda stage, done, total: steps.append(done) if stage == plan.attack else None
    report = run(plan, tmp_path / "cluster", workshop, None, cluster)
    assert report.attacked == SENTENCES
    assert report.result["metrics"]["attack_rate"]["value"] > 0.5
    assert finished_files(report.folder) == finished_files(alone)
    assert steps == list(range(SENTENCES + 1))
    told, told_alone = provenance(report.folder), provenance(alone)
    assert (told_alone["executor"], told_alone["workers"]) == ("local", 1)
    assert (told["executor"], told["workers"], told["workers_lost"]) == ("ray", 2, 0)
    assert told["texts_asked"] == told_alone["texts_asked"]


def test_a_worker_loads_the_victim_once_for_all_runs(cluster, shop, tmp_path):
    workshop, plan, victim = shop
    (victim / "together").write_text("3", encoding="utf-8")
    for seed in (0, 1):
        run(Plan(**{**vars(plan), "attack": "random-edit", "seed": seed}), tmp_path, workshop, None, cluster)
    here, *workers = (victim / "loads").read_text(encoding="utf-8").split()
    assert here == str(os.getpid())
    assert len(workers) == len(set(workers)) == 2


def test_the_shard_of_a_lost_worker_is_attacked_again_by_another(cluster, shop, tmp_path):
    workshop, plan, victim = shop
    alone = run(plan, tmp_path / "alone", workshop).folder
    (victim / "deadly").touch()
    (victim / "together").write_text("4", encoding="utf-8")  # here, two workers, a third
    report = run(plan, tmp_path / "cluster", workshop, None, cluster)
    assert not (victim / "deadly").exists()
    assert report.attacked == SENTENCES
    assert finished_files(report.folder) == finished_files(alone)
    told = provenance(report.folder)
    assert (told["workers"], told["workers_lost"]) == (2, 1)
    assert len(set((victim / "loads").read_text(encoding="utf-8").split())) == 4


def test_errors_of_sentences_are_rows_and_their_messages_come_back(cluster, shop, tmp_path):
    workshop, plan, victim = shop
    (victim / "mute").touch()
    alone = run(plan, tmp_path / "alone", workshop).folder
    report = run(plan, tmp_path / "cluster", workshop, None, cluster)
    assert report.result["metrics"]["error.count"]["value"] == SENTENCES / len(NAMES)
    assert finished_files(report.folder) == finished_files(alone)
    told = [sorted(f.errors_file.read_text(encoding="utf-8").splitlines()) for f in (alone, report.folder)]
    assert told[0].count("ValueError: no room for Cleo") == SENTENCES / len(NAMES)
    assert [line for line in told[1] if "Cleo" in line or line.startswith("sentence")] == [
        line for line in told[0] if "Cleo" in line or line.startswith("sentence")
    ]


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [("gone", "the brittle victim is gone"), ("altered", "not what the driver has: victim_fingerprint;")],
)
def test_what_a_worker_cannot_use_ends_the_run_with_one_line(cluster, shop, tmp_path, spoilt, said):
    workshop, plan, victim = shop
    (victim / spoilt).touch()
    with pytest.raises(BadInput, match=f"{said}.*said by a worker on ") as refusal:
        run(plan, tmp_path / "results", workshop, None, cluster)
    assert "\n" not in str(refusal.value)


def test_on_the_real_minilm_the_bytes_are_the_same_too(cluster, shop, tmp_path):
    workshop, *_ = shop
    plan = Plan("deepwordbug-i", queries=16, selection=SelectionRule(limit=12))
    alone = run(plan, tmp_path / "alone", workshop).folder
    assert finished_files(run(plan, tmp_path / "cluster", workshop, None, cluster).folder) == finished_files(alone)


def test_an_interrupted_driver_ends_its_workers_and_its_run_goes_on_in_one_process(plugged_in, shop, tmp_path):
    workshop, plan, victim = shop
    whole = run(plan, tmp_path / "whole", workshop).folder
    # More than the first shard of a worker asks, less than half of all.
    (victim / "stuck").write_text("90", encoding="utf-8")
    assert provenance(whole)["texts_forwarded"] > 2 * 90
    command = [
        *(sys.executable, "-m", "benchmark.cli", "run", "--attack", "deepwordbug-i", "--victim", plan.victim),
        *("--dataset", "names", "--data-dir", "data", "--queries", "16", "--results", "cut", "--json"),
        *("--executor", "ray", "--workers", "2"),
    ]
    journal = tmp_path / "cut" / "runs" / whole.run_id / "journal.jsonl"
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not (journal.is_file() and journal.read_bytes().count(b"\n")):
        time.sleep(0.01)
    helpers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, ""), err
    assert len(helpers) > 2
    assert psutil.wait_procs(helpers)[1] == []
    finished = journal.read_bytes().count(b"\n")
    assert 0 < finished < SENTENCES
    (victim / "stuck").unlink()
    report = run(plan, tmp_path / "cut", workshop, EngineOptions(concurrency=3))
    assert report.attacked == SENTENCES - finished
    assert finished_files(report.folder) == finished_files(whole)
