"""Chunking is sequence labelling like any other: a file in the form of CoNLL-2000 is a data set with chunk tags."""

from __future__ import annotations

import pytest
from small_training import SETTINGS

from benchmark.datasets import find_dataset
from benchmark.errors import BadInput
from benchmark.plan import Plan
from benchmark.runner import run
from benchmark.selection import SelectionRule
from benchmark.victims import VictimOptions

# Token, part of speech, chunk: as CoNLL-2000 has them.
SENTENCES = (
    "Stocks NNS B-NP\nfell VBD B-VP\nsharply RB B-ADVP\nin IN B-PP\nlate JJ B-NP\ntrading NN I-NP\n. . O\n",
    "He PRP B-NP\nwill MD B-VP\nturn VB I-VP\nit PRP B-NP\noff RP B-PRT\nas RB B-CONJP\nwell RB I-CONJP\n. . O\n",
)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data" / "conll2000"
    folder.mkdir(parents=True)
    for split in ("train", "dev", "test"):
        (folder / f"{split}.conll").write_text("\n".join(SENTENCES * 4), encoding="utf-8")
    return tmp_path / "data"


def test_three_columns_are_token_something_and_chunk(data):
    dataset = find_dataset("conll2000", data)
    assert {split: len(found) for split, found in dataset.splits.items()} == {"train": 8, "dev": 8, "test": 8}
    first, second = dataset.split("test")[:2]
    assert first.tokens[:3] == ("Stocks", "fell", "sharply")
    assert [tuple(span) for span in first.spans][-1] == (4, 6, "NP")
    assert [tuple(span) for span in second.spans if span.type == "CONJP"] == [(5, 7, "CONJP")]
    assert set(dataset.types) == {"NP", "VP", "ADVP", "PP", "PRT", "CONJP"}


def test_two_columns_do_as_well(data):
    for path in (data / "conll2000").iterdir():
        lines = path.read_text(encoding="utf-8").split("\n")
        path.write_text("\n".join(" ".join(line.split()[::2]) for line in lines), encoding="utf-8")
    assert find_dataset("conll2000", data).split("test")[0].tags[-2:] == ("I-NP", "O")


def test_a_split_that_training_needs_and_is_not_there_is_named(data):
    (data / "conll2000" / "dev.conll").unlink()  # CoNLL-2000 has none: it is cut from the training split
    with pytest.raises(BadInput, match="dev"):
        find_dataset("conll2000", data).split("dev")


@pytest.mark.usefixtures("small_glove")
def test_a_defended_chunker_is_trained_and_scored_by_the_same_code(data, tmp_path):
    settings = ",".join(f"{name}={value}" for name, value in (SETTINGS | {"epochs": 12}).items())
    plan = Plan(
        "identity",
        f"cnn-lstm-crf/conll2000({settings})+mat",
        "conll2000",
        selection=SelectionRule(None, max_missed=1.0),
        options=VictimOptions(device="cpu", data_dir=data),
    )
    result = run(plan, tmp_path / "results").result
    assert result["metrics"]["f1.strict.before"]["n"] == 8
    assert result["metrics"]["f1.strict.before"]["value"] > 0.3
    assert set(result["per_type"]) == {"NP", "VP", "ADVP", "PP", "PRT", "CONJP"}
