"""Victims for tests: small, exact, and counting what they are asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.goals import GOALS
from benchmark.resources.inflecting import Inflector
from benchmark.resources.language_models.contract import LanguageModel, LogProbability, Proposal, proposals_like
from benchmark.resources.loading import Resources
from benchmark.resources.paraphrasing.contract import Paraphrase, Paraphraser
from benchmark.resources.paraphrasing.contract import Question as ParaphraseQuestion
from benchmark.resources.tagging import TaggedWord
from benchmark.resources.word_vectors import WordVectors
from benchmark.threat import Access
from benchmark.types import Prediction, Sentence, Span, Tags, Tokens

LABELS: Tags = ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")


# Every goal, `targeted` with a type that the labels have.
ALL_GOALS = tuple(name.replace("TYPE", "PER") for name in GOALS)


class StubVictim:
    """Tags by a function of the tokens and remembers every text it was asked.

    Args:
        tag: tokens to tags.
        confidence: probability of the tag given; the rest is spread evenly. None: labels only.
        longest: texts with more tokens do not fit.
    """

    def __init__(
        self,
        tag: Callable[[Tokens], Sequence[str]],
        confidence: float | None = 0.9,
        labels: Tags = LABELS,
        longest: int = 10_000,
    ) -> None:
        self.name = "stub"
        self.labels = labels
        self.access = Access.LABELS if confidence is None else Access.SCORES
        self.fingerprint = "stub"
        self.unknown_word = "[UNK]"
        self.settings: Mapping[str, Any] = {"backend": "stub"}
        self.asked: list[Tokens] = []
        self.batches: list[int] = []
        self._tag = tag
        self._confidence = confidence
        self._longest = longest

    def fits(self, tokens: Tokens) -> bool:
        return 0 < len(tokens) <= self._longest

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        self.asked += batch
        self.batches.append(len(batch))
        return [self._predict(tokens) for tokens in batch]

    def _predict(self, tokens: Tokens) -> Prediction:
        tags = tuple(self._tag(tokens))
        if self._confidence is None:
            return Prediction(tags)
        rest = (1 - self._confidence) / (len(self.labels) - 1)
        probabilities = np.full((len(tokens), len(self.labels)), rest, dtype=np.float32)
        for i, tag in enumerate(tags):
            probabilities[i, self.labels.index(tag)] = self._confidence
        return Prediction(tags, probabilities)


def lexicon(known: Mapping[str, str]) -> Callable[[Tokens], list[str]]:
    """A tagger that knows some words by heart; all others are O."""
    return lambda tokens: [known.get(token, "O") for token in tokens]


def sentence(text: str, tags: str, name: str = "s", document: str | None = None) -> Sentence:
    """A sentence from space-separated tokens and tags."""
    return Sentence(name, tuple(text.split()), tuple(tags.split()), document=document)


class StubLanguageModel(LanguageModel):
    """Proposes from a list of words, in an order that depends on the gap and nothing else.

    Args:
        words: what it knows.
    """

    def __init__(self, words: Sequence[str] = ("red", "quickly", "market", "seventeen", "paint", "whose", "Lisbon")):
        self.name = self.identity = "stub language model"
        self.words = tuple(words)
        self.asked: list[Any] = []

    def fits(self, tokens: Tokens) -> bool:
        return len(tokens) > 0

    def answer(self, questions: Sequence[Any]) -> list[Any]:
        self.asked += questions
        return [self._answer(question) for question in questions]

    def _answer(self, question: Any) -> Any:
        if isinstance(question, LogProbability):
            return -2.0 * len(question.tokens)
        near = (*question.tokens[max(0, question.at - 1) : question.at + 2], question.seen)
        order = sorted(self.words, key=lambda word: hashlib.sha256(repr((near, word)).encode()).digest())
        found = [Proposal(word, 0.5 / 2**rank) for rank, word in enumerate(order)]
        return proposals_like(question.tokens[question.at], found, question.k)


class StubEncoder:
    """Similarity falls by 0.02 for each word of one text that the other lacks."""

    identity = "stub encoder"

    async def similarities(self, text: str, others: Sequence[str]) -> list[float]:
        own = set(text.split())
        return [1 - 0.02 * len(own ^ set(other.split())) for other in others]


class StubTagger:
    """Words in -ly are adverbs, capitalised ones proper nouns, all others nouns."""

    identity = "stub tagger"

    async def tag(self, tokens: Tokens) -> tuple[TaggedWord, ...]:
        return tuple(self._tag(token) for token in tokens)

    async def tag_word(self, texts: Sequence[Tokens], positions: Sequence[int]) -> list[TaggedWord]:
        return [self._tag(tokens[at]) for tokens, at in zip(texts, positions, strict=True)]

    @staticmethod
    def _tag(word: str) -> TaggedWord:
        if word.endswith("ly"):
            return TaggedWord("ADV", "RB")
        return TaggedWord("PROPN", "NNP") if word[:1].isupper() else TaggedWord("NOUN", "NN")


class StubParaphraser(Paraphraser):
    """Puts the last context word, or the last two, to the front.

    Args:
        beside: more paraphrases of every text, whether they keep its mentions or not.
    """

    identity = "stub paraphraser"

    def __init__(self, beside: Sequence[Paraphrase] = ()) -> None:
        self.beside = tuple(beside)
        self.asked: list[ParaphraseQuestion] = []

    def answer(self, questions: Sequence[ParaphraseQuestion]) -> list[tuple[Paraphrase, ...]]:
        self.asked += questions
        return [(*self._moved(question), *self.beside) for question in questions]

    @staticmethod
    def _moved(question: ParaphraseQuestion) -> list[Paraphrase]:
        tokens, mentions = question
        inside = {i for span in mentions for i in range(span.start, span.end)}
        words = [i for i in range(len(tokens)) if i not in inside and tokens[i].isalpha()]
        found = []
        for moved in (words[-1:], words[-2:]):
            order = [*moved, *(i for i in range(len(tokens)) if i not in moved)]
            spans = tuple(Span(order.index(s.start), order.index(s.start) + s.end - s.start, s.type) for s in mentions)
            torn = any(order.index(s.end - 1) - order.index(s.start) != s.end - s.start - 1 for s in mentions)
            if moved and not torn:
                found.append(Paraphrase(tuple(tokens[i] for i in order), spans, "moved"))
        return found


class StubGrammar:
    """Every word in capitals is an error."""

    identity = "stub grammar"

    async def errors(self, texts: Sequence[str]) -> list[int]:
        return [sum(word.isupper() and len(word) > 1 for word in text.split()) for text in texts]


def stub_resources() -> Resources:
    """Everything an attack may lean on, as formulas, so that outcomes hold on every machine."""
    words = ("said", "told", "left", "quit", "friday", "monday", "added", "put", "later", "soon", "bicycle", "car")
    angles = np.repeat(np.linspace(0, 2, len(words) // 2), 2) + np.tile([0.0, 0.1], len(words) // 2)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return Resources(
        {
            "language_model": StubLanguageModel(),
            "encoder": StubEncoder(),
            "tagger": StubTagger(),
            "word_vectors": WordVectors(words, vectors, "stub vectors"),
            "grammar": StubGrammar(),
            "inflector": Inflector(),
            "paraphraser": StubParaphraser(),
        }
    )
