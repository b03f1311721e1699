"""Training the CNN-LSTM-CRF from nothing but GloVe.

An interrupted training goes on after the last finished epoch and ends in the same weights: what an epoch does depends
on its number and on the checkpoint alone.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmark.datasets.dataset import Dataset
from benchmark.errors import CannotSave, CorruptResult, first_line
from benchmark.progress import Progress, silent
from benchmark.store import write_atomically
from benchmark.types import Sentence
from benchmark.victims.cnn_lstm_crf.victim import LONGEST_TEXT, CnnLstmCrfVictim
from benchmark.victims.cnn_lstm_crf.vocabulary import MASK, UNKNOWN_CHARACTER, UNKNOWN_WORD, Vocabulary, glove
from benchmark.victims.recipe import CnnLstmCrfRecipe
from benchmark.victims.training import labels_of, save_whole, similar_lengths, strict_f1, training_sentences

if TYPE_CHECKING:
    import torch

    from benchmark.victims.cnn_lstm_crf.network import CnnLstmCrf, Rows

__all__ = ["train_network"]

_LONGEST_GRADIENT = 5.0
_LAST_RATE = 0.1  # of the learning rate, reached in equal ratios


class _Course(NamedTuple):
    """How far a training is: dev F1 of the finished epochs, and the weights of the best one."""

    history: list[float]
    best: dict[str, torch.Tensor]

    def ended(self, recipe: CnnLstmCrfRecipe) -> bool:
        """Tell whether all epochs are done, or the last ones were no better."""
        epochs = len(self.history)
        if epochs == recipe.epochs:
            return True
        return bool(self.history) and epochs - 1 - self.history.index(max(self.history)) >= recipe.patience


def train_network(
    recipe: CnnLstmCrfRecipe, dataset: Dataset, folder: Path, device: torch.device, report: Progress = silent
) -> None:
    """Train by the recipe and store weights, vocabulary and card in `folder`, which appears only when all is done.

    The epoch with the best dev F1 is kept. `report` is told the steps and the dev F1 of each epoch. Until the end a
    checkpoint lies beside the folder, and the same call goes on from it. Training sentences that the victim could not
    read (more than 512 words) are left out.

    Raises:
        BadInput: the data set has no training or dev split, or no entities.
        MissingResource: GloVe is not installed.
        CannotSave: the folder cannot be written.
        CorruptResult: the checkpoint is damaged or of another recipe.
    """
    import torch

    train, dev, labels = training_sentences(recipe, dataset), dataset.split("dev"), labels_of(dataset)
    train = [sentence for sentence in train if len(sentence) <= LONGEST_TEXT]
    texts = [sentence.tokens for sentence in train]
    vocabulary = Vocabulary.of(texts, glove().words)
    torch.manual_seed(recipe.seed)
    network = new_network(vocabulary, labels).to(device)
    victim = CnnLstmCrfVictim(network, vocabulary, labels, "in training", "", device)
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    checkpoint = folder.parent / f".{folder.name}.training" / "checkpoint.safetensors"
    course = _resume(checkpoint, recipe, network, optimizer)
    chances = _chances_of_unknown(vocabulary, train, recipe.unknown)
    columns = {label: k for k, label in enumerate(labels)}
    steps = -(-len(train) // recipe.batch_size)
    stage = f"training {recipe.architecture}/{dataset.name}"
    while not course.ended(recipe):
        epoch = len(course.history)
        rng = random.Random(f"{recipe.seed} {epoch}")  # noqa: S311 - reproducible on purpose
        torch.manual_seed(rng.getrandbits(63))  # of dropout and unknown words
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _LAST_RATE ** (epoch / recipe.epochs)
        network.train()
        for step, batch in enumerate(similar_lengths(train, recipe.batch_size, rng)):
            report(stage, epoch * steps + step, recipe.epochs * steps)
            rows, tags = _encode(batch, vocabulary, columns)
            loss = network.loss(_with_unknown(rows, *chances).to(device), tags.to(device))
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), _LONGEST_GRADIENT)
            optimizer.step()
            optimizer.zero_grad()
        network.eval()
        f1 = strict_f1(victim, dev)
        best = course.best
        if f1 > max(course.history, default=-1.0):
            best = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
        course = _Course([*course.history, f1], best)
        _checkpoint(checkpoint, recipe, network, optimizer, course)
        stage = f"training {recipe.architecture}/{dataset.name}, epoch {epoch + 1}: dev F1 {f1:.3f}"
    report(stage, recipe.epochs * steps, recipe.epochs * steps)
    history = [round(f1, 4) for f1 in course.history]
    card = {**recipe.to_json(), "dataset": dataset.name, "labels": labels, "dev_f1": history}
    _store(folder, card, vocabulary, course.best)
    shutil.rmtree(checkpoint.parent, ignore_errors=True)


def new_network(vocabulary: Vocabulary, labels: Sequence[str]) -> CnnLstmCrf:
    """Return a network with fresh weights, but for the words that GloVe knows."""
    import torch

    from benchmark.victims.cnn_lstm_crf.network import CnnLstmCrf

    table = glove()
    network = CnnLstmCrf(vocabulary, labels, table.of(vocabulary.others))
    known = [k for k, word in enumerate(vocabulary.words) if word in table.rows]
    with torch.no_grad():
        span = (3 / table.vectors.shape[1]) ** 0.5  # as Ma & Hovy, section 3.1
        network.words.weight.uniform_(-span, span)
        network.words.weight[known] = torch.from_numpy(table.of([vocabulary.words[k] for k in known]))
        network.characters.weight[1:].uniform_(-((3 / 30) ** 0.5), (3 / 30) ** 0.5)
    return network


def _chances_of_unknown(
    vocabulary: Vocabulary, train: Sequence[Sentence], unknown: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return for each word and each character the chance to be taken for an unknown one; special ones never are."""
    import torch

    chances = []
    for units, counts in zip(
        (vocabulary.words, vocabulary.characters),
        vocabulary.counts(sentence.tokens for sentence in train),
        strict=True,
    ):
        chance = unknown / (unknown + counts)
        chance[: units.index(MASK) + 1] = 0
        chances.append(torch.from_numpy(chance.astype(np.float32)))
    return chances[0], chances[1]


def _with_unknown(rows: Rows, words: torch.Tensor, characters: torch.Tensor) -> Rows:
    """Take rare words and characters for unknown ones, by chance."""
    import torch

    return rows._replace(
        words=rows.words.masked_fill(torch.rand(rows.words.shape) < words[rows.words], UNKNOWN_WORD),
        characters=rows.characters.masked_fill(
            torch.rand(rows.characters.shape) < characters[rows.characters], UNKNOWN_CHARACTER
        ),
    )


def _encode(batch: Sequence[Sentence], vocabulary: Vocabulary, columns: Mapping[str, int]) -> tuple[Rows, torch.Tensor]:
    """Return a batch's rows and its (sentences, words) labels."""
    import torch

    from benchmark.victims.cnn_lstm_crf.network import rows_of_words

    texts = [[vocabulary.look_up(word) for word in sentence.tokens] for sentence in batch]
    length = max(map(len, texts))
    longest = max(len(word.characters) for text in texts for word in text)
    tags = torch.zeros((len(batch), length), dtype=torch.long)
    for row, sentence in enumerate(batch):
        tags[row, : len(sentence)] = torch.tensor([columns[tag] for tag in sentence.tags])
    return rows_of_words(texts, len(batch), length, longest), tags


def _checkpoint(
    file: Path, recipe: CnnLstmCrfRecipe, network: CnnLstmCrf, optimizer: torch.optim.Adam, course: _Course
) -> None:
    from safetensors.torch import save

    tensors = {f"best {name}": tensor for name, tensor in course.best.items()}
    for name, parameter in network.named_parameters():
        state = optimizer.state[parameter]
        tensors[f"weight {name}"] = parameter.detach().cpu()
        tensors[f"mean {name}"], tensors[f"square {name}"] = state["exp_avg"].cpu(), state["exp_avg_sq"].cpu()
        tensors[f"step {name}"] = state["step"].cpu()
    about = json.dumps({"recipe": recipe.id, "history": course.history})
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotSave(f"the training cannot be saved in {file.parent}: {error.strerror or error}") from error
    write_atomically(file, save(tensors, metadata={"about": about}))


def _resume(file: Path, recipe: CnnLstmCrfRecipe, network: CnnLstmCrf, optimizer: torch.optim.Adam) -> _Course:
    """Put a checkpoint's state back, if there is one."""
    import torch
    from safetensors import SafetensorError, safe_open

    if not file.is_file():
        return _Course([], {})
    try:
        with safe_open(file, framework="pt") as stored, torch.no_grad():
            about = json.loads((stored.metadata() or {}).get("about", "{}"))
            if about.get("recipe") != recipe.id:
                raise CorruptResult(f"{file} belongs to another recipe; delete it")
            for name, parameter in network.named_parameters():
                parameter.copy_(stored.get_tensor(f"weight {name}"))
                optimizer.state[parameter] = {
                    "step": stored.get_tensor(f"step {name}"),
                    "exp_avg": stored.get_tensor(f"mean {name}").to(parameter.device),
                    "exp_avg_sq": stored.get_tensor(f"square {name}").to(parameter.device),
                }
            best = {name: stored.get_tensor(f"best {name}") for name in network.state_dict()}
    except (OSError, SafetensorError, RuntimeError) as error:
        raise CorruptResult(f"{file} is damaged ({first_line(error)}); delete it to begin again") from error
    return _Course(about["history"], best)


def _store(folder: Path, card: dict[str, Any], vocabulary: Vocabulary, weights: dict[str, torch.Tensor]) -> None:
    from safetensors.torch import save_file

    def write(scratch: Path) -> None:
        save_file(weights, scratch / "model.safetensors")
        (scratch / "vocabulary.json").write_text(vocabulary.to_json(), encoding="utf-8")
        card_text = json.dumps(card, indent=1, sort_keys=True)
        (scratch / "recipe.json").write_text(card_text + "\n", encoding="utf-8")

    save_whole(folder, write)
