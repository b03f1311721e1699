"""The attacks: what they propose, what they never touch."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from attacking_frame import KNOWN, attacked
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from stubs import ALL_GOALS, StubVictim, StubWhiteBox, lexicon, sentence

from attacks.candidates.misspellings import delete_letter, insert_letter, misspellings, substitute_letter, swap_letters
from attacks.casing import Casing
from attacks.constraints.edit_distance import MaximumEditDistance
from attacks.constraints.edited_words import EditedWordsStayOutside
from attacks.deepwordbug import DeepWordBug, DeepWordBugByLabels, DeepWordBugOnContext
from attacks.identity import Identity
from attacks.random_edit import RandomEdit
from benchmark.alignment import apply_edits
from benchmark.contracts import Attack, attack
from benchmark.errors import BadInput
from benchmark.finding import ATTACKS
from benchmark.resources.stop_words import is_stop_word
from benchmark.threat import Access
from benchmark.types import Prediction, Status

TEXT = sentence("« yesterday » , Ana Ruiz visited Rome twice .", "O O O O B-PER I-PER O B-LOC O O")
MENTIONS = [4, 5, 7]


def outcome_of(attacker, victim=None, text=TEXT, **options):
    return attacked(attacker, victim, text, **options)


def unmoved(text=TEXT, **options):
    """A victim that says the same whatever the words are."""
    return StubVictim(lambda tokens: text.tags, **options)


def edited_places(tokens, original=TEXT):
    return [i for i, (a, b) in enumerate(zip(tokens, original.tokens, strict=True)) if a != b]


# --- identity ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["first-success", "escalate"])
@pytest.mark.parametrize("goal", ALL_GOALS)
@pytest.mark.parametrize("wrong", [{}, {"Ana": "B-LOC", "visited": "B-ORG"}, {"Ruiz": "O", "twice": "B-PER"}])
def test_identity_never_succeeds_whatever_the_clean_errors(goal, wrong, mode):
    victim = StubVictim(lexicon(KNOWN | wrong))
    outcome = outcome_of(Identity(), victim, goal=goal, mode=mode)
    assert (outcome.status, outcome.score, outcome.edits) == (Status.FAILED, 0, ())
    assert outcome.search_queries == 1
    assert victim.asked == [TEXT.tokens]


# --- casing -----------------------------------------------------------------------------------------------------------


def test_casing_offers_mentions_context_and_everything_in_three_casings():
    text = sentence("The UN met Ana", "O B-ORG O B-PER")
    assert [candidate.text for candidate in Casing().candidates(text)] == [
        "The un met ana",
        "The UN met ANA",
        "The Un met Ana",
        "the UN met Ana",
        "THE UN MET Ana",
        "The UN Met Ana",
        "the un met ana",
        "THE UN MET ANA",
        "The Un Met Ana",
    ]


def test_casing_keeps_labels_and_asks_no_unchanged_text():
    text = sentence("the un met ana", "O B-ORG O B-PER")
    assert {candidate.tags for candidate in Casing().candidates(text)} == {text.tags}
    victim = unmoved(text)
    outcome = outcome_of(Casing(), victim, text)
    assert outcome.status is Status.FAILED
    assert victim.asked.count(text.tokens) == 1
    # Of nine variants three are the text itself: mentions, context and everything in small letters.
    assert outcome.search_queries == 6


def test_casing_stops_at_the_smallest_change_that_works():
    outcome = outcome_of(Casing())
    assert (
        apply_edits(TEXT.tokens, outcome.edits) == TEXT.replace(4, "ana").replace(5, "ruiz").replace(7, "rome").tokens
    )
    assert outcome.search_queries == 1


# --- misspellings -----------------------------------------------------------------------------------------------------

WORDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x24F, categories=["L", "N", "P"]), min_size=1, max_size=12
)


@given(WORDS, st.integers(0, 2**32))
def test_each_misspelling_is_one_small_edit_away_and_never_empty(word, seed):
    for misspelled in misspellings(word, random.Random(seed)):
        assert misspelled
        assert misspelled != word
        assert Levenshtein.distance(word, misspelled) <= 2
        assert abs(len(misspelled) - len(word)) <= 1


@given(WORDS, st.integers(0, 2**32))
def test_each_operator_does_what_it_is_called(word, seed):
    rng = random.Random(seed)
    assert sorted(swap_letters(word, rng)) == sorted(word)
    assert len(substitute_letter(word, rng)) == len(word)
    assert len(delete_letter(word, rng)) == max(1, len(word) - 1)
    assert len(insert_letter(word, rng)) == len(word) + 1


def test_one_letter_can_be_neither_swapped_nor_deleted():
    assert all(len(w) <= 2 and w != "a" for seed in range(50) for w in misspellings("a", random.Random(seed)))
    assert swap_letters("a", random.Random(0)) == delete_letter("a", random.Random(0)) == "a"


def test_function_words_are_known_in_any_case():
    assert all(is_stop_word(word) for word in ("the", "The", "OF", "n't", "'s"))
    assert not any(is_stop_word(word) for word in ("Rome", "visited", ","))


# --- DeepWordBug ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 5, 12])
@pytest.mark.parametrize("variant", [DeepWordBug, DeepWordBugByLabels, DeepWordBugOnContext])
def test_deepwordbug_never_asks_a_text_beyond_max_edit_distance(variant, limit):
    victim = unmoved()
    outcome = outcome_of(variant(max_edit_distance=limit, order="random"), victim)
    distances = [Levenshtein.distance(TEXT.text, " ".join(tokens)) for tokens in victim.asked]
    assert max(distances) <= limit
    assert len(distances) > 1
    if limit == 1:  # a swap costs two
        assert outcome.rejected["too many characters changed"] > 0


def test_the_edit_distance_is_that_of_the_whole_text():
    limit = MaximumEditDistance(3)
    assert limit.objection(TEXT, TEXT.replace(1, "yesterdy").replace(6, "visitde")) is None
    assert limit.objection(TEXT, TEXT.replace(1, "yesterdy").replace(6, "visitde").replace(8, "twic"))
    assert limit.objection(TEXT, TEXT.insert(0, "so")) is None  # two letters and a space
    assert limit.objection(TEXT, TEXT.insert(0, "now"))


@pytest.mark.parametrize("seed", range(5))
def test_deepwordbug_ii_never_edits_a_mention_nor_what_was_taken_for_one(seed):
    # "yesterday" is no mention, but the victim takes it for one; punctuation stands before and between.
    tags = ("O", "B-MISC", *TEXT.tags[2:])
    victim = StubVictim(lambda tokens: tags)
    outcome = outcome_of(DeepWordBugOnContext(), victim, seed=seed)
    touched = {i for tokens in victim.asked for i in edited_places(tokens)}
    assert touched == {6, 8}
    assert "touches a mention" not in outcome.rejected


def test_deepwordbug_ii_does_not_count_an_edited_word_that_looks_like_an_entity():
    text = sentence(", visited Rome", "O O B-LOC")

    def shifting(tokens):
        # Any misspelling of "visited" becomes an entity and pushes Rome out.
        return ["O", "O", "B-LOC"] if tokens[1] in {"visited", "[UNK]"} else ["O", "B-LOC", "O"]

    outcome = outcome_of(DeepWordBugOnContext(), StubVictim(shifting), text)
    assert outcome.status is Status.FAILED
    assert outcome.rejected["edited word predicted as an entity"] > 0
    assert outcome_of(DeepWordBug(), StubVictim(shifting), text).status is Status.SUCCESS


def test_edited_words_are_looked_up_by_their_place_in_the_candidate():
    rule = EditedWordsStayOutside()
    candidate = TEXT.insert(0, ",").replace(7, "visitd")
    tags = ["O", *TEXT.tags]
    assert rule.objection(TEXT, candidate, Prediction(tuple(tags))) is None
    tags[7] = "B-LOC"
    assert rule.objection(TEXT, candidate, Prediction(tuple(tags))) == "edited word predicted as an entity"


def test_deepwordbug_leaves_function_words_and_single_characters_alone():
    victim = unmoved()
    outcome_of(DeepWordBug(order="random"), victim)
    assert {i for tokens in victim.asked for i in edited_places(tokens)} == {1, 4, 5, 6, 7, 8}


def test_deepwordbug_walks_the_words_by_their_importance():
    # Without "visited" the victim misses Rome, without "twice" everything.
    def leaning(tokens):
        if tokens[8] == "[UNK]":
            return ["O"] * 10
        return [*TEXT.tags[:7], "O" if tokens[6] == "[UNK]" else "B-LOC", "O", "O"]

    victim = StubVictim(leaning, confidence=1.0)
    outcome_of(DeepWordBug(), victim)
    walked = [edited_places(t)[-1] for t in victim.asked[1:] if "[UNK]" not in t and len(edited_places(t)) == 1]
    assert list(dict.fromkeys(walked)) == [8, 6, 1, 4, 5, 7]


def test_deepwordbug_keeps_no_misspelling_that_does_not_help():
    # The victim's doubt never changes, so no misspelling is better than the text as it was.
    victim = unmoved(confidence=0.75)
    outcome = outcome_of(DeepWordBug(), victim)
    assert outcome.status is Status.FAILED
    assert {len(edited_places(tokens)) for tokens in victim.asked} == {0, 1}


def wavering(tag):
    """A victim that doubts more with every edited word."""
    return StubVictim(tag, confidence=lambda tokens: 0.9 - 0.1 * len(edited_places(tokens)))


def test_deepwordbug_keeps_misspellings_that_help_and_adds_to_them():
    # Two words must be misspelled before the victim gives way.
    victim = wavering(lambda tokens: [tag if len(edited_places(tokens)) < 2 else "O" for tag in TEXT.tags])
    outcome = outcome_of(DeepWordBug(), victim)
    assert outcome.status is Status.SUCCESS
    assert len(outcome.edits) == 2


def test_deepwordbug_by_labels_visits_mentions_first_and_spends_no_query_on_ranking():
    victim = StubVictim(lambda tokens: TEXT.tags, confidence=None)
    outcome_of(DeepWordBugByLabels(), victim)
    assert all("[UNK]" not in tokens for tokens in victim.asked)
    walked = [edited_places(tokens)[-1] for tokens in victim.asked[1:]]
    assert list(dict.fromkeys(walked)) == [4, 5, 7, 6, 8, 1]


def test_deepwordbug_by_labels_attacks_a_sentence_without_mentions():
    text = sentence("yesterday nothing happened", "O O O")
    victim = StubVictim(lambda tokens: ["O", "B-LOC" if tokens[1] != "nothing" else "O", "O"], confidence=None)
    outcome = outcome_of(DeepWordBugByLabels(), victim, text, goal="spurious")
    assert outcome.reason is None
    assert outcome.status is Status.SUCCESS


def test_deepwordbug_by_labels_takes_the_same_way_whether_the_victim_gives_scores_or_not():
    doubtful, silent = wavering(lambda tokens: TEXT.tags), unmoved(confidence=None)
    for victim in (doubtful, silent):
        outcome_of(DeepWordBugByLabels(), victim)
    assert doubtful.asked == silent.asked


def test_deepwordbug_refuses_an_unknown_order():
    with pytest.raises(BadInput, match="importance, random"):
        DeepWordBug(order="alphabetical")


# --- random edits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["random-edit", "deepwordbug-i", "deepwordbug-ii", "deepwordbug-labels"])
def test_an_attack_asks_the_same_texts_again_with_the_same_seed(name):
    def asked(seed):
        victim = unmoved()
        outcome = outcome_of(ATTACKS.get(name)(), victim, budget=60, seed=seed)
        return victim.asked, outcome

    assert asked(3) == asked(3)
    assert asked(3)[0] != asked(4)[0]


def test_random_edit_spends_its_whole_budget_on_texts_one_word_away():
    victim = unmoved()
    outcome = outcome_of(RandomEdit(), victim, budget=50)
    assert outcome.search_queries == 50
    assert {len(edited_places(tokens)) for tokens in victim.asked[1:]} == {1}
    assert len({i for tokens in victim.asked for i in edited_places(tokens)}) > 5


def test_random_edit_misspells_as_many_words_as_it_is_told():
    victim = unmoved()
    outcome_of(RandomEdit(words=3), victim, budget=30)
    assert {len(edited_places(tokens)) for tokens in victim.asked[1:]} == {3}


def test_random_edit_takes_all_words_of_a_shorter_sentence():
    text = sentence("Ana left", "B-PER O")
    drawn = RandomEdit(words=9).draw(text, random.Random(0))
    assert edited_places(drawn.tokens, text) == [0, 1]


def test_random_edit_needs_a_word_to_edit():
    with pytest.raises(BadInput, match="at least 1"):
        RandomEdit(words=0)


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ATTACKS))
@pytest.mark.parametrize("goal", ALL_GOALS)
def test_every_attack_runs_under_every_goal_and_stays_within_its_budget(name, goal):
    victim = StubWhiteBox(lexicon(KNOWN))
    outcome = outcome_of(ATTACKS.get(name)(), victim, goal=goal, budget=25)
    assert outcome.status in {Status.SUCCESS, Status.FAILED}
    assert outcome.reason is None
    assert outcome.queries <= 25
    assert len(victim.asked) == outcome.forwards


# --- cards and parameters ---------------------------------------------------------------------------------------------


def test_a_card_tells_the_facts():
    card = DeepWordBugOnContext.card
    assert (card.name, card.version, card.access.name, card.touch.value) == ("deepwordbug-ii", 1, "SCORES", "context")
    assert card.summary.startswith("Misspell context words only")
    assert "Gao" in card.paper
    assert DeepWordBug.card.name == "deepwordbug-i"


def test_parameters_are_changed_by_name_and_reported():
    changed = DeepWordBug.configured({"max_edit_distance": 5})
    assert changed.parameters == {"max_edit_distance": 5, "order": "importance"}
    assert DeepWordBug.configured({}).parameters == {"max_edit_distance": 30, "order": "importance"}
    assert Identity.configured({}).parameters == {}


def test_a_parameter_that_is_unknown_is_refused_and_the_known_ones_are_named():
    with pytest.raises(BadInput, match=r"deepwordbug-i has no parameter 'distance'.*max_edit_distance, order"):
        DeepWordBug.configured({"distance": 5})
    with pytest.raises(BadInput, match="none"):
        Identity.configured({"words": 1})


@pytest.mark.parametrize(
    "parameters", [{"max_edit_distance": "5"}, {"max_edit_distance": 5.0}, {"max_edit_distance": True}, {"order": 1}]
)
def test_a_parameter_of_the_wrong_type_is_refused(parameters):
    with pytest.raises(BadInput, match="must be"):
        DeepWordBug.configured(parameters)


def test_a_parameter_of_a_wrong_value_is_refused():
    with pytest.raises(BadInput, match="order"):
        DeepWordBug.configured({"order": "backwards"})


def test_a_parameter_cannot_be_changed_later():
    with pytest.raises(AttributeError):
        RandomEdit().words = 2
    assert replace(RandomEdit(), words=2).words == 2


def test_a_float_parameter_takes_a_float():
    @attack("floating", access=Access.LABELS)
    class Floating(Attack):
        """Float."""

        share: float = 0.5

        async def run(self, sentence, probe):
            """Do nothing."""

    assert Floating.configured({"share": 0.25}).share == 0.25
    with pytest.raises(BadInput, match="share must be float"):
        Floating.configured({"share": "0.25"})
