"""Word importance: how much nearer to the goal the victim is without a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence

__all__ = ["rank_by_masking"]

# What SeqAttack and TextAttack put in a word's place. For a victim whose vocabulary knows the token it is one piece.
UNKNOWN_WORD = "[UNK]"


async def rank_by_masking(sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[int]:
    """Order positions by the goal's confidence score with the word replaced by `[UNK]`, most important first.

    Costs one query a position. Ties keep the order of the text.
    """
    scores = await probe.measure([sentence.replace(i, UNKNOWN_WORD) for i in positions])
    ranked = sorted(zip(scores, positions, strict=True), key=lambda pair: -pair[0])
    return [position for _, position in ranked]
