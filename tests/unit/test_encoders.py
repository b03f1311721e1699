"""The sentence encoder behind similarity, on the real model."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from benchmark.errors import MissingResource
from benchmark.resources.encoders import DEFAULT_ENCODER, SentenceEncoder

TEXTS = [
    "Ana Ruiz flew from Madrid to Oslo .",
    "Ana Ruiz flew from Madird to Oslo .",
    "The bank raised its rates again .",
    "Zoë likes “quotes” & 😀 .",
    "no",
    "word " * 40,
]


@pytest.fixture(scope="module")
def encoder():
    return SentenceEncoder()


def test_identical_texts_have_similarity_1(encoder):
    assert encoder.similarities([(text, text) for text in TEXTS]) == pytest.approx(1.0, abs=1e-6)


def test_similarities_never_leave_their_range(encoder):
    """Rounding must not push a cosine over 1."""
    cosines = encoder.similarities([(text, text) for text in [*TEXTS, "", *(f"text {k}" for k in range(40))]])
    assert (np.abs(cosines) <= 1.0).all()


def test_similarity_is_symmetric(encoder):
    pairs = [(a, b) for a in TEXTS for b in TEXTS]
    there, back = encoder.similarities(pairs), encoder.similarities([(b, a) for a, b in pairs])
    assert there == pytest.approx(back, abs=1e-12)


def test_a_misspelling_stays_near_and_another_text_does_not(encoder):
    near, far = encoder.similarities([(TEXTS[0], TEXTS[1]), (TEXTS[0], TEXTS[2])])
    assert near > 0.8
    assert far < 0.5


def test_a_pair_does_not_depend_on_the_other_pairs(encoder):
    pair = (TEXTS[0], TEXTS[1])
    (alone,) = encoder.similarities([pair])
    others = [(f"{'long ' * (k % 12)} text number {k}", TEXTS[k % len(TEXTS)]) for k in range(45)]
    for among in ([pair, *others], [*others, pair]):
        assert encoder.similarities(among)[among.index(pair)] == pytest.approx(alone, abs=1e-5)


def test_pairs_keep_their_order_and_repeats_are_equal(encoder):
    pairs = [(TEXTS[0], TEXTS[2]), (TEXTS[0], TEXTS[0]), (TEXTS[0], TEXTS[2])]
    first, same, again = encoder.similarities(pairs)
    assert first == again
    assert same > first


def test_the_same_call_gives_the_same_numbers_twice(encoder):
    pairs = list(pairwise(TEXTS))
    assert (encoder.similarities(pairs) == encoder.similarities(pairs)).all()


def test_no_pairs_give_no_similarities(encoder):
    assert encoder.similarities([]).shape == (0,)


def test_the_identity_names_model_and_versions(encoder):
    assert encoder.identity.startswith(DEFAULT_ENCODER)
    assert "sentence-transformers" in encoder.identity


@pytest.mark.parametrize("name", ["nobody/no-such-encoder", "/no/such/folder"])
def test_an_unknown_model_is_told_in_one_line(name):
    with pytest.raises(MissingResource) as missing:
        SentenceEncoder(name).similarities([("a", "b")])
    message = str(missing.value)
    assert name in message
    assert message.splitlines() == [message]


def test_a_folder_without_a_model_is_told_in_one_line(tmp_path):
    with pytest.raises(MissingResource) as missing:
        SentenceEncoder(str(tmp_path)).similarities([("a", "b")])
    assert len(str(missing.value).splitlines()) == 1
