"""The identity attack: a control that must never succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.contracts import Attack, attack
from benchmark.threat import Access

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence


@attack("identity", access=Access.LABELS)
class Identity(Attack):
    """Change nothing. Success is measured against the clean prediction, so any success here is a bug."""

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Propose the sentence as it is."""
        await probe([sentence])
