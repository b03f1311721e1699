"""The frame of TextFooler, into which BAE puts another source of candidates.

Jin, Jin, Zhou & Szolovits 2020 (AAAI), algorithm 1: rank the words by deletion, walk them greedily, and let a word only
be replaced by one of the same part of speech.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attacks.constraints.part_of_speech import SamePartOfSpeech
from attacks.search.greedy import walk
from attacks.search.word_ranking import rank_by_deletion
from attacks.word_attack import WordAttack
from benchmark.contracts import ModelConstraint
from benchmark.resources.tagging import DEFAULT_TAGGER

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence

__all__ = ["Substitution"]


@dataclass(frozen=True, kw_only=True)
class Substitution(WordAttack):
    """Base of the two; see the module's text.

    Attributes:
        k: substitutes a word.
        tagger: tells parts of speech.
    """

    k: int = 50
    max_words: float = 1.0
    tagger: str = DEFAULT_TAGGER

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("k")

    @property
    def resources(self) -> Mapping[str, str]:
        """Tagger, and encoder if a similarity is asked for."""
        return {**super().resources, "tagger": self.tagger}

    @property
    def model_constraints(self) -> Sequence[ModelConstraint]:
        """The word keeps its part of speech, the text stays similar."""
        return (SamePartOfSpeech(), *super().model_constraints)

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Rank the words by deletion, then walk them greedily."""
        words = await self.ranked(sentence, probe)
        await walk(sentence, words, lambda current, i: self.edits_at(current, i, probe), probe)

    async def by_importance(self, sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[int]:
        """Order words by how much nearer to the goal the victim is with them deleted."""
        return await rank_by_deletion(sentence, positions, probe)
