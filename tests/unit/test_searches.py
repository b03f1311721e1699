"""Where an attack looks first and what it keeps, on landscapes small enough to walk by hand."""

from __future__ import annotations

import pytest
from attacking_frame import searched
from stubs import StubLandscape, StubVictim, sentence

from attacks.search.beam import beam_search
from attacks.search.greedy import walk
from attacks.search.word_ranking import rank_by_deletion, rank_by_masking
from benchmark.probe import BudgetSpent, GoalReached

# One name and four places that can be a or b; the victim's doubt in the name is a table.
TEXT = sentence("Ana - - - -", "B-PER O O O O")


def landscape(doubt):
    """A victim whose doubt in the name is a function of the words behind it."""
    return StubLandscape({"Ana": "B-PER"}, lambda tokens: doubt(" ".join(tokens[1:])))


def search(doubt, steps, **options):
    """Drive `steps(probe)`; return the texts asked, without the clean one, the probe, and what ended it."""
    victim = landscape(doubt)
    probe, done = searched(steps, victim, TEXT, **options)
    return [" ".join(tokens[1:]) for tokens in victim.asked], probe, done


async def letters(current, i):
    return [current.replace(i, letter) for letter in "ab"]


def walking(*positions):
    return lambda probe: walk(TEXT, positions, letters, probe)


# --- walk -------------------------------------------------------------------------------------------------------------


def test_walk_keeps_the_best_edit_of_each_place_and_adds_the_next_to_it():
    asked, probe, done = search(lambda text: 0.1 * text.count("b") + 0.05 * text.count("a"), walking(1, 2, 3))
    assert asked == ["a - - -", "b - - -", "b a - -", "b b - -", "b b a -", "b b b -"]
    assert (done.error, probe.found) == (None, None)


def test_walk_takes_back_what_does_not_help():
    doubts = {"- - - -": 0.2, "- a - -": 0.3}
    asked, _, _ = search(lambda text: doubts.get(text, 0.2 if text.count("a") else 0.1), walking(1, 2, 3))
    # "a - - -" is only as near as the text itself and "b - - -" farther away; "- a - -" is nearer and kept.
    assert asked == ["a - - -", "b - - -", "- a - -", "- b - -", "- a a -", "- a b -"]


def test_walk_keeps_nothing_where_nothing_helps():
    asked, _, _ = search(lambda text: 0.3, walking(4, 1))
    assert asked == ["- - - a", "- - - b", "a - - -", "b - - -"]


def test_walk_does_not_step_back_below_what_it_has_reached():
    # Every second edit looks good against the start, but not against what the first one reached.
    doubts = {"b - - -": 0.4, "b a - -": 0.35, "b b - -": 0.4, "b - a -": 0.41}
    asked, _, _ = search(lambda text: doubts.get(text, 0.1), walking(1, 2, 3, 4))
    assert asked[4:] == ["b - a -", "b - b -", "b - a a", "b - a b"]


def test_walk_stops_at_success_and_asks_no_further_place():
    asked, probe, done = search(lambda text: 0.9 if text == "b a - -" else 0.1 * text.count("b"), walking(1, 2, 3))
    assert isinstance(done.error, GoalReached)
    assert asked == ["a - - -", "b - - -", "b a - -", "b b - -"]
    assert probe.found.sentence.text == "Ana b a - -"
    assert probe.queries_to_success == 3


def test_walk_passes_over_places_without_edits_and_edits_that_are_turned_away():
    async def sometimes(current, i):
        return [] if i == 1 else [current.replace(i, "") if i == 2 else current.replace(i, "a")]

    asked, probe, _ = search(lambda text: 0.1, lambda probe: walk(TEXT, [1, 2, 3], sometimes, probe))
    assert asked == ["- - a -"]
    assert probe.rejected == {"empty word": 1}


def test_walk_of_no_places_asks_nothing():
    assert search(lambda text: 0.1, walking())[0] == []


def test_walk_ends_with_the_budget():
    asked, probe, done = search(lambda text: 0.1, lambda probe: walk(TEXT, [1, 2], letters, probe), budget=3)
    assert isinstance(done.error, BudgetSpent)
    assert len(asked) == probe.search_queries == 3


# --- beam search ------------------------------------------------------------------------------------------------------


async def neighbours(current):
    """Put a or b in the place of the first or second dash."""
    free = [i for i, token in enumerate(current.tokens) if token == "-"][:2]
    return [current.replace(i, letter) for i in free for letter in "ab"]


# The best first step leads nowhere; from the third best the name is lost.
DECEPTIVE = {
    "a - - -": 0.30,
    "b - - -": 0.25,
    "- a - -": 0.20,
    "- b - -": 0.15,
    "a a - -": 0.31,
    "b a - -": 0.32,
    "b b - -": 0.28,
    "b - a -": 0.26,
    "- a b -": 0.90,
}


def beam(width):
    return lambda probe: beam_search(TEXT, neighbours, probe, width)


def deceptive(text):
    return DECEPTIVE.get(text, 0.1)


def test_a_beam_of_one_is_greedy_and_stays_on_the_wrong_path():
    asked, probe, done = search(deceptive, beam(1))
    assert (done.error, probe.found) == (None, None)
    assert asked == [
        *["a - - -", "b - - -", "- a - -", "- b - -"],
        *["a a - -", "a b - -", "a - a -", "a - b -"],
        *["a a a -", "a a b -", "a a - a", "a a - b"],
    ]


def test_a_beam_of_three_keeps_the_one_from_which_the_name_is_lost():
    asked, probe, done = search(deceptive, beam(3))
    assert isinstance(done.error, GoalReached)
    assert probe.found.sentence.text == "Ana - a b -"
    # Four neighbours of the start, then those of the three best, in the order of the beam.
    assert asked[4:8] == ["a a - -", "a b - -", "a - a -", "a - b -"]
    assert asked[8:10] == ["b a - -", "b b - -"]
    assert "- b a -" not in asked


def test_a_beam_of_two_is_too_narrow():
    assert search(deceptive, beam(2))[1].found is None


def test_beam_search_stops_where_no_neighbour_is_nearer():
    asked, _, done = search(lambda text: 0.2, beam(3))
    assert done.error is None
    assert len(asked) == 4


def test_beam_search_stops_where_there_are_no_neighbours():
    async def none(current):
        return []

    asked, _, done = search(lambda text: 0.2, lambda probe: beam_search(TEXT, none, probe, 2))
    assert (asked, done.error) == ([], None)


def test_beam_search_only_goes_on_with_neighbours_nearer_than_the_last_step():
    asked, _, _ = search(lambda text: {1: 0.3, 2: 0.3}.get(4 - text.count("-"), 0.1), beam(1))
    assert len(asked) == 8  # two letters are no nearer than one


def test_beam_search_ends_with_the_budget():
    asked, probe, done = search(lambda text: 0.1 * (4 - text.count("-")), beam(2), budget=6)
    assert isinstance(done.error, BudgetSpent)
    assert len(asked) == probe.search_queries == 6


def test_a_text_reached_on_two_ways_is_asked_and_kept_once():
    """Else a query is paid twice and the beam holds the same sentence twice."""

    async def anywhere(current):
        return [current.replace(i, "a") for i, token in enumerate(current.tokens) if token == "-"]

    _, probe, _ = search(lambda text: 0.05 * text.count("a"), lambda probe: beam_search(TEXT, anywhere, probe, 4))
    assert probe.search_queries == len(probe.distinct) - 1


# --- ranking ----------------------------------------------------------------------------------------------------------


def ranked(rank, text, doubt, positions, **options):
    victim = doubt if isinstance(doubt, StubVictim) else landscape(doubt)
    asked = []

    async def steps(probe):
        found = await rank(text, positions, probe)
        asked.extend(victim.asked)
        return found

    probe, done = searched(steps, victim, text, **options)
    return done.result, [" ".join(tokens) for tokens in asked], probe


def test_masking_orders_by_doubt_and_ties_keep_the_order_of_the_text():
    text = sentence("Ana saw three red cars", "B-PER O O O O")
    doubts = {"saw three [UNK] cars": 0.4, "saw three red [UNK]": 0.3}
    order, asked, probe = ranked(rank_by_masking, text, lambda t: doubts.get(t, 0.1), [1, 2, 3, 4])
    assert order == [3, 4, 1, 2]
    assert asked[1] == "Ana saw [UNK] red cars"
    assert probe.search_queries == 4
    assert probe.found is None


def test_only_the_positions_given_are_asked():
    text = sentence("Ana saw three red cars", "B-PER O O O O")
    order, asked, _ = ranked(rank_by_deletion, text, lambda t: 0.1, [4, 2])
    assert order == [4, 2]
    assert asked == ["Ana saw three red", "Ana saw red cars"]


def test_deletion_takes_the_label_along():
    """SeqAttack compares every later token with its neighbour's label, so that any early word looks decisive."""
    text = sentence("today red cars met Ana", "O O O O B-PER")

    # Nothing but "cars" matters.
    victim = StubLandscape({"Ana": "B-PER"}, lambda tokens: 0.1 if "cars" in tokens else 0.3)
    scores = []

    async def steps(probe):
        scores.extend(await probe.measure([text.delete(i) for i in range(4)]))
        return await rank_by_deletion(text, range(4), probe)

    _, done = searched(steps, victim, text)
    assert done.result == [2, 0, 1, 3]
    assert scores == pytest.approx([0.1, 0.1, 0.3, 0.1])


def test_the_first_word_of_a_mention_can_be_deleted_and_the_rest_is_judged_as_the_mention():
    text = sentence("Ana Ruiz left", "B-PER I-PER O")
    # The second word alone opens a mention, which is as right as it was before.
    victim = StubVictim(
        lambda tokens: ["O" if t == "left" else "I-PER" if i else "B-PER" for i, t in enumerate(tokens)]
    )

    async def steps(probe):
        return await probe.measure([text.delete(0), text.delete(2)])

    first, last = searched(steps, victim, text)[1].result
    assert first == pytest.approx(last) == pytest.approx(0.1 * 7 / 8)
    assert ranked(rank_by_deletion, text, victim, [0, 2])[0] == [0, 2]


@pytest.mark.parametrize("positions", [[0], []])
def test_the_only_word_cannot_be_deleted_and_costs_no_query(positions):
    text = sentence("Ana", "B-PER")
    assert ranked(rank_by_deletion, text, lambda t: 0.1, positions)[:2] == (positions, [])


def test_ranking_stops_at_the_budget():
    text = sentence("Ana saw three red cars", "B-PER O O O O")
    for rank in (rank_by_masking, rank_by_deletion):
        order, _, probe = ranked(rank, text, lambda t: 0.1, [1, 2, 3, 4], budget=3)
        assert order is None
        assert probe.search_queries == 3


def test_ranking_nothing_asks_nothing():
    text = sentence("Ana saw", "B-PER O")
    for rank in (rank_by_masking, rank_by_deletion):
        assert ranked(rank, text, lambda t: 0.1, [])[:2] == ([], [])
