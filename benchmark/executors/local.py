"""All sentences in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from benchmark.engine import Engine

if TYPE_CHECKING:
    from benchmark.plan import EngineOptions
    from benchmark.types import Outcome, Sentence
    from benchmark.workshop import PreparedAttack

__all__ = ["LocalExecutor"]


class LocalExecutor:
    """Attacks in this process, by one engine."""

    def __init__(self) -> None:
        self._engine = Engine()

    def outcomes(self, prepared: PreparedAttack, todo: Sequence[Sentence], options: EngineOptions) -> Iterator[Outcome]:
        """See `Executor`."""
        self._engine = Engine(options.concurrency, options.batch_size, prepared.workshop.memory)
        for done in self._engine.run(prepared.assault.job(sentence) for sentence in todo):
            yield done.result

    def record(self) -> dict[str, Any]:
        """See `Executor`."""
        return {
            "executor": "local",
            "workers": 1,
            "texts_asked": sum(self._engine.asked.values()),
            "texts_forwarded": sum(self._engine.forwarded.values()),
        }
