"""What an attack leans on besides the victim: named in its parameters, loaded before anything is attacked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from benchmark.errors import BadInput
from benchmark.resources.language_models.finding import language_model_named
from benchmark.resources.paraphrasing.finding import paraphraser_named

if TYPE_CHECKING:
    import torch

    from benchmark.resources.encoders import SentenceEncoder
    from benchmark.resources.grammar import InProcessChecker
    from benchmark.resources.inflecting import Inflector
    from benchmark.resources.language_models import LanguageModel
    from benchmark.resources.paraphrasing import Paraphraser
    from benchmark.resources.tagging import Tagger
    from benchmark.resources.word_vectors import WordVectors

__all__ = ["KINDS", "Resource", "Resources"]


class Resource(Protocol):
    """Anything that decides an outcome besides the victim.

    Attributes:
        identity: name, version, settings; part of a run's specification.
    """

    identity: str


def _encoder(name: str, device: torch.device) -> SentenceEncoder:
    from benchmark.resources.encoders import SentenceEncoder

    return SentenceEncoder(name, str(device))


def _tagger(name: str, device: torch.device) -> Tagger:  # noqa: ARG001 - runs on the CPU
    from benchmark.resources.tagging import Tagger

    return Tagger(name)


def _word_vectors(name: str, device: torch.device) -> WordVectors:  # noqa: ARG001 - a table
    from benchmark.resources.word_vectors import word_vectors_named

    return word_vectors_named(name)


def _inflector(name: str, device: torch.device) -> Inflector:  # noqa: ARG001 - a dictionary
    from benchmark.resources.inflecting import Inflector

    return Inflector(name)


def _grammar(name: str, device: torch.device) -> InProcessChecker:  # noqa: ARG001 - rules
    from benchmark.resources.grammar import DEFAULT_CHECKER, InProcessChecker

    if name != DEFAULT_CHECKER:
        raise BadInput(f"constraints can use {DEFAULT_CHECKER} only, not {name!r}: it is asked thousands of times")
    return InProcessChecker()


# What an attack may name in its `resources`, and who loads it.
KINDS: Mapping[str, Callable[[str, Any], Resource]] = {
    "language_model": language_model_named,
    "encoder": _encoder,
    "tagger": _tagger,
    "word_vectors": _word_vectors,
    "grammar": _grammar,
    "inflector": _inflector,
    "paraphraser": paraphraser_named,
}


class Resources:
    """The resources of one attack, loaded.

    Args:
        loaded: by kind, one of `KINDS`.
    """

    def __init__(self, loaded: Mapping[str, Resource] | None = None) -> None:
        self._loaded = dict(loaded or {})

    @classmethod
    def load(cls, wanted: Mapping[str, str], device: torch.device) -> Resources:
        """Load resources by kind and name.

        Raises:
            BadInput: no such name.
            MissingResource: one is not there; the message tells how to get it.
        """
        return cls({kind: KINDS[kind](name, device) for kind, name in wanted.items()})

    @property
    def identities(self) -> dict[str, str]:
        """Names and versions, by kind."""
        return {kind: resource.identity for kind, resource in sorted(self._loaded.items())}

    @property
    def language_model(self) -> LanguageModel:
        """Fills gaps."""
        return cast("LanguageModel", self._of("language_model"))

    @property
    def encoder(self) -> SentenceEncoder:
        """Tells how similar two texts are."""
        return cast("SentenceEncoder", self._of("encoder"))

    @property
    def tagger(self) -> Tagger:
        """Tells parts of speech."""
        return cast("Tagger", self._of("tagger"))

    @property
    def word_vectors(self) -> WordVectors:
        """Tells which words are near each other."""
        return cast("WordVectors", self._of("word_vectors"))

    @property
    def inflector(self) -> Inflector:
        """Gives the other inflections of a word."""
        return cast("Inflector", self._of("inflector"))

    @property
    def grammar(self) -> InProcessChecker:
        """Counts grammar errors."""
        return cast("InProcessChecker", self._of("grammar"))

    @property
    def paraphraser(self) -> Paraphraser:
        """Says the same with other syntax."""
        return cast("Paraphraser", self._of("paraphraser"))

    def _of(self, kind: str) -> Resource:
        if kind not in self._loaded:
            raise LookupError(f"the attack uses a {kind} that its `resources` do not name")
        return self._loaded[kind]
