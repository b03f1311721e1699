"""spaCy pipelines as victims: labels only, on tokens that are never re-tokenised."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from benchmark.errors import BadInput
from benchmark.resources.spacy_pipelines import load_pipeline
from benchmark.tag_schemes import spans_to_tags
from benchmark.threat import Access
from benchmark.types import Prediction, Span, Tags, Tokens
from benchmark.victims.finding import VictimOptions, require_own_backend

__all__ = ["SpacyVictim", "from_name"]


# Components of the trained pipelines that never touch entities; any other one stays.
_WITHOUT_ENTITIES = (
    "tagger",
    "morphologizer",
    "parser",
    "attribute_ruler",
    "lemmatizer",
    "trainable_lemmatizer",
    "senter",
)


class SpacyVictim:
    """A pipeline with an entity recogniser.

    Each text goes through by itself (batch of one), so that its answer does not depend on its neighbours.
    """

    access = Access.LABELS
    unknown_word = "[UNK]"

    def __init__(self, pipeline: Any, name: str) -> None:
        if "ner" not in pipeline.pipe_names:
            raise BadInput(f"{name} has no entity recogniser; its components: {', '.join(pipeline.pipe_names)}")
        self.name = name
        types = sorted(pipeline.get_pipe("ner").labels)
        self.labels: Tags = ("O", *(f"{mark}-{kind}" for kind in types for mark in "BI"))
        self.fingerprint = hashlib.sha256(pipeline.to_bytes()).hexdigest()
        self.settings: Mapping[str, Any] = {"backend": f"spacy {version('spacy')}"}
        self._pipeline = pipeline

    def fits(self, tokens: Tokens) -> bool:
        """Pipelines read texts of any length, but no empty one."""
        return len(tokens) > 0

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        """Tag each text."""
        return [Prediction(self._tags(tokens)) for tokens in batch]

    def _tags(self, tokens: Tokens) -> Tags:
        from spacy.tokens import Doc

        doc = Doc(self._pipeline.vocab, words=list(tokens))
        for _, component in self._pipeline.pipeline:
            doc = component(doc)
        return spans_to_tags([Span(entity.start, entity.end, entity.label_) for entity in doc.ents], len(tokens))


def from_name(name: str, options: VictimOptions) -> SpacyVictim:
    """Load a pipeline by package name or folder.

    Raises:
        MissingResource: the pipeline is not installed.
        BadInput: the pipeline has no entity recogniser, or a back end was asked for.
    """
    require_own_backend(options, "spaCy", "spacy")  # spaCy chooses its device itself
    pipeline = load_pipeline(name, _WITHOUT_ENTITIES)
    return SpacyVictim(pipeline, f"spacy:{name}")
