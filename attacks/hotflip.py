"""What HotFlip's attacks on characters and on words share (Ebrahimi, Rao, Lowd & Dou 2018, ACL)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from attacks.search.gradient_beam import Flips, again_and_again

if TYPE_CHECKING:
    from benchmark.probe import Probe

__all__ = ["ORDERS", "PAPER", "search_in_order"]

PAPER = "Ebrahimi et al. 2018, HotFlip: White-Box Adversarial Examples for Text Classification"
ORDERS = ("gradient", "random")


async def search_in_order(
    order: str, words: Mapping[int, Sequence[str]], probe: Probe, search: Callable[[Flips], Awaitable[None]]
) -> None:
    """Search once along the gradients; the control searches by chance, again and again.

    Args:
        order: one of `ORDERS`.
        words: by place, what could stand there instead.
        probe: gives gradients and judges.
        search: from the original text, over the edits it is given.
    """
    flips = Flips(words, probe, blind=order == "random")
    if order == "random":
        await again_and_again(lambda: search(flips), probe)
    else:
        await search(flips)
