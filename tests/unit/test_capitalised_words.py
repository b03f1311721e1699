"""Words that English writes with a capital: the list and its recipe."""

from __future__ import annotations

import pytest

from benchmark.resources.capitalised_words import capitalised_words, usually_capitalised


@pytest.mark.parametrize("word", ["london", "LONDON", "London", "friday", "jackson", "german", "microsoft"])
def test_names_are_known_in_any_casing(word):
    assert usually_capitalised(word)


@pytest.mark.parametrize("word", ["may", "turkey", "mark", "bank", "will", "china2", "-", "", "victory", "I"])
def test_words_that_are_also_common_are_not_listed(word):
    assert not usually_capitalised(word)


def test_nine_capitals_in_ten_within_sentences_make_a_name():
    nine = ["we met Anna there"] * 9 + ["an anna lay there"]
    assert capitalised_words(nine, []) == ["anna"]
    assert capitalised_words([*nine, "an anna lay there"], []) == []
    assert capitalised_words(["we met Anna there"], []) == []  # once is chance


def test_the_beginning_of_a_sentence_and_words_in_capitals_say_nothing():
    assert (
        capitalised_words(['Victory came. Victory went. "Victory" - Victory', "the VICTORY and VICTORY"] * 5, []) == []
    )


def test_a_dictionary_speaks_where_the_texts_are_silent():
    lemmas = ["Lyon", "Turkey", "turkey", "run", "New_York", "Bank"]
    assert capitalised_words(["we went to the bank"], lemmas) == ["lyon"]
