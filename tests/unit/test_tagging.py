"""Parts of speech, on the real pipeline."""

from __future__ import annotations

import pytest
from attacking_frame import driven

from benchmark.errors import MissingResource
from benchmark.resources.tagging import DEFAULT_TAGGER, TaggedWord, Tagger

pytest.importorskip("spacy")
TEXT = (
    "The",
    "bank",
    "in",
    "Oslo",
    "quickly",
    "sold",
    "twelve",
    "old",
    "boats",
    "before",
    "the",
    "storm",
    "reached",
    "its",
    "harbour",
    ".",
)


@pytest.fixture(scope="module")
def tagger():
    return Tagger()


def test_words_get_their_universal_and_penn_tags(tagger):
    tags = driven(tagger.tag(TEXT))
    assert tags[1] == TaggedWord("NOUN", "NN")
    assert tags[3] == TaggedWord("PROPN", "NNP")
    assert tags[4] == TaggedWord("ADV", "RB")
    assert tags[5] == TaggedWord("VERB", "VBD")
    assert tags[8].penn == "NNS"


@pytest.mark.parametrize(
    "tokens", [("do", "n't"), ("don't", "U.S.", "well-known", "$3.50", "(e.g.,"), ("a b", "\u200b"), ("x",) * 300]
)
def test_tokens_are_tagged_as_they_are_and_never_cut_anew(tagger, tokens):
    tags = driven(tagger.tag(tokens))
    assert len(tags) == len(tokens)
    assert all(tag.universal and tag.penn for tag in tags)


def test_an_empty_text_has_no_tags(tagger):
    assert driven(tagger.tag(())) == ()


def test_answers_do_not_depend_on_the_other_questions(tagger):
    asked = [TEXT[:k] for k in range(1, len(TEXT) + 1)]
    together = tagger.answer(asked)
    assert [tagger.answer([tokens])[0] for tokens in asked] == together
    assert tagger.answer(asked[::-1]) == together[::-1]


def test_a_word_is_read_in_a_window_of_four_words_left_and_three_right(tagger, monkeypatch):
    asked = []
    monkeypatch.setattr(tagger, "answer", lambda questions: asked.extend(questions) or real(questions))
    real = type(tagger).answer.__get__(tagger)
    found = driven(tagger.tag_word([TEXT] * 5, [0, 2, 6, len(TEXT) - 2, len(TEXT) - 1]))
    assert asked == [TEXT[:4], TEXT[:6], TEXT[2:10], TEXT[-6:], TEXT[-5:]]
    assert [tag.penn for tag in found] == ["DT", "IN", "CD", "NN", "."]


def test_a_tag_does_not_depend_on_words_far_away(tagger):
    near = ("the", "old", "bank", "quickly", "sold", "boats", "to", "it")
    texts = [(*left, *near, *right) for left in ((), ("Yesterday", ","), ("run",) * 9) for right in ((), ("!",) * 9)]
    found = driven(tagger.tag_word(texts, [len(text) - len(near) + 4 - 9 * (text[-1] == "!") for text in texts]))
    assert len(set(found)) == 1
    assert found[0].universal == "VERB"


def test_one_word_and_no_words(tagger):
    assert len(driven(tagger.tag_word([("Oslo",)], [0]))) == 1
    assert driven(tagger.tag_word([], [])) == []


def test_the_identity_names_pipeline_and_versions(tagger):
    assert tagger.identity.startswith(f"{DEFAULT_TAGGER} 3.")
    assert ", spaCy 3." in tagger.identity


@pytest.mark.parametrize("name", ["xx_no_such_pipeline", "/no/such/folder"])
def test_a_missing_pipeline_is_told_with_a_way_out(name):
    with pytest.raises(MissingResource, match=r"pip install") as told:
        Tagger(name)
    assert name in str(told.value)
    assert "\n" not in str(told.value)
