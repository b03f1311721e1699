"""Substitutes for a mention: of its class first, of its length, never what stands in the sentence already."""

from __future__ import annotations

import random

import pytest
from stubs import StubKnowledge, sentence

from attacks.candidates.entity_substitution import substitutes
from benchmark.engine import Engine, Job
from benchmark.resources.knowledge import Entity, KnowledgeBase, Link, Siblings

PEOPLE = sentence("Bob met Cleo Marsh in Oslo", "B-PER O B-PER I-PER O B-LOC")


def drawn(text, at=0, knowledge=None, seed=0, limit=9, **options):
    """What is drawn for the at-th mention."""
    knowledge = knowledge or StubKnowledge()
    span = text.spans[at]

    async def draw():
        return await substitutes(text, span, knowledge, random.Random(seed), limit=limit, **options)

    (done,) = Engine().run([Job("s", draw)])
    if done.error:
        raise done.error
    return [" ".join(name) for name in done.result]


def test_names_of_the_same_class_and_length():
    assert set(drawn(PEOPLE)) == {"Cleo", "Dora", "Emil"}
    assert set(drawn(PEOPLE, 1)) == {"Bob Stone", "Dora Lund", "Emil Vasa"}


def test_the_next_class_comes_when_the_first_one_is_used_up():
    found = drawn(PEOPLE, same_length=False)
    assert set(found[:3]) == {"Cleo", "Dora", "Emil"}
    # Its other mention is taken.
    assert set(found[3:]) == {"Bob Stone", "Dora Lund", "Emil Vasa"}


def test_no_more_than_asked_for():
    for limit in range(5):
        assert len(drawn(PEOPLE, limit=limit, same_length=False)) == limit
    assert len(set(drawn(PEOPLE, limit=5, same_length=False))) == 5


def test_no_class_is_asked_for_that_is_not_needed():
    knowledge = StubKnowledge()
    drawn(PEOPLE, knowledge=knowledge, limit=2)
    assert knowledge.asked == [Link(("Bob",), "PER"), Siblings("first name", "PER")]


def test_never_a_mention_of_the_sentence_in_whatever_casing():
    text = sentence("LIMA , oslo and Quito", "B-LOC O B-LOC O B-LOC")
    for at in range(3):
        for seed in range(5):
            assert [name.lower() for name in drawn(text, at, seed=seed)] == ["riga"]


def test_a_mention_of_another_type_is_taken_too():
    knowledge = StubKnowledge({"name": ("PER", ("Oslo", "Ana"))})
    text = sentence("Bob left Oslo", "B-PER O B-LOC")
    assert drawn(text, knowledge=knowledge) == ["Ana"]


def test_capitals_for_capitals():
    text = sentence("BOB MARLEY left", "B-PER I-PER O")
    found = drawn(text, knowledge=Titled({"name": ("PER", ("Cleo Marsh", "Ana Ruiz"))}))
    assert set(found) == {"CLEO MARSH", "ANA RUIZ"}


class Titled(StubKnowledge):
    """Knows all names by their capital initials."""

    def _link(self, question):
        entity = super()._link(question)
        return entity._replace(name=tuple(word.capitalize() for word in entity.name))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("U.S. troops left", "Acme"),
        ("UNHCR staff left", "Acme"),
        ("U.S. TROOPS LEFT", "ACME"),
        ("UNHCR STAFF LEFT", "ACME"),
        ("Bob left", "Acme"),
    ],
)
def test_initials_are_in_capitals_always_and_so_tell_nothing(text, expected):
    words = sentence(text, "B-ORG" + " O" * (len(text.split()) - 1))
    assert drawn(words, knowledge=StubKnowledge({"org": ("ORG", ("Acme",))})) == [expected]


def test_nothing_is_known():
    assert drawn(sentence("Friday", "B-DATE")) == []
    assert not StubKnowledge().knows_type("DATE")
    assert drawn(sentence("A B C", "B-PER I-PER I-PER")) == []


def test_the_generator_decides_and_nothing_else():
    draws = {tuple(drawn(PEOPLE, seed=seed, limit=2)) for seed in range(20)}
    assert len(draws) > 3
    assert drawn(PEOPLE, seed=3) == drawn(PEOPLE, seed=3, knowledge=StubKnowledge())


def test_a_substitute_takes_the_mentions_place():
    span = PEOPLE.spans[1]
    changed = PEOPLE.replace_span(span, drawn(PEOPLE, 1, limit=1)[0].split())
    assert changed.tags == PEOPLE.tags
    longer = PEOPLE.replace_span(PEOPLE.spans[0], ("Emil", "Vasa"))
    assert longer.tags == ("B-PER", "I-PER", *PEOPLE.tags[1:])


def test_names_that_differ_in_casing_only_are_one():
    knowledge = StubKnowledge({"org": ("ORG", ("Acme", "ACME", "acme"))})
    assert drawn(sentence("Globex", "B-ORG"), knowledge=knowledge) == ["Acme"]


def test_what_is_unknown_is_told_by_none():
    class Ignorant(KnowledgeBase):
        name = identity = "ignorant"

        def knows_type(self, type):  # noqa: A002
            return True

        def answer(self, questions):
            return [None for _ in questions]

    assert drawn(PEOPLE, knowledge=Ignorant()) == []


def test_an_entity_is_hashable_and_so_are_questions():
    assert len({Entity(("a",), "T", ("c",), "s"), Link(("a",), "T"), Siblings("c", "T")}) == 3
