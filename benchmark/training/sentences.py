"""Labels, sentences and batches of a training, and the score that picks its best epoch."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from benchmark.datasets.dataset import Dataset
from benchmark.errors import BadInput
from benchmark.types import Sentence
from benchmark.victims.recipe import TrainingRecipe

if TYPE_CHECKING:
    from benchmark.contracts import Victim

__all__ = ["labels_of", "similar_lengths", "strict_f1", "training_sentences", "unused_sentences"]


def labels_of(dataset: Dataset) -> list[str]:
    """Return the IOB2 labels that a victim trained on the data set has.

    Raises:
        BadInput: it has no entities.
    """
    if not dataset.types:
        raise BadInput(f"data set {dataset.name} has no entities to learn")
    return ["O", *(f"{mark}-{kind}" for kind in dataset.types for mark in "BI")]


def training_sentences(recipe: TrainingRecipe, dataset: Dataset) -> list[Sentence]:
    """Return the training sentences that the recipe uses.

    Raises:
        BadInput: the data set has no training split.
    """
    return _shuffled(recipe, dataset)[: recipe.sentences]


def unused_sentences(recipe: TrainingRecipe, dataset: Dataset) -> list[Sentence]:
    """Return the training sentences that the recipe leaves out, in its seeded order.

    Raises:
        BadInput: the data set has no training split.
    """
    return [] if recipe.sentences is None else _shuffled(recipe, dataset)[recipe.sentences :]


def _shuffled(recipe: TrainingRecipe, dataset: Dataset) -> list[Sentence]:
    """Return the training split, shuffled if the recipe takes a part of it."""
    train = list(dataset.split("train"))
    if recipe.sentences is not None:
        random.Random(recipe.seed).shuffle(train)  # noqa: S311 - reproducible on purpose
    return train


def similar_lengths(sentences: Sequence[Sentence], size: int, rng: random.Random) -> Iterator[list[Sentence]]:
    """Yield shuffled batches of sentences of similar length."""
    order = list(sentences)
    rng.shuffle(order)
    pool = 50 * size
    batches = []
    for start in range(0, len(order), pool):
        near = sorted(order[start : start + pool], key=len)
        batches += [near[k : k + size] for k in range(0, len(near), size)]
    rng.shuffle(batches)
    yield from batches


def strict_f1(victim: Victim, sentences: Sequence[Sentence]) -> float:
    """Return the strict IOB2 micro F1; a sentence the victim cannot read counts with all its mentions missed."""
    from seqeval.metrics import f1_score
    from seqeval.scheme import IOB2

    readable = [k for k, sentence in enumerate(sentences) if victim.fits(sentence.tokens)]
    tags = [["O"] * len(sentence) for sentence in sentences]
    for k, answer in zip(readable, victim.predict([sentences[k].tokens for k in readable]), strict=True):
        tags[k] = list(answer.tags)
    gold = [list(sentence.tags) for sentence in sentences]
    return float(f1_score(gold, tags, mode="strict", scheme=IOB2, zero_division=0))
