"""The sentence encoder behind similarity, on the real model."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from benchmark.engine import Engine, Job
from benchmark.errors import MissingResource
from benchmark.resources.encoders import DEFAULT_ENCODER, SentenceEncoder, _compiled, load_encoder

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
    assert encoder.cosines([(text, text) for text in TEXTS]) == pytest.approx([1.0] * len(TEXTS), abs=1e-6)


def test_similarities_never_leave_their_range(encoder):
    """Rounding must not push a cosine over 1."""
    cosines = encoder.cosines([(text, text) for text in [*TEXTS, "", *(f"text {k}" for k in range(40))]])
    assert (np.abs(cosines) <= 1.0).all()


def test_similarity_is_symmetric(encoder):
    pairs = [(a, b) for a in TEXTS for b in TEXTS]
    there, back = encoder.cosines(pairs), encoder.cosines([(b, a) for a, b in pairs])
    assert there == pytest.approx(back, abs=1e-12)


def test_a_misspelling_stays_near_and_another_text_does_not(encoder):
    near, far = encoder.cosines([(TEXTS[0], TEXTS[1]), (TEXTS[0], TEXTS[2])])
    assert near > 0.8
    assert far < 0.5


def test_a_pair_does_not_depend_on_the_other_pairs(encoder):
    """To the last bit."""
    pair = (TEXTS[0], TEXTS[1])
    (alone,) = encoder.cosines([pair])
    others = [(f"{'long ' * (k % 12)} text number {k}", TEXTS[k % len(TEXTS)]) for k in range(45)]
    for among in ([pair, *others], [*others, pair]):
        assert encoder.cosines(among)[among.index(pair)] == alone


def test_a_vector_depends_on_its_text_alone(encoder):
    """To the last bit; more texts than rows in a forward, of many lengths."""
    texts = [*TEXTS, "", *(f"{'boats ' * (k % 5)}number {k}" for k in range(12))]
    together = encoder.answer(texts)
    for text, vector in list(zip(texts, together, strict=True))[::3]:
        assert (encoder.answer([text])[0] == vector).all()
    for one, other in zip(encoder.answer(texts[::-1])[::-1], together, strict=True):
        assert (one == other).all()


def test_a_vector_that_is_remembered_keeps_no_batch(encoder):
    assert all(vector.base is None for vector in encoder.answer(TEXTS))


def test_vectors_are_of_unit_length_and_those_of_sentence_transformers(encoder):
    texts = [*TEXTS, "", "word " * 400]
    plain = load_encoder(DEFAULT_ENCODER, "cpu").encode(texts, normalize_embeddings=True)
    vectors = np.stack(encoder.answer(texts))
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.abs(vectors - plain).max() < 1e-5


def test_the_identity_says_what_computes_it(encoder):
    assert encoder.identity.endswith(_compiled(DEFAULT_ENCODER, "cpu").backend)


def test_words_beyond_what_the_model_reads_change_nothing(encoder):
    one, other = encoder.answer(["word " * 400, "word " * 400 + "bank"])
    assert (one == other).all()


def test_attacks_get_the_same_similarities_through_the_engine(encoder):
    async def attack(text, others):
        return await encoder.similarities(text, others)

    jobs = [Job(str(k), lambda k=k: attack(TEXTS[k], TEXTS)) for k in range(3)]
    engine = Engine()
    done = {one.name: one.result for one in engine.run(jobs)}
    for k in range(3):
        assert done[str(k)] == encoder.cosines([(TEXTS[k], other) for other in TEXTS])
        assert done[str(k)][k] == pytest.approx(1, abs=1e-6)
    assert engine.forwarded[encoder.identity] == len(TEXTS)  # every text once


def test_a_text_without_others_has_no_similarities(encoder):
    (done,) = Engine().run([Job("one", lambda: encoder.similarities(TEXTS[0], []))])
    assert done.result == []


def test_averaged_word_vectors_are_an_encoder_too(tmp_path):
    """They have no tokenizer that pads."""
    (tmp_path / "v.txt").write_text("3 2\nred 1 0\nblue 0 1\ngreen 1 1\n")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, WordEmbeddings

    words = WordEmbeddings.from_text_file(str(tmp_path / "v.txt"))
    SentenceTransformer(modules=[words, Pooling(2)]).save(str(tmp_path / "average"))
    encoder = SentenceEncoder(str(tmp_path / "average"))
    assert encoder.cosines([("red", "blue"), ("red", "red")]) == pytest.approx([0, 1], abs=1e-6)
    assert encoder.cosines([("red blue", "green")]) == pytest.approx([1], abs=1e-6)


def test_pairs_keep_their_order_and_repeats_are_equal(encoder):
    pairs = [(TEXTS[0], TEXTS[2]), (TEXTS[0], TEXTS[0]), (TEXTS[0], TEXTS[2])]
    first, same, again = encoder.cosines(pairs)
    assert first == again
    assert same > first


def test_the_same_call_gives_the_same_numbers_twice(encoder):
    pairs = list(pairwise(TEXTS))
    assert encoder.cosines(pairs) == encoder.cosines(pairs)


def test_no_pairs_give_no_similarities(encoder):
    assert encoder.cosines([]) == []
    assert encoder.answer([]) == []


def test_the_identity_names_model_and_versions(encoder):
    assert encoder.identity.startswith(DEFAULT_ENCODER)
    assert "sentence-transformers" in encoder.identity


@pytest.mark.parametrize("name", ["nobody/no-such-encoder", "/no/such/folder"])
def test_an_unknown_model_is_told_in_one_line(name):
    with pytest.raises(MissingResource) as missing:
        SentenceEncoder(name)
    message = str(missing.value)
    assert name in message
    assert message.splitlines() == [message]


def test_a_folder_without_a_model_is_told_in_one_line(tmp_path):
    with pytest.raises(MissingResource) as missing:
        SentenceEncoder(str(tmp_path))
    assert len(str(missing.value).splitlines()) == 1
