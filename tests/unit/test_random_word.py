"""random-word, the control of the word attacks: their candidates, drawn at random."""

from __future__ import annotations

from dataclasses import replace

import pytest
from attacking_frame import EDITABLE, KNOWN, TEXT, attacked, unmoved
from comparing_texts import edited, new_words
from stubs import StubVictim, lexicon, sentence

from attacks.clare import Clare
from attacks.random_word import RandomWord
from attacks.viba import VirtualBoundary
from benchmark.alignment import apply_edits
from benchmark.errors import BadInput
from benchmark.finding import ATTACKS
from benchmark.types import Status

LIKES = ["bert-attack", "bae", "clare", "textfooler", "morpheus", "viba"]


SHORT = sentence("Ana told traders later", "B-PER O O O")


def all_neighbours(like, text=SHORT):
    """The texts one edit of another attack away, as far as its constraints allow them."""
    found = []

    class Everything(type(ATTACKS.get(like)())):
        async def run(self, sentence, probe):
            groups = await self.edits(sentence, self.places(sentence, probe), probe)
            for group in groups:
                for candidate in group:
                    found.extend(verdict.sentence.tokens for verdict in await probe([candidate]))

    attacked(Everything(), text=text)
    return set(found)


@pytest.mark.parametrize("like", LIKES)
def test_random_word_asks_each_candidate_of_its_model_once_and_ends(like, candidates):
    wanted = all_neighbours(like)
    candidates.clear()
    victim = unmoved()
    outcome = attacked(RandomWord(like=like), victim, SHORT)
    asked = [c.tokens for c in candidates]
    assert wanted
    assert len(asked) == len(set(asked)) == outcome.search_queries
    assert set(asked) == wanted
    assert SHORT.tokens not in asked
    assert outcome.status is Status.FAILED


@pytest.mark.parametrize("like", LIKES)
@pytest.mark.parametrize("budget", [1, 3])
def test_random_word_stays_within_its_budget(like, budget):
    victim = unmoved()
    outcome = attacked(RandomWord(like=like), victim, SHORT, budget=budget)
    assert outcome.search_queries == min(budget, len(all_neighbours(like)))
    assert len(victim.asked) == outcome.search_queries + 1


@pytest.mark.parametrize("like", LIKES)
def test_random_word_has_the_constraints_of_its_model(like):
    control, model = RandomWord(like=like), ATTACKS.get(like)()
    assert control.resources == model.resources
    assert control.constraints == model.constraints
    assert control.model_constraints == model.model_constraints
    assert control.prediction_constraints == model.prediction_constraints
    assert control.parameters == {
        "like": like,
        "words": 1,
        "model": {"version": model.card.version, **model.parameters},
    }


@pytest.mark.parametrize("like", ["bert-attack", "clare", "viba"])
def test_random_word_makes_as_many_edits_as_it_is_told(like, candidates):
    text = sentence("Ana told traders that markets fell near Rome later", "B-PER O O O O O O B-LOC O")
    attacked(RandomWord(like=like, words=2), text=text, budget=40)
    assert len(candidates) == 40
    assert {len(new_words(c, text)) for c in candidates} == {2}


def test_random_word_takes_no_scores_and_ranks_nothing():
    victim = StubVictim(lexicon(KNOWN), confidence=None)
    outcome = attacked(RandomWord(), victim, budget=20)
    assert outcome.search_queries == 20
    assert all("[UNK]" not in tokens for tokens in victim.asked)
    assert outcome.trajectory[-1:] in ((), ((1, 0.0),))


def test_random_word_covers_all_places_and_differs_by_seed(candidates):
    attacked(RandomWord(), seed=1)
    first = [c.tokens for c in candidates]
    assert {i for c in candidates for i in edited(c, TEXT)} == set(EDITABLE) - {5}
    candidates.clear()
    attacked(RandomWord(), seed=2)
    assert [c.tokens for c in candidates] != first
    assert {c.tokens for c in candidates} == set(first)


def test_random_word_finds_what_there_is():
    victim = StubVictim(lambda tokens: [KNOWN.get(t, "O") if "told" in tokens else "O" for t in tokens])
    outcome = attacked(RandomWord(), victim)
    assert outcome.status is Status.SUCCESS
    assert [edit.at for edit in outcome.edits] == [2]
    assert "told" not in apply_edits(TEXT.tokens, outcome.edits)


def test_random_word_ends_where_there_is_nothing_to_edit():
    outcome = attacked(RandomWord(), text=sentence("the Ana of it .", "O B-PER O O O"))
    assert (outcome.status, outcome.search_queries) == (Status.FAILED, 0)


@pytest.mark.parametrize("like", ["identity", "deepwordbug-i", "random-edit", "casing", "random-word"])
def test_random_word_refuses_to_stand_beside_an_attack_without_words(like):
    with pytest.raises(BadInput) as refused:
        RandomWord(like=like)
    (line,) = str(refused.value).splitlines()
    assert like in line
    assert "word attacks" in line


def test_random_word_refuses_an_unknown_attack():
    with pytest.raises(BadInput, match="unknown attack 'bert-atack'; did you mean bert-attack"):
        RandomWord(like="bert-atack")


def test_the_parameters_of_random_word_tell_a_new_version_of_its_model(monkeypatch):
    """Its candidates are the other's, so a new version or other defaults of that one are another random-word."""
    before = RandomWord(like="viba").parameters
    monkeypatch.setattr(VirtualBoundary, "card", replace(VirtualBoundary.card, version=99))
    assert (RandomWord(like="viba").parameters, RandomWord.card.version) != (before, RandomWord.card.version)


def test_random_word_passes_parameters_on_to_the_attack_it_stands_beside():
    control = RandomWord.configured({"like": "clare", "words": 2, "merge": True, "k": 7})
    assert (control.words, control.model) == (2, Clare(merge=True, k=7))
    assert control.parameters["model"]["k"] == 7
    assert control.parameters["merge"] is True
    with pytest.raises(BadInput, match="no parameter 'tagger'"):
        RandomWord.configured({"like": "clare", "tagger": "x"})
    with pytest.raises(BadInput, match="words must be int"):
        RandomWord.configured({"words": "many"})
