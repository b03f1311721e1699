"""What is put in a word's place, and which of many candidates are asked."""

from __future__ import annotations

import random
from collections import Counter
from importlib.metadata import PackageNotFoundError

import pytest
from stubs import StubLanguageModel, StubVictim, lexicon, sentence, stub_resources

from attacks.search.sampling import stratified
from benchmark.api import attack
from benchmark.errors import MissingResource
from benchmark.resources.inflecting import Inflector

# --- inflections ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "universal", "forms"),
    [
        ("runners", "NOUN", {"runner"}),
        ("children", "NOUN", {"child"}),
        ("said", "VERB", {"say", "says", "saying"}),
        ("was", "VERB", {"be", "were", "being", "been", "am", "are", "is"}),
        ("travel", "VERB", {"traveled", "travelled", "traveling", "travelling", "travels"}),
        ("big", "ADJ", {"bigger", "biggest"}),
        ("good", "ADJ", {"better", "best"}),
    ],
)
def test_inflections_are_the_other_forms_of_the_same_part_of_speech(word, universal, forms):
    assert set(Inflector().inflections(word, universal)) == forms
    assert len(Inflector().inflections(word, universal)) == len(forms)


def test_the_part_of_speech_decides_which_forms_there_are():
    assert set(Inflector().inflections("left", "VERB")) == {"leave", "leaves", "leaving"}
    assert set(Inflector().inflections("left", "NOUN")) == {"lefts"}


@pytest.mark.parametrize("universal", ["ADV", "PROPN", "AUX", "DET", "NUM", "PUNCT", "X", ""])
def test_only_nouns_verbs_and_adjectives_are_inflected(universal):
    assert Inflector().inflections("left", universal) == ()


@pytest.mark.parametrize("word", ["zzxq", "...", "12", "U.S.", "naïvité", "東京", "a", "-"])
@pytest.mark.parametrize("universal", ["NOUN", "VERB", "ADJ"])
def test_what_is_no_english_word_has_no_forms_and_does_no_harm(word, universal):
    assert Inflector().inflections(word, universal) == ()


def test_inflections_keep_the_casing():
    assert set(Inflector().inflections("Runners", "NOUN")) == {"Runner"}
    assert set(Inflector().inflections("RUNNERS", "NOUN")) == {"RUNNER"}
    assert set(Inflector().inflections("Happy", "ADJ")) == {"Happier", "Happiest"}


def test_inflections_need_their_library(monkeypatch):
    assert Inflector().identity.startswith("lemminflect 0.")

    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("benchmark.resources.inflecting.version", missing)
    with pytest.raises(MissingResource, match=r"pip install 'ner-gauntlet\[words\]'"):
        Inflector()


# --- a masked model's words -------------------------------------------------------------------------------------------


def asked_words(text, words, name="bert-attack", place=None, **parameters):
    """The words an attack put before the victim at each place (or at one)."""
    victim = StubVictim(lexicon({"Ana": "B-PER"}))
    resources = stub_resources(language_model=StubLanguageModel(words))
    order = {} if name == "clare" else {"order": "random"}  # without queries for ranking
    parameters = {"similarity": 0.0, "max_words": 1.0, **order, **parameters}
    (outcome,) = attack(victim, [text], name, parameters=parameters, resources=resources)
    found = Counter()
    for tokens in victim.asked[1:]:
        found.update((i, b) for i, (a, b) in enumerate(zip(text.tokens, tokens, strict=True)) if a != b)
    return {word for i, word in found if place in {None, i}}, outcome


@pytest.mark.parametrize("name", ["bert-attack", "clare"])
@pytest.mark.parametrize("number", ["17", "1,000", "-0.5", "7%", "12:30", "3-4"])
def test_a_number_is_replaced_by_numbers_only(name, number):
    text = sentence(f"Ana counted {number}", "B-PER O O")
    options = {"insert": False, "min_replace": 0.0} if name == "clare" else {}
    words, outcome = asked_words(text, ["many", "seventeen", "18", "2.5", "one"], name, 2, **options)
    assert words == {"18", "2.5"}
    assert outcome.rejected["number became a word"] >= 3


def test_a_word_may_become_a_number():
    words, _ = asked_words(sentence("Ana counted sheep", "B-PER O O"), ["goats", "18"], place=2)
    assert words == {"goats", "18"}


@pytest.mark.parametrize(("word", "wanted"), [("sheep", "goats"), ("Sheep", "Goats"), ("SHEEP", "GOATS")])
@pytest.mark.parametrize("name", ["bert-attack", "clare"])
def test_a_masked_models_word_takes_the_casing_of_the_word_it_replaces(name, word, wanted):
    options = {"insert": False, "min_replace": 0.0} if name == "clare" else {}
    words, _ = asked_words(sentence(f"Ana counted {word}", "B-PER O O"), ["goats"], name, 2, **options)
    assert words == {wanted}


def test_a_word_is_never_replaced_by_itself_in_another_casing():
    words, _ = asked_words(sentence("Ana counted Sheep", "B-PER O O"), ["sheep", "SHEEP", "goats"], place=2)
    assert words == {"Goats"}


# --- sampling ---------------------------------------------------------------------------------------------------------

SEEDS = 600


def draws(groups, most):
    return [stratified(groups, most, random.Random(seed)) for seed in range(SEEDS)]


def even(count, share, total=SEEDS):
    """Within four and a half standard deviations of what chance gives."""
    return abs(count - share * total) <= 4.5 * (total * share * (1 - share)) ** 0.5


def test_every_position_has_its_turn_before_any_has_its_second():
    groups = [[((place, k), 1.0) for k in range(size)] for place, size in enumerate((5, 1, 3, 2))]
    for drawn in draws(groups, 99):
        assert sorted(drawn) == sorted(item for group in groups for item, _ in group)
        places = [place for place, _ in drawn]
        assert sorted(places[:4]) == [0, 1, 2, 3]
        assert sorted(places[4:7]) == [0, 2, 3]
        assert sorted(places[7:9]) == [0, 2]
        assert places[9:] == [0, 0]


def test_what_is_cut_off_is_the_end_of_the_same_draw():
    groups = [[((place, k), 0.3 + k) for k in range(4)] for place in range(3)]
    for seed in range(20):
        whole = stratified(groups, 12, random.Random(seed))
        for most in (0, 1, 5, 12, 40):
            assert stratified(groups, most, random.Random(seed)) == whole[:most]


def test_nothing_to_draw_from_gives_nothing():
    assert stratified([], 5, random.Random(0)) == []
    assert stratified([[], []], 5, random.Random(0)) == []
    assert stratified([[], [("a", 1.0)], []], 5, random.Random(0)) == ["a"]


@pytest.mark.parametrize("turn", [lambda names: names, lambda names: names[::-1], lambda names: names[3:] + names[:3]])
def test_no_place_in_the_alphabet_is_favoured(turn):
    """TextAttack cut its list at the alphabetically first; here every name and place has the same chance."""
    names = turn([f"{letter}word" for letter in "abcdefgh"])
    groups = [[((place, name), 1.0) for name in names] for place in range(4)]
    first = Counter(drawn[0] for drawn in draws(groups, 8))
    assert len(first) == 32
    assert all(even(first[place, name], 1 / 32) for place in range(4) for name in names)
    asked = Counter(item for drawn in draws(groups, 8) for item in drawn)
    # Eight of 32 are asked: two of the eight names of each place.
    assert all(even(asked[place, name], 1 / 4) for place in range(4) for name in names)


def test_a_place_with_few_candidates_is_asked_as_often_as_one_with_many():
    groups = [[("few", 1.0)], [(f"many {k}", 1.0) for k in range(50)]]
    first = Counter(drawn[0].split()[0] for drawn in draws(groups, 1))
    assert even(first["few"], 1 / 2)


def test_the_heavier_of_a_place_come_sooner_by_their_weight():
    first = Counter(drawn[0] for drawn in draws([[("light", 0.1), ("heavy", 0.3)]], 1))
    assert even(first["heavy"], 3 / 4)
    # Weights count inside a place only.
    first = Counter(drawn[0] for drawn in draws([[("light", 0.001)], [("heavy", 0.9)]], 1))
    assert even(first["light"], 1 / 2)


@pytest.mark.parametrize("weight", [1e-2, 1e-3, 1e-4, 1e-6])
def test_the_order_within_a_place_is_chance_however_small_the_weights(weight):
    """A masked model gives its fiftieth word a probability of that order; keys must not all underflow to zero."""
    for order in (("a", "b", "c"), ("c", "b", "a")):
        first = Counter(drawn[0] for drawn in draws([[(name, weight) for name in order]], 1))
        assert all(even(first[name], 1 / 3) for name in order), first


def test_small_weights_keep_their_proportion():
    for order in ([("light", 1e-5), ("heavy", 3e-5)], [("heavy", 3e-5), ("light", 1e-5)]):
        assert even(Counter(drawn[0] for drawn in draws([order], 1))["heavy"], 3 / 4)


def test_a_weight_of_nothing_comes_last_and_breaks_nothing():
    for drawn in draws([[("never", 0.0), ("sure", 1.0)]], 2)[:50]:
        assert drawn == ["sure", "never"]


def test_clare_asks_every_position_and_every_word_of_a_crowded_sentence():
    """With room for a fifth of the candidates each position is asked, and over seeds each word."""
    text = sentence("Ana counted sheep quietly near rivers", "B-PER O O O O O")
    words = ["apple", "bread", "chair", "yacht", "zebra"]
    resources = stub_resources(language_model=StubLanguageModel(words))
    asked = Counter()
    for seed in range(150):
        victim = StubVictim(lexicon({"Ana": "B-PER"}))
        parameters = {"sample": 6, "insert": False, "similarity": 0.0, "min_replace": 0.0}
        attack(victim, [text], "clare", parameters=parameters, seed=seed, resources=resources)
        found = [
            (i, b) for t in victim.asked[1:] for i, (a, b) in enumerate(zip(text.tokens, t, strict=True)) if a != b
        ]
        assert {i for i, _ in found} == {1, 2, 3, 5}
        asked.update(found)
    assert len(asked) == 4 * len(words)
