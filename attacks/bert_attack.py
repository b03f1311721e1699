"""BERT-Attack (Li, Ma, Guo, Xue & Qiu 2020, EMNLP), as SeqAttack adapts it to named-entity recognition.

Differences from the published code, on purpose: substitutes are whole words in the casing of the word they replace
(SeqAttack puts the lower-case words of an uncased model before a cased victim), a word of several pieces gets
whole-word substitutes instead of products of pieces (whose "best K" are not sorted in TextAttack), and every position
is ranked (the original code never scores the last word).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attacks.search.greedy import walk
from attacks.word_attack import WordAttack
from benchmark.contracts import attack
from benchmark.resources.language_models import DEFAULT_LANGUAGE_MODEL, Seen
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence


@attack(
    "bert-attack",
    version=2,
    access=Access.SCORES,
    touch=Touch.CONTEXT,
    paper="Li et al. 2020, BERT-ATTACK: Adversarial Attack Against BERT Using BERT",
)
class BertAttack(WordAttack):
    """Replace the most important context words by what a masked language model would put there.

    Attributes:
        k: substitutes a word (the paper's K).
        language_model: proposes them, in one pass over the original text, the words left to see.
    """

    k: int = 48
    similarity: float = 0.4
    language_model: str = DEFAULT_LANGUAGE_MODEL

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("k")

    @property
    def resources(self) -> Mapping[str, str]:
        """Language model and encoder."""
        return {**super().resources, "language_model": self.language_model}

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Rank the words, propose for all of them in one pass, then walk them greedily (the paper's algorithm 1)."""
        words = await self.ranked(sentence, probe)
        substitutes = dict(zip(words, await self.substitutes(words, probe), strict=True))

        async def replaced(current: Sentence, i: int) -> list[Sentence]:
            return [current.replace(i, word) for word in substitutes[i]]

        await walk(sentence, words, replaced, probe)

    async def edits(self, sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[list[Sentence]]:
        """Replace each word by its substitutes."""
        substitutes = await self.substitutes(positions, probe)
        return [[sentence.replace(i, word) for word in own] for i, own in zip(positions, substitutes, strict=True)]

    async def substitutes(self, positions: Sequence[int], probe: Probe) -> list[list[str]]:
        """Return for each position the K words that the model finds likeliest in the original text."""
        model = probe.resources.language_model
        proposals = await model.fill(probe.clean.sentence.tokens, positions, self.k, Seen.VISIBLE)
        return [[proposal.word for proposal in own] for own in proposals]
