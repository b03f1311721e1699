"""Data sets in the hub's format, read from a local folder of Parquet files: no network."""

from __future__ import annotations

import re
import sys

import pytest

from benchmark.datasets.finding import find_dataset
from benchmark.datasets.hub import HUB_DATASETS, HubDataset, load_from_hub
from benchmark.errors import BadInput, MissingResource

datasets = pytest.importorskip("datasets", reason="the extra `hub` is not installed")

NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
ROWS = {"tokens": [["Ana", "Ruiz", "left"], [], ["Oslo"]], "ner_tags": [[1, 2, 0], [], [3]]}
TEST_ONLY = {"test": "test"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep what `datasets` writes out of the user's cache, and its bars out of the output."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.fixture
def repository(tmp_path):
    """Write splits as the hub stores them and return the folder."""

    def write(rows, features=None, splits=("test",)):
        folder = tmp_path / "repository"
        table = datasets.Dataset.from_dict(rows, features=features)
        for split in splits:
            table.to_parquet(str(folder / "data" / f"{split}-00000-of-00001.parquet"))
        return str(folder)

    return write


def labelled(names):
    """Features of a column of class labels."""
    sequence = datasets.List if hasattr(datasets, "List") else datasets.Sequence
    return datasets.Features(
        {"tokens": sequence(datasets.Value("string")), "ner_tags": sequence(datasets.ClassLabel(names=names))}
    )


def test_class_labels_are_named_by_the_column_and_splits_by_us(repository):
    folder = repository(ROWS, labelled(NAMES), ("train", "validation", "test"))
    dataset = load_from_hub("tiny", HubDataset(folder, revision=None))
    assert list(dataset.splits) == ["train", "dev", "test"]
    first, second = dataset.split("dev")
    assert first.tokens == ("Ana", "Ruiz", "left")
    assert first.tags == ("B-PER", "I-PER", "O")
    assert second.tags == ("B-LOC",)
    assert dataset.types == ("LOC", "PER")
    assert folder in dataset.source


def test_empty_rows_are_dropped_and_ids_keep_the_row_numbers(repository):
    dataset = load_from_hub("tiny", HubDataset(repository(ROWS, labelled(NAMES)), revision=None, splits=TEST_ONLY))
    assert [s.id for s in dataset.split("test")] == ["test-0", "test-2"]


def test_string_tags(repository):
    rows = {"tokens": [["Ana", "left"]], "tags": [["B-PER", "O"]]}
    where = HubDataset(repository(rows), revision=None, tags="tags", splits=TEST_ONLY)
    assert load_from_hub("tiny", where).split("test")[0].tags == ("B-PER", "O")


def test_plain_integers_are_named_by_the_catalogue(repository):
    rows = {"tokens": [["Ana", "left"]], "ner_tags": [[1, 0]]}
    where = HubDataset(repository(rows), revision=None, splits=TEST_ONLY, names=("O", "B-PER"))
    assert load_from_hub("tiny", where).split("test")[0].tags == ("B-PER", "O")


def test_plain_integers_without_names_are_refused(repository):
    rows = {"tokens": [["Ana", "left"]], "ner_tags": [[1, 0]]}
    with pytest.raises(BadInput, match="ner_tags"):
        load_from_hub("tiny", HubDataset(repository(rows), revision=None, splits=TEST_ONLY))


def test_io_tags_join_neighbours_of_a_type(repository):
    rows = {"tokens": [["Ana", "Ruiz", "of", "Oslo", "Shell"]], "ner_tags": [[1, 1, 0, 2, 3]]}
    folder = repository(rows, labelled(["O", "person", "location", "organization"]))
    dataset = load_from_hub("tiny", HubDataset(folder, revision=None, scheme="IO", splits=TEST_ONLY))
    assert dataset.split("test")[0].tags == ("B-person", "I-person", "O", "B-location", "B-organization")


def test_iob1_tags_are_converted(repository):
    rows = {"tokens": [["Ana", "Ruiz"]], "ner_tags": [["I-PER", "I-PER"]]}
    where = HubDataset(repository(rows), revision=None, scheme="IOB1", splits=TEST_ONLY)
    assert load_from_hub("tiny", where).split("test")[0].tags == ("B-PER", "I-PER")


def test_documents_are_kept(repository):
    rows = {"tokens": [["a"], ["b"]], "ner_tags": [["O"], ["O"]], "doc": [4, 9]}
    where = HubDataset(repository(rows), revision=None, document="doc", splits=TEST_ONLY)
    assert [s.document for s in load_from_hub("tiny", where).split("test")] == ["4", "9"]


def test_dangling_tag_names_split_and_row(repository):
    rows = {"tokens": [["a"], ["Ana"]], "ner_tags": [["O"], ["I-PER"]]}
    with pytest.raises(BadInput, match="test row 1: I-PER at token 0 continues no entity"):
        load_from_hub("tiny", HubDataset(repository(rows), revision=None, splits=TEST_ONLY))


def test_more_tags_than_tokens_are_refused(repository):
    rows = {"tokens": [["Ana"]], "ner_tags": [["B-PER", "O"]]}
    with pytest.raises(BadInput, match="1 tokens but 2 tags"):
        load_from_hub("tiny", HubDataset(repository(rows), revision=None, splits=TEST_ONLY))


def test_missing_column_lists_those_there_are(repository):
    folder = repository(ROWS, labelled(NAMES))
    with pytest.raises(BadInput, match="has no column 'tags'; it has: tokens, ner_tags"):
        load_from_hub("tiny", HubDataset(folder, revision=None, tags="tags", splits=TEST_ONLY))


def test_missing_split_and_missing_repository_point_to_local_copies(repository, tmp_path):
    folder = repository(ROWS, labelled(NAMES))
    for where in (HubDataset(folder, revision=None), HubDataset(str(tmp_path / "nothing"), revision=None)):
        with pytest.raises(MissingResource, match=re.escape("--data-dir (a folder with tiny/test.conll)")) as told:
            load_from_hub("tiny", where)
        assert "\n" not in str(told.value)


def test_missing_package_is_told_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingResource, match=r"pip install 'ner-gauntlet\[hub\]'"):
        load_from_hub("tiny", HubDataset("owner/name"))


def test_catalogue_name_is_found_through_its_entry(repository, monkeypatch):
    where = HubDataset(repository(ROWS, labelled(NAMES)), revision=None, splits=TEST_ONLY)
    monkeypatch.setitem(HUB_DATASETS, "conll2003", where)
    assert find_dataset("conll2003").split("test")[0].tokens == ("Ana", "Ruiz", "left")


def test_catalogue_names_a_revision_everywhere_and_never_the_default_branch():
    assert all(where.revision not in {None, "", "main"} for where in HUB_DATASETS.values())


def test_the_layout_of_the_parquet_branch_keeps_configurations_apart(tmp_path):
    for config, word in (("supervised", "Oslo"), ("inter", "Rome")):
        table = datasets.Dataset.from_dict({"tokens": [[word]], "ner_tags": [[3]]}, features=labelled(NAMES))
        table.to_parquet(str(tmp_path / "branch" / config / "test" / "0000.parquet"))
    where = HubDataset(str(tmp_path / "branch"), "supervised", splits=TEST_ONLY)
    (only,) = load_from_hub("tiny", where).split("test")
    assert only.tokens == ("Oslo",)


def test_every_name_of_the_catalogue_says_which_folder_of_its_branch_it_reads():
    assert all(where.config for where in HUB_DATASETS.values())
