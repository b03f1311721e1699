"""Victims for tests: small, exact, and counting what they are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.goals import GOALS
from benchmark.threat import Access
from benchmark.types import Prediction, Sentence, Tags, Tokens

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
