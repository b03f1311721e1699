"""A process of a cluster: what it is asked, what it does, what it sends back. It knows nothing of Ray."""

from __future__ import annotations

import io
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from benchmark.error_log import errors_kept_by
from benchmark.errors import BadInput, GauntletError
from benchmark.executors.local import LocalExecutor
from benchmark.plan import EngineOptions, Plan
from benchmark.types import Outcome, Sentence
from benchmark.workshop import PreparedAttack, Workshop

__all__ = ["Order", "Shard", "Worker"]


class Order(NamedTuple):
    """What a worker is asked to do with its sentences.

    Attributes:
        plan: names.
        identity: what the plan's names stand for on the driver; see `PreparedAttack.identity`.
        options: how a shard's work is cut.
    """

    plan: Plan
    identity: Mapping[str, Any]
    options: EngineOptions


class Shard(NamedTuple):
    """What a worker made of its sentences.

    Attributes:
        outcomes: one a sentence.
        asked: questions put to models, repeats included.
        forwarded: those that the models really had to answer.
        errors: text for errors.log.
    """

    outcomes: list[Outcome]
    asked: int
    forwarded: int
    errors: str


class Worker:
    """One process of the cluster.

    Args:
        folder: the driver's working folder. Where it exists, relative names mean the same as there.
    """

    def __init__(self, folder: str) -> None:
        with suppress(OSError):
            os.chdir(folder)
        self._workshop = Workshop()
        self._prepared: PreparedAttack | None = None

    def ready(self) -> None:
        """Answer; before that, the process must have started."""

    def attack(self, order: Order, sentences: Sequence[Sentence]) -> Shard:
        """Attack sentences.

        Raises:
            GauntletError: as in one process, with the name of the machine.
        """
        errors = io.StringIO()
        executor = LocalExecutor()
        try:
            prepared = self._prepare(order)
            with errors_kept_by(logging.StreamHandler(errors)):
                outcomes = list(executor.outcomes(prepared, sentences, order.options))
        except GauntletError as error:
            raise type(error)(f"{error} (said by a worker on {socket.gethostname()})") from None
        record = executor.record()
        return Shard(outcomes, record["texts_asked"], record["texts_forwarded"], errors.getvalue())

    def _prepare(self, order: Order) -> PreparedAttack:
        """Load what the plan names, unless it was the last one's, and compare it with what the driver has."""
        if self._prepared is None or self._prepared.plan != order.plan:
            self._prepared = PreparedAttack(order.plan, self._workshop)
        mine = self._prepared.identity
        differing = [name for name, theirs in order.identity.items() if mine[name] != theirs]
        if differing:
            raise BadInput(
                f"not what the driver has: {', '.join(differing)}; all machines need the same releases, data and "
                "models (victims trained on first use: the same cache folder)"
            )
        return self._prepared
