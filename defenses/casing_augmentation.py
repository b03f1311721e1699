"""Casing, the cheapest augmentation, against what users of named-entity recognition meet most often."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmark.alignment import CASINGS
from benchmark.defending import Case, defense
from benchmark.types import Sentence
from defenses.adding import MoreSentences, varied


@defense("casing-augmentation")
class CasingAugmentation(MoreSentences):
    """Add sentences whose mentions, context or all is in lower case, in capitals or with capital initials.

    An uncased architecture sees no difference between them and repeats.
    """

    def more(self, case: Case, rng: random.Random) -> Iterator[Sentence]:
        """Write one sentence after the other in another casing."""
        return varied(case.sentences, lambda sentence: _recased(sentence, rng), rng)


def _recased(sentence: Sentence, rng: random.Random) -> Sentence:
    """Return one of the nine variants, at random."""
    recase, where = rng.choice(list(CASINGS.values())), rng.choice(("mentions", "context", "all"))
    for i, word in enumerate(sentence.tokens):
        if where == "all" or sentence.inside(i) == (where == "mentions"):
            sentence = sentence.replace(i, recase(word))
    return sentence
