"""What is stored comes back exactly, and what was altered is found out."""

from __future__ import annotations

import dataclasses
import errno
import json
import os

import pyarrow.parquet as pq
import pytest

from benchmark import store
from benchmark.errors import BadInput, Busy, CannotSave, CorruptResult
from benchmark.metrics import Example
from benchmark.resources.grammar import CATEGORIES
from benchmark.spec import SCHEMA, RunSpec
from benchmark.store import RunFolder, migrate, open_results, stored_runs, write_atomically
from benchmark.types import Edit, Operation, Outcome, Status

JUDGES = {"similarity": "encoder 1", "grammar_errors": "checker – 2"}
EXAMPLES = [
    Example(
        Outcome(
            sentence_id="test/1 – “Zoë”",
            document="東京",
            length=4,
            status=Status.SUCCESS,
            reason="one\ntwo",
            gold=("B-PER", "I-PER", "O", "O"),
            clean=("B-PER", "I-PER", "O", "B-LOC"),
            unseen=(True,),
            edits=(
                Edit(Operation.INSERT, 0, ("naïve",), 0),
                Edit(Operation.REPLACE, 1, ("😀",)),
                Edit(Operation.DELETE, 2),
                Edit(Operation.MERGE, 2, ("two",), 2),
            ),
            adversarial_gold=("O", "B-PER", "I-PER", "O"),
            adversarial_prediction=("O", "O", "O", "B-LOC"),
            score=1 / 3,
            search_queries=17,
            constraint_queries=3,
            gradient_queries=2,
            queries_to_success=12,
            forwards=15,
            trajectory=((1, 0.1), (12, 2 / 3)),
            rejected={"invalid": 1, "touch": 4},
        ),
        similarity=0.987654,
        grammar_errors={"typos": 2, "grammar": 0, "casing": -1, "other": 3},
    ),
    Example(
        Outcome(
            sentence_id="p",
            document=None,
            length=3,
            status=Status.SUCCESS,
            gold=("B-PER", "O", "O"),
            clean=("B-PER", "O", "O"),
            edits=(Edit(Operation.PARAPHRASE, 0, ("", "new", "", "both"), 3, ((2,), (), (0,), (1, 2))),),
            adversarial_gold=("O", "O", "B-PER", "O"),
            adversarial_prediction=("O", "O", "O", "O"),
            queries_to_success=1,
        ),
        similarity=0.5,
        grammar_errors=dict.fromkeys(CATEGORIES, 0),
    ),
    Example(Outcome("f", "d", 1, Status.FAILED, ("O",), ("O",), unseen=())),
    Example(Outcome("k", "d", 1, Status.SKIPPED, ("O",), ("O",), reason="no entity")),
    Example(Outcome("e", "d", 2, Status.ERROR, ("O", "B-PER"), ("O", "O"), reason="Traceback\n  boom")),
]
SPEC = RunSpec(
    attack="identity",
    attack_version=1,
    parameters={"words": ["Zoë"]},
    constraints="adjusted 1",
    resources={"encoder": "stub encoder – 1"},
    victim="stub",
    victim_fingerprint="abc",
    victim_settings={},
    dataset="made-up",
    dataset_hash="def",
    split="test",
    train_hash=None,
    selection={},
    sentence_ids=("f", "k"),
    touch="any",
    access="labels",
    goal="untargeted-strict",
    mode="first-success",
    queries=512,
    seed=0,
)


def folder_named(results, run_id=SPEC.run_id):
    folder = RunFolder(open_results(results), run_id)
    folder.path.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def folder(tmp_path):
    return folder_named(tmp_path / "results")


@pytest.fixture
def finished(folder):
    """A run with all its files."""
    folder.write_spec(SPEC)
    folder.write_examples(EXAMPLES, JUDGES)
    folder.write_result(result_of(folder))
    return folder


def result_of(folder, **more):
    return {
        "schema": SCHEMA,
        "run_id": folder.run_id,
        "examples_sha256": folder.examples_hash(),
        "metrics": {"attack_rate": {"value": 0.5}},
        **more,
    }


def edit_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


# examples


def test_examples_come_back_exactly(folder):
    folder.write_examples(EXAMPLES, JUDGES)
    assert folder.read_examples() == (EXAMPLES, JUDGES)


def test_no_examples_come_back_as_none(folder):
    folder.write_examples([], JUDGES)
    assert folder.read_examples() == ([], JUDGES)


def test_categories_without_a_count_come_back_as_0(folder):
    folder.write_examples([dataclasses.replace(EXAMPLES[0], grammar_errors={"typos": 2})], JUDGES)
    ((example,), _) = folder.read_examples()
    assert example.grammar_errors == {"typos": 2, "grammar": 0, "casing": 0, "other": 0}


def test_the_same_examples_give_the_same_bytes(folder, tmp_path):
    other = folder_named(tmp_path / "elsewhere")
    folder.write_examples(EXAMPLES, JUDGES)
    other.write_examples(EXAMPLES, dict(reversed(JUDGES.items())))
    assert folder.examples_file.read_bytes() == other.examples_file.read_bytes()
    assert folder.examples_hash() == other.examples_hash()


def test_examples_read_and_written_again_give_the_same_bytes(folder):
    folder.write_examples(EXAMPLES, JUDGES)
    before = folder.examples_file.read_bytes()
    folder.write_examples(*folder.read_examples())
    assert folder.examples_file.read_bytes() == before


def test_equal_examples_give_the_same_bytes_whatever_the_order_of_their_mappings(folder):
    first = EXAMPLES[0]
    turned = Example(
        dataclasses.replace(first.outcome, rejected=dict(reversed(first.outcome.rejected.items()))),
        first.similarity,
        dict(reversed(first.grammar_errors.items())),
    )
    assert turned == first
    folder.write_examples([first], JUDGES)
    before = folder.examples_hash()
    folder.write_examples([turned], JUDGES)
    assert folder.examples_hash() == before


def test_other_examples_or_other_judges_give_other_bytes(folder):
    folder.write_examples(EXAMPLES, JUDGES)
    before = folder.examples_hash()
    folder.write_examples(EXAMPLES[::-1], JUDGES)
    assert folder.examples_hash() != before
    folder.write_examples(EXAMPLES, {**JUDGES, "similarity": "encoder 2"})
    assert folder.examples_hash() != before


def test_examples_hold_no_column_of_data_set_text(folder):
    folder.write_examples(EXAMPLES, JUDGES)
    assert not {"tokens", "text", "words"} & set(pq.read_schema(folder.examples_file).names)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-4],
        lambda content: b"",
        lambda content: b"sentence_id,status\n",
        lambda content: content[:4] + bytes(len(content) - 12) + content[-8:],
    ],
    ids=["half", "end cut off", "empty", "no parquet", "zeros inside"],
)
def test_examples_that_cannot_be_read_are_corrupt(folder, damage):
    folder.write_examples(EXAMPLES, JUDGES)
    folder.examples_file.write_bytes(damage(folder.examples_file.read_bytes()))
    with pytest.raises(CorruptResult) as corrupt:
        folder.read_examples()
    assert str(folder.examples_file) in str(corrupt.value)
    assert len(str(corrupt.value).splitlines()) == 1


def test_examples_that_are_gone_are_corrupt(folder):
    with pytest.raises(CorruptResult):
        folder.read_examples()


def test_examples_of_another_run_are_found_out(folder, tmp_path):
    other = folder_named(tmp_path / "results", "0123456789abcdef")
    other.write_examples(EXAMPLES, JUDGES)
    folder.examples_file.write_bytes(other.examples_file.read_bytes())
    with pytest.raises(CorruptResult) as foreign:
        folder.read_examples()
    assert other.run_id in str(foreign.value)
    assert folder.run_id in str(foreign.value)


def test_a_parquet_file_of_something_else_is_found_out(folder):
    folder.write_examples(EXAMPLES, JUDGES)
    table = pq.read_table(folder.examples_file)
    pq.write_table(table.replace_schema_metadata({}), folder.examples_file)
    with pytest.raises(CorruptResult):
        folder.read_examples()


# specification


def test_a_specification_comes_back(folder):
    folder.write_spec(SPEC)
    assert folder.read_spec() == SPEC


def test_an_altered_specification_is_found_out(folder):
    folder.write_spec(SPEC)
    edit_json(folder.spec_file, seed=1)
    with pytest.raises(CorruptResult, match="altered"):
        folder.read_spec()


def test_a_specification_of_another_run_is_found_out(folder):
    other = dataclasses.replace(SPEC, seed=7)
    folder.write_spec(other)
    with pytest.raises(CorruptResult) as foreign:
        folder.read_spec()
    assert other.run_id in str(foreign.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\udcff"], ids=["empty", "torn", "list", "null", "bytes"])
def test_a_specification_that_is_no_json_object_is_corrupt(folder, content):
    folder.spec_file.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(CorruptResult) as corrupt:
        folder.read_spec()
    assert str(folder.spec_file) in str(corrupt.value)


@pytest.mark.parametrize(
    "alter",
    [
        lambda record: {key: value for key, value in record.items() if key != "seed"},
        lambda record: {key: value for key, value in record.items() if key != "sentence_ids"},
        lambda record: {**record, "surprise": 1},
        lambda record: {**record, "sentence_ids": None},
    ],
    ids=["a field gone", "no sentences", "a field more", "null sentences"],
)
def test_a_specification_with_wrong_fields_is_corrupt(folder, alter):
    folder.spec_file.write_text(json.dumps(alter(SPEC.to_json())))
    with pytest.raises(CorruptResult):
        folder.read_spec()


def test_a_specification_of_an_older_schema_is_still_read_under_its_old_name(folder, monkeypatch):
    """An upgrade must not make every finished run look altered."""
    folder.write_spec(SPEC)
    monkeypatch.setattr(store, "MIGRATIONS", {SCHEMA: lambda record: record})
    spec = folder.read_spec()
    assert (spec.attack, spec.sentence_ids) == (SPEC.attack, SPEC.sentence_ids)


# result


def test_a_result_comes_back(finished):
    assert finished.read_result() == result_of(finished)


def test_examples_altered_in_a_single_byte_are_found_out(finished):
    content = bytearray(finished.examples_file.read_bytes())
    content[len(content) // 2] ^= 1
    finished.examples_file.write_bytes(content)
    with pytest.raises(CorruptResult) as corrupt:
        finished.read_result()
    assert str(finished.examples_file) in str(corrupt.value)


def test_examples_written_anew_no_longer_belong_to_the_result(finished):
    finished.write_examples(EXAMPLES[:2], JUDGES)
    with pytest.raises(CorruptResult):
        finished.read_result()


def test_a_result_without_its_examples_is_corrupt(finished):
    finished.examples_file.unlink()
    with pytest.raises(CorruptResult):
        finished.read_result()


def test_a_result_with_another_hash_is_corrupt(finished):
    edit_json(finished.result_file, examples_sha256="0" * 64)
    with pytest.raises(CorruptResult):
        finished.read_result()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff"], ids=["empty", "torn", "list", "bytes"])
def test_a_result_that_is_no_json_object_is_corrupt(finished, content):
    finished.result_file.write_bytes(content)
    with pytest.raises(CorruptResult) as corrupt:
        finished.read_result()
    assert str(finished.result_file) in str(corrupt.value)


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud800"', "[" * 100_000], ids=["NaN", "1e999", "half", "deep"])
@pytest.mark.parametrize("name", ["result.json", "spec.json"])
def test_json_that_has_no_checksum_is_corrupt(finished, name, value):
    file = finished.path / name
    file.write_text(f'{{"x": {value}, {file.read_text().lstrip()[1:]}')
    with pytest.raises(CorruptResult) as corrupt:
        finished.read_result() if name == "result.json" else finished.read_spec()
    assert str(file) in str(corrupt.value)


def test_a_number_altered_in_the_result_is_found_out(finished):
    edit_json(finished.result_file, metrics={"attack_rate": {"value": 0.0}})
    with pytest.raises(CorruptResult):
        finished.read_result()


def test_a_result_of_another_run_with_its_examples_is_found_out(finished, tmp_path):
    other = folder_named(tmp_path / "results", "0123456789abcdef")
    other.write_examples(EXAMPLES, JUDGES)
    other.write_result(result_of(other))
    for name in ("examples.parquet", "result.json"):
        (finished.path / name).write_bytes((other.path / name).read_bytes())
    with pytest.raises(CorruptResult):
        finished.read_result()


def test_nan_never_reaches_a_result(finished):
    before = finished.result_file.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        finished.write_result(result_of(finished, metrics={"attack_rate": {"value": float("nan")}}))
    assert finished.result_file.read_bytes() == before


def test_equal_results_give_the_same_bytes(finished):
    before = finished.result_file.read_bytes()
    finished.write_result(dict(reversed(result_of(finished).items())))
    assert finished.result_file.read_bytes() == before


def test_files_differ_in_nothing_but_their_place(finished, tmp_path):
    other = folder_named(tmp_path / "elsewhere")
    other.write_spec(SPEC)
    other.write_examples(EXAMPLES, JUDGES)
    other.write_result(result_of(other))
    names = {path.name for path in finished.path.iterdir()}
    assert names == {"spec.json", "examples.parquet", "result.json"}
    assert all((finished.path / name).read_bytes() == (other.path / name).read_bytes() for name in names)


# migration


def test_a_record_of_today_stays_as_it_is():
    record = {"schema": SCHEMA, "a": 1}
    assert migrate(record) == record


def test_records_climb_the_steps_one_by_one_in_order():
    steps = {
        1: lambda record: {**record, "path": [*record["path"], "1>2"]},
        2: lambda record: {**record, "path": [*record["path"], "2>3"], "new": True},
    }
    assert migrate({"schema": 1, "path": []}, steps) == {"schema": 3, "path": ["1>2", "2>3"], "new": True}
    assert migrate({"schema": 2, "path": []}, steps) == {"schema": 3, "path": ["2>3"], "new": True}
    assert migrate({"schema": 3, "path": []}, steps) == {"schema": 3, "path": []}


def test_migration_leaves_the_record_given_as_it_was():
    record = {"schema": 1, "a": 1}
    migrate(record, {1: lambda old: {**old, "b": 2}})
    assert record == {"schema": 1, "a": 1}


@pytest.mark.parametrize("version", [SCHEMA + 1, 99, "1", None])
def test_a_newer_or_unknown_schema_is_refused(version):
    with pytest.raises(BadInput if isinstance(version, int) else CorruptResult):
        migrate({"schema": version})


def test_a_record_without_a_schema_is_refused():
    with pytest.raises(CorruptResult):
        migrate({"a": 1})


def test_a_schema_newer_than_the_last_step_is_refused():
    with pytest.raises(BadInput, match="up to 3"):
        migrate({"schema": 4}, {1: dict, 2: dict})


@pytest.mark.parametrize("version", [0, -1])
def test_a_schema_without_a_step_upwards_is_too_old(version):
    with pytest.raises(BadInput, match="too old"):
        migrate({"schema": version})


@pytest.mark.parametrize("read", ["read_spec", "read_result"])
def test_stored_files_of_a_newer_version_are_refused(finished, read):
    for path in (finished.spec_file, finished.result_file):
        edit_json(path, schema=SCHEMA + 1)
    with pytest.raises(BadInput, match="upgrade"):
        getattr(finished, read)()


# writing


@pytest.mark.parametrize("content", ["Zoë\n", b"\x00\xff"])
def test_a_file_is_written_as_a_whole(tmp_path, content):
    path = tmp_path / "file"
    write_atomically(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("function", ["replace", "fsync"])
@pytest.mark.parametrize("old", [b"old", None], ids=["an older file", "none before"])
def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, function, old):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "file"
    if old:
        path.write_bytes(old)
    monkeypatch.setattr(os, function, full)
    with pytest.raises(CannotSave) as failed:
        write_atomically(path, b"new")
    assert str(path) in str(failed.value)
    assert os.strerror(errno.ENOSPC) in str(failed.value)
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == ([("file", old)] if old else [])


def test_content_reaches_the_disk_before_it_takes_the_files_place(tmp_path, monkeypatch):
    steps = []
    sync, move = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (steps.append("sync"), sync(number)))
    monkeypatch.setattr(os, "replace", lambda old, new: (steps.append("move"), move(old, new)))
    write_atomically(tmp_path / "file", b"new")
    assert steps[:2] == ["sync", "move"]


def test_a_partial_file_of_a_killed_process_does_no_harm(tmp_path):
    (tmp_path / ".file.partial").write_bytes(b"half of someth")
    write_atomically(tmp_path / "file", b"new")
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("file", b"new")]


def test_a_folder_that_is_not_there_is_cannot_save(tmp_path):
    with pytest.raises(CannotSave):
        write_atomically(tmp_path / "nowhere" / "file", b"new")


# the results folder


def test_the_results_folder_is_made(tmp_path):
    results = open_results(tmp_path / "deep" / "results")
    assert (results / "runs").is_dir()
    assert list(results.iterdir()) == [results / "runs"]


def test_a_results_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(CannotSave, match="is a file"):
        open_results(tmp_path / "results")


def test_a_results_folder_under_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotSave):
        open_results(tmp_path / "file" / "results")


def test_runs_are_listed_by_name_once_their_specification_is_there(tmp_path):
    results = tmp_path / "results"
    for seed in range(4):
        spec = dataclasses.replace(SPEC, seed=seed)
        folder_named(results, spec.run_id).write_spec(spec)
    folder_named(results, "without-a-specification")
    names = [folder.run_id for folder in stored_runs(results)]
    assert names == sorted(dataclasses.replace(SPEC, seed=seed).run_id for seed in range(4))


def test_a_run_has_one_writer_at_a_time(folder):
    second = RunFolder(folder.path.parent.parent, folder.run_id)
    with folder.locked():
        with pytest.raises(Busy, match=folder.run_id), second.locked():
            pytest.fail("both hold the run")
        with folder_named(folder.path.parent.parent, "another-run").locked():
            pass
    with second.locked():
        pass


def test_an_error_lets_go_of_the_run(folder):
    with pytest.raises(CannotSave), folder.locked():
        raise CannotSave("full")
    with folder.locked():
        pass


def test_a_run_folder_that_cannot_be_made_is_cannot_save(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(CannotSave), RunFolder(tmp_path, "r").locked():
        pytest.fail("locked nothing")
