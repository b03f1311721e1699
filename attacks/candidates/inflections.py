"""Inflected forms of a word, by lemminflect."""

from __future__ import annotations

from functools import lru_cache

from benchmark.casing import cased_like
from benchmark.errors import MissingResource

__all__ = ["inflections", "require_inflections"]

_OPEN_CLASSES = ("NOUN", "VERB", "ADJ")


def require_inflections() -> str:
    """Return the library's name and version.

    Raises:
        MissingResource: it is not installed.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"lemminflect {version('lemminflect')}"
    except PackageNotFoundError:
        raise MissingResource("inflections need lemminflect: pip install 'ner-gauntlet[words]'") from None


def inflections(word: str, universal: str) -> tuple[str, ...]:
    """Return the other inflections of a noun, verb or adjective, in its casing.

    Args:
        word: as it stands in the text.
        universal: its universal part of speech; of other classes there are none.
    """
    if universal not in _OPEN_CLASSES:
        return ()
    return tuple(cased_like(form, word) for form in _forms(word.lower(), universal))


@lru_cache(maxsize=20_000)
def _forms(word: str, universal: str) -> tuple[str, ...]:
    import lemminflect

    lemmas = lemminflect.getAllLemmas(word, upos=universal).get(universal, ())
    forms = [
        form
        for lemma in lemmas
        for spellings in lemminflect.getAllInflections(lemma, upos=universal).values()
        for form in spellings
    ]
    return tuple(form for form in dict.fromkeys(forms) if form != word)
