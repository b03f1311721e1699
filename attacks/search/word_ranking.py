"""Word importance: how much nearer to the goal the victim is without a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence

__all__ = ["rank_by_deletion", "rank_by_masking"]


async def rank_by_masking(sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[int]:
    """Order positions by the goal's confidence score with the word made unknown, most important first.

    The victim's unknown word (`[UNK]`) takes the word's place, as in SeqAttack. Costs one query a position; ties keep
    the order of the text.
    """
    return await _ranked(positions, [sentence.replace(i, probe.unknown_word) for i in positions], probe)


async def rank_by_deletion(sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[int]:
    """Order positions by the goal's confidence score with the word and its label deleted (Jin et al. 2020, eq. 2).

    SeqAttack deletes the token but not its label, so that every later token is compared with its neighbour's label.
    """
    if len(sentence) == 1:
        return list(positions)
    return await _ranked(positions, [sentence.delete(i) for i in positions], probe)


async def _ranked(positions: Sequence[int], variants: Sequence[Sentence], probe: Probe) -> list[int]:
    scores = await probe.measure(variants)
    order = sorted(zip(scores, positions, strict=True), key=lambda pair: -pair[0])
    return [position for _, position in order]
