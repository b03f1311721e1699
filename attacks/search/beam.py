"""Beam search over whole sentences: from the best ones so far, all their neighbours, and the best of those."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence

__all__ = ["beam_search"]


async def beam_search(
    sentence: Sentence,
    neighbours: Callable[[Sentence], Awaitable[Sequence[Sentence]]],
    probe: Probe,
    width: int = 1,
) -> None:
    """Step from sentences to neighbours as long as the best neighbour is nearer to the goal; width 1 is greedy.

    Args:
        sentence: where to start.
        neighbours: gives the candidates one edit away.
        probe: judges.
        width: how many sentences are kept from step to step.
    """
    beam, reached = [sentence], probe.start
    while True:
        # Two sentences of a beam may share a neighbour; it is asked once.
        candidates = {candidate.tokens: candidate for kept in beam for candidate in await neighbours(kept)}
        verdicts = await probe(candidates.values())
        better = sorted((v for v in verdicts if v.confidence > reached), key=lambda v: -v.confidence)[:width]
        if not better:
            return
        beam, reached = [verdict.sentence for verdict in better], better[0].confidence
