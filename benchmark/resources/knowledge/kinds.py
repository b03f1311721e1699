"""Which kinds of things the types of a data set stand for."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Kind", "kinds_of"]


class Kind(StrEnum):
    """What sources of names are about."""

    PERSON = "person"
    COUNTRY = "country"
    PLACE = "place"
    FACILITY = "facility"
    ORGANISATION = "organisation"
    PEOPLE = "people"
    LANGUAGE = "language"
    EVENT = "event"
    WORK = "work"
    PRODUCT = "product"


_PLACES = frozenset({Kind.COUNTRY, Kind.PLACE})
# CoNLL's miscellanea.
_REST = frozenset({Kind.PEOPLE, Kind.LANGUAGE, Kind.EVENT, Kind.WORK, Kind.PRODUCT})

_KINDS: dict[str, frozenset[Kind]] = {
    **dict.fromkeys(("per", "person", "people"), frozenset({Kind.PERSON})),
    **dict.fromkeys(("politician", "writer", "musicalartist", "scientist", "researcher"), frozenset({Kind.PERSON})),
    **dict.fromkeys(("loc", "location"), _PLACES | {Kind.FACILITY}),
    "gpe": _PLACES,
    "country": frozenset({Kind.COUNTRY}),
    **dict.fromkeys(("fac", "facility", "building"), frozenset({Kind.FACILITY})),
    **dict.fromkeys(("org", "organisation", "organization", "corporation", "company"), frozenset({Kind.ORGANISATION})),
    **dict.fromkeys(("group", "band", "politicalparty", "university"), frozenset({Kind.ORGANISATION})),
    "norp": frozenset({Kind.PEOPLE}),
    **dict.fromkeys(("misc", "miscellaneous"), _REST),
    "language": frozenset({Kind.LANGUAGE}),
    **dict.fromkeys(("event", "conference"), frozenset({Kind.EVENT})),
    **dict.fromkeys(("work", "creativework", "workofart", "art"), frozenset({Kind.WORK})),
    **dict.fromkeys(("book", "song", "album"), frozenset({Kind.WORK})),
    "product": frozenset({Kind.PRODUCT}),
}


def kinds_of(type: str, types: frozenset[str] = frozenset()) -> frozenset[Kind]:  # noqa: A002
    """Return the kinds of things that a type stands for; none for a type that is not known.

    Args:
        type: in any spelling: `PER`, `person`, `WORK_OF_ART`, `creative-work`.
        types: all types of the data set: where countries or facilities have a type of their own, locations are none.
    """
    spelled = _spelled(type)
    beside = {_spelled(other) for other in types} - {spelled}
    found = _KINDS.get(spelled, frozenset())
    if spelled in {"loc", "location"}:
        if "gpe" in beside:
            return frozenset()  # mountains and rivers: only the training mentions know them
        if "country" in beside:
            found -= {Kind.COUNTRY}
        if beside & {"fac", "facility", "building"}:
            found -= {Kind.FACILITY}
    return found


def _spelled(type: str) -> str:  # noqa: A002
    return "".join(letter for letter in type.lower() if letter.isalnum())
