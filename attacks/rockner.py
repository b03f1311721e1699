"""RockNER (Lin, Gao, Yan, Moreno & Ren 2021, EMNLP), at its two levels and both together.

What differs from the published code:

* A mention's other names come from a knowledge base, those of its most specific class first; RockNER draws one of the
  classes that Wikidata gives a linked mention. A mention keeps its type, and nothing is weeded out by hand.
* Of a word that is masked after another one the language model sees the original, not a second mask.
* No new context word is written like a name, as in all word attacks here: its gold label could not be O.
* A substitute stays one token; the published code cuts the filled text at its spaces, which can shift the labels.
* False positives in sentences without mentions count; the published evaluation gives these their gold tags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attacks.candidates.entity_substitution import substitutes
from attacks.static_attack import StaticAttack
from benchmark.contracts import attack
from benchmark.errors import BadInput
from benchmark.goals import kind
from benchmark.label_risk import newly_a_name
from benchmark.resources.knowledge import DEFAULT_KNOWLEDGE
from benchmark.resources.language_models import DEFAULT_LANGUAGE_MODEL
from benchmark.resources.recognising import DEFAULT_RECOGNISER
from benchmark.resources.tagging import DEFAULT_TAGGER
from benchmark.tag_schemes import tags_to_spans
from benchmark.threat import Access, Touch

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence, Span, Tokens

PAPER = "Lin et al. 2021, RockNER: A Simple Method to Create Adversarial Examples for Evaluating the Robustness of NER"
# Names drawn at a time where some are filtered out.
DRAWN = 20
# Penn tags of the context words that may be masked begin so: adjectives, nouns, adverbs, verbs.
MASKABLE = ("JJ", "NN", "RB", "VB")
# Most words masked in a text, and the ranks of the predictions of which one is taken.
MASKS = 3
BEST_RANK, WORST_RANK = 51, 100
# Texts of which the filter chooses.
VARIANTS = 5


@dataclass(frozen=True, kw_only=True)
class EntityLevel(StaticAttack):
    """Put other entities of the same kind in the place of mentions.

    Attributes:
        share: of the mentions for which there are other names, over the data set; in a sentence it is rounded up or
            down at random. The paper's levels are 0.2, 0.4, … 1.
        same_length: other names have as many words.
        hard_only: take only names that the surrogate, reading nothing else, does not give the mention's type. The
            paper asks Flair so.
        knowledge: tells what a mention is, and what else is of its kind.
        surrogate: recogniser for the filters, which may not be the victim.
    """

    share: float = 1.0
    same_length: bool = False
    hard_only: bool = False
    knowledge: str = DEFAULT_KNOWLEDGE
    surrogate: str = DEFAULT_RECOGNISER

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.share <= 1:
            raise BadInput(f"share must be above 0 and at most 1, not {self.share}")

    @property
    def resources(self) -> Mapping[str, str]:
        """Knowledge base, and surrogate if it filters."""
        surrogate = {"recogniser": self.surrogate} if self.hard_only else {}
        return {**super().resources, "knowledge": self.knowledge, **surrogate}

    async def with_other_names(self, sentence: Sentence, probe: Probe) -> Sentence:
        """Replace a share of the mentions, from left to right; their number never changes, so the k-th stays it."""
        replaceable = [k for k, span in enumerate(sentence.spans) if await self.other_names(sentence, span, probe)]
        count = int(self.share * len(replaceable) + probe.rng.random())
        for k in sorted(probe.rng.sample(replaceable, count)):
            span = sentence.spans[k]
            # Drawn again: now that others are replaced, their names are taken.
            if names := await self.other_names(sentence, span, probe):
                sentence = sentence.replace_span(span, names[0])
        return sentence

    async def other_names(self, sentence: Sentence, span: Span, probe: Probe) -> list[Tokens]:
        """Draw names that could stand in a mention's place; none if the knowledge base has none."""
        names = await substitutes(
            sentence,
            span,
            probe.resources.knowledge,
            probe.rng,
            limit=DRAWN if self.hard_only else 1,
            same_length=self.same_length,
        )
        if not self.hard_only:
            return names
        readings = await probe.resources.recogniser.tag(names)
        return [name for name, tags in zip(names, readings, strict=True) if span.type not in map(kind, tags)]


@dataclass(frozen=True, kw_only=True)
class ContextLevel(StaticAttack):
    """Put unlikely words in the place of some context words.

    Attributes:
        hardest_variant: make five texts and take the one in which the surrogate gets most mentions wrong; the paper
            asks a BLSTM-CRF so.
        language_model: fills the masks.
        tagger: tells parts of speech.
        surrogate: recogniser for the filters, which may not be the victim.
    """

    hardest_variant: bool = False
    language_model: str = DEFAULT_LANGUAGE_MODEL
    tagger: str = DEFAULT_TAGGER
    surrogate: str = DEFAULT_RECOGNISER

    @property
    def resources(self) -> Mapping[str, str]:
        """Language model, tagger, and surrogate if it filters."""
        surrogate = {"recogniser": self.surrogate} if self.hardest_variant else {}
        return {**super().resources, "language_model": self.language_model, "tagger": self.tagger, **surrogate}

    async def with_other_words(self, sentence: Sentence, probe: Probe) -> Sentence:
        """Make one text at random, or the worst of five."""
        if not self.hardest_variant:
            return await self.variant(sentence, probe)
        variants = [await self.variant(sentence, probe) for _ in range(VARIANTS)]
        wrong = await self.wrong_mentions(variants, probe)
        return probe.rng.choice([text for text, count in zip(variants, wrong, strict=True) if count == max(wrong)])

    async def variant(self, sentence: Sentence, probe: Probe) -> Sentence:
        """Mask one to three words and fill them from left to right."""
        tagged = await probe.resources.tagger.tag(sentence.tokens)
        words = [i for i, word in enumerate(tagged) if not sentence.inside(i) and word.penn.startswith(MASKABLE)]
        if not words:
            return sentence
        for i in sorted(probe.rng.sample(words, probe.rng.randint(1, min(MASKS, len(words))))):
            if unlikely := await self.unlikely_words(sentence, i, probe):
                sentence = sentence.replace(i, probe.rng.choice(unlikely))
        return sentence

    async def unlikely_words(self, sentence: Sentence, i: int, probe: Probe) -> list[str]:
        """Return the words that the language model ranks 51st to 100th, without what is no English word or a name."""
        (proposals,) = await probe.resources.language_model.fill(sentence.tokens, [i], WORST_RANK)
        words = [proposal.word for proposal in proposals[BEST_RANK - 1 :]]
        original = probe.clean.sentence
        return [
            word
            for word in words
            if word.isascii() and word.isalpha() and not newly_a_name(original, sentence.replace(i, word), i)
        ]

    async def wrong_mentions(self, texts: Sequence[Sentence], probe: Probe) -> list[int]:
        """Count in each text the mentions that the surrogate misses and those that it sees where none are."""
        readings = await probe.resources.recogniser.tag([text.tokens for text in texts])
        return [len(set(text.spans) ^ set(tags_to_spans(tags))) for text, tags in zip(texts, readings, strict=True)]


@attack("rockner-entity", access=Access.LABELS, touch=Touch.ENTITY, paper=PAPER)
class RocknerEntity(EntityLevel):
    """Put other entities of the same kind in the place of mentions, without asking the victim."""

    async def attacked(self, sentence: Sentence, probe: Probe) -> Sentence:
        """Change the mentions."""
        return await self.with_other_names(sentence, probe)


@attack("rockner-context", access=Access.LABELS, touch=Touch.CONTEXT, paper=PAPER)
class RocknerContext(ContextLevel):
    """Put words that a language model finds unlikely in the place of up to three context words."""

    async def attacked(self, sentence: Sentence, probe: Probe) -> Sentence:
        """Change the context."""
        return await self.with_other_words(sentence, probe)


@attack("rockner", access=Access.LABELS, paper=PAPER)
class Rockner(EntityLevel, ContextLevel):
    """Put other entities in the place of mentions, then unlikely words in the place of context words."""

    async def attacked(self, sentence: Sentence, probe: Probe) -> Sentence:
        """Change the mentions, then the context."""
        return await self.with_other_words(await self.with_other_names(sentence, probe), probe)
