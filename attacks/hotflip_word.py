"""HotFlip on words (Ebrahimi, Rao, Lowd & Dou 2018, ACL, section 5), for named-entity recognition.

The paper tunes its word vectors on the victim's task, so that antonyms part; ours are as they come. The published
code of its word-level attack takes the new word's derivative without the old word's, a cosine *distance* of 0.2, and
gradients with dropout on; none of that is here.

The paper's second attack, which puts the victim's unknown word in a word's place, is not rebuilt: no reader would take
`[UNK]` for a word, so the harness turns such texts away. Its legible form, a word made unknown by noise, is what
`hotflip-char` and `hotflip-subword` do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from attacks.constraints.lexeme import AnotherLexeme
from attacks.constraints.part_of_speech import SamePartOfSpeech
from attacks.hotflip import ORDERS, PAPER, search_in_order
from attacks.search.gradient_beam import Flips, beam_on_estimates
from attacks.word_attack import WordAttack
from benchmark.casing import cased_like
from benchmark.contracts import ModelConstraint, Victim, attack
from benchmark.errors import VictimLacks
from benchmark.resources.inflecting import DEFAULT_INFLECTOR
from benchmark.resources.stop_words import is_stop_word
from benchmark.resources.tagging import DEFAULT_TAGGER
from benchmark.resources.word_vectors import DEFAULT_WORD_VECTORS
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence
    from benchmark.victims.white_box import WhiteBox

__all__ = ["HotFlipWord"]


@attack("hotflip-word", access=Access.GRADIENTS, touch=Touch.CONTEXT, paper=PAPER)
class HotFlipWord(WordAttack):
    """Flip one or two context words to near words whose derivatives promise the highest loss.

    Attributes:
        flips: words that may be replaced.
        width: of the beam.
        min_cosine: of the two words' vectors (the paper's α).
        k: near words of a word that are looked at.
        word_vectors: where near words come from.
        tagger: tells parts of speech.
        inflector: tells forms of one word.
    """

    order: str = "gradient"
    max_words: float = 1.0
    flips: int = 2
    width: int = 10
    min_cosine: float = 0.8
    k: int = 100
    word_vectors: str = DEFAULT_WORD_VECTORS
    tagger: str = DEFAULT_TAGGER
    inflector: str = DEFAULT_INFLECTOR

    ORDERS: ClassVar[Sequence[str]] = ORDERS

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("flips", "width", "k")

    def require(self, victim: Victim) -> None:
        """Refuse victims that read neither words nor pieces of them."""
        if not {"words", "pieces"} & set(cast("WhiteBox", victim).tables):
            raise VictimLacks(
                f"attack {self.card.name} needs a victim that looks up words or pieces; {victim.name} does not"
            )

    @property
    def resources(self) -> Mapping[str, str]:
        """Word vectors, tagger and inflector, and encoder if a similarity is asked for."""
        lean = {"word_vectors": self.word_vectors, "tagger": self.tagger, "inflector": self.inflector}
        return {**super().resources, **lean}

    @property
    def model_constraints(self) -> Sequence[ModelConstraint]:
        """The part of speech stays, the lexeme does not, and the text stays similar."""
        return (AnotherLexeme(), SamePartOfSpeech(), *super().model_constraints)

    async def run(self, sentence: Sentence, probe: Probe) -> None:
        """Search among the near words that the victim reads in as many units."""
        places = self.places(sentence, probe)
        candidates = await self.edits(sentence, places, probe)
        words = {
            i: [new.tokens[i] for new in own if self.reads_alike(sentence.tokens[i], new.tokens[i], probe)]
            for i, own in zip(places, candidates, strict=True)
        }

        def search(flips: Flips) -> Awaitable[None]:
            return beam_on_estimates(sentence, flips, probe, width=self.width, steps=self.flips)

        await search_in_order(self.order, words, probe, search)

    async def edits(self, sentence: Sentence, positions: Sequence[int], probe: Probe) -> list[list[Sentence]]:
        """Replace each word by the near words that are allowed there."""
        return [await self.allowed(self.near(sentence, i, probe), probe) for i in positions]

    def near(self, sentence: Sentence, i: int, probe: Probe) -> list[Sentence]:
        """Replace a word by near words, in its casing."""
        word = sentence.tokens[i]
        return [
            sentence.replace(i, cased_like(near, word))
            for near, cosine in probe.resources.word_vectors.neighbours(word, self.k)
            if cosine >= self.min_cosine and near.isalpha() and not is_stop_word(near)
        ]

    async def allowed(self, candidates: list[Sentence], probe: Probe) -> list[Sentence]:
        """Leave out what the probe would turn away, so that the gradients choose among what is allowed."""
        original = probe.clean.sentence
        for constraint in self.constraints:
            candidates = [new for new in candidates if constraint.objection(original, new) is None]
        for judge in self.model_constraints:
            reasons = await judge.objections(original, candidates, probe.resources)
            candidates = [new for new, reason in zip(candidates, reasons, strict=True) if reason is None]
        return candidates

    def reads_alike(self, word: str, new: str, probe: Probe) -> bool:
        """Tell whether the victim knows the new word and reads it in as many units, as a flip needs."""
        tables = probe.embedding_tables
        table = tables.get("words") or tables["pieces"]
        return len(table.of(new)) == len(table.of(word)) and table.of(new) != table.of(probe.unknown_word)
