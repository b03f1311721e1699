"""Other entities that could stand in a mention's place: of the same type, and as much of the same kind as there are."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from benchmark.types import Sentence, Span, Tokens

if TYPE_CHECKING:
    from benchmark.resources.knowledge import KnowledgeBase

__all__ = ["substitutes"]

# Fewer letters than this in capitals are taken for initials.
_SHORTEST = 4


async def substitutes(
    sentence: Sentence,
    span: Span,
    knowledge: KnowledgeBase,
    rng: random.Random,
    *,
    limit: int,
    same_length: bool = True,
) -> list[Tokens]:
    """Draw other names for a mention; `sentence.replace_span(span, words)` puts one there.

    The mention's most specific class is exhausted before the next one is drawn from. Never drawn are the mention itself
    and the other mentions of the sentence, in whatever casing. A mention in capitals gets names in capitals, unless
    it is always spelled so and the sentence is not.

    Args:
        sentence: the text as it is now.
        span: one of its mentions.
        knowledge: tells what the mention is and what else is of its kind.
        rng: the probe's.
        limit: how many at most.
        same_length: with as many words as the mention only, so that no token is inserted or deleted.

    Returns:
        The names, those of the most specific class first; none if nothing is known.
    """
    mention = sentence.tokens[span.start : span.end]
    entity = await knowledge.link(mention, span.type)
    if entity is None:
        return []
    capitals = _in_capitals(mention, entity.name, sentence)
    taken = {_small(sentence.tokens[other.start : other.end]) for other in sentence.spans} | {_small(entity.name)}
    drawn: list[Tokens] = []
    for kind in entity.classes:
        fresh: dict[Tokens, Tokens] = {}
        for name in await knowledge.siblings(kind, span.type):
            if _small(name) not in taken and (not same_length or len(name) == len(mention)):
                fresh.setdefault(_small(name), name)
        chosen = rng.sample(list(fresh.values()), min(limit - len(drawn), len(fresh)))
        taken |= {_small(name) for name in chosen}
        drawn += [tuple(word.upper() for word in name) if capitals else name for name in chosen]
        if len(drawn) == limit:
            break
    return drawn


def _in_capitals(mention: Tokens, name: Tokens, sentence: Sentence) -> bool:
    """Tell whether a mention is in capitals because of where it stands; U.S. and NATO always are."""
    if not " ".join(mention).isupper():
        return False
    initials = " ".join(name).isupper() or max(len(word.replace(".", "")) for word in mention) < _SHORTEST
    return sentence.text.isupper() or not initials


def _small(words: Tokens) -> Tokens:
    return tuple(word.lower() for word in words)
