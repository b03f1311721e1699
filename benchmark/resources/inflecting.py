"""Inflected forms of a word, by lemminflect (a dictionary and rules for English)."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from benchmark.casing import cased_like
from benchmark.errors import BadInput, MissingResource

__all__ = ["DEFAULT_INFLECTOR", "Inflector"]

DEFAULT_INFLECTOR = "lemminflect"
_OPEN_CLASSES = ("NOUN", "VERB", "ADJ")


class Inflector:
    """See the module's text.

    Args:
        name: `lemminflect`, the only one.

    Attributes:
        identity: name and version.

    Raises:
        BadInput: another name.
        MissingResource: it is not installed.
    """

    def __init__(self, name: str = DEFAULT_INFLECTOR) -> None:
        if name != DEFAULT_INFLECTOR:
            raise BadInput(f"unknown inflector {name!r}; known: {DEFAULT_INFLECTOR}")
        try:
            self.identity = f"lemminflect {version('lemminflect')}"
        except PackageNotFoundError:
            raise MissingResource("inflections need lemminflect: pip install 'ner-gauntlet[words]'") from None

    def inflections(self, word: str, universal: str) -> tuple[str, ...]:
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
