"""HotFlip on characters (Ebrahimi, Rao, Lowd & Dou 2018, ACL), for named-entity recognition.

The loss J is the negative log-probability of the gold labels of all entity tokens. As in the paper, any word may be
changed, function words and short words too, once each, as long as what comes out is not in the vocabulary, and no more
than a tenth of the characters. Numbers and marks stay as they are, and no context word gets a capital it had not; both
are our additions.

`hotflip-char` is the paper's: the victim reads characters, so the derivatives are exact. Most recognisers of today read
pieces of words, and a new letter gives other pieces, another number of them even. `hotflip-subword` is made for them
and is another attack, gradient-ranked HotFlip: estimates rank the edits, but only the victim's answers are trusted.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from attacks.candidates.character_edits import character_edits
from attacks.constraints.names import NoNewNames
from attacks.constraints.vocabulary import OutOfVocabulary
from attacks.hotflip import ORDERS, PAPER, search_in_order
from attacks.search.gradient_beam import Flips, beam_on_answers, beam_on_estimates
from benchmark.contracts import Attack, Constraint, ModelConstraint, Victim, attack
from benchmark.errors import BadInput, VictimLacks
from benchmark.resources.word_vectors import DEFAULT_WORD_VECTORS
from benchmark.threat import Access

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence
    from benchmark.victims.white_box import WhiteBox

__all__ = ["CharacterFlips", "HotFlipChar", "HotFlipSubword"]


@dataclass(frozen=True, kw_only=True)
class CharacterFlips(Attack):
    """Base of the two.

    Attributes:
        flip: put letters in the place of others.
        insert: put letters in.
        delete: leave characters out.
        width: of the beam.
        share: of the characters that may be edited, rounded down, but at least one.
        order: "gradient", or "random" for the control: random edits of the same kind until the budget is spent.
        word_vectors: what counts as a word.
    """

    flip: bool = True
    insert: bool = True
    delete: bool = True
    width: int = 10
    share: float = 0.1
    order: str = "gradient"
    word_vectors: str = DEFAULT_WORD_VECTORS

    TABLE: ClassVar[str]
    OTHER: ClassVar[str]

    def __post_init__(self) -> None:
        if not (self.flip or self.insert or self.delete):
            raise BadInput("one of flip, insert and delete must be on")
        if self.width < 1:
            raise BadInput(f"width must be at least 1, not {self.width}")
        if not 0 < self.share <= 1:
            raise BadInput(f"share must be above 0 and at most 1, not {self.share}")
        if self.order not in ORDERS:
            raise BadInput(f"order must be one of {', '.join(ORDERS)}, not {self.order!r}")

    def require(self, victim: Victim) -> None:
        """Refuse victims that read something else than this form of the attack edits."""
        if self.TABLE not in cast("WhiteBox", victim).tables:
            raise VictimLacks(
                f"attack {self.card.name} needs a victim that looks up {self.TABLE}, and {victim.name} does not; "
                f"try {self.OTHER}"
            )

    @property
    def resources(self) -> Mapping[str, str]:
        """The words."""
        return {"word_vectors": self.word_vectors}

    @property
    def constraints(self) -> Sequence[Constraint]:
        """No names come into the context."""
        return (NoNewNames(),)

    @property
    def model_constraints(self) -> Sequence[ModelConstraint]:
        """No word becomes another."""
        return (OutOfVocabulary(),)

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Search among the edits of all words."""
        edits = {word: self.edits(word, probe) for word in set(sentence.tokens)}
        words = {i: edits[word] for i, word in enumerate(sentence.tokens)}
        steps = max(1, int(round(self.share * sum(map(len, sentence.tokens)), 9)))
        await search_in_order(self.order, words, probe, lambda flips: self.search(sentence, flips, steps, probe))

    @abstractmethod
    async def search(self, sentence: Sentence, flips: Flips, steps: int, probe: Probe) -> None:
        """Search from the original text for at most `steps` edits."""

    def edits(self, word: str, probe: Probe) -> list[str]:
        """Return what the word could become: misspellings known neither to the word vectors nor to the victim."""
        if not any(character.isalpha() for character in word):
            return []
        edits = character_edits(word, flip=self.flip, insert=self.insert, delete=self.delete)
        known = probe.resources.word_vectors
        edits = [edit for edit in edits if edit not in known]
        if own := probe.embedding_tables.get("words"):
            unknown = own.of(probe.unknown_word)
            edits = [edit for edit in edits if own.of(edit) == unknown]
        return edits


@attack("hotflip-char", access=Access.GRADIENTS, paper=PAPER)
class HotFlipChar(CharacterFlips):
    """Flip, insert and delete the characters whose derivatives promise the highest loss (victims of characters).

    A beam of paths, each scored by the sum of its estimates (the paper's section 3.3). Where the victim looks up
    words as well, a changed one is unknown to it, and the estimates say what that is worth: most of what they foretell.
    """

    TABLE = "characters"
    OTHER = "hotflip-subword"

    async def search(self, sentence: Sentence, flips: Flips, steps: int, probe: Probe) -> None:
        """Trust the estimates."""
        await beam_on_estimates(sentence, flips, probe, width=self.width, steps=steps)


@attack("hotflip-subword", access=Access.GRADIENTS, paper=PAPER)
class HotFlipSubword(CharacterFlips):
    """Gradient-ranked HotFlip: the same edits against victims of word pieces, verified by the victim's answers.

    Attributes:
        verified: edits of a text, best by estimate, that the victim is asked about.
    """

    verified: int = 8

    TABLE = "pieces"
    OTHER = "hotflip-char"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.verified < 1:
            raise BadInput(f"verified must be at least 1, not {self.verified}")

    async def search(self, sentence: Sentence, flips: Flips, steps: int, probe: Probe) -> None:
        """Let the estimates propose only."""
        await beam_on_answers(sentence, flips, probe, width=self.width, steps=steps, verified=self.verified)
