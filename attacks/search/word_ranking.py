"""Word importance: how much nearer to the goal the victim is without a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence

__all__ = ["rank_by_masking"]


async def rank_by_masking(sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[int]:
    """Order positions by the goal's confidence score with the word made unknown, most important first.

    The victim's unknown word (`[UNK]`) takes the word's place, as in SeqAttack. Costs one query a position; ties keep
    the order of the text.
    """
    scores = await probe.measure([sentence.replace(i, probe.unknown_word) for i in positions])
    ranked = sorted(zip(scores, positions, strict=True), key=lambda pair: -pair[0])
    return [position for _, position in ranked]
