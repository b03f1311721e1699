"""Random character edits: the lower bound that every attack must beat at equal budget."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from attacks.candidates.misspellings import misspellings
from benchmark.contracts import Attack, attack
from benchmark.errors import BadInput
from benchmark.threat import Access

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence


# Texts asked at a time: enough to fill a batch, few enough not to overshoot a success by much.
HANDFUL = 8


@attack("random-edit", access=Access.LABELS)
class RandomEdit(Attack):
    """Misspell random words at random, each try from the original text, until the budget is spent.

    It sees nothing of the victim but whether it fell. Compare at the same number of queries, and choose `words` so that
    the modification rates are near each other: more words are easier.

    Attributes:
        words: how many words are misspelled in each text asked, one character edit each.
    """

    words: int = 1

    def __post_init__(self) -> None:
        if self.words < 1:
            raise BadInput(f"words must be at least 1, not {self.words}")

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Ask random texts, a handful at a time."""
        while await probe([self.draw(sentence, probe.rng) for _ in range(HANDFUL)]):
            pass

    def draw(self, sentence: Sentence, rng: random.Random) -> Sentence:
        """Return the sentence with random words misspelled."""
        for i in rng.sample(range(len(sentence)), min(self.words, len(sentence))):
            words = misspellings(sentence.tokens[i], rng)
            if words:
                sentence = sentence.replace(i, rng.choice(words))
        return sentence
