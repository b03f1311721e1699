"""Executors: where the sentences of a run are attacked. Which one, and with how many workers, changes no result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from benchmark.errors import BadInput
from benchmark.executors.local import LocalExecutor

if TYPE_CHECKING:
    from benchmark.plan import EngineOptions
    from benchmark.types import Outcome, Sentence
    from benchmark.workshop import PreparedAttack

__all__ = ["EXECUTORS", "Executor", "executor_named"]

EXECUTORS = ("local", "ray")


class Executor(Protocol):
    """Turns sentences into outcomes."""

    def outcomes(self, prepared: PreparedAttack, todo: Sequence[Sentence], options: EngineOptions) -> Iterator[Outcome]:
        """Attack sentences and yield each one's outcome when it is there, in any order.

        Raises:
            GauntletError: what ends the run; what goes wrong in the attack on one sentence is an error outcome.
        """

    def record(self) -> dict[str, Any]:
        """Return what provenance says of the latest call of `outcomes`: executor, workers, texts asked, forwarded."""


def executor_named(
    name: str, address: str | None = None, workers: int | None = None, gpus_per_worker: float | None = None
) -> AbstractContextManager[Executor]:
    """Return an executor, to be entered before it is used; leaving it ends its workers.

    Args:
        name: one of `EXECUTORS`.
        address: as in `RayExecutor`; the other arguments too.
        workers: how many.
        gpus_per_worker: None for none.

    Raises:
        BadInput: no such executor, numbers that make no sense, or Ray's options for another executor.
        MissingResource: Ray is not installed.
    """
    if name not in EXECUTORS:
        raise BadInput(f"unknown executor {name!r}; known: {', '.join(EXECUTORS)}")
    if name == "ray":
        from benchmark.executors.ray import RayExecutor

        return RayExecutor(address, workers, gpus_per_worker or 0.0)
    if (address, workers, gpus_per_worker) != (None, None, None):
        raise BadInput("--ray-address, --workers and --gpus-per-worker go with --executor ray")
    return nullcontext(LocalExecutor())
