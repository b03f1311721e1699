"""Local CoNLL files: what is read, and what is refused with file and line."""

from __future__ import annotations

import pytest

from benchmark.datasets.conll import read_conll
from benchmark.errors import BadInput


@pytest.fixture
def conll(tmp_path):
    """Write a file and return its path."""

    def write(content: str | bytes, name: str = "test.conll"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


def test_first_column_is_the_token_and_last_the_tag_with_two_columns(conll):
    (only,) = read_conll(conll("Ana B-PER\nRuiz I-PER\nleft O\n"), "test")
    assert only.tokens == ("Ana", "Ruiz", "left")
    assert only.tags == ("B-PER", "I-PER", "O")
    assert only.id == "test-0"


def test_middle_columns_are_ignored(conll):
    (only,) = read_conll(conll("Ana NNP B-NP B-PER\nleft VBD B-VP O\n"), "dev")
    assert only.tokens == ("Ana", "left")
    assert only.tags == ("B-PER", "O")


def test_tabs_runs_of_spaces_crlf_and_a_byte_order_mark_part_columns(conll):
    content = "\ufeffAna\tB-PER\r\nleft   O\r\n\r\n\r\nOslo\t \tB-LOC".encode()
    first, second = read_conll(conll(content), "test")
    assert first.tokens == ("Ana", "left")
    assert second.tokens == ("Oslo",)
    assert [first.id, second.id] == ["test-0", "test-1"]


def test_docstart_lines_are_dropped_and_their_borders_kept(conll):
    text = "-DOCSTART- -X- O O\n\nAna N X B-PER\n\nleft V X O\n\n-DOCSTART- -X- O O\n\nOslo N X B-LOC\n"
    sentences = read_conll(conll(text), "test")
    assert [s.tokens for s in sentences] == [("Ana",), ("left",), ("Oslo",)]
    assert sentences[0].document == sentences[1].document != sentences[2].document
    assert None not in {s.document for s in sentences}


def test_docstart_without_an_empty_line_after_it(conll):
    first, second = read_conll(conll("-DOCSTART- O\nAna B-PER\n\n-DOCSTART- O\nOslo B-LOC\n"), "test")
    assert (first.tokens, second.tokens) == (("Ana",), ("Oslo",))
    assert first.document != second.document


def test_docstart_alone_on_its_line(conll):
    first, second = read_conll(conll("-DOCSTART-\n\nAna B-PER\n\n-DOCSTART-\n\nOslo B-LOC\n"), "test")
    assert first.document != second.document


def test_docstart_is_never_a_token_even_without_an_empty_line_before_it(conll):
    sentences = read_conll(conll("Ana B-PER\n-DOCSTART- O\nOslo B-LOC\n"), "test")
    assert all("-DOCSTART-" not in s.tokens for s in sentences)


def test_without_docstart_no_document_is_named(conll):
    assert read_conll(conll("Ana B-PER\n"), "test")[0].document is None


def test_exotic_characters_stay_within_their_token(conll):
    tokens = ("a\u0085b", "\u200b", "a\u00a0b", "\u2028x", "😀", "\u05e9\u05dc\u05d5\u05dd", "nul\x00")
    (only,) = read_conll(conll("".join(f"{token} O\n" for token in tokens)), "test")
    assert only.tokens == tokens


def test_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"no such file: .*nothing\.conll"):
        read_conll(tmp_path / "nothing.conll", "test")


def test_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        read_conll(tmp_path, "test")


@pytest.mark.parametrize("content", ["", "\n\n", " \t\r\n", "-DOCSTART- O\n\n-DOCSTART- O\n"])
def test_file_without_sentences(conll, content):
    with pytest.raises(BadInput, match=r"test\.conll holds no sentences"):
        read_conll(conll(content), "test")


def test_ragged_columns_name_the_line(conll):
    with pytest.raises(BadInput, match=r"test\.conll, line 4: 3 columns, but 2 before"):
        read_conll(conll("Ana B-PER\nleft O\n\nOslo NNP B-LOC\n"), "test")


def test_one_column_names_the_line(conll):
    with pytest.raises(BadInput, match=r"test\.conll, line 2: one column only"):
        read_conll(conll("Ana B-PER\nleft\n"), "test")


def test_not_utf8_names_the_byte_and_a_way_out(conll):
    with pytest.raises(BadInput, match=r"test\.conll is not UTF-8 \(byte 3\).*iconv"):
        read_conll(conll("Zoë B-PER\n".encode("latin-1").replace(b"Zo", b"Zoo")), "test")


@pytest.mark.parametrize("text", ["I-PER", "O\nx I-PER", "B-LOC\nx I-PER"])
def test_dangling_inside_tag_is_refused_with_its_line_and_never_repaired(conll, text):
    with pytest.raises(BadInput, match=r"test\.conll, sentence at line 3: .*dangling I-.*--scheme IOB1"):
        read_conll(conll(f"Oslo B-LOC\n\nx {text}\n"), "test")


def test_malformed_tag_is_refused(conll):
    with pytest.raises(BadInput, match=r"'PER' at token 1 is neither O nor PREFIX-TYPE"):
        read_conll(conll("a O\nAna PER\n"), "test")


def test_unknown_scheme_lists_the_known_ones(conll):
    with pytest.raises(BadInput, match="unknown tag scheme 'IOB3'; known: IOB1, IOB2, BIOES, BILOU"):
        read_conll(conll("Ana B-PER\n"), "test", "IOB3")


def test_iob1_file(conll):
    text = "Ana I-PER\nRuiz I-PER\nBo B-PER\nof O\nOslo I-LOC\nShell I-ORG\n"
    (only,) = read_conll(conll(text), "test", "IOB1")
    assert only.tags == ("B-PER", "I-PER", "B-PER", "O", "B-LOC", "B-ORG")


@pytest.mark.parametrize(("scheme", "end", "single"), [("BIOES", "E", "S"), ("BILOU", "L", "U")])
def test_files_with_closing_marks(conll, scheme, end, single):
    text = f"New B-LOC\nYork I-LOC\nCity {end}-LOC\nand O\nAna {single}-PER\nBo {single}-PER\n"
    (only,) = read_conll(conll(text), "test", scheme)
    assert only.tags == ("B-LOC", "I-LOC", "I-LOC", "O", "B-PER", "B-PER")


@pytest.mark.parametrize("tags", [("B-LOC", "O"), ("E-LOC",), ("B-LOC", "E-PER"), ("B-LOC",), ("U-LOC",)])
def test_wrong_order_in_bioes_is_refused(conll, tags):
    with pytest.raises(BadInput, match="BIOES"):
        read_conll(conll("".join(f"x {tag}\n" for tag in tags)), "test", "BIOES")


def test_bioes_file_read_as_iob2_tells_to_name_the_scheme(conll):
    with pytest.raises(BadInput, match=r"S-PER at token 0 is not IOB2; .*--scheme BIOES"):
        read_conll(conll("Ana S-PER\n"), "test")
