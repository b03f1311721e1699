"""JSONL with character spans: what is read, and what is refused with file and line."""

from __future__ import annotations

import json

import pytest

from benchmark.datasets.jsonl import read_jsonl
from benchmark.errors import BadInput


@pytest.fixture
def jsonl(tmp_path):
    """Write records (or raw lines) and return the path."""

    def write(*records, name="test.jsonl"):
        lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


def record(text: str, *mentions: tuple[str, str], **more):
    """A record whose spans are found by their surface."""
    spans = [{"start": text.index(m), "end": text.index(m) + len(m), "label": label} for m, label in mentions]
    return {"text": text, "spans": spans, **more}


def test_character_spans_become_iob2_tags(jsonl):
    path = jsonl(record("Ana Ruiz left Tallinn Water.", ("Ana Ruiz", "PER"), ("Tallinn Water", "ORG")))
    (only,) = read_jsonl(path, "test")
    assert only.tokens == ("Ana", "Ruiz", "left", "Tallinn", "Water", ".")
    assert only.tags == ("B-PER", "I-PER", "O", "B-ORG", "I-ORG", "O")
    assert only.id == "test-0"


def test_inner_marks_stay_whole_and_others_stand_alone(jsonl):
    (only,) = read_jsonl(jsonl(record('"O\'Neil-Ray," she said: 1,200!')), "test")
    assert only.tokens == ('"', "O'Neil-Ray", ",", '"', "she", "said", ":", "1,200", "!")


def test_offsets_count_characters_not_bytes(jsonl):
    (only,) = read_jsonl(jsonl(record("😀 Zoë mag São Paulo", ("São Paulo", "LOC"), ("Zoë", "PER"))), "test")
    assert only.tokens == ("😀", "Zoë", "mag", "São", "Paulo")
    assert only.tags == ("O", "B-PER", "O", "B-LOC", "I-LOC")


def test_combining_marks_stay_with_their_letter(jsonl):
    decomposed = "Jose\u0301 left"
    (only,) = read_jsonl(jsonl(record(decomposed, ("Jose\u0301", "PER"))), "test")
    assert only.tokens == ("Jose\u0301", "left")


def test_own_id_document_and_missing_spans(jsonl):
    path = jsonl({"text": "Hello", "id": 7, "document": 3}, "", {"text": "Bye"})
    first, second = read_jsonl(path, "test")
    assert (first.id, first.document, first.tags) == ("7", "3", ("O",))
    assert (second.id, second.document) == ("test-1", None)


def test_byte_order_mark_is_no_part_of_the_first_record(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text(json.dumps({"text": "Hello"}), encoding="utf-8-sig")
    assert read_jsonl(path, "test")[0].tokens == ("Hello",)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ('{"text": "Ana"', "line 2: .*delimiter"),
        ("[1]", "line 2: "),
        ('"Ana"', "line 2: "),
        ('{"spans": []}', "line 2: 'text' is missing; wanted: text, spans with start, end, label"),
        ('{"text": 5}', "line 2: "),
        ('{"text": ""}', "line 2: no tokens"),
        ('{"text": " \\t"}', "line 2: no tokens"),
        ('{"text": "Ana", "spans": [{"start": 0, "end": 3}]}', "line 2: 'label' is missing"),
        ('{"text": "Ana", "spans": [{"end": 3, "label": "PER"}]}', "line 2: 'start' is missing"),
        ('{"text": "Ana", "spans": {"start": 0}}', "line 2: "),
        ('{"text": "Ana", "spans": [{"start": 0, "end": 2, "label": "PER"}]}', "line 2: span 0-2 .'An'.*token borders"),
        ('{"text": "Ana", "spans": [{"start": 1, "end": 3, "label": "PER"}]}', "line 2: span 1-3 .'na'.*token borders"),
        ('{"text": "Ana", "spans": [{"start": 0, "end": 9, "label": "PER"}]}', "line 2: span 0-9"),
        ('{"text": "Ana", "spans": [{"start": -3, "end": 3, "label": "PER"}]}', "line 2: span -3-3"),
        ('{"text": "Ana", "spans": [{"start": 0, "end": 0, "label": "PER"}]}', "line 2: span 0-0"),
        ('{"text": "Ana Bo", "spans": [{"start": 4, "end": 3, "label": "PER"}]}', "line 2: span"),
        (
            '{"text": "A Bo", "spans": [{"start": 0, "end": 4, "label": "PER"}, {"start": 2, "end": 4, "label": "X"}]}',
            "line 2: span .*overlaps",
        ),
    ],
)
def test_bad_record_is_refused_with_its_line(jsonl, bad, told):
    with pytest.raises(BadInput, match=rf"test\.jsonl, {told}"):
        read_jsonl(jsonl({"text": "Fine ."}, bad), "test")


@pytest.mark.parametrize("label", ["", None])
def test_span_without_a_type_is_refused(jsonl, label):
    bad = {"text": "Ana", "spans": [{"start": 0, "end": 3, "label": label}]}
    with pytest.raises(BadInput, match="line 1"):
        read_jsonl(jsonl(bad), "test")


def test_half_a_character_is_refused_before_a_victim_stumbles_over_it(jsonl):
    with pytest.raises(BadInput, match="line 1"):
        read_jsonl(jsonl('{"text": "Ana \\ud83d left"}'), "test")


def test_same_id_twice_is_refused_because_ids_name_sentences(jsonl):
    with pytest.raises(BadInput, match=r"line 2: .*a"):
        read_jsonl(jsonl({"text": "Hello", "id": "a"}, {"text": "Bye", "id": "a"}), "test")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"no such file: .*nothing\.jsonl"):
        read_jsonl(tmp_path / "nothing.jsonl", "test")


def test_empty_file(jsonl):
    with pytest.raises(BadInput, match=r"test\.jsonl holds no sentences"):
        read_jsonl(jsonl("", " "), "test")


def test_not_utf8(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_bytes('{"text": "Zoë"}'.encode("latin-1"))
    with pytest.raises(BadInput, match=r"test\.jsonl cannot be read: .*utf-8"):
        read_jsonl(path, "test")
