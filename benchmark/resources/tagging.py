"""Parts of speech, by spaCy, on tokens as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmark.engine import Ask
from benchmark.resources.spacy_pipelines import DEFAULT_PIPELINE, load_pipeline, pipeline_identity
from benchmark.types import Tokens

__all__ = ["DEFAULT_TAGGER", "TaggedWord", "Tagger"]

DEFAULT_TAGGER = DEFAULT_PIPELINE
# Words left and right of a word that its part of speech is read from.
_LEFT, _RIGHT = 4, 3


class TaggedWord(NamedTuple):
    """A word's universal part of speech (`NOUN`) and its Penn Treebank tag (`NNS`)."""

    universal: str
    penn: str


class Tagger:
    """A spaCy pipeline, as a service. Texts are tagged one at a time, so that no answer depends on its neighbours.

    Args:
        name: of an installed pipeline.

    Attributes:
        identity: name and versions.

    Raises:
        MissingResource: the pipeline is not installed.
    """

    def __init__(self, name: str = DEFAULT_TAGGER) -> None:
        self._pipeline = load_pipeline(name, ("parser", "ner", "lemmatizer", "senter"))
        self.identity = f"{pipeline_identity(self._pipeline)}, window {_LEFT}+{_RIGHT}"

    def answer(self, questions: Sequence[Tokens]) -> list[tuple[TaggedWord, ...]]:
        """Tag each text."""
        from spacy.tokens import Doc

        docs = [self._pipeline(Doc(self._pipeline.vocab, words=list(tokens))) for tokens in questions]
        return [tuple(TaggedWord(token.pos_, token.tag_) for token in doc) for doc in docs]

    async def tag(self, tokens: Tokens) -> tuple[TaggedWord, ...]:
        """Tag a text."""
        (answer,) = await Ask(self, [tokens])
        return answer

    async def tag_word(self, texts: Sequence[Tokens], positions: Sequence[int]) -> list[TaggedWord]:
        """Tag one word of each text, read in a window around it: four words on its left, three on its right."""
        starts = [max(0, at - _LEFT) for at in positions]
        windows = [tokens[start : at + _RIGHT + 1] for tokens, at, start in zip(texts, positions, starts, strict=True)]
        answers = await Ask(self, windows)
        return [answer[at - start] for answer, at, start in zip(answers, positions, starts, strict=True)]
