"""Syntax by spaCy, made light."""

from __future__ import annotations

from benchmark.resources.paraphrasing.contract import Question
from benchmark.resources.paraphrasing.parse import Parse, group_mentions
from benchmark.resources.spacy_pipelines import DEFAULT_PIPELINE, load_pipeline, pipeline_identity

__all__ = ["Parser"]


class Parser:
    """A spaCy pipeline that parses texts as they are tokenised, one at a time, each as one sentence.

    Args:
        name: of an installed pipeline.

    Attributes:
        identity: name and versions.

    Raises:
        MissingResource: the pipeline is not installed.
    """

    def __init__(self, name: str = DEFAULT_PIPELINE) -> None:
        self._pipeline = load_pipeline(name, ("ner", "lemmatizer", "senter", "attribute_ruler"))
        self.identity = pipeline_identity(self._pipeline)

    def parse(self, question: Question) -> Parse:
        """Parse a text with its mentions as units."""
        from spacy.tokens import Doc

        tokens = question.tokens
        # Where a sentence ends was decided by the data set; the parser must not cut it again.
        starts: list[bool | int | None] = [True, *[False] * (len(tokens) - 1)]
        doc = self._pipeline(Doc(self._pipeline.vocab, words=list(tokens), sent_starts=starts))
        return group_mentions(
            tokens,
            [token.tag_ for token in doc],
            [token.dep_ for token in doc],
            [token.head.i for token in doc],
            question.mentions,
        )
