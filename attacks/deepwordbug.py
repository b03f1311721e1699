"""DeepWordBug (Gao, Lanchantin, Soffa & Qi 2018) as SeqAttack runs it on named-entity recognition.

As in SeqAttack (Simoncini & Spanakis 2021), section 3.3, variants I and II.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attacks.candidates.misspellings import misspellings
from attacks.constraints.edit_distance import MaximumEditDistance
from attacks.constraints.edited_words import EditedWordsStayOutside
from attacks.search.word_ranking import rank_by_masking
from benchmark.contracts import Attack, Constraint, PredictionConstraint, attack
from benchmark.errors import BadInput
from benchmark.probe import best
from benchmark.resources.stop_words import is_stop_word
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence

PAPER = "Gao et al. 2018, Black-box Generation of Adversarial Text Sequences to Evade Deep Learning Classifiers"
ORDERS = ("importance", "random")


@attack("deepwordbug-i", access=Access.SCORES, paper=PAPER)
class DeepWordBug(Attack):
    """Misspell the words the victim leans on most, one character edit a word, mentions included.

    Attributes:
        max_edit_distance: Levenshtein distance to the original sentence, in characters.
        order: "importance", or "random" for the ablation that walks the words blindly.
    """

    max_edit_distance: int = 30
    order: str = "importance"

    def __post_init__(self) -> None:
        if self.max_edit_distance < 1:
            raise BadInput(f"max_edit_distance must be at least 1, not {self.max_edit_distance}")
        if self.order not in ORDERS:
            raise BadInput(f"order must be one of {', '.join(ORDERS)}, not {self.order!r}")

    @property
    def constraints(self) -> Sequence[Constraint]:
        """The text stays near the original."""
        return (MaximumEditDistance(self.max_edit_distance),)

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Walk the words by importance and keep, for each, the misspelling that helps most, if any does."""
        reached = probe.start
        for i in await self.ranked(sentence, probe):
            verdicts = await probe(sentence.replace(i, word) for word in misspellings(sentence.tokens[i], probe.rng))
            if verdicts and best(verdicts).confidence > reached:
                sentence, reached = best(verdicts).sentence, best(verdicts).confidence

    async def ranked(self, sentence: Sentence, probe: Probe) -> list[int]:
        """Return the positions to visit, in order."""
        positions = [i for i in range(len(sentence)) if self.may_edit(i, sentence, probe)]
        if self.order == "importance":
            return await rank_by_masking(sentence, positions, probe)
        probe.rng.shuffle(positions)
        return positions

    def may_edit(self, i: int, sentence: Sentence, probe: Probe) -> bool:  # noqa: ARG002 - variants look at the probe
        """Words of two letters and more that are not function words."""
        word = sentence.tokens[i]
        return len(word) > 1 and not is_stop_word(word)


@attack("deepwordbug-ii", access=Access.SCORES, touch=Touch.CONTEXT, paper=PAPER)
class DeepWordBugOnContext(DeepWordBug):
    """Misspell context words only; mentions stay, and no misspelling may look like an entity to the victim."""

    @property
    def prediction_constraints(self) -> Sequence[PredictionConstraint]:
        """An edited word that the victim takes for an entity does not count."""
        return (EditedWordsStayOutside(),)

    def may_edit(self, i: int, sentence: Sentence, probe: Probe) -> bool:
        """Also outside gold mentions and outside what the victim took for mentions."""
        return super().may_edit(i, sentence, probe) and not sentence.inside(i) and probe.clean.prediction.tags[i] == "O"


@attack("deepwordbug-labels", access=Access.LABELS, paper=PAPER)
class DeepWordBugByLabels(DeepWordBug):
    """DeepWordBug for victims that give labels only: the share of broken entity tokens takes the scores' place.

    Masking seldom changes a label, so ranking by it would waste queries: mentions come first, then their neighbours.
    """

    async def ranked(self, sentence: Sentence, probe: Probe) -> list[int]:
        """Order words by their distance to the nearest gold mention."""
        positions = [i for i in range(len(sentence)) if self.may_edit(i, sentence, probe)]
        if self.order == "random":
            probe.rng.shuffle(positions)
            return positions
        inside = [i for i in range(len(sentence)) if sentence.inside(i)]
        return sorted(positions, key=lambda i: min((abs(i - k) for k in inside), default=0))
