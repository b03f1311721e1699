"""TextFlint's transformations for named-entity recognition (Wang et al. 2021, ACL demonstrations): typos and swaps.

TextFlint swaps in names from lists made for CoNLL-2003; here they come from a knowledge base, so that any data set
will do. Its third one, ConcatSent, is left out: what it appends is text of the data set, which results must not hold.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attacks.candidates.entity_substitution import substitutes
from attacks.candidates.made_up_names import made_up
from attacks.candidates.misspellings import misspellings
from attacks.static_attack import StaticAttack
from benchmark.contracts import attack
from benchmark.errors import BadInput
from benchmark.resources.knowledge import DEFAULT_KNOWLEDGE
from benchmark.resources.stop_words import is_stop_word
from benchmark.threat import Access, Touch
from benchmark.victims.label_map import types_of

if TYPE_CHECKING:
    from benchmark.probe import Probe
    from benchmark.types import Sentence, Span, Tokens

PAPER = (
    "Wang et al. 2021, TextFlint: Unified Multilingual Robustness Evaluation Toolkit for Natural Language Processing"
)
KINDS = ("cross-category", "longer", "oov")
# More than any knowledge base has.
ALL = 1_000_000
# Words made up in vain after which a word is let stand.
TRIES = 20
LETTERS = frozenset(string.ascii_letters)


@attack("textflint-typos", access=Access.LABELS, touch=Touch.ENTITY, paper=PAPER)
class EntityTypos(StaticAttack):
    """Misspell one word of each mention, by one character that is not its first."""

    async def attacked(self, sentence: Sentence, probe: Probe) -> Sentence:
        """Misspell all mentions; one without a word of two letters stays."""
        for span in sentence.spans:
            words = [i for i in range(span.start, span.end) if may_misspell(sentence.tokens[i])]
            if words:
                i = probe.rng.choice(words)
                first, rest = sentence.tokens[i][0], sentence.tokens[i][1:]
                sentence = sentence.replace(i, first + probe.rng.choice(misspellings(rest, probe.rng)))
        return sentence


def may_misspell(word: str) -> bool:
    """Tell whether a word has two characters and a letter; a number with a typo is just another number."""
    return len(word) > 1 and any(character.isalpha() for character in word)


@attack("textflint-swap", access=Access.LABELS, touch=Touch.ENTITY, paper=PAPER)
class SwapEntities(StaticAttack):
    """Swap each mention for a longer name, for one that is also a name of another type, or for one made up.

    Of a name that can have several types only the context tells which one it has: where the data's own training
    mentions have it as another type only, the flag `type-confusable` marks the success. A made-up name is known to
    nobody, so its label, too, rests on the context alone.

    Attributes:
        kind: "longer": a name of the same type with more words; "cross-category": a name of the same type that is
            also one of another; "oov": a made-up name, no word of which is in a known name of the type.
        knowledge: tells what a mention is, and what else is of its kind.
    """

    kind: str = "oov"
    knowledge: str = DEFAULT_KNOWLEDGE

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in KINDS:
            raise BadInput(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")

    @property
    def resources(self) -> Mapping[str, str]:
        """Knowledge base."""
        return {"knowledge": self.knowledge}

    async def attacked(self, sentence: Sentence, probe: Probe) -> Sentence:
        """Swap all mentions for which there is another name."""
        for k in range(len(sentence.spans)):
            span = sentence.spans[k]
            if name := await self.other_name(sentence, span, probe):
                sentence = sentence.replace_span(span, name)
        return sentence

    async def other_name(self, sentence: Sentence, span: Span, probe: Probe) -> Tokens | None:
        """Return a name of the wanted kind, or None."""
        own = await self.names(sentence, span, probe)
        if self.kind == "oov":
            return unheard_of(sentence.tokens[span.start : span.end], own, probe)
        if self.kind == "longer":
            return next((name for name in own if len(name) > span.end - span.start), None)
        others: set[Tokens] = set()
        for type in sorted(types_of((*probe.clean.labels, *sentence.tags)) - {span.type}):  # noqa: A001
            others.update(await self.names(sentence, span._replace(type=type), probe))
        return next((name for name in own if name in others), None)

    async def names(self, sentence: Sentence, span: Span, probe: Probe) -> list[Tokens]:
        """Return all names that could stand in a mention's place, those of its kind first, else in random order."""
        knowledge = probe.resources.knowledge
        return await substitutes(sentence, span, knowledge, probe.rng, limit=ALL, same_length=False)


def unheard_of(mention: Tokens, known: list[Tokens], probe: Probe) -> Tokens | None:
    """Make up a name of the mention's shape; function words in it, and marks, stay."""
    taken = {word.lower() for name in known for word in name}
    words = []
    for word in mention:
        drawn = (made_up(word, probe.rng) for _ in range(TRIES))
        fresh = (new for new in drawn if new.lower() not in taken and new.lower() != word.lower())
        words.append(word if is_stop_word(word) or not set(word) & LETTERS else next(fresh, word))
    return None if tuple(words) == mention else tuple(words)
