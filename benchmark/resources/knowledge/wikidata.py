"""Wikidata as a knowledge base, by its SPARQL endpoint or a copy's.

A mention is the item with that English label or alias, of a class that fits the type, which most Wikipedias have an
article about. Its classes are what it is an instance of (P31; of humans the occupations, P106), then what these are
subclasses of (P279), which is for classes that have too few members. The graph tells of no class how special it is;
the ones that joined it later come first, because general ones are as old as itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from platformdirs import user_cache_path

from benchmark.resources.knowledge.contract import Entity, KnowledgeBase, Link, Question, name_tokens
from benchmark.resources.knowledge.kinds import Kind, kinds_of
from benchmark.resources.knowledge.sparql import Endpoint, Row, quoted
from benchmark.types import Tokens

__all__ = ["WIKIDATA", "Wikidata"]

WIKIDATA = "https://query.wikidata.org/sparql"

# Raised whenever the same graph would be asked anything else.
_RULES = 1
# Siblings asked for, and the number of articles in all Wikipedias that make an item well known.
_SIBLINGS = 300
_WELL_KNOWN = 10
_ROOTS = {
    Kind.COUNTRY: "Q6256",
    Kind.PLACE: "Q2221906",
    Kind.FACILITY: "Q13226383",
    Kind.ORGANISATION: "Q43229",
    Kind.PEOPLE: "Q41710",
    Kind.LANGUAGE: "Q34770",
    Kind.EVENT: "Q1656682",
    Kind.WORK: "Q386724",
    Kind.PRODUCT: "Q2424752",
}
_PREFIXES = """PREFIX wd: <http://www.wikidata.org/entity/>
PREFIX wdt: <http://www.wikidata.org/prop/direct/>
PREFIX wikibase: <http://wikiba.se/ontology#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
"""
_CLASS = re.compile(r"(P31|P106)(/P279)? (Q[0-9]+)")


class Wikidata(KnowledgeBase):
    """See the module's text.

    Args:
        url: of the endpoint.
        name: as given on the command line.
        endpoint: asked instead, with a clock of its own, say.

    Attributes:
        identity: address and rules. The graph itself changes day by day and has no version.

    Raises:
        MissingResource: the endpoint does not answer, or httpx is not installed.
    """

    def __init__(self, url: str = WIKIDATA, name: str = "wikidata", endpoint: Endpoint | None = None) -> None:
        self.name = name
        self.identity = f"wikidata {url}, rules {_RULES}"
        self._endpoint = endpoint or Endpoint(url, user_cache_path("gauntlet") / "sparql")
        self._endpoint.require()

    def answer(self, questions: Sequence[Question]) -> list[Entity | tuple[Tokens, ...] | None]:
        """Ask the endpoint, one question after the other.

        Raises:
            MissingResource: it does not answer any more.
        """
        return [self._link(q) if isinstance(q, Link) else self._siblings(q.kind) for q in questions]

    def knows_type(self, type: str) -> bool:  # noqa: A002
        """Tell whether it is known which items are of this type."""
        return bool(kinds_of(type))

    def _link(self, question: Link) -> Entity | None:
        mention, type = question  # noqa: A001
        kinds = kinds_of(type)
        if not mention or not kinds:
            return None
        rows = self._endpoint.select(_link_query(mention, kinds))
        rows = [row for row in rows if {"item", "class", "name"} <= set(row)]
        if not rows:
            return None
        item = rows[0]["item"]
        rows = [row for row in rows if row["item"] == item]
        name = tuple(rows[0]["name"].split()) or mention
        property = "P106" if Kind.PERSON in kinds else "P31"  # noqa: A001
        near = [f"{property} {number}" for number in _numbers(rows, "class")]
        far = [f"{property}/P279 {number}" for number in _numbers(rows, "broader")]
        return Entity(name_tokens(rows[0]["name"]) or name, type, (*near, *far), item.rpartition("/")[2])

    def _siblings(self, kind: str) -> tuple[Tokens, ...]:
        found = _CLASS.fullmatch(kind)
        if not found:
            return ()
        property, broader, number = found.groups()  # noqa: A001
        path = f"wdt:{property}/wdt:P279?" if broader else f"wdt:{property}"
        rows = self._endpoint.select(_siblings_query(path, number))
        names = [name_tokens(row["name"]) for row in rows if "name" in row]
        return tuple(dict.fromkeys(name for name in names if name))


def _link_query(mention: Tokens, kinds: frozenset[Kind]) -> str:
    text = " ".join(mention)
    spellings = dict.fromkeys((text, " ".join(word.capitalize() for word in mention) if text.isupper() else text))
    labels = " ".join(f"{quoted(spelling)}@en" for spelling in spellings)
    if Kind.PERSON in kinds:
        fits = "?item wdt:P31 wd:Q5 ; wdt:P106 ?class ."
    else:
        roots = " ".join(f"wd:{_ROOTS[kind]}" for kind in sorted(kinds))
        fits = f"VALUES ?root {{ {roots} }} ?item wdt:P31 ?class . ?class wdt:P279* ?root ."
    return f"""{_PREFIXES}SELECT DISTINCT ?item ?name ?class ?broader ?links WHERE {{
  VALUES ?label {{ {labels} }}
  ?item rdfs:label|skos:altLabel ?label ; rdfs:label ?name ; wikibase:sitelinks ?links .
  FILTER(LANG(?name) = "en")
  {fits}
  OPTIONAL {{ ?class wdt:P279 ?broader }}
}} ORDER BY DESC(?links) ?item ?class ?broader LIMIT 200"""


def _siblings_query(path: str, number: str) -> str:
    return f"""{_PREFIXES}SELECT DISTINCT ?item ?name ?links WHERE {{
  ?item {path} wd:{number} ; rdfs:label ?name ; wikibase:sitelinks ?links .
  FILTER(LANG(?name) = "en" && ?links >= {_WELL_KNOWN})
}} ORDER BY DESC(?links) ?item LIMIT {_SIBLINGS}"""


def _numbers(rows: Sequence[Row], variable: str) -> list[str]:
    """Return the numbers of the items that a variable stands for (Q515), the latest first."""
    items = {row[variable].rpartition("/")[2] for row in rows if variable in row}
    known = [item for item in items if re.fullmatch(r"Q[0-9]+", item)]
    return sorted(known, key=lambda item: -int(item[1:]))
