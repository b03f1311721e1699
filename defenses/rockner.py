"""The three augmentations that RockNER compares with (Lin et al. 2021); controls of adversarial training."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmark.augmenting import ends_by_type, entity_switching, mentions_by_type, mix_up, random_characters
from benchmark.defending import Case, defense
from benchmark.types import Sentence
from defenses.adding import MoreSentences, varied

PAPER = "Lin et al. 2021, RockNER: A Simple Method to Create Adversarial Examples for Evaluating the Robustness of NER"


@defense("entity-switching", paper=PAPER)
class EntitySwitching(MoreSentences):
    """Add sentences with a random training mention of the same type in the place of each mention."""

    def more(self, case: Case, rng: random.Random) -> Iterator[Sentence]:
        """Switch the mentions of one sentence after the other."""
        mentions = mentions_by_type(case.sentences)
        return varied(case.sentences, lambda sentence: entity_switching(sentence, mentions, rng), rng)


@defense("random-characters", paper=PAPER)
class RandomCharacters(MoreSentences):
    """Add sentences with random letters in the place of the mentions' letters."""

    def more(self, case: Case, rng: random.Random) -> Iterator[Sentence]:
        """Scramble the mentions of one sentence after the other."""
        return varied(case.sentences, lambda sentence: random_characters(sentence, rng), rng)


@defense("mix-up", paper=PAPER)
class MixUp(MoreSentences):
    """Add sentences that begin as one and end as another, joined at mentions of the same type."""

    def more(self, case: Case, rng: random.Random) -> Iterator[Sentence]:
        """Join one sentence after the other to a random one."""
        ends = ends_by_type(case.sentences)
        return varied(case.sentences, lambda sentence: mix_up(sentence, ends, rng), rng)
