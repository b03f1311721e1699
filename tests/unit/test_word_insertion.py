"""The attacks that put words in: ViBA, and CLARE, which replaces and merges as well."""

from __future__ import annotations

from collections import Counter

import pytest
from attacking_frame import KNOWN, TEXT, attacked, unmoved, wavering
from stubs import StubLanguageModel, StubVictim, sentence

from attacks.clare import Clare
from attacks.viba import VirtualBoundary
from benchmark.types import Operation, Status

# --- ViBA -------------------------------------------------------------------------------------------------------------


ADJACENT = sentence("Ana Ruiz Rome fell , Ana said", "B-PER I-PER B-LOC O O B-PER O")


def test_viba_inserts_at_the_borders_of_mentions_only(candidates):
    attacked(VirtualBoundary(max_words=1.0), text=ADJACENT)
    assert candidates
    inserted = [[i for i, source in enumerate(c.sources) if not source] for c in candidates]
    assert {len(new) for new in inserted} == {1}
    # Before and behind each mention; between the two that touch there is one place.
    assert {i for (i,) in inserted} == {0, 2, 3, 5, 6}
    assert len(candidates) == 5 * len(StubLanguageModel().words)
    for candidate in candidates:
        (i,) = (k for k, source in enumerate(candidate.sources) if not source)
        assert candidate.delete(i).tokens == ADJACENT.tokens
        assert candidate.tags[i] == "O"


def test_viba_gives_every_border_its_turn_before_any_its_second(candidates):
    attacked(VirtualBoundary(sample=5), text=ADJACENT)
    first = [next(k for k, source in enumerate(c.sources) if not source) for c in candidates[:10]]
    assert sorted(first[:5]) == sorted(first[5:]) == [0, 2, 3, 5, 6]


def test_viba_tries_the_likelier_words_sooner():
    """As its text says; the stub gives the first of seven words a half, the last a hundredth part."""
    text = sentence("Ana fell", "B-PER O")
    turns = Counter()
    for seed in range(60):
        model, victim = StubLanguageModel(), unmoved()
        attacked(VirtualBoundary(), victim, text, seed=seed, language_model=model)
        for question in model.asked:
            order = [proposal.word for proposal in model._answer(question)]
            mine = [
                t[question.at]
                for t in victim.asked[1:]
                if len(t) == 3 and (*t[: question.at], *t[question.at + 1 :]) == text.tokens
            ]
            turns["likeliest"] += mine.index(order[0])
            turns["least likely"] += mine.index(order[-1])
    # By their weights the likeliest comes second on average or sooner, the least likely nearly last.
    assert turns["likeliest"] < 0.5 * turns["least likely"]


@pytest.mark.parametrize("budget", [1, 5, 12])
def test_viba_spends_its_budget_although_constraints_refuse_candidates(budget):
    # Of 14 candidates the encoder refuses those with "red"; there are 12 others.
    class Encoder:
        identity = "no red"

        async def similarities(self, text, others):
            return [0.0 if "red" in other.lower().split() else 1.0 for other in others]

    outcome = attacked(
        VirtualBoundary(similarity=0.5), text=sentence("Ana fell", "B-PER O"), budget=budget, encoder=Encoder()
    )
    assert outcome.search_queries == budget


def test_viba_asks_a_handful_at_a_time_and_stops_at_success():
    victim = StubVictim(lambda tokens: [KNOWN.get(t, "O") if len(tokens) == 7 else "O" for t in tokens])
    outcome = attacked(VirtualBoundary(sample=4), victim, ADJACENT)
    assert outcome.status is Status.SUCCESS
    assert outcome.search_queries == 4
    assert [edit.operation for edit in outcome.edits] == [Operation.INSERT]


def test_viba_has_nothing_to_do_without_mentions():
    outcome = attacked(VirtualBoundary(), text=sentence("nothing fell", "O O"), goal="spurious")
    assert (outcome.status, outcome.search_queries) == (Status.FAILED, 0)


# --- CLARE ------------------------------------------------------------------------------------------------------------


ALL = {"similarity": 0.0, "min_replace": 0.0, "min_insert": 0.0, "min_merge": 0.0, "sample": 10_000, "max_words": 1.0}


def kinds(candidates, text=TEXT):
    """What kinds of edits there are and where."""
    found = {"replace": set(), "insert": set(), "merge": set()}
    for c in candidates:
        for i, (word, source) in enumerate(zip(c.tokens, c.sources, strict=True)):
            if not source:
                found["insert"].add(i)
            elif len(source) > 1:
                found["merge"].add(source)
            elif word != text.tokens[source[0]]:
                found["replace"].add(source[0])
    return found


@pytest.mark.parametrize("insert", [False, True])
@pytest.mark.parametrize("merge", [False, True])
def test_clare_does_what_its_switches_say(insert, merge, candidates):
    attacked(Clare(insert=insert, merge=merge, **ALL))
    found = kinds(candidates)
    assert found["replace"] == {2, 3, 6, 9}
    # Before every word, in a mention none; behind the last there is no place.
    assert found["insert"] == ({0, 2, 3, 4, 5, 6, 7, 8, 9, 10} if insert else set())
    # "told traders" and "3 markets" (a number, which stays one) are the neighbours that may both be replaced.
    assert found["merge"] == ({(2, 3)} if merge else set())


def test_clare_by_default_replaces_and_inserts():
    assert (Clare().insert, Clare().merge) == (True, False)


def test_a_merged_word_takes_the_casing_of_the_place_it_stands_at(candidates):
    """A sentence goes on starting with a capital; the second of the two words does not decide."""
    text = sentence("Local police met Ana", "O O O B-PER")
    attacked(Clare(insert=False, merge=True, **ALL), text=text, language_model=StubLanguageModel(("officers",)))
    assert {c.tokens[0] for c in candidates if (0, 1) in c.sources} == {"Officers"}


def test_clare_merges_a_number_only_into_a_number(candidates):
    model = StubLanguageModel(("many", "18"))
    attacked(Clare(insert=False, merge=True, **ALL), language_model=model)
    merged = {c.tokens[5] for c in candidates if (5, 6) in c.sources}
    assert merged == {"18"}


def test_clare_never_merges_across_a_mention_nor_inserts_into_one(candidates):
    text = sentence("traders Ana Ruiz told Rome markets", "O B-PER I-PER O B-LOC O")
    attacked(Clare(merge=True, **ALL), text=text)
    found = kinds(candidates, text)
    assert found["merge"] == set()
    # Not before "traders", which is no mention and would stand there in its capital.
    assert found["insert"] == {1, 3, 4, 5}
    for candidate in candidates:
        assert [candidate.tokens[s.start : s.end] for s in candidate.spans] == [("Ana", "Ruiz"), ("Rome",)]


def test_clare_steps_on_from_the_best_and_never_edits_its_own_words(candidates):
    attacked(Clare(merge=True, **ALL), wavering())
    most = max(len(c.tokens) - len(TEXT) for c in candidates)
    assert most >= 3
    own = {w.lower() for w in StubLanguageModel().words}
    for candidate in candidates:
        for word, source in zip(candidate.tokens, candidate.sources, strict=True):
            assert source or word.lower() in own
            assert len(source) < 3


@pytest.mark.parametrize("name", ["min_replace", "min_insert", "min_merge"])
def test_clare_takes_what_is_likely_enough(name, candidates):
    # The stub gives its words 1/2, 1/4, 1/8 and so on.
    options = {**ALL, "merge": True, **dict.fromkeys(("min_replace", "min_insert", "min_merge"), 1.1), name: 0.125}
    text = sentence("Ana told traders", "B-PER O O")
    attacked(Clare(**options), text=text)
    kind = name.removeprefix("min_")
    found = kinds(candidates, text)
    assert {key for key, where in found.items() if where} == {kind}
    per_place = Counter(
        next(i for i, (a, b) in enumerate(zip((*c.tokens, ""), (*text.tokens, ""), strict=False)) if a != b)
        for c in candidates
    )
    # Three at each place; the stub leaves none out but the word itself.
    assert set(per_place.values()) == {3}


def test_clare_asks_as_many_as_its_sample_in_a_step():
    victim = unmoved()
    attacked(Clare(sample=5, similarity=0.0), victim, sentence("Ana told traders that markets fell", "B-PER O O O O O"))
    assert len(victim.asked) == 1 + 5  # nothing is nearer, so there is one step


def test_a_wider_beam_looks_at_more():
    def steps(beam):
        return attacked(Clare(beam=beam, sample=6, similarity=0.0), wavering(), budget=400).search_queries

    assert steps(3) > steps(1) + 6


def test_clare_inserts_before_a_mention_that_begins_the_text(candidates):
    text = sentence("Ana told traders", "B-PER O O")
    attacked(Clare(**ALL), text=text)
    first = {c.tokens[0] for c in candidates if not c.sources[0]}
    assert first
    assert first == {word.capitalize() for word in first}
