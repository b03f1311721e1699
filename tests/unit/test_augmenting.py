"""The three augmentations of RockNER."""

from __future__ import annotations

import random

from comparing_texts import context, names
from stubs import sentence

from benchmark.augmenting import ends_by_type, entity_switching, mentions_by_type, mix_up, random_characters

TRAINING = [
    sentence("Ana Ruiz of Rome slept .", "B-PER I-PER O B-LOC O O", "a"),
    sentence("Bo saw New York City at night", "B-PER O B-LOC I-LOC I-LOC O O", "b"),
    sentence("The Bank of Oslo rose", "O B-ORG I-ORG I-ORG O", "c"),
    sentence("nothing here", "O O", "d"),
]
ENDS = ends_by_type(TRAINING)


def test_mentions_are_gathered_by_type_with_their_repeats():
    assert mentions_by_type([*TRAINING, TRAINING[1]]) == {
        "PER": [("Ana", "Ruiz"), ("Bo",), ("Bo",)],
        "LOC": [("Rome",), ("New", "York", "City"), ("New", "York", "City")],
        "ORG": [("Bank", "of", "Oslo")],
    }


def test_switching_puts_training_mentions_of_the_same_type_in_the_place_of_all_and_moves_the_labels():
    mentions = {"PER": [("Cy", "Du", "Pont")], "LOC": [("Lima",), ("San", "Juan")]}
    found = {entity_switching(TRAINING[0], mentions, random.Random(seed)) for seed in range(20)}
    assert {(text.text, text.tags) for text in found} == {
        ("Cy Du Pont of Lima slept .", ("B-PER", "I-PER", "I-PER", "O", "B-LOC", "O", "O")),
        ("Cy Du Pont of San Juan slept .", ("B-PER", "I-PER", "I-PER", "O", "B-LOC", "I-LOC", "O", "O")),
    }


def test_switching_leaves_types_alone_that_it_has_no_mention_of():
    text = entity_switching(TRAINING[0], {"LOC": [("Lima",)]}, random.Random(0))
    assert names(text) == [("PER", "Ana Ruiz"), ("LOC", "Lima")]
    assert entity_switching(TRAINING[3], {"LOC": [("Lima",)]}, random.Random(0)) == TRAINING[3]


def test_random_characters_keep_the_shape_of_mentions_and_everything_else():
    original = sentence("The Bank of O'Hare-7 USA rose .", "O B-ORG I-ORG I-ORG I-ORG O O")
    seen = set()
    for seed in range(50):
        text = random_characters(original, random.Random(seed))
        assert (text.tags, context(text)) == (original.tags, context(original))
        assert text.tokens[2] == "of"
        for old, new in zip(original.tokens, text.tokens, strict=True):
            assert [(c.isupper(), c.islower(), c if not c.isalpha() else "") for c in old] == [
                (c.isupper(), c.islower(), c if not c.isalpha() else "") for c in new
            ]
        seen.add(text.tokens[1])
    assert len(seen) == 50


def test_mix_up_joins_a_beginning_to_the_end_of_another_sentence_at_mentions_of_one_type():
    found = {mix_up(TRAINING[0], ENDS, random.Random(seed)) for seed in range(40)}
    assert {(text.text, text.tags) for text in found} == {
        ("Ana Ruiz saw New York City at night", ("B-PER", "I-PER", "O", "B-LOC", "I-LOC", "I-LOC", "O", "O")),
        ("Ana Ruiz of Rome at night", ("B-PER", "I-PER", "O", "B-LOC", "O", "O")),
    }
    assert {text.id for text in found} == {"a+b"}


def test_mix_up_needs_another_sentence_with_a_mention_of_one_of_the_types():
    assert mix_up(TRAINING[2], ENDS, random.Random(0)) is None
    assert mix_up(TRAINING[3], ENDS, random.Random(0)) is None


def test_the_same_generator_gives_the_same_sentences():
    mentions = mentions_by_type(TRAINING)
    for make in (
        lambda rng: entity_switching(TRAINING[1], mentions, rng),
        lambda rng: random_characters(TRAINING[1], rng),
        lambda rng: mix_up(TRAINING[1], ENDS, rng),
    ):
        assert [make(random.Random(k)) for k in range(5)] == [make(random.Random(k)) for k in range(5)]
        assert len({make(random.Random(k)) for k in range(20)}) > 1
