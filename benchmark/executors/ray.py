"""Shards of sentences on the workers of a Ray cluster.

A worker is a process with a workshop of its own: it loads victim and resources once and keeps them for all shards and
all runs of a suite. It gets names and sentences, attacks them as `LocalExecutor` does, and sends the outcomes back. The
driver alone chooses sentences, writes the journal and judges. A shard whose worker is lost goes to another one.

The bytes that come out are those of a run in one process, if all machines have the same releases, models and back end;
a worker refuses to attack where it sees that they differ. It cannot see what is made of another kind of processor, nor
what PyTorch makes of another number of threads: on a CPU these decide the last bits (OpenVINO and ONNX Runtime do not
mind the threads), so a comparison to the byte takes like processors and the same OMP_NUM_THREADS everywhere.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, redirect_stdout, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from benchmark.datasets.finding import data_folder
from benchmark.device import choose_device
from benchmark.error_log import error_log
from benchmark.errors import BadInput, MissingResource, first_line
from benchmark.executors.sharing import GRAIN, cpus_per_worker, room
from benchmark.executors.worker import Order, Shard, Worker
from benchmark.plan import EngineOptions, Plan
from benchmark.progress import silent
from benchmark.types import Outcome, Sentence

if TYPE_CHECKING:
    from benchmark.workshop import PreparedAttack

__all__ = ["RayExecutor", "Task"]

# Shards a worker gets in a run, if there are sentences enough: with more, less is lost with a worker; with fewer,
# batches are fuller.
_SHARDS = 4
# Workers that may be lost over one shard, or while they start, before it is taken for its fault.
_TRIES = 3
# What goes through Ray's store are a few kilobytes a shard.
_STORE_BYTES = 100_000_000


class RayExecutor:
    """Attacks on the workers of a Ray cluster. Use as a context manager; its end is the workers' end.

    Args:
        address: of a running cluster, as `ray.init` takes it; None: RAY_ADDRESS, or a cluster of this machine alone
            that is started and ended.
        workers: how many processes; None for one a CPU, or as many as the GPUs can hold.
        gpus_per_worker: a whole number, or a part of one GPU.

    Raises:
        BadInput: numbers that make no sense.
        MissingResource: Ray is not installed.
    """

    def __init__(self, address: str | None = None, workers: int | None = None, gpus_per_worker: float = 0.0) -> None:
        if workers is not None and workers < 1:
            raise BadInput(f"--workers must be at least 1, not {workers}")
        if not gpus_per_worker >= 0 or (gpus_per_worker > 1 and gpus_per_worker % 1):
            raise BadInput(f"--gpus-per-worker is a part of one GPU or a whole number, not {gpus_per_worker}")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
        try:
            import ray  # noqa: F401 - is it there?
        except ImportError as error:
            raise MissingResource("--executor ray needs Ray: pip install 'ner-gauntlet[ray]'") from error
        self._address = address or os.environ.get("RAY_ADDRESS") or "local"
        self._wanted = workers
        self._gpus = gpus_per_worker
        self._workers: list[Any] = []
        self._started: set[Any] = set()
        self._record: dict[str, Any] = {}

    def __enter__(self) -> Self:
        import ray

        with ExitStack() as stack:
            # Ray tells of lost workers on standard output, which is for results.
            stack.enter_context(redirect_stdout(stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))))
            own: dict[str, Any] = {"object_store_memory": _STORE_BYTES, "include_dashboard": False}
            try:
                _require_answer(self._address)
                ray.init(
                    self._address,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    **(own if self._address == "local" else {}),
                )
            except (OSError, RuntimeError, ValueError) as error:
                raise MissingResource(
                    f"no Ray cluster at {self._address}: {first_line(error)}; `ray start --head` starts one (for "
                    "a cluster with tokens set RAY_AUTH_MODE=token), and without --ray-address this machine is one"
                ) from error
            stack.callback(self._end)
            nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
            self._count = self._wanted or room(nodes, GRAIN if self._gpus else 1.0, self._gpus)
            self._cpus = cpus_per_worker(nodes, self._count, self._gpus)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def outcomes(self, prepared: PreparedAttack, todo: Sequence[Sentence], options: EngineOptions) -> Iterator[Outcome]:
        """See `Executor`; outcomes come a shard at a time.

        Raises:
            BadInput: what a worker finds is not what the driver has, or it is to use a GPU that it has none of.
            MissingResource: workers do not start, or are lost again and again.
        """
        order = Order(self._for_workers(prepared.plan), prepared.identity, options)
        self._record = {
            "executor": "ray",
            "workers": 0,
            "workers_lost": 0,
            "cpus_per_worker": self._cpus,
            "gpus_per_worker": self._gpus,
            "texts_asked": 0,
            "texts_forwarded": 0,
        }
        for shard in self._attacked(order, _shards(todo, self._count, options.concurrency)):
            self._record["texts_asked"] += shard.asked
            self._record["texts_forwarded"] += shard.forwarded
            if shard.errors:
                error_log.error("%s", shard.errors.rstrip("\n"))
            yield from shard.outcomes

    def _attacked(self, order: Order, shards: Iterable[Sequence[Sentence]]) -> Iterator[Shard]:
        """Hand out shards and yield each when it is done, while the workers go on."""
        import ray
        from ray.exceptions import RayError, RayTaskError

        waiting = deque(Task(shard) for shard in shards)
        unfinished = len(waiting)
        while len(self._workers) < min(self._count, unfinished):
            self._hire()
        workers = self._workers[:unfinished]
        idle = [worker for worker in workers if worker in self._started]
        # A worker gets a shard when it has started: the cluster may have no room for some of them today.
        running = {worker.ready.remote(): (worker, Task()) for worker in workers if worker not in self._started}
        shard: Shard | None = None
        while True:
            while idle and waiting:
                worker, task = idle.pop(), waiting.popleft()
                running[worker.attack.remote(order, task.sentences)] = worker, task
            at_work = len(idle) + sum(bool(task.sentences) for _, task in running.values())
            self._record["workers"] = max(self._record["workers"], at_work)
            if shard is not None:
                unfinished -= 1
                yield shard
            if not unfinished:
                return
            (answer,), _ = ray.wait(list(running), num_returns=1)
            worker, task = running.pop(answer)
            try:
                shard = ray.get(answer)
            except RayTaskError as error:
                raise error.cause from error
            except RayError as error:
                shard = None
                self._record["workers_lost"] += 1
                task = task.again(error)
                if task.sentences:
                    waiting.appendleft(task)
                successor = self._replaced(worker)
                running[successor.ready.remote()] = successor, Task() if task.sentences else task
            else:
                self._started.add(worker)
                idle.append(worker)

    def record(self) -> dict[str, Any]:
        """See `Executor`; also how many workers were lost, and what each of them had."""
        return self._record

    def _for_workers(self, plan: Plan) -> Plan:
        """Return the plan with the driver's choices in it, so that another machine makes no others."""
        device = choose_device(plan.options.device).type
        if device == "cuda" and not self._gpus:
            raise BadInput(
                "the victim runs on a GPU here and the workers have none; --gpus-per-worker 1 gives each worker one, "
                "0.5 lets two share one, --device cpu does without"
            )
        folder = data_folder(plan.options.data_dir)
        data_dir = None if folder is None else folder.resolve()
        return replace(plan, options=replace(plan.options, device=device, data_dir=data_dir, report=silent))

    def _hire(self) -> Any:
        """Ask the cluster for one more worker; it may take its time."""
        import ray

        # Ray gives PyTorch as many threads as the worker has CPUs, unless OMP_NUM_THREADS says otherwise.
        kind = ray.remote(Worker).options(num_cpus=self._cpus, num_gpus=self._gpus)
        worker = kind.remote(str(Path.cwd()))
        self._workers.append(worker)
        return worker

    def _replaced(self, lost: Any) -> Any:
        """Return a new worker in the place of one that no longer answers."""
        self._workers.remove(lost)
        self._started.discard(lost)
        _dismiss(lost)
        return self._hire()

    def _end(self) -> None:
        import ray

        for worker in self._workers:
            _dismiss(worker)
        self._workers.clear()
        ray.shutdown()


class Task(NamedTuple):
    """A shard for a worker; without sentences, its start.

    Attributes:
        sentences: to attack.
        losses: workers lost over it.
    """

    sentences: Sequence[Sentence] = ()
    losses: int = 0

    def again(self, reason: Exception) -> Task:
        """Return the same for another worker.

        Raises:
            MissingResource: too many were lost.
        """
        if self.losses + 1 < _TRIES:
            return self._replace(losses=self.losses + 1)
        if self.sentences:
            raise MissingResource(
                f"{_TRIES} workers were lost over the same {len(self.sentences)} sentences: {_why(reason)} "
                "Memory may be short: try fewer --workers or a smaller --concurrency. What is finished is safe"
            )
        raise MissingResource(
            f"workers do not start: {_why(reason)} Is this release of ner-gauntlet installed on every machine?"
        )


def _why(lost: Exception) -> str:
    """Return the line of Ray's message that tells why a worker was lost."""
    lines = str(lost).strip().splitlines()
    return lines[-1] if "creation task" in lines[0] else lines[0]


def _require_answer(address: str) -> None:
    """Raise an OSError where nobody listens at HOST:PORT; Ray itself would try for ten minutes."""
    host, _, port = address.rpartition(":")
    if port.isdigit() and "/" not in host:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=10):
            pass


def _dismiss(worker: Any) -> None:
    import ray

    with suppress(Exception):  # it may be gone already
        ray.kill(worker)


def _shards(sentences: Sequence[Sentence], workers: int, concurrency: int) -> Iterator[Sequence[Sentence]]:
    size = max(1, min(concurrency, -(-len(sentences) // (_SHARDS * workers))))
    for start in range(0, len(sentences), size):
        yield sentences[start : start + size]
