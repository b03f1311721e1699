"""What a training needs to be done in a second: a handful of sentences, a GloVe of few words, a narrow network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import stubs
import torch

from benchmark.datasets import Dataset, find_dataset
from benchmark.defending import Case
from benchmark.types import Sentence
from benchmark.victims import VictimOptions
from benchmark.victims.cnn_lstm_crf import CNN_LSTM_CRF, network, vocabulary
from benchmark.victims.cnn_lstm_crf.vocabulary import glove

CPU = torch.device("cpu")
NAMES = ("Ana Ruiz", "Bo", "Kim Oduya", "Lena Falk")
PLACES = ("Oslo", "New Delhi", "Lima", "Tallinn")
FORMS = ("{} flew to {} .", "in {1} , {0} slept", "{} left {} on Friday with twelve boats", "{1} bored {0}")
# Words that GloVe knows; "norway" and "rome" do not occur in training, "zzyzx" nowhere.
GLOVE = ("the", ".", ",", "in", "to", "on", "left", "flew", "oslo", "lima", "ana", "norway", "rome", "friday", "bank")
# What the adapter of MiniLM learns from.
SENTENCES = [
    stubs.sentence("Ana Ruiz went to Kuressaare .", "B-PER I-PER O O B-LOC O"),
    stubs.sentence("Bo slept", "B-PER O"),
    stubs.sentence("the Market in Oslo rose , the market said", "O O O B-LOC O O O O O"),
]
# Of a training of the made-up sentences in three steps an epoch.
SETTINGS = {"epochs": 2, "batch_size": 6, "learning_rate": 0.01}


def sentence(k: int, form: str, person: str, place: str) -> Sentence:
    """Fill a form; persons and places are known by their words."""
    tokens, tags = [], []
    for part in form.replace("{}", "{0}", 1).replace("{}", "{1}").split():
        words, kind = {"{0}": (person, "PER"), "{1}": (place, "LOC")}.get(part, (part, ""))
        for i, word in enumerate(words.split()):
            tokens.append(word)
            tags.append(f"{'I' if i else 'B'}-{kind}" if kind else "O")
    return Sentence(f"s{k}", tuple(tokens), tuple(tags))


def made_up() -> Dataset:
    """Return sixteen sentences, twice, and five of them once more."""
    made = [
        sentence(k, form, NAMES[k % 4], PLACES[(k + k // 4) % 4])
        for k, form in enumerate(form for form in FORMS for _ in range(4))
    ]
    return Dataset("made-up", {"train": tuple(made), "dev": tuple(made), "test": tuple(made[1::3])}, "here")


def write_conll(dataset: Dataset, folder: Path) -> Path:
    """Store a data set as `mine` in a data folder."""
    (folder / "mine").mkdir(parents=True)
    for split, sentences in dataset.splits.items():
        lines = ["\n".join(map(" ".join, zip(s.tokens, s.tags, strict=True))) + "\n" for s in sentences]
        (folder / "mine" / f"{split}.conll").write_text("\n".join(lines), encoding="utf-8")
    return folder


def training_case(folder: Path, base: str, settings: Mapping[str, float]) -> Case:
    """Return the case of a training of the CNN-LSTM-CRF on the made-up sentences, which are stored in a folder."""
    data = write_conll(made_up(), folder / "data")
    dataset = find_dataset("mine", data)
    work = folder / "work"
    work.mkdir()
    plain = CNN_LSTM_CRF.recipe_with(dataset, settings)
    return Case(CNN_LSTM_CRF, dataset, "mine", plain, base, VictimOptions(device="cpu", data_dir=data), work)


@contextmanager
def small_network(folder: Path) -> Iterator[None]:
    """Let GloVe be a few words in eight dimensions, written into a folder, and the CNN-LSTM-CRF be narrow."""
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"index": GLOVE}).to_parquet(folder / "glove_6B_index.parquet")
    np.save(folder / "glove_6B_50d_emb.npy", np.random.default_rng(0).normal(size=(len(GLOVE), 8)).astype(np.float32))
    glove.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "glove_folder", lambda: folder)
        patch.setattr(network, "_HIDDEN", 24)
        yield
    glove.cache_clear()


def new_trainee(dataset: Dataset, *, normalised: bool = False, **settings: float):
    """Return a fresh CNN-LSTM-CRF under training."""
    from benchmark.training.sentences import labels_of

    recipe = CNN_LSTM_CRF.recipe_with(dataset, {**SETTINGS, **settings})
    return CNN_LSTM_CRF.trainee(recipe, labels_of(dataset), dataset.split("train"), CPU, normalised=normalised)
