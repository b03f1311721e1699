"""TextFlint's typos and swaps: all mentions, nothing else, labels along."""

from __future__ import annotations

import random

import pytest
from attacking_frame import attacked, perturbed
from comparing_texts import context, edited, names
from rapidfuzz.distance import OSA
from stubs import StubKnowledge, sentence

from attacks.candidates.made_up_names import made_up
from attacks.textflint import EntityTypos, SwapEntities
from benchmark.errors import BadInput
from benchmark.types import Status

TEXT = sentence("Ana of Tallinn Water told traders near Rome 3 .", "B-PER O B-ORG I-ORG O O O B-LOC I-LOC O")
SEEDS = range(60)
KINDS = ("cross-category", "longer", "oov")


# --- typos ------------------------------------------------------------------------------------------------------------


def test_each_mention_has_one_typo_in_one_word_that_keeps_its_first_character():
    hit = set()
    for seed in SEEDS:
        text = perturbed(EntityTypos(), TEXT, seed)
        assert (text.tags, context(text)) == (TEXT.tags, context(TEXT))
        places = edited(text, TEXT)
        assert len(places) == 3
        for i in places:
            assert OSA.distance(TEXT.tokens[i], text.tokens[i]) == 1
            assert text.tokens[i][0] == TEXT.tokens[i][0]
        hit |= set(places)
    assert hit == {0, 2, 3, 7}  # a number has no typo


def test_a_mention_without_a_word_of_two_letters_stays():
    text = sentence("in 7 of X 42", "O B-MISC O B-ORG I-ORG")
    outcome = attacked(EntityTypos(), text=text, goal="perturbed")
    assert (outcome.status, outcome.search_queries) == (Status.FAILED, 0)


def test_two_letters_are_enough():
    text = sentence("Bo slept", "B-PER O")
    assert all(perturbed(EntityTypos(), text, seed).tokens[0][0] == "B" for seed in range(20))


# --- swaps ------------------------------------------------------------------------------------------------------------


def test_longer_names_have_more_words_and_the_same_type():
    for seed in SEEDS:
        text = perturbed(SwapEntities(kind="longer"), TEXT, seed)
        assert names(text)[0][1] in {"Bob Stone", "Cleo Marsh", "Dora Lund", "Emil Vasa"}
        assert names(text)[1:] == names(TEXT)[1:]  # nothing is longer than these
        assert len(text) == len(TEXT) + 1
        assert context(text) == context(TEXT)


def test_cross_category_names_are_of_the_type_and_of_another_too():
    knowledge = StubKnowledge(
        {
            "city": ("LOC", ("Lima", "Paris", "Florence", "Chelsea")),
            "first name": ("PER", ("Bob", "Paris", "Florence")),
            "club": ("ORG", ("Chelsea", "Ajax")),
        }
    )
    found = [set(), set(), set()]
    for seed in SEEDS:
        text = perturbed(SwapEntities(kind="cross-category"), TEXT, seed, knowledge=knowledge)
        assert [kind for kind, _ in names(text)] == ["PER", "ORG", "LOC"]
        assert context(text) == context(TEXT)
        for seen, (_, name) in zip(found, names(text), strict=True):
            seen.add(name)
    # A name that the mention before has got is taken.
    assert found == [{"Paris", "Florence"}, {"Chelsea"}, {"Paris", "Florence"}]


def test_a_mention_without_a_name_of_the_wanted_kind_stays():
    outcome = attacked(SwapEntities(kind="cross-category"), text=TEXT, goal="perturbed")
    assert (outcome.status, outcome.search_queries) == (Status.FAILED, 0)


def test_made_up_names_have_the_shape_of_the_mention_and_no_known_word():
    known = {word.lower() for _, them in StubKnowledge().names.values() for name in them for word in name.split()}
    texts = set()
    for seed in SEEDS:
        text = perturbed(SwapEntities(), TEXT, seed)
        assert (text.tags, context(text)) == (TEXT.tags, context(TEXT))
        assert text.tokens[8] == "3"
        for i in (0, 2, 3, 7):
            assert text.tokens[i] != TEXT.tokens[i]
            assert text.tokens[i].istitle()
            assert text.tokens[i].lower() not in known
        texts.add(text.tokens)
    assert len(texts) == len(SEEDS)


def test_a_made_up_word_is_drawn_again_if_it_is_known():
    """Of the five vowels all but one are names."""
    text = sentence("A of B", "O O B-LOC")
    consonants = [c for c in "bcdfghjklmnpqrstvwxyz" if c != "q"]
    knowledge = StubKnowledge({"letter": ("LOC", tuple(c.upper() for c in consonants))})
    found = [names(perturbed(SwapEntities(), text, seed, knowledge=knowledge)) for seed in range(30)]
    assert all(name in ([("LOC", "Q")], [("LOC", "B")]) for name in found)
    assert [("LOC", "Q")] in found


def test_function_words_of_a_name_stay():
    text = sentence("the Bank of Oslo rose", "O B-ORG I-ORG I-ORG O")
    assert {perturbed(SwapEntities(), text, seed).tokens[2] for seed in range(20)} == {"of"}


def test_made_up_words_put_vowels_for_vowels_in_the_same_casing():
    for seed in range(50):
        word = made_up("McÅbe-7", random.Random(seed))
        assert len(word) == 7
        assert [c.isupper() for c in word] == [True, False, True, False, False, False, False]
        assert (word[2], word[5:]) == ("Å", "-7")
        assert word[4] in "aeiou"
        assert not set((word[0] + word[1] + word[3]).lower()) & set("aeiou")


@pytest.mark.parametrize("attacker", [EntityTypos(), *(SwapEntities(kind=kind) for kind in KINDS)], ids=repr)
def test_the_same_seed_gives_the_same_outcome(attacker):
    def outcomes():
        return [attacked(attacker, text=TEXT, goal="perturbed", seed=seed) for seed in range(5)]

    assert outcomes() == outcomes()
    assert all(outcome.search_queries <= 1 for outcome in outcomes())


def test_an_unknown_kind_is_refused_and_the_known_ones_are_named():
    with pytest.raises(BadInput, match="cross-category, longer, oov"):
        SwapEntities.configured({"kind": "shorter"})
