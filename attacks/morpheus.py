"""Morpheus (Tan, Joty, Kan & Socher 2020, ACL): nothing but inflections.

The paper walks all words and keeps, for each, the inflection that lowers the task's score most. TextAttack's map from
tags to parts of speech was broken for years; ours is universal tags throughout. Function words, the forms of "to be"
among them, stay as they are here, as in our other word attacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from attacks.search.greedy import walk
from attacks.word_attack import WordAttack
from benchmark.contracts import attack
from benchmark.resources.inflecting import DEFAULT_INFLECTOR
from benchmark.resources.tagging import DEFAULT_TAGGER
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence


@attack(
    "morpheus",
    version=2,
    access=Access.SCORES,
    touch=Touch.CONTEXT,
    paper="Tan et al. 2020, It's Morphin' Time! Combating Linguistic Discrimination with Inflectional Perturbations",
)
class Morpheus(WordAttack):
    """Put context words into other inflections, as a learner of English might.

    Attributes:
        tagger: tells nouns, verbs and adjectives.
        inflector: knows their forms.
    """

    order: str = "text"
    max_words: float = 1.0
    tagger: str = DEFAULT_TAGGER
    inflector: str = DEFAULT_INFLECTOR

    ORDERS: ClassVar[Sequence[str]] = ("text", "importance", "random")

    @property
    def resources(self) -> Mapping[str, str]:
        """Tagger and inflector, and encoder if a similarity is asked for."""
        return {**super().resources, "tagger": self.tagger, "inflector": self.inflector}

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Walk the words and keep the worst inflection of each."""
        words = self.places(sentence, probe) if self.order == "text" else await self.ranked(sentence, probe)
        await walk(sentence, words, lambda current, i: self.edits_at(current, i, probe), probe)

    async def edits(self, sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[list[Sentence]]:
        """Inflect each word otherwise, its part of speech as in the original."""
        inflections = probe.resources.inflector.inflections
        tagged = await probe.resources.tagger.tag(probe.clean.sentence.tokens)
        return [
            [sentence.replace(i, form) for form in inflections(sentence.tokens[i], tagged[i].universal)]
            for i in positions
        ]
