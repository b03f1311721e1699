"""Where a data set's name leads."""

from __future__ import annotations

import pytest

from benchmark.datasets.finding import find_dataset, local_names
from benchmark.errors import BadInput


@pytest.fixture
def data(tmp_path):
    """A data folder with `mine` (train and test), `lines` (JSONL) and an empty folder."""
    folder = tmp_path / "data"
    for name in ("mine", "lines", "hollow"):
        (folder / name).mkdir(parents=True)
    (folder / "mine" / "train.conll").write_text("Ana B-PER\n", encoding="utf-8")
    (folder / "mine" / "test.conll").write_text("Oslo B-LOC\n\nBo B-PER\n", encoding="utf-8")
    (folder / "lines" / "test.jsonl").write_text('{"text": "Hello"}\n', encoding="utf-8")
    return folder


def test_name_in_the_data_folder(data):
    dataset = find_dataset("mine", data)
    assert (dataset.name, list(dataset.splits), dataset.types) == ("mine", ["train", "test"], ("LOC", "PER"))
    assert [s.id for s in dataset.split("test")] == ["test-0", "test-1"]
    assert str(data / "mine") in dataset.source


def test_environment_names_the_data_folder_and_the_argument_goes_first(data, tmp_path, monkeypatch):
    other = tmp_path / "other"
    (other / "mine").mkdir(parents=True)
    (other / "mine" / "dev.conll").write_text("x O\n", encoding="utf-8")
    monkeypatch.setenv("GAUNTLET_DATA", str(other))
    assert list(find_dataset("mine").splits) == ["dev"]
    assert list(find_dataset("mine", data).splits) == ["train", "test"]


def test_path_to_a_folder_and_to_a_file(data):
    assert find_dataset(str(data / "mine")).name == "mine"
    only = find_dataset(str(data / "mine" / "train.conll"))
    assert (only.name, list(only.splits)) == ("train", ["test"])
    assert find_dataset(str(data / "lines" / "test.jsonl")).split("test")[0].tokens == ("Hello",)


def test_scheme_reaches_the_files(data):
    (data / "mine" / "test.conll").write_text("Ana S-PER\n", encoding="utf-8")
    (data / "mine" / "train.conll").unlink()
    assert find_dataset("mine", data, "BIOES").split("test")[0].tags == ("B-PER",)


def test_local_names_are_folders_with_a_split(data):
    assert list(local_names(data)) == ["lines", "mine"]
    assert list(local_names(None)) == []


def test_folder_without_splits_is_refused(data):
    with pytest.raises(BadInput, match=r"hollow holds none of train, dev, test as \.conll or \.jsonl"):
        find_dataset("hollow", data)


def test_near_miss_is_suggested_local_names_included(data):
    with pytest.raises(BadInput, match="unknown data set 'newsrom'; did you mean newsroom"):
        find_dataset("newsrom")
    with pytest.raises(BadInput, match="did you mean lines"):
        find_dataset("line", data)


def test_far_miss_lists_all_names_and_the_data_folder(data):
    with pytest.raises(BadInput, match=r"known: .*conll2003.*mine.*newsroom.*GAUNTLET_DATA"):
        find_dataset("zzzz", data)


def test_data_folder_that_is_none(tmp_path):
    with pytest.raises(BadInput, match="nowhere is no folder"):
        find_dataset("mine", tmp_path / "nowhere")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"no such file: .*gone\.conll"):
        find_dataset(str(tmp_path / "gone.conll"))


def test_unknown_split_lists_those_there_are(data):
    with pytest.raises(BadInput, match=r"mine .* has no split 'dev'; it has: train, test"):
        find_dataset("mine", data).split("dev")


def test_content_hash_follows_tokens_tags_and_documents_only(tmp_path):
    def written(name: str, content: str):
        path = tmp_path / f"{name}.conll"
        path.write_text(content, encoding="utf-8")
        return find_dataset(str(path)).hash("test")

    plain = written("plain", "Ana B-PER\nleft O\n")
    assert written("columns", "Ana NNP B-PER\nleft VBD O\n\n\n") == plain
    changed = {
        written("token", "Ane B-PER\nleft O\n"),
        written("tag", "Ana B-LOC\nleft O\n"),
        written("border", "-DOCSTART- O\n\nAna B-PER\nleft O\n"),
        written("sentences", "Ana B-PER\n\nleft O\n"),
    }
    assert len(changed) == 4
    assert plain not in changed
