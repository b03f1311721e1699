"""What a knowledge base is to an attack: something that tells what a mention is, and names others of its kind.

All questions go through the engine (`await knowledge.link(...)`). Answers are in the knowledge base's own casing and
in an order of its own that never changes; who wants some of them at random draws with the probe's generator.
"""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from benchmark.engine import Ask
from benchmark.types import Tokens

__all__ = ["Entity", "KnowledgeBase", "Link", "Question", "Siblings", "name_tokens"]


class Link(NamedTuple):
    """What is this mention?

    Attributes:
        mention: its words.
        type: its type in the data set, for example `LOC`.
    """

    mention: Tokens
    type: str


class Siblings(NamedTuple):
    """Which entities are of this class?

    Attributes:
        kind: one of an entity's `classes`.
        type: of the mention to be replaced; only names that fit it are told.
    """

    kind: str
    type: str


Question = Link | Siblings


class Entity(NamedTuple):
    """What a mention is.

    Attributes:
        name: in the knowledge base's spelling.
        type: as in the question.
        classes: the most specific first; each a `kind` for `siblings`.
        source: where it is known from.
    """

    name: Tokens
    type: str
    classes: tuple[str, ...]
    source: str


class KnowledgeBase(ABC):
    """A service that answers `Link` and `Siblings` questions.

    Attributes:
        name: as given on the command line.
        identity: name, versions, and whatever else decides the answers.
    """

    name: str
    identity: str

    @abstractmethod
    def answer(self, questions: Sequence[Question]) -> list[Entity | tuple[Tokens, ...] | None]:
        """Answer each question: an entity or None; names, without doubles."""

    @abstractmethod
    def knows_type(self, type: str) -> bool:  # noqa: A002
        """Tell whether there can be an entity of this type at all; asks nobody."""

    async def link(self, mention: Tokens, type: str) -> Entity | None:  # noqa: A002
        """Return what a mention is, whatever its casing, or None if nothing is known of it."""
        (answer,) = await Ask(self, [Link(mention, type)])
        return answer  # type: ignore[return-value]

    async def siblings(self, kind: str, type: str) -> tuple[Tokens, ...]:  # noqa: A002
        """Return the names of the entities of a class that fit a type."""
        (answer,) = await Ask(self, [Siblings(kind, type)])
        return answer  # type: ignore[return-value]


# Corpora part these from the word; a substitute must look as if their tokenizer had seen it.
_PARTED = frozenset("'`,;:()[]{}/&\"!?#@%+=*<>|\\_~^")


def name_tokens(name: str) -> Tokens | None:
    """Return a name as the tokens of an English text, without accents, or None if it cannot stand in one.

    That is if corpora differ in how they would cut it, or if it has letters that English has not.
    """
    plain = name
    if not name.isascii():
        plain = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    words = tuple(plain.split())
    whole = plain.isascii() and _PARTED.isdisjoint(plain) and ". " not in plain and not plain.endswith(".")
    return words if words and whole else None
