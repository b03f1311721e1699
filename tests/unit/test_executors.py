"""Executors by name, what they refuse, and how a cluster's CPUs and GPUs are shared out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from benchmark.errors import BadInput, MissingResource
from benchmark.executors import executor_named
from benchmark.executors.local import LocalExecutor
from benchmark.executors.ray import RayExecutor, Task
from benchmark.executors.sharing import cpus_per_worker, room
from benchmark.plan import Plan
from benchmark.progress import silent
from benchmark.victims import VictimOptions

RUN = ("run", "--attack", "identity", "--limit", "2", "--queries", "4")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--executor", "dask"), "unknown executor 'dask'; known: local, ray"),
        (("--workers", "2"), "go with --executor ray"),
        (("--gpus-per-worker", "0"), "go with --executor ray"),
        (("--ray-address", "auto"), "go with --executor ray"),
        (("--executor", "ray", "--workers", "0"), "--workers must be at least 1"),
        (("--executor", "ray", "--gpus-per-worker", "-1"), "a part of one GPU or a whole number, not -1"),
        (("--executor", "ray", "--gpus-per-worker", "1.5"), "a part of one GPU or a whole number, not 1.5"),
        (("--executor", "ray", "--gpus-per-worker", "nan"), "a part of one GPU or a whole number, not nan"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(gauntlet, arguments, told):
    code, out, err = gauntlet(*RUN, *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1


def test_without_ray_it_is_told_how_to_get_it(gauntlet, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, out, err = gauntlet(*RUN, "--executor", "ray")
    assert (code, out) == (3, "")
    assert "pip install 'ner-gauntlet[ray]'" in err
    assert len(err.splitlines()) == 1


def test_local_is_this_process():
    with executor_named("local") as executor:
        assert isinstance(executor, LocalExecutor)


def test_ray_is_told_what_to_use():
    assert isinstance(executor_named("ray", "auto", 3, 0.5), RayExecutor)


SMALL = {"CPU": 2.0}
LARGE = {"CPU": 16.0, "GPU": 2.0}
HEAD = {"CPU": 0.0}


@pytest.mark.parametrize(
    ("nodes", "cpus", "gpus", "workers"),
    [
        ([SMALL], 1.0, 0.0, 2),
        ([SMALL, LARGE, HEAD], 1.0, 0.0, 18),
        ([SMALL, LARGE], 4.0, 0.0, 4),
        ([SMALL, LARGE], 1.0, 0.5, 4),
        ([LARGE, LARGE], 1.0, 2.0, 2),
        ([LARGE], 1.0, 0.6, 2),  # what is left of two GPUs is no GPU
        ([LARGE], 1.0, 0.1, 16),  # CPUs are short
        ([SMALL], 1.0, 1.0, 0),
    ],
)
def test_a_worker_has_its_cpus_and_gpus_on_one_machine(nodes, cpus, gpus, workers):
    assert room(nodes, cpus, gpus) == workers


@pytest.mark.parametrize(
    ("nodes", "workers", "gpus", "cpus"),
    [
        ([SMALL], 1, 0.0, 2),
        ([SMALL], 2, 0.0, 1),
        ([SMALL, SMALL], 3, 0.0, 1),
        ([LARGE], 3, 0.0, 5),
        ([SMALL, LARGE], 2, 1.0, 8),  # the small one has no GPU
        ([SMALL, HEAD], 4, 0.0, 0.5),
    ],
)
def test_workers_share_all_cpus(nodes, workers, gpus, cpus):
    assert cpus_per_worker(nodes, workers, gpus) == pytest.approx(cpus)


@pytest.mark.parametrize("workers", range(3, 40))
def test_however_many_workers_there_are_all_find_room(workers):
    cpus = cpus_per_worker([SMALL], workers, 0.0)
    assert round(cpus * 10_000) * workers <= 20_000  # Ray counts in ten-thousandths


@pytest.mark.parametrize(("workers", "gpus"), [(0, 1.0), (5, 0.5), (3, 1.0)])
def test_a_cluster_with_too_few_gpus_is_refused(workers, gpus):
    nodes = [SMALL] if workers == 0 else [SMALL, LARGE]
    with pytest.raises(
        BadInput, match=r"(0|2) GPUs\) has room for . workers with .* lower --workers or --gpus-per-worker"
    ):
        cpus_per_worker(nodes, workers, gpus)


DIED = "The actor died unexpectedly before finishing this task.\n\tpid: 1"
UNBORN = (
    "The actor died because of an error raised in its creation task, W.__init__()\nModuleNotFoundError: No benchmark"
)


@pytest.mark.parametrize(
    ("task", "reason", "told"),
    [
        (Task(("a", "b")), DIED, "3 workers were lost over the same 2 sentences: The actor died unexpectedly before"),
        (Task(), UNBORN, "workers do not start: ModuleNotFoundError: No benchmark"),
    ],
)
def test_what_ends_one_worker_after_the_other_ends_the_run(task, reason, told):
    lost = OSError(reason)
    twice = task.again(lost).again(lost)
    assert twice.sentences == task.sentences
    with pytest.raises(MissingResource, match=told):
        twice.again(lost)


def test_another_machine_makes_no_choices_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr("benchmark.executors.ray.choose_device", lambda name: torch.device("cuda", 1))
    (tmp_path / "data").mkdir()
    plan = Plan("identity", options=VictimOptions(data_dir=Path("data"), report=lambda *_: None))
    sent = RayExecutor(gpus_per_worker=0.5)._for_workers(plan).options
    assert (sent.device, sent.data_dir) == ("cuda", tmp_path / "data")
    assert sent.report is silent
    with pytest.raises(BadInput, match="--gpus-per-worker 1 gives each worker one"):
        RayExecutor()._for_workers(plan)
