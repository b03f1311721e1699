"""Forms of English verbs, pronouns and of agreement, as far as the rules need them."""

from __future__ import annotations

from functools import lru_cache

from benchmark.errors import MissingResource
from benchmark.resources.paraphrasing.parse import Parse
from benchmark.resources.paraphrasing.vocabulary import PEOPLE, QUANTITIES

__all__ = ["be", "form", "is_known", "is_plural", "lemma", "object_form", "require_forms", "subject_form"]

_OBJECT_FORMS = {"i": "me", "he": "him", "she": "her", "we": "us", "they": "them", "you": "you", "it": "it"}
_SUBJECT_FORMS = {other: one for one, other in _OBJECT_FORMS.items()} | {"me": "I"}
_PLURAL_WORDS = frozenset(["people", "police", "they", "them", "we", "us", "you", "these", "those", "both", "many"])
_SINGULAR_WORDS = frozenset(["news", "politics", "series", "headquarters", "mathematics", "economics"])


def require_forms() -> str:
    """Return the name and version of the library that knows the irregular verbs.

    Raises:
        MissingResource: it is not installed.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"lemminflect {version('lemminflect')}"
    except PackageNotFoundError:
        raise MissingResource("paraphrases by rules need lemminflect: pip install 'ner-gauntlet[words]'") from None


@lru_cache(maxsize=10_000)
def lemma(verb: str) -> str:
    """Return a verb's dictionary form."""
    import lemminflect

    known = {"'s": "be", "'re": "be", "'m": "be", "'ve": "have", "'d": "have", "'ll": "will", "found": "find"}
    verb = verb.lower()
    if verb in known:
        return known[verb]
    found = lemminflect.getLemma(verb, upos="VERB")
    return str(found[0]) if found else verb


@lru_cache(maxsize=10_000)
def form(verb: str, tag: str) -> str | None:
    """Return a form of a verb by its dictionary form and a Penn tag (`VBN`), None where it has none."""
    import lemminflect

    if verb == "be":
        return {"VB": "be", "VBN": "been", "VBG": "being", "VBD": "was", "VBZ": "is", "VBP": "are"}.get(tag)
    found = lemminflect.getInflection(verb, tag=tag)
    return str(found[0]) if found else None


@lru_cache(maxsize=10_000)
def is_known(word: str) -> bool:
    """Tell whether the dictionary has a word in lower case: "striker" it has, "dublin" it has not."""
    import lemminflect

    word = word.lower()
    return bool(lemminflect.getAllLemmas(word) or lemminflect.getAllLemmas(word.removesuffix("s")))


def be(tag: str, *, plural: bool | None) -> str | None:
    """Return the finite form of "be" (VBD, VBZ, VBP) that agrees; None for another tag or where number is open."""
    if plural is None or tag not in {"VBD", "VBZ", "VBP"}:
        return None
    if tag == "VBD":
        return "were" if plural else "was"
    return "are" if plural else "is"


def is_plural(parse: Parse, i: int) -> bool | None:
    """Tell whether a noun phrase takes a plural verb; None where its form leaves it open."""
    unit = parse[i]
    conjunctions = parse.words(parse.children(i, "cc"))
    if (unit.mention or "").upper() in PEOPLE and not conjunctions:
        return False
    quantity = unit.word in QUANTITIES and "of" in parse.words(parse.children(i, "prep"))
    if "or" in conjunctions or quantity or unit.tag in {"NNPS", "CD", "JJ", "DT", "WDT", "WP"}:
        return True if {"and", "&"} & set(conjunctions) else None
    if unit.word in {"i", "me"}:
        return None
    plural = unit.word in _PLURAL_WORDS or unit.tag == "NNS"
    return bool(conjunctions) or (plural and unit.word not in _SINGULAR_WORDS)


def object_form(word: str) -> str:
    """Return the object form of a personal pronoun, other words as they are."""
    return _OBJECT_FORMS.get(word.lower(), word)


def subject_form(word: str) -> str:
    """Return the subject form of a personal pronoun, other words as they are."""
    return _SUBJECT_FORMS.get(word.lower(), word)
