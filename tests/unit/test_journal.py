"""The journal keeps what is finished through every kind of interruption, and nothing else."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.errors import CannotSave, CorruptResult
from benchmark.journal import Journal, outcome_from_json, outcome_to_json
from benchmark.spec import canonical_json
from benchmark.types import Edit, Operation, Outcome, Status

FULL = Outcome(
    sentence_id="test/1 – “Zoë”",
    document="doc 東京",
    length=4,
    status=Status.SUCCESS,
    reason="line one\nline two\ttab \u2028 separator \x00 nul",
    gold=("B-PER", "I-PER", "O", "O"),
    clean=("B-PER", "I-PER", "O", "B-LOC"),
    unseen=(True,),
    edits=(
        Edit(Operation.INSERT, 0, ("naïve",), 0),
        Edit(Operation.REPLACE, 1, ("Ру́из",)),
        Edit(Operation.DELETE, 2),
        Edit(Operation.MERGE, 2, ("😀",), 2),
    ),
    adversarial_gold=("O", "B-PER", "I-PER", "O"),
    adversarial_prediction=("O", "O", "O", "B-LOC"),
    score=0.333333,
    search_queries=17,
    constraint_queries=3,
    gradient_queries=2,
    queries_to_success=12,
    forwards=15,
    trajectory=((1, 0.1), (12, 0.75)),
    rejected={"touch": 4, "invalid – text": 1},
    attributions=(0.5, -0.25, 0.0, 1e-6),
    chosen=(0, 3),
)
PARAPHRASE = Outcome(
    sentence_id="p",
    document=None,
    length=3,
    status=Status.SUCCESS,
    gold=("B-PER", "O", "O"),
    clean=("B-PER", "O", "O"),
    edits=(Edit(Operation.PARAPHRASE, 0, ("", "soudain", "", "Ö"), 3, ((2,), (), (0,), (1, 2))),),
    adversarial_gold=("O", "O", "B-PER", "O"),
    adversarial_prediction=("O", "O", "O", "O"),
    queries_to_success=1,
)
PLAIN = Outcome("s", None, 1, Status.FAILED, ("O",), ("O",))
ERROR = Outcome("e", None, 1, Status.ERROR, ("O",), ("O",), reason="Traceback\n  boom", unseen=())
ALL = [FULL, PARAPHRASE, PLAIN, ERROR]


def numbered(k, reason=None):
    return Outcome(f"s{k}", None, 1, Status.FAILED, ("O",), ("O",), reason=reason)


def write(path, outcomes):
    with Journal(path) as journal:
        for outcome in outcomes:
            journal.append(outcome)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def test_the_example_outcome_uses_every_field():
    defaults = Outcome("", None, 0, Status.FAILED, (), ())
    assert all(getattr(FULL, name) != getattr(defaults, name) for name in Outcome.__dataclass_fields__)


@pytest.mark.parametrize("outcome", ALL, ids=lambda outcome: outcome.sentence_id)
def test_an_outcome_comes_back_as_it_was(path, outcome):
    write(path, [outcome])
    assert Journal.read(path) == {outcome.sentence_id: outcome}
    with Journal(path) as journal:
        assert journal.finished == {outcome.sentence_id: outcome}


def test_many_outcomes_keep_their_order_one_line_each(path):
    content = write(path, ALL)
    assert content.count(b"\n") == len(ALL)
    assert list(Journal.read(path).values()) == ALL


WORDS = st.text(min_size=1, max_size=8)
TAGS = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-Größe"]), min_size=1, max_size=5).map(tuple)
COUNTS = st.integers(0, 10_000)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
EDITS = st.builds(
    Edit,
    st.sampled_from(Operation),
    COUNTS,
    st.lists(st.text(max_size=8), max_size=4).map(tuple),
    st.integers(0, 9),
    st.lists(st.lists(COUNTS, max_size=3).map(tuple), max_size=4).map(tuple),
)
OUTCOMES = st.builds(
    Outcome,
    sentence_id=WORDS,
    document=st.none() | WORDS,
    length=COUNTS,
    status=st.sampled_from(Status),
    gold=TAGS,
    clean=TAGS,
    reason=st.none() | st.text(max_size=30),
    unseen=st.none() | st.lists(st.booleans(), max_size=4).map(tuple),
    edits=st.lists(EDITS, max_size=3).map(tuple),
    adversarial_gold=TAGS,
    adversarial_prediction=TAGS,
    score=NUMBERS,
    search_queries=COUNTS,
    constraint_queries=COUNTS,
    gradient_queries=COUNTS,
    queries_to_success=st.none() | COUNTS,
    forwards=COUNTS,
    trajectory=st.lists(st.tuples(COUNTS, NUMBERS), max_size=4).map(tuple),
    rejected=st.dictionaries(WORDS, COUNTS, max_size=4),
    attributions=st.none() | st.lists(NUMBERS, max_size=4).map(tuple),
    chosen=st.lists(COUNTS, max_size=3).map(tuple),
)


@given(OUTCOMES)
def test_any_outcome_survives_json(outcome):
    text = canonical_json(outcome_to_json(outcome))
    assert "\n" not in text
    assert outcome_from_json(json.loads(text)) == outcome


def test_a_journal_that_is_not_there_is_empty_and_reading_makes_none(path):
    assert Journal.read(path) == {}
    assert not path.exists()


def test_each_line_is_in_the_file_when_append_returns(path):
    with Journal(path) as journal:
        for k in range(3):
            journal.append(numbered(k))
            assert list(Journal.read(path)) == [f"s{j}" for j in range(k + 1)]


def test_append_syncs_to_disk_before_it_returns(path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number).st_size))
    with Journal(path) as journal:
        journal.append(PLAIN)
        assert synced == [path.stat().st_size]


def test_a_torn_last_line_is_dropped_wherever_it_was_cut(path):
    whole = write(path, [FULL, PARAPHRASE])
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole)):
        path.write_bytes(whole[:cut])
        assert list(Journal.read(path)) == [FULL.sentence_id], cut


def test_a_torn_only_line_leaves_nothing(path):
    whole = write(path, [FULL])
    path.write_bytes(whole[:-1])
    assert Journal.read(path) == {}


def test_reading_leaves_a_torn_line_where_it_is(path):
    torn = write(path, [FULL, PLAIN])[:-7]
    path.write_bytes(torn)
    Journal.read(path)
    assert path.read_bytes() == torn


def test_appending_after_a_torn_line_goes_on_as_if_it_had_never_been(path, tmp_path):
    whole = write(tmp_path / "other", ALL)
    path.write_bytes(write(path, [FULL, PARAPHRASE])[:-10])
    with Journal(path) as journal:
        assert list(journal.finished) == [FULL.sentence_id]
        for outcome in (PARAPHRASE, PLAIN, ERROR):
            journal.append(outcome)
    assert path.read_bytes() == whole
    assert list(Journal.read(path).values()) == ALL


def test_a_last_line_of_garbage_is_dropped_as_a_whole(path):
    """Blocks of a file can reach the disk out of order: the line's end is there, its middle is not."""
    whole = write(path, [FULL, PLAIN])
    path.write_bytes(whole[:-20] + b"\x00" * 19 + b"\n")
    assert list(Journal.read(path)) == [FULL.sentence_id]
    write(path, [PLAIN])
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", [1, 2, 3])
@pytest.mark.parametrize("damage", ["one byte", "cut short", "emptied", "checksum"])
def test_a_damaged_line_in_the_middle_is_named(path, line, damage):
    lines = write(path, [numbered(k) for k in range(4)]).split(b"\n")
    lines[line - 1] = {
        "one byte": lines[line - 1].replace(b"failed", b"fbiled"),
        "cut short": lines[line - 1][:-5],
        "emptied": b"",
        "checksum": b"0" * 16 + lines[line - 1][16:],
    }[damage]
    path.write_bytes(b"\n".join(lines))
    for opening in (Journal.read, lambda where: Journal(where).__enter__()):
        with pytest.raises(CorruptResult) as corrupt:
            opening(path)
        assert f"line {line} " in str(corrupt.value)
        assert str(path) in str(corrupt.value)
    assert path.read_bytes() == b"\n".join(lines)


def test_a_damaged_line_before_a_torn_one_is_still_an_error(path):
    lines = write(path, [numbered(k) for k in range(3)]).split(b"\n")
    lines[1] = lines[1][:-5]
    path.write_bytes(b"\n".join([lines[0], lines[1], lines[2][:-4]]))
    with pytest.raises(CorruptResult, match="line 2 "):
        Journal.read(path)


def test_removing_the_damaged_line_as_told_costs_that_sentence_only(path):
    lines = write(path, [numbered(k) for k in range(3)]).split(b"\n")
    path.write_bytes(b"\n".join([lines[0], *lines[2:]]))
    assert list(Journal.read(path)) == ["s0", "s2"]


def test_going_on_keeps_the_lines_that_are_there(path):
    one = write(path, [numbered(0)])
    assert write(path, [numbered(1)]).startswith(one)
    assert list(Journal.read(path)) == ["s0", "s1"]


def test_the_last_line_of_a_sentence_counts(path):
    write(path, [numbered(0, "first"), numbered(0, "second")])
    assert Journal.read(path)["s0"].reason == "second"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_cannot_save():
    with pytest.raises(CannotSave) as full, Journal(Path("/dev/full")) as journal:
        journal.append(PLAIN)
    assert "/dev/full" in str(full.value)
    assert os.strerror(errno.ENOSPC) in str(full.value)
    assert len(str(full.value).splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_sentence_that_could_not_be_written_is_not_finished():
    journal = Journal(Path("/dev/full")).__enter__()
    with pytest.raises(CannotSave):
        journal.append(PLAIN)
    assert journal.finished == {}
    journal._file.close()


def test_what_was_stored_before_the_disk_filled_stays(path, monkeypatch):
    def full(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Journal(path) as journal:
        journal.append(numbered(0))
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(CannotSave, match="1 sentences are safe"):
            journal.append(numbered(1))
        assert list(journal.finished) == ["s0"]
    assert Journal.read(path)["s0"] == numbered(0)


def test_a_folder_that_is_not_there_is_cannot_save(tmp_path):
    with pytest.raises(CannotSave) as missing:
        Journal(tmp_path / "nowhere" / "journal.jsonl").__enter__()
    assert "nowhere" in str(missing.value)
