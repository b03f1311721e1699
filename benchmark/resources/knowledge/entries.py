"""A line of the gazetteer."""

from __future__ import annotations

from typing import NamedTuple

from benchmark.resources.knowledge.contract import name_tokens
from benchmark.resources.knowledge.kinds import Kind
from benchmark.types import Tokens

__all__ = ["Entry", "named"]


class Entry(NamedTuple):
    """A name and what it is a name of.

    Attributes:
        name: as texts have it.
        spelled: the usual name of the same thing.
        kind: one of `Kind`, or a type of the data set for what is known from the training mentions.
        classes: the most specific first.
        source: where it is known from.
        where: the country it is in, if it is a place.
        offered: whether it may be put in the place of others.
    """

    name: Tokens
    spelled: Tokens
    kind: str
    classes: tuple[str, ...]
    source: str
    where: str = ""
    offered: bool = True


def named(
    name: str, kind: Kind, classes: tuple[str, ...], source: str, *, where: str = "", known_as: str = ""
) -> Entry:
    """Return the entry of a name as it is written somewhere.

    One `known_as` something else is found by its name, but not put in the place of others.
    """
    plain = name_tokens(name)
    own = plain or tuple(name.split())
    spelled = own if known_as in {"", name} else name_tokens(known_as) or tuple(known_as.split())
    return Entry(own, spelled, kind, classes, source, where, plain is not None and not known_as)
