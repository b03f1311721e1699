"""SCPN: what it asks, what it keeps, and that a paraphrase of a paraphrase still knows where its words come from."""

from __future__ import annotations

import pytest
from attacking_frame import KNOWN, attacked, unmoved
from hypothesis import given
from hypothesis import strategies as st
from stubs import StubParaphraser, StubVictim, sentence

from attacks.scpn import Scpn
from benchmark.alignment import apply_edits, edit_script
from benchmark.errors import BadInput
from benchmark.finding import ATTACKS
from benchmark.resources.paraphrasing.contract import Paraphrase
from benchmark.threat import Touch
from benchmark.types import Span, Status

TEXT = sentence("Ana Ruiz left Rome quite early today .", "B-PER I-PER O B-LOC O O O O")


def fooled_by(first):
    """A victim that misses the place where a text begins with some words."""

    def tag(tokens):
        known = {**KNOWN, "Rome": "O"} if tokens[: len(first)] == first else KNOWN
        return [known.get(token, "O") for token in tokens]

    return StubVictim(tag)


def test_it_is_registered_and_leaves_mentions_alone():
    assert ATTACKS.get("scpn") is Scpn
    assert Scpn.card.touch is Touch.CONTEXT


def test_success_plays_back_and_its_labels_follow_the_mentions():
    outcome = attacked(Scpn(), fooled_by(("today",)), TEXT)
    assert outcome.status is Status.SUCCESS
    assert apply_edits(TEXT.tokens, outcome.edits) == ("today", *TEXT.tokens[:6], ".")
    assert outcome.adversarial_gold == ("O", "B-PER", "I-PER", "O", "B-LOC", "O", "O", "O")


def test_a_paraphrase_is_paraphrased_again_only_if_it_leads_nearer():
    victim = unmoved()
    attacked(Scpn(), victim, TEXT)
    assert len(victim.asked) == 3  # the clean text and two paraphrases

    def tag(tokens):
        return ["O" if word == "Rome" and tokens[:2] == ("early", "today") else KNOWN.get(word, "O") for word in tokens]

    # Less sure of itself where a text begins with "today".
    victim = StubVictim(tag, confidence=lambda tokens: 0.6 if tokens[0] == "today" else 0.9)
    outcome = attacked(Scpn(templates=1), victim, TEXT)
    assert outcome.status is Status.SUCCESS
    assert [text[0] for text in victim.asked[1:]] == ["today", "early"]


def test_no_text_is_asked_twice():
    victim = unmoved()
    attacked(Scpn(), victim, TEXT)
    assert len(victim.asked) == len(set(victim.asked))


@pytest.mark.parametrize(("templates", "asked"), [(1, 1), (2, 2), (10, 2)])
def test_a_step_asks_no_more_than_templates(templates, asked):
    outcome = attacked(Scpn(templates=templates), text=TEXT)
    assert outcome.search_queries == asked


def test_a_paraphrase_that_repeats_a_mention_is_never_asked():
    repeated = Paraphrase(
        ("Ana", "Ruiz", "left", "Rome", ",", "Ana", "Ruiz", "said", "."), (Span(0, 2, "PER"), Span(3, 4, "LOC")), "S"
    )
    lower = Paraphrase(("ana", "ruiz", "left", "rome", "."), (Span(0, 2, "PER"), Span(3, 4, "LOC")), "S")
    victim = unmoved()
    outcome = attacked(Scpn(), victim, TEXT, paraphraser=StubParaphraser([repeated, lower]))
    assert outcome.status is Status.FAILED
    assert not {repeated.tokens, lower.tokens} & set(victim.asked)


@pytest.mark.parametrize("parameters", [{"templates": 0}, {"similarity": 2.0}])
def test_nonsense_is_refused(parameters):
    with pytest.raises(BadInput):
        Scpn.configured(parameters)


def test_resources_are_loaded_only_if_they_are_used():
    assert Scpn().resources == {"paraphraser": "templates"}
    assert not Scpn().model_constraints
    assert "encoder" in Scpn(similarity=0.5).resources
    assert len(Scpn(similarity=0.5).model_constraints) == 1


def test_similarity_turns_paraphrases_away():
    far = Paraphrase(("Ana", "Ruiz", "Rome", *"abcdefghij"), (Span(0, 2, "PER"), Span(2, 3, "LOC")), "S")
    outcome = attacked(Scpn(similarity=0.8), text=TEXT, budget=9, paraphraser=StubParaphraser([far]))
    assert outcome.rejected == {"not similar enough": 1}


@given(orders=st.lists(st.permutations(range(7)), min_size=1, max_size=3), new=st.booleans())
def test_a_paraphrase_of_a_paraphrase_plays_back_from_the_original(orders, new):
    """Units of the text in any order, several times over: sources compose."""
    text = TEXT
    for order in orders:
        spans = text.spans
        inside = {i: span for span in spans for i in range(span.start, span.end)}
        units = [range(s.start, s.end) for s in spans] + [range(i, i + 1) for i in range(len(text)) if i not in inside]
        units.sort(key=lambda unit: unit.start)
        tokens, where = [], {}
        for k in order:
            unit = units[k]
            if unit.start in inside:
                where[unit.start] = len(tokens)
            tokens += [text.tokens[i] for i in unit]
        if new:
            tokens.append("then")
        moved = [Span(where[s.start], where[s.start] + s.end - s.start, s.type) for s in spans]
        text = text.paraphrase(tokens, moved)
    edits = edit_script(TEXT, text)
    assert apply_edits(TEXT.tokens, edits) == text.tokens
    for token, source in zip(text.tokens, text.sources, strict=True):
        assert not source or TEXT.tokens[source[0]] == token
    kept = [source[0] for source in text.sources if source]
    assert sorted(kept) == list(range(len(TEXT)))
