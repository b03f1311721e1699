"""Names of persons, from Faker, and what the form of a name tells."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from benchmark.resources.knowledge.contract import name_tokens
from benchmark.resources.knowledge.entries import Entry
from benchmark.resources.knowledge.kinds import Kind
from benchmark.types import Tokens

__all__ = ["FirstNames", "first_names", "person_classes", "persons"]

_LOCALES = (
    *("cs_CZ", "da_DK", "de_DE", "en_GB", "en_IN", "en_US", "es_ES", "es_MX", "fi_FI", "fr_FR", "hr_HR", "id_ID"),
    *("it_IT", "nl_NL", "no_NO", "pl_PL", "pt_BR", "ro_RO", "sv_SE", "tr_TR"),
)
_SEED = 20_030_531
# Of each gender and locale; more of English ones, whose first names most texts have.
_NAMES = 40
_ENGLISH_NAMES = 160


class FirstNames(NamedTuple):
    """First names in small letters; some are in both."""

    women: frozenset[str]
    men: frozenset[str]


class _Person(NamedTuple):
    first: str
    second: str
    last: str
    woman: bool


@lru_cache(maxsize=1)
def _persons() -> tuple[_Person, ...]:
    from faker import Faker

    found = []
    for locale in _LOCALES:
        faker = Faker(locale, providers=["faker.providers.person"])  # the others take longer to load
        faker.seed_instance(_SEED)
        for _ in range(_ENGLISH_NAMES if locale in {"en_GB", "en_US"} else _NAMES):
            last = faker.last_name_female()
            found.append(_Person(faker.first_name_female(), faker.first_name_female(), last, woman=True))
            last = faker.last_name_male()
            found.append(_Person(faker.first_name_male(), faker.first_name_male(), last, woman=False))
    return tuple(person for person in map(_plain, found) if person)


def _plain(person: _Person) -> _Person | None:
    """Return a person whose names are words of English letters, or None."""
    names = [name_tokens(name) for name in person[:3]]
    words = [name[0] for name in names if name and len(name) == 1]
    return _Person(words[0], words[1], words[2], person.woman) if len(words) == len(names) else None


@lru_cache(maxsize=1)
def first_names() -> FirstNames:
    """Return the first names that Faker gives."""
    people = _persons()
    women = frozenset(name.lower() for p in people if p.woman for name in (p.first, p.second))
    return FirstNames(women, frozenset(name.lower() for p in people if not p.woman for name in (p.first, p.second)))


def persons() -> Iterator[Entry]:
    """Yield full names of two and of three words, first names, surnames, and surnames with an initial."""
    for person in _persons():
        first, second, last, _ = person
        forms: tuple[Tokens, ...] = ((first, last), (first, second, last), (first,), (last,), (f"{first[0]}.", last))
        for form in forms:
            classes = ("surname",) if form == (last,) else person_classes(form, first_names())
            yield Entry(form, form, Kind.PERSON, classes, "Faker")


def person_classes(name: Tokens, known: FirstNames) -> tuple[str, ...]:
    """Return what kind of name it is: a full name (a woman's, a man's), a first name, a surname, initials."""
    first = name[0].lower()
    genders = [gender for gender, names in (("woman", known.women), ("man", known.men)) if first in names]
    gender = genders[0] if len(genders) == 1 else None
    if len(name) == 1:
        form = "first name" if genders else "surname"
    else:
        form = "initial and surname" if len(first.strip(".")) == 1 else "full name"
    return (f"{form} of a {gender}", form) if gender else (form,)
