"""What the word-level attacks have in common: which words they may edit, how many, and in which order."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from attacks.constraints.edited_words import EditedWordsStayOutside
from attacks.constraints.names import NoNewNames
from attacks.constraints.numbers import NumbersStayNumbers
from attacks.constraints.share_of_words import AtMostShareOfWords
from attacks.constraints.similarity import SimilarityAtLeast
from attacks.search.word_ranking import rank_by_masking
from benchmark.contracts import Attack, Constraint, ModelConstraint, PredictionConstraint
from benchmark.errors import BadInput
from benchmark.resources.encoders import DEFAULT_ENCODER
from benchmark.resources.stop_words import is_stop_word

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence

__all__ = ["WordAttack"]


@dataclass(frozen=True, kw_only=True)
class WordAttack(Attack):
    """Base of the attacks that replace, insert or merge context words.

    As SeqAttack (Simoncini & Spanakis 2021, section 3.3) adapts them to named-entity recognition: gold mentions stay,
    an edited word must not be taken for an entity, numbers stay numbers, at most two fifths of the words change and
    the text stays similar. That no edited word may be written like a name is our addition.

    Attributes:
        order: the attack's own order of words, or "random" for the ablation.
        max_words: largest share of the words that may change, rounded up.
        similarity: smallest cosine between the two texts; 0 asks for none.
        encoder: of the similarity.
    """

    order: str = "importance"
    max_words: float = 0.4
    similarity: float = 0.0
    encoder: str = DEFAULT_ENCODER

    ORDERS: ClassVar[Sequence[str]] = ("importance", "random")

    def __post_init__(self) -> None:
        if self.order not in self.ORDERS:
            raise BadInput(f"order must be one of {', '.join(self.ORDERS)}, not {self.order!r}")
        if not 0 < self.max_words <= 1:
            raise BadInput(f"max_words must be above 0 and at most 1, not {self.max_words}")
        if not 0 <= self.similarity <= 1:
            raise BadInput(f"similarity must be between 0 (not asked for) and 1, not {self.similarity}")

    def require_positive(self, *names: str) -> None:
        """Refuse numbers below 1 in some parameters."""
        for name in names:
            if getattr(self, name) < 1:
                raise BadInput(f"{name} must be at least 1, not {getattr(self, name)}")

    @abstractmethod
    async def edits(self, sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[list[Sentence]]:
        """Return for each position the candidates that differ from `sentence` by one edit there."""

    @property
    def resources(self) -> Mapping[str, str]:
        """The encoder, if any similarity is asked for."""
        return {"encoder": self.encoder} if self.similarity > 0 else {}

    @property
    def constraints(self) -> Sequence[Constraint]:
        """Numbers stay numbers, no names come in, few words change."""
        return (NumbersStayNumbers(), NoNewNames(), AtMostShareOfWords(self.max_words))

    @property
    def model_constraints(self) -> Sequence[ModelConstraint]:
        """The text stays similar."""
        return (SimilarityAtLeast(self.similarity),) if self.similarity > 0 else ()

    @property
    def prediction_constraints(self) -> Sequence[PredictionConstraint]:
        """An edited word that the victim takes for an entity does not count."""
        return (EditedWordsStayOutside(),)

    def places(self, sentence: Sentence, probe: Probe) -> list[int]:
        """Return the positions where this attack has edits; here the words that may be replaced."""
        return [i for i in range(len(sentence)) if self.may_replace(sentence, i, probe)]

    def may_replace(self, sentence: Sentence, i: int, probe: Probe) -> bool:
        """Original words outside gold and predicted mentions that are neither function words nor punctuation."""
        word, source = sentence.tokens[i], sentence.sources[i]
        return (
            len(source) == 1
            and word == probe.clean.sentence.tokens[source[0]]
            and not sentence.inside(i)
            and probe.clean.prediction.tags[source[0]] == "O"
            and not is_stop_word(word)
            and any(character.isalnum() for character in word)
        )

    async def ranked(self, sentence: Sentence, probe: Probe) -> list[int]:
        """Return the editable words in the order of `order`."""
        positions = self.places(sentence, probe)
        if self.order == "random":
            probe.rng.shuffle(positions)
            return positions
        return await self.by_importance(sentence, positions, probe)

    async def by_importance(self, sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[int]:
        """Order words by how much nearer to the goal the victim is without them; here by masking."""
        return await rank_by_masking(sentence, positions, probe)

    async def edits_at(self, sentence: Sentence, i: int, probe: Probe) -> list[Sentence]:
        """Return the candidates at one position."""
        (candidates,) = await self.edits(sentence, [i], probe)
        return candidates
