"""Nationalities, languages, faiths and political camps: what CoNLL calls miscellaneous and OntoNotes NORP."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.resources.knowledge.entries import Entry, named
from benchmark.resources.knowledge.kinds import Kind
from benchmark.resources.knowledge.nations import CAMPS, FAITHS, LANGUAGES, NATIONS, PEOPLES

__all__ = ["peoples"]

_SOURCE = "this project"


def peoples() -> Iterator[Entry]:
    """Yield adjectives, and people in the plural, which no adjective can stand for."""
    for nation in NATIONS:
        yield named(nation.adjective, Kind.PEOPLE, ("nationality",), _SOURCE)
        yield named(nation.people, Kind.PEOPLE, ("people of a country",), _SOURCE)
    for name in PEOPLES:
        yield named(name, Kind.PEOPLE, ("nationality",), _SOURCE)
    for kind, groups in (("faith", FAITHS), ("political camp", CAMPS)):
        for adjective, members in groups:
            yield named(adjective, Kind.PEOPLE, (kind,), _SOURCE)
            yield named(members, Kind.PEOPLE, (f"people of a {kind}",), _SOURCE)
    for name in LANGUAGES:
        yield named(name, Kind.LANGUAGE, ("language",), _SOURCE)
