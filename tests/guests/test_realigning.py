"""Gold labels follow a guest's edits, or the text is turned away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stubs import sentence

from attacks.guests.realigning import Unalignable, realign, words_of
from benchmark.alignment import apply_edits, edit_script
from benchmark.errors import BadInput

TEXT = sentence("the mayor met Ana Maria Ruiz near Chad twice", "O O O B-PER I-PER I-PER O B-LOC O")


def realigned(text, original=TEXT):
    return realign(original, words_of(text))


@pytest.mark.parametrize(
    ("text", "tags", "sources"),
    [
        ("so the mayor met Ana Maria Ruiz near Chad twice", "O O O O B-PER I-PER I-PER O B-LOC O", ".012345678"),
        ("the mayor met Ana Maria Ruiz very near Chad twice", "O O O B-PER I-PER I-PER O O B-LOC O", "012345.678"),
        ("the mayor met Ana Maria Ruiz near Chad twice today", "O O O B-PER I-PER I-PER O B-LOC O O", "012345678."),
        ("mayor met Ana Maria Ruiz near Chad twice", "O O B-PER I-PER I-PER O B-LOC O", "12345678"),
        ("the mayor met Ana Maria Ruiz near Chad", "O O O B-PER I-PER I-PER O B-LOC", "01234567"),
        ("the mayor met Maria Ruiz near Chad twice", "O O O B-PER I-PER O B-LOC O", "01245678"),
        ("the mayor met Ana Ruiz near Chad twice", "O O O B-PER I-PER O B-LOC O", "01235678"),
        ("the mayor  met  Ana Maria Ruiz near Chad twice ", "O O O B-PER I-PER I-PER O B-LOC O", "012345678"),
        ("the mayer met Ann Maria Ruiz near Chat twice", "O O O B-PER I-PER I-PER O B-LOC O", "012345678"),
        # Shifted: the same number of words, but an alignment with fewer edits than one a position.
        ("mayor met Ana Maria Ruiz near Chad twice today", "O O B-PER I-PER I-PER O B-LOC O O", "12345678."),
        # Context in unequal runs: matched from the left.
        ("the big tall man met Ana Maria Ruiz near Chad twice", "O O O O O B-PER I-PER I-PER O B-LOC O", "01..2345678"),
    ],
)
def test_labels_and_sources_follow(text, tags, sources):
    found = realigned(text)
    assert found.tokens == words_of(text)
    assert found.tags == tuple(tags.split())
    assert found.sources == tuple(() if s == "." else (int(s),) for s in sources)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("the mayor met Ana Anne Maria Ruiz near Chad twice", "insertion inside a mention"),
        ("the mayor met Ana Ma ria Ruiz near Chad twice", "unclear which words a mention kept"),
        ("the mayor met Ana Maria Ruiz near Ch ad twice", "unclear which words a mention kept"),
        ("the mayor met Ana Maria Ruiz naer-Chad twice", "unclear which words a mention kept"),
        ("   ", "no words left"),
    ],
)
def test_what_cannot_be_told_is_turned_away(text, reason):
    with pytest.raises(Unalignable, match=reason):
        realigned(text)


def test_a_repeated_word_that_could_be_inside_or_outside_the_mention_is_turned_away():
    original = sentence("in New York", "O B-LOC I-LOC")
    with pytest.raises(Unalignable):
        realigned("in New New York", original)
    twice = sentence("Chad Chad said", "B-PER B-LOC O")
    with pytest.raises(Unalignable, match="unclear"):
        realigned("Chad said", twice)


WORDS = st.sampled_from("abcde")


@st.composite
def originals(draw):
    words = draw(st.lists(WORDS, min_size=1, max_size=9))
    tags = []
    for _ in words:
        before = tags[-1] if tags else "O"
        tags.append(draw(st.sampled_from(["O", "O", "B-PER", "I-PER" if before != "O" else "O"])))
    return sentence(" ".join(words), " ".join(tags))


@given(originals(), st.lists(WORDS, max_size=11))
def test_any_text_is_met_word_by_word_or_turned_away(original, words):
    try:
        found = realign(original, words)
    except Unalignable:
        return
    assert found.tokens == tuple(words)
    assert apply_edits(original.tokens, edit_script(original, found)) == tuple(words)
    # No label was invented, and labels of different mentions keep their order.
    kept = [source[0] for source in found.sources if source]
    assert kept == sorted(set(kept))
    for tag, source in zip(found.tags, found.sources, strict=True):
        assert tag[2:] == (original.tags[source[0]][2:] if source else "")


@given(originals(), st.data())
def test_one_edit_gets_the_labels_that_the_edit_itself_would_give(original, data):
    """With words that occur nowhere else there is only one way to see what was done."""
    unique = realign(original, [f"{word}{i}" for i, word in enumerate(original.tokens)])
    original = sentence(unique.text, " ".join(unique.tags))
    i = data.draw(st.integers(0, len(original) - 1))
    assert realign(original, original.replace(i, "new").tokens).tags == original.tags
    if len(original) > 1:
        assert realign(original, original.delete(i).tokens) == original.delete(i)
    place = data.draw(st.integers(0, len(original)))
    words = (*original.tokens[:place], "new", *original.tokens[place:])
    try:
        wanted = original.insert(place, "new")
    except BadInput:
        with pytest.raises(Unalignable, match="inside a mention"):
            realign(original, words)
    else:
        assert realign(original, words) == wanted
