"""What an attack leans on besides the victim: named in its parameters, loaded before anything is attacked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from benchmark.errors import BadInput
from benchmark.progress import Progress, silent
from benchmark.resources.knowledge.finding import knowledge_named
from benchmark.resources.language_models.finding import language_model_named
from benchmark.resources.paraphrasing.finding import paraphraser_named
from benchmark.victims.label_map import types_of

if TYPE_CHECKING:
    import torch

    from benchmark.contracts import Victim
    from benchmark.resources.disentangling import Disentangler
    from benchmark.resources.encoders import SentenceEncoder
    from benchmark.resources.grammar import InProcessChecker
    from benchmark.resources.inflecting import Inflector
    from benchmark.resources.knowledge import KnowledgeBase
    from benchmark.resources.language_models import LanguageModel
    from benchmark.resources.paraphrasing import Paraphraser
    from benchmark.resources.recognising import Recogniser
    from benchmark.resources.tagging import Tagger
    from benchmark.resources.word_vectors import WordVectors
    from benchmark.types import Sentence

__all__ = ["KINDS", "LEARNING", "Circumstances", "Resource", "Resources", "load_resource"]

_log = logging.getLogger(__name__)


class Resource(Protocol):
    """Anything that decides an outcome besides the victim.

    Attributes:
        identity: name, version, settings; part of a run's specification.
    """

    identity: str


class Circumstances(NamedTuple):
    """What a resource may depend on besides its name.

    Attributes:
        device: where models run.
        training: the training split of the data set in use; for kinds in `LEARNING` only.
        victim: the victim under attack; for the same kinds only.
        report: told how far a training is.
    """

    device: torch.device
    training: Sequence[Sentence] = ()
    victim: Victim | None = None
    report: Progress = silent


def _language_model(name: str, circumstances: Circumstances) -> LanguageModel:
    return language_model_named(name, circumstances.device)


def _paraphraser(name: str, circumstances: Circumstances) -> Paraphraser:
    return paraphraser_named(name, circumstances.device)


def _knowledge(name: str, circumstances: Circumstances) -> KnowledgeBase:
    knowledge, victim = knowledge_named(name, circumstances.training), circumstances.victim
    types = types_of(victim.labels) if victim else set()
    unknown = sorted(known for known in types if not knowledge.knows_type(known))
    if unknown:
        told = (
            f"the knowledge base {name} has no names of the types {', '.join(unknown)}; --param knowledge=... "
            "names another, and a training split beside the data teaches the gazetteer"
        )
        if len(unknown) == len(types):
            raise BadInput(told)
        _log.warning("%s. Mentions of these types stay as they are.", told)
    return knowledge


def _recogniser(name: str, circumstances: Circumstances) -> Recogniser:
    from benchmark.resources.recognising import recogniser_named

    return recogniser_named(name, circumstances.device, circumstances.victim)


def _disentangler(name: str, circumstances: Circumstances) -> Disentangler:
    from benchmark.resources.disentangling import disentangler_for

    return disentangler_for(name, circumstances.victim, circumstances.training, circumstances.report)


def _encoder(name: str, circumstances: Circumstances) -> SentenceEncoder:
    from benchmark.resources.encoders import SentenceEncoder

    return SentenceEncoder(name, str(circumstances.device))


def _tagger(name: str, circumstances: Circumstances) -> Tagger:  # noqa: ARG001 - runs on the CPU
    from benchmark.resources.tagging import Tagger

    return Tagger(name)


def _word_vectors(name: str, circumstances: Circumstances) -> WordVectors:  # noqa: ARG001 - a table
    from benchmark.resources.word_vectors import word_vectors_named

    return word_vectors_named(name)


def _inflector(name: str, circumstances: Circumstances) -> Inflector:  # noqa: ARG001 - a dictionary
    from benchmark.resources.inflecting import Inflector

    return Inflector(name)


def _grammar(name: str, circumstances: Circumstances) -> InProcessChecker:  # noqa: ARG001 - rules
    from benchmark.resources.grammar import DEFAULT_CHECKER, InProcessChecker

    if name != DEFAULT_CHECKER:
        raise BadInput(f"constraints can use {DEFAULT_CHECKER} only, not {name!r}: it is asked thousands of times")
    return InProcessChecker()


# What an attack may name in its `resources`, and who loads it.
KINDS: Mapping[str, Callable[[str, Any], Resource]] = {
    "language_model": _language_model,
    "encoder": _encoder,
    "tagger": _tagger,
    "word_vectors": _word_vectors,
    "grammar": _grammar,
    "inflector": _inflector,
    "paraphraser": _paraphraser,
    "knowledge": _knowledge,
    "recogniser": _recogniser,
    "disentangler": _disentangler,
}
# Those that learn from the training split or look at the victim, so that they cannot be shared by all runs.
LEARNING = frozenset({"disentangler", "knowledge", "recogniser"})


def load_resource(kind: str, name: str, circumstances: Circumstances) -> Resource:
    """Load one resource; raises as `Resources.load`."""
    return KINDS[kind](name, circumstances)


class Resources:
    """The resources of one attack, loaded.

    Args:
        loaded: by kind, one of `KINDS`.
    """

    def __init__(self, loaded: Mapping[str, Resource] | None = None) -> None:
        self._loaded = dict(loaded or {})

    @classmethod
    def load(cls, wanted: Mapping[str, str], circumstances: Circumstances) -> Resources:
        """Load resources by kind and name.

        Args:
            wanted: names by kind.
            circumstances: what they may depend on.

        Raises:
            BadInput: no such name.
            MissingResource: one is not there; the message tells how to get it.
        """
        return cls({kind: load_resource(kind, name, circumstances) for kind, name in wanted.items()})

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

    @property
    def knowledge(self) -> KnowledgeBase:
        """Tells what a mention is, and what else is of its kind."""
        return cast("KnowledgeBase", self._of("knowledge"))

    @property
    def recogniser(self) -> Recogniser:
        """Tags entities, and is not the victim."""
        return cast("Recogniser", self._of("recogniser"))

    @property
    def disentangler(self) -> Disentangler:
        """Rewrites the vectors of entity words."""
        return cast("Disentangler", self._of("disentangler"))

    def _of(self, kind: str) -> Resource:
        if kind not in self._loaded:
            raise LookupError(f"the attack uses a {kind} that its `resources` do not name")
        return self._loaded[kind]
