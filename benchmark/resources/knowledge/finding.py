"""Knowledge bases by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmark.errors import BadInput

if TYPE_CHECKING:
    from benchmark.resources.knowledge.contract import KnowledgeBase
    from benchmark.types import Sentence

__all__ = ["DEFAULT_KNOWLEDGE", "knowledge_named"]

DEFAULT_KNOWLEDGE = "gazetteer"


def knowledge_named(name: str, training: Sequence[Sentence] = ()) -> KnowledgeBase:
    """Return a knowledge base: `gazetteer` (embedded), `wikidata`, or `wikidata:URL` for another endpoint.

    Args:
        name: which one.
        training: the training split of the data set in use, whose mentions the gazetteer also knows.

    Raises:
        BadInput: no such name.
        MissingResource: a package is not installed, or the endpoint does not answer.
    """
    if name == DEFAULT_KNOWLEDGE:
        from benchmark.resources.knowledge.gazetteer import Gazetteer

        return Gazetteer(training)
    kind, colon, where = name.partition(":")
    if kind == "wikidata" and (where or not colon):
        from benchmark.resources.knowledge.wikidata import WIKIDATA, Wikidata

        return Wikidata(where or WIKIDATA, name)
    raise BadInput(f"unknown knowledge base {name!r}; known: {DEFAULT_KNOWLEDGE}, wikidata, wikidata:URL")
