"""Victims for tests: small, exact, and counting what they are asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from zlib import crc32

import numpy as np

from benchmark.goals import GOALS
from benchmark.resources.inflecting import Inflector
from benchmark.resources.knowledge.contract import Entity, KnowledgeBase, Link, Question
from benchmark.resources.language_models.contract import LanguageModel, LogProbability, Proposal, proposals_like
from benchmark.resources.loading import Resources
from benchmark.resources.paraphrasing.contract import Paraphrase, Paraphraser
from benchmark.resources.paraphrasing.contract import Question as ParaphraseQuestion
from benchmark.resources.recognising import Recogniser
from benchmark.resources.tagging import TaggedWord
from benchmark.resources.word_vectors import WordVectors
from benchmark.threat import Access
from benchmark.types import Prediction, Sentence, Span, Tags, Tokens
from benchmark.victims.white_box import EmbeddingTable, Units

LABELS: Tags = ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")

# What the stub word vectors and the stub white box know.
WORDS = ("said", "told", "left", "quit", "friday", "monday", "added", "put", "later", "soon", "bicycle", "car")
# In each table of the stub white box.
UNITS = 64

# Every goal, `targeted` with a type that the labels have.
ALL_GOALS = tuple(name.replace("TYPE", "PER") for name in GOALS)


class StubVictim:
    """Tags by a function of the tokens and remembers every text it was asked.

    Args:
        tag: tokens to tags.
        confidence: probability of the tag given, or a function of the tokens that tells it; the rest is spread evenly.
            None: labels only.
        longest: texts with more tokens do not fit.
    """

    def __init__(
        self,
        tag: Callable[[Tokens], Sequence[str]],
        confidence: float | Callable[[Tokens], float] | None = 0.9,
        labels: Tags = LABELS,
        longest: int = 10_000,
    ) -> None:
        self.name = "stub"
        self.labels = labels
        self.access = Access.LABELS if confidence is None else Access.SCORES
        self.fingerprint = hashlib.sha256(b"stub").hexdigest()
        self.unknown_word = "[UNK]"
        self.settings: Mapping[str, Any] = {"backend": "stub"}
        self.asked: list[Tokens] = []
        self.sizes: list[int] = []
        self._tag = tag
        self._confidence = confidence
        self._longest = longest

    def fits(self, tokens: Tokens) -> bool:
        return 0 < len(tokens) <= self._longest

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        self.asked += batch
        self.sizes.append(len(batch))
        return [self._predict(tokens) for tokens in batch]

    def _predict(self, tokens: Tokens) -> Prediction:
        tags = tuple(self._tag(tokens))
        if self._confidence is None:
            return Prediction(tags)
        sure = self._confidence(tokens) if callable(self._confidence) else self._confidence
        probabilities = np.full((len(tokens), len(self.labels)), (1 - sure) / (len(self.labels) - 1), dtype=np.float32)
        for i, tag in enumerate(tags):
            probabilities[i, self.labels.index(tag)] = sure
        return Prediction(tags, probabilities)


class StubLandscape(StubVictim):
    """Knows names by heart and doubts them by a function of the text; from a half on it sees none of them.

    Args:
        known: names and their tags.
        doubt: tokens to the probability, the same for each name there, that it is none.
    """

    def __init__(self, known: Mapping[str, str], doubt: Callable[[Tokens], float]) -> None:
        super().__init__(lexicon(known))
        self._doubt = doubt

    def _predict(self, tokens: Tokens) -> Prediction:
        doubt = self._doubt(tokens)
        rows = np.zeros((len(tokens), len(self.labels)), dtype=np.float32)
        for row, tag in zip(rows, self._tag(tokens), strict=True):
            row[0] = doubt
            row[self.labels.index(tag)] = 1 if tag == "O" else 1 - doubt
        return Prediction(tuple(self.labels[k] for k in rows.argmax(axis=1)), rows)


class StubWhiteBox(StubVictim):
    """A stub victim with its inside open: F is what it says, gradients are a formula of the text.

    It looks up pieces of two letters, characters, and words, of which it knows `WORDS`. At the vectors a text really
    has the network says what the stub says; where they are moved, it adds what the move is worth to each label, less
    farther away. Nothing of it foretells what the stub says of another text: for that, attack a real network.

    Attributes:
        tables: "pieces", "characters" and "words".
        differentiated: the texts that gradients or attributions were asked of.
    """

    DIMENSIONS = 4

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.access is Access.SCORES:
            self.access = Access.GRADIENTS
        self.differentiated: list[Tokens] = []
        self.tables = {
            "pieces": self._table(0, lambda word: _hashed(word, 2)),
            "characters": self._table(1, lambda word: _hashed(word, 1)),
            "words": self._table(2, lambda word: (1 + WORDS.index(word.lower()) if word.lower() in WORDS else 0,)),
        }
        self._worth = self._wave(78.233, len(self.labels), self.DIMENSIONS)

    def batches(self, texts: Sequence[Tokens]) -> Iterator[tuple[list[int], Units]]:
        import torch

        for k, tokens in enumerate(texts):
            self.differentiated.append(tokens)
            vectors, near, places = {}, {}, {}
            for name, table in self.tables.items():
                words = [i for i, token in enumerate(tokens) for _ in table.of(token)]
                places[name] = [[tuple(p for p, word in enumerate(words) if word == i) for i in range(len(tokens))]]
                vectors[name] = torch.from_numpy(np.concatenate([table.looked_up(token) for token in tokens])[None])
                near[name] = torch.tensor([[1 / (1 + abs(i - word)) for word in words] for i in range(len(tokens))])
            said = torch.from_numpy(np.log(np.maximum(self._predict(tokens).probabilities, 1e-6))).float()
            own = {name: table.clone() for name, table in vectors.items()}
            yield [k], Units(vectors, (said, near, own), places)

    def log_probabilities(self, vectors: Mapping[str, Any], inputs: Any) -> Any:
        import torch

        said, near, own = inputs
        worth = torch.from_numpy(self._worth.T.copy())
        moved = sum(near[name] @ (table - own[name]) @ worth for name, table in vectors.items())
        return (said + moved).log_softmax(dim=-1)

    def _table(self, number: int, of: Callable[[str], tuple[int, ...]]) -> EmbeddingTable:
        vectors = self._wave(12.9898 + number, UNITS, self.DIMENSIONS)
        return EmbeddingTable(vectors, [f"unit {k}" for k in range(UNITS)], of)

    @staticmethod
    def _wave(pitch: float, *shape: int) -> np.ndarray:
        return np.sin(pitch * np.arange(1, np.prod(shape) + 1)).astype(np.float32).reshape(shape)


@lru_cache(maxsize=100_000)
def _hashed(word: str, length: int) -> tuple[int, ...]:
    """Cut a word into parts and tell each part's unit."""
    return tuple(crc32(word[k : k + length].encode()) % UNITS for k in range(0, len(word), length))


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
        rare: less likely than those, told only to who asks for more than 50 words.
    """

    def __init__(
        self,
        words: Sequence[str] = ("red", "quickly", "market", "seventeen", "paint", "whose", "harvest"),
        rare: Sequence[str] = (),
    ):
        self.name = self.identity = "stub language model"
        self.words, self.rare = tuple(words), tuple(rare)
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
        order += self.rare if question.k > 50 else ()
        found = [Proposal(word, 0.5 / 2**rank) for rank, word in enumerate(order)]
        return proposals_like(question.tokens[question.at], found, question.k)


class StubEncoder:
    """Similarity falls by 0.02 for each word of one text that the other lacks."""

    identity = "stub encoder"

    async def similarities(self, text: str, others: Sequence[str]) -> list[float]:
        own = set(text.split())
        return [1 - 0.02 * len(own ^ set(other.split())) for other in others]


def tag_by_form(word: str) -> TaggedWord:
    """Words in -ly are adverbs, capitalised ones proper nouns, all others nouns."""
    if word.endswith("ly"):
        return TaggedWord("ADV", "RB")
    return TaggedWord("PROPN", "NNP") if word[:1].isupper() else TaggedWord("NOUN", "NN")


class StubTagger:
    """Tags each word by itself.

    Args:
        tag: word to tag.
    """

    identity = "stub tagger"

    def __init__(self, tag: Callable[[str], TaggedWord] = tag_by_form) -> None:
        self._tag = tag

    async def tag(self, tokens: Tokens) -> tuple[TaggedWord, ...]:
        return tuple(self._tag(token) for token in tokens)

    async def tag_word(self, texts: Sequence[Tokens], positions: Sequence[int]) -> list[TaggedWord]:
        return [self._tag(tokens[at]) for tokens, at in zip(texts, positions, strict=True)]


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


# A hundred, none of which is written like a name.
RARE_WORDS = tuple(f"{onset}{rhyme}" for onset in "bdfglmnprt" for rhyme in ("ab", "ed", "ig", "om", "ulk", *"aeiou"))


def same_vectors(*words: str) -> WordVectors:
    """Vectors by which each word is as near as can be to each other one."""
    return WordVectors(words, np.ones((len(words), 2), dtype=np.float32), "same vectors")


def stub_resources(**instead: Any) -> Resources:
    """Everything an attack may lean on, as formulas, so that outcomes hold on every machine.

    Args:
        instead: other resources in the place of these, by kind.
    """
    angles = np.repeat(np.linspace(0, 2, len(WORDS) // 2), 2) + np.tile([0.0, 0.1], len(WORDS) // 2)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return Resources(
        {
            "language_model": StubLanguageModel(rare=RARE_WORDS),
            "encoder": StubEncoder(),
            "tagger": StubTagger(),
            "word_vectors": WordVectors(WORDS, vectors, "stub vectors"),
            "grammar": StubGrammar(),
            "inflector": Inflector(),
            "paraphraser": StubParaphraser(),
            "knowledge": StubKnowledge(),
            "disentangler": StubDisentangler(),
            "recogniser": Recogniser(StubVictim(lexicon({"Bob": "B-PER", "Lima": "B-LOC"}))),
            **instead,
        }
    )


class StubKnowledge(KnowledgeBase):
    """Knows names by class and type; a name it does not know is of its type's first class.

    Args:
        names: class to type and names, the most specific class of a type first.
    """

    def __init__(self, names: Mapping[str, tuple[str, Sequence[str]]] | None = None) -> None:
        self.name = self.identity = "stub knowledge"
        self.names = names or {
            "first name": ("PER", ("Bob", "Cleo", "Dora", "Emil")),
            "full name": ("PER", ("Bob Stone", "Cleo Marsh", "Dora Lund", "Emil Vasa")),
            "city": ("LOC", ("Lima", "Oslo", "Quito", "Riga")),
            "company": ("ORG", ("Acme", "Acme Water", "Globex", "Initech Steel")),
            "nationality": ("MISC", ("Dutch", "Irish", "Thai", "Welsh")),
        }
        self.asked: list[Question] = []

    def knows_type(self, type: str) -> bool:  # noqa: A002
        return any(known == type for known, _ in self.names.values())

    def answer(self, questions: Sequence[Question]) -> list[Entity | tuple[Tokens, ...] | None]:
        self.asked += questions
        return [self._link(q) if isinstance(q, Link) else self._siblings(q.kind, q.type) for q in questions]

    def _link(self, question: Link) -> Entity | None:
        mention, type = question  # noqa: A001
        classes = [kind for kind, (known, _) in self.names.items() if known == type]
        classes.sort(key=lambda kind: " ".join(mention) not in self.names[kind][1])
        return Entity(mention, type, tuple(classes), "stub") if classes else None

    def _siblings(self, kind: str, type: str) -> tuple[Tokens, ...]:  # noqa: A002
        known, names = self.names.get(kind, ("", ()))
        return tuple(tuple(name.split()) for name in names) if known == type else ()


class StubDisentangler:
    """Goes half the way from each entity vector to the mean of the context."""

    identity = "stub disentangler"

    def rewritten(self, entity: np.ndarray, context: np.ndarray) -> np.ndarray:
        around = context.mean(axis=0) if len(context) else 0
        return ((entity + around) / 2).astype(np.float32)
