"""Greedy search: word after word, keep what helps most."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from benchmark.probe import best

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence

__all__ = ["walk"]


async def walk(
    sentence: Sentence,
    positions: Sequence[int],
    edits: Callable[[Sentence, int], Awaitable[Sequence[Sentence]]],
    probe: Probe,
) -> None:
    """Visit positions in order; ask about all edits there and keep the one nearest to the goal, if it is nearer.

    Args:
        sentence: where to start.
        positions: of tokens, the most promising first; edits must not move other tokens.
        edits: gives the candidates at a position of the sentence as it is by then.
        probe: judges.
    """
    reached = probe.start
    for i in positions:
        verdicts = await probe(await edits(sentence, i))
        if verdicts and best(verdicts).confidence > reached:
            sentence, reached = best(verdicts).sentence, best(verdicts).confidence
