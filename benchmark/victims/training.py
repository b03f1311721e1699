"""Training a token classifier: low-rank adapter and head on a frozen encoder; and what other trainings share."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2

from benchmark.datasets.dataset import Dataset
from benchmark.errors import BadInput, CannotSave, first_line
from benchmark.progress import Progress, silent
from benchmark.quiet import silent_transformers
from benchmark.resources.encoders import minilm_folder
from benchmark.types import Sentence
from benchmark.victims.recipe import Recipe, TrainingRecipe
from benchmark.victims.transformer import TransformerVictim

if TYPE_CHECKING:
    import torch

    from benchmark.contracts import Victim

__all__ = [
    "labels_of",
    "save_whole",
    "similar_lengths",
    "strict_f1",
    "train_adapter",
    "training_sentences",
    "with_adapter",
]

_IGNORE = -100  # transformers' mark for pieces without a label
_DROPOUT = 0.1
# Learning rates that are tried, each half the last.
_RATES = 4
# Sentences that are read to see whether a network is alive, and how far what it says of their words must spread.
_SIGNS_OF_LIFE = 32
_ALIVE = 1e-3


def train_adapter(
    recipe: Recipe, dataset: Dataset, folder: Path, device: torch.device, report: Progress = silent
) -> None:
    """Train by the recipe and store adapter, head and card in `folder`, which appears only when all is done.

    The epoch with the best dev F1 is kept. `report` is told the steps and the dev F1 of each epoch. A network that died
    (it says the same of every word; a peak learning rate that suits most data is too high for some) is trained again
    with half the rate; the card tells which rate it was in the end.

    Raises:
        BadInput: the data set has no training or dev split, or every rate was too high.
        CannotSave: the folder cannot be written.
    """
    for halvings in range(_RATES):
        rate = recipe.learning_rate / 2**halvings
        trained = _train(recipe, rate, dataset, device, report)
        if trained is not None:
            card = {**recipe.to_json(), "dataset": dataset.name, "labels": labels_of(dataset)}
            _store(trained.model, trained.state, {**card, "rate_used": rate, "dev_f1": trained.dev_f1}, folder)
            return
    raise BadInput(
        f"{recipe.architecture} learns nothing from {dataset.name}, with {_RATES} learning rates from "
        f"{recipe.learning_rate:g} down: are there mentions in its training split?"
    )


class _Trained(NamedTuple):
    """A trained model, what was trained of it at its best epoch, and the dev F1 of all."""

    model: Any
    state: dict[str, torch.Tensor]
    dev_f1: list[float]


def _train(recipe: Recipe, rate: float, dataset: Dataset, device: torch.device, report: Progress) -> _Trained | None:
    """Train with a peak learning rate; return None as soon as the network is dead."""
    import torch
    from peft import LoraConfig, TaskType, get_peft_model

    train = training_sentences(recipe, dataset)
    dev = dataset.split("dev")
    labels = labels_of(dataset)
    torch.manual_seed(recipe.seed)
    config = LoraConfig(
        task_type=TaskType.TOKEN_CLS,
        r=recipe.rank,
        lora_alpha=2 * recipe.rank,
        lora_dropout=_DROPOUT,
        target_modules="all-linear",
        modules_to_save=["classifier"],
    )
    model = get_peft_model(_fresh_model(minilm_folder(), labels), config).to(device)
    victim = _as_victim(model, minilm_folder(), device)
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=rate)
    steps = recipe.epochs * -(-len(train) // recipe.batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _warm_up_then_decay(step, steps))
    best_f1, best_state, history = -1.0, {}, []
    stage = f"training {recipe.architecture}/{dataset.name}, rate {rate:g}"
    step = 0
    for epoch in range(recipe.epochs):
        model.train()
        for batch in similar_lengths(train, recipe.batch_size, random.Random(f"{recipe.seed} {epoch}")):  # noqa: S311
            report(stage, step, steps)
            loss = model(**_encode(batch, victim, labels, device)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            step += 1
        model.eval()
        if _is_dead(victim, dev[:_SIGNS_OF_LIFE]):
            return None
        f1 = strict_f1(victim, dev)
        history.append(round(f1, 4))
        stage = f"training {recipe.architecture}/{dataset.name}, epoch {epoch + 1}: dev F1 {f1:.3f}"
        report(stage, step, steps)
        if f1 > best_f1:
            best_f1 = f1
            best_state = {k: v.detach().cpu().clone() for k, v in _trained_state(model).items()}
    return _Trained(model, best_state, history)


def _is_dead(victim: TransformerVictim, sentences: Sequence[Sentence]) -> bool:
    """Tell whether the network says the same of every word."""
    texts = [sentence.tokens for sentence in sentences if victim.fits(sentence.tokens)]
    said = np.concatenate([answer.probabilities for answer in victim.predict(texts)])
    return float(said.std(axis=0).max()) < _ALIVE


def with_adapter(base: Path, folder: Path, labels: Sequence[str]) -> Any:
    """Return the encoder with the adapter of `folder` merged into it.

    Raises:
        BadInput: the adapter does not fit.
    """
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(_fresh_model(base, labels), str(folder)).merge_and_unload()
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise BadInput(f"the adapter in {folder} cannot be loaded: {first_line(error)}") from error


def strict_f1(victim: Victim, sentences: Sequence[Sentence]) -> float:
    """Return the strict IOB2 micro F1; a sentence the victim cannot read counts with all its mentions missed."""
    readable = [k for k, sentence in enumerate(sentences) if victim.fits(sentence.tokens)]
    tags = [["O"] * len(sentence) for sentence in sentences]
    for k, answer in zip(readable, victim.predict([sentences[k].tokens for k in readable]), strict=True):
        tags[k] = list(answer.tags)
    gold = [list(sentence.tags) for sentence in sentences]
    return float(f1_score(gold, tags, mode="strict", scheme=IOB2, zero_division=0))


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
    train = list(dataset.split("train"))
    if recipe.sentences is None:
        return train
    random.Random(recipe.seed).shuffle(train)  # noqa: S311 - reproducible on purpose
    return train[: recipe.sentences]


def _fresh_model(base: Path, labels: Sequence[str]) -> Any:
    import torch
    from transformers import AutoModelForTokenClassification

    with silent_transformers():  # the head is new on purpose
        return AutoModelForTokenClassification.from_pretrained(
            base,
            id2label=dict(enumerate(labels)),
            label2id={label: k for k, label in enumerate(labels)},
            use_safetensors=True,
            dtype=torch.float32,
        )


def _as_victim(model: Any, base: Path, device: torch.device) -> TransformerVictim:
    from transformers import AutoTokenizer

    # Its weights still change, so no other library may hold a copy of them.
    return TransformerVictim(model, AutoTokenizer.from_pretrained(base), "in training", "", device, backend="torch")


def _encode(
    batch: Sequence[Sentence], victim: TransformerVictim, labels: Sequence[str], device: torch.device
) -> dict[str, torch.Tensor]:
    """Return input ids, mask and labels; only the first piece of a word has a label. Long sentences are cut here."""
    import torch

    index = {label: k for k, label in enumerate(labels)}
    rows = [victim.encode(sentence.tokens) for sentence in batch]
    length = max(len(pieces) for pieces, _ in rows)
    ids = torch.zeros((len(batch), length), dtype=torch.long)
    mask = torch.zeros_like(ids)
    wanted = torch.full_like(ids, _IGNORE)
    for k, (sentence, (pieces, starts)) in enumerate(zip(batch, rows, strict=True)):
        ids[k, : len(pieces)] = torch.tensor(pieces)
        mask[k, : len(pieces)] = 1
        for start, tag in zip(starts, sentence.tags, strict=True):
            wanted[k, start] = index[tag]
    longest = victim.max_pieces
    return {
        "input_ids": ids[:, :longest].to(device),
        "attention_mask": mask[:, :longest].to(device),
        "labels": wanted[:, :longest].to(device),
    }


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


def _warm_up_then_decay(step: int, steps: int) -> float:
    warm_up = max(1, steps // 10)
    return min((step + 1) / warm_up, max(0.0, (steps - step) / max(1, steps - warm_up)))


def _trained_state(model: Any) -> dict[str, torch.Tensor]:
    from peft import get_peft_model_state_dict

    return dict(get_peft_model_state_dict(model))


def _store(model: Any, state: dict[str, torch.Tensor], card: dict[str, Any], folder: Path) -> None:
    """Write the adapter in half precision, atomically."""
    from safetensors.torch import save_file

    def write(scratch: Path) -> None:
        save_file({name: tensor.half() for name, tensor in state.items()}, scratch / "adapter_model.safetensors")
        config = model.peft_config["default"].to_dict()
        config |= {"base_model_name_or_path": card["architecture"], "inference_mode": True}
        config = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
        for name, content in (("adapter_config.json", config), ("recipe.json", card)):
            text = json.dumps(content, indent=1, sort_keys=True)
            (scratch / name).write_text(text + "\n", encoding="utf-8")

    save_whole(folder, write)


def save_whole(folder: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a folder aside and move it into place, so that it is there as a whole or not at all.

    Raises:
        CannotSave: the folder cannot be written.
    """
    scratch: str | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.mkdtemp(dir=folder.parent, prefix=".training-")
        write(Path(scratch))
        Path(scratch).chmod(0o755)  # temporary folders and safetensors are private
        for file in Path(scratch).glob("*.safetensors"):
            file.chmod(0o644)
        os.replace(scratch, folder)  # noqa: PTH105 - beside its twin in `store`
    except OSError as error:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
        if (folder / "recipe.json").is_file():
            return  # another process trained the same recipe meanwhile; its victim serves as well
        raise CannotSave(f"the trained victim cannot be saved in {folder}: {error.strerror or error}") from error
