"""Edit scripts: read off, played back, counted."""

from __future__ import annotations

import pytest
from stubs import sentence

from benchmark.alignment import apply_edits, changed, edit_script, modification_rate
from benchmark.errors import BadInput
from benchmark.types import Edit, Operation, Sentence, Span

REPLACE, INSERT, DELETE, MERGE, PARAPHRASE = (
    Operation.REPLACE,
    Operation.INSERT,
    Operation.DELETE,
    Operation.MERGE,
    Operation.PARAPHRASE,
)
FOUR = sentence("a b c d", "O O O O")
TEN = sentence("w0 w1 w2 w3 w4 w5 w6 w7 w8 w9", " ".join(["O"] * 10))
TWELVE = sentence("w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11", " ".join(["O"] * 12))


@pytest.mark.parametrize(
    ("after", "script", "text"),
    [
        (FOUR, (), "a b c d"),
        (FOUR.replace(1, "x"), (Edit(REPLACE, 1, ("x",)),), "a x c d"),
        (FOUR.insert(0, "x"), (Edit(INSERT, 0, ("x",), 0),), "x a b c d"),
        (FOUR.insert(2, "x"), (Edit(INSERT, 2, ("x",), 0),), "a b x c d"),
        (FOUR.insert(4, "x"), (Edit(INSERT, 4, ("x",), 0),), "a b c d x"),
        (FOUR.delete(0), (Edit(DELETE, 0),), "b c d"),
        (FOUR.delete(3), (Edit(DELETE, 3),), "a b c"),
        (FOUR.merge(1, "x"), (Edit(MERGE, 1, ("x",), 2),), "a x d"),
        (FOUR.merge(1, "x").merge(1, "y"), (Edit(MERGE, 1, ("y",), 3),), "a y"),
        (FOUR.insert(1, "x").delete(2), (Edit(INSERT, 1, ("x",), 0), Edit(DELETE, 1)), "a x c d"),
        (FOUR.insert(1, "x").merge(0, "ax"), (Edit(REPLACE, 0, ("ax",)),), "ax b c d"),
        (FOUR.insert(0, "y").insert(0, "x").merge(0, "xy"), (Edit(INSERT, 0, ("xy",), 0),), "xy a b c d"),
    ],
)
def test_the_script_of_each_edit_and_what_it_plays_back(after, script, text):
    assert edit_script(FOUR, after) == script
    assert " ".join(apply_edits(FOUR.tokens, script)) == text == after.text


@pytest.mark.parametrize(
    "after",
    [
        FOUR.replace(2, "x").replace(2, "c"),
        FOUR.insert(1, "x").delete(1),
        FOUR.insert(0, "x").insert(5, "y").delete(0).delete(4),
    ],
)
def test_a_change_taken_back_is_no_change(after):
    assert edit_script(FOUR, after) == ()
    assert changed(FOUR, after) == frozenset()


def test_the_script_does_not_depend_on_the_way_taken():
    assert edit_script(FOUR, FOUR.delete(0).replace(2, "x")) == edit_script(FOUR, FOUR.replace(3, "x").delete(0))


def test_tokens_that_became_neighbours_by_a_deletion_can_be_merged():
    after = FOUR.delete(1).merge(0, "ac")
    assert apply_edits(FOUR.tokens, edit_script(FOUR, after)) == ("ac", "d") == after.tokens


def test_mention_tokens_that_became_neighbours_by_a_deletion_can_be_merged():
    before = sentence("New York Times said", "B-ORG I-ORG I-ORG O")
    after = before.delete(1).merge(0, "NewTimes")
    assert apply_edits(before.tokens, edit_script(before, after)) == ("NewTimes", "said") == after.tokens


def test_replacing_a_mention_by_a_longer_one_is_insertions_and_by_a_shorter_one_deletions():
    before = sentence("Ana Ruiz left", "B-PER I-PER O")
    span = Span(0, 2, "PER")
    assert edit_script(before, before.replace_span(span, ["Ana", "de", "Ruiz"])) == (
        Edit(REPLACE, 1, ("de",)),
        Edit(INSERT, 2, ("Ruiz",), 0),
    )
    assert edit_script(before, before.replace_span(span, ["Bo"])) == (Edit(REPLACE, 0, ("Bo",)), Edit(DELETE, 1))


def test_a_reordering_that_is_no_paraphrase_has_no_script():
    with pytest.raises(BadInput, match="order"):
        edit_script(FOUR, Sentence("s", ("b", "a"), ("O", "O"), ((1,), (0,))))


def test_a_paraphrase_is_one_edit_that_plays_back():
    before = sentence("Ana saw the sea today", "B-PER O O O O")
    after = before.paraphrase(["today", "the", "Sea", "saw", "poor", "Ana"], [Span(5, 6, "PER")])
    script = edit_script(before, after)
    assert [edit.operation for edit in script] == [PARAPHRASE]
    assert script[0].words == ("", "", "Sea", "", "poor", "")
    assert apply_edits(before.tokens, script) == after.tokens


def test_a_paraphrase_that_repeats_the_original_is_no_edit():
    before = sentence("Ana left", "B-PER O")
    assert edit_script(before, before.paraphrase(["Ana", "left"], [Span(0, 1, "PER")])) == ()


@pytest.mark.parametrize(
    "script",
    [
        [Edit(REPLACE, 4, ("x",))],
        [Edit(INSERT, 5, ("x",), 0)],
        [Edit(MERGE, 3, ("x",), 2)],
        [Edit(DELETE, -1)],
        [Edit(REPLACE, 2, ("x",)), Edit(REPLACE, 1, ("y",))],
        [Edit(MERGE, 0, ("x",), 2), Edit(DELETE, 1)],
    ],
)
def test_a_script_that_does_not_fit_is_refused(script):
    with pytest.raises(BadInput, match="does not fit"):
        apply_edits(FOUR.tokens, script)


def rate(before, after):
    return modification_rate(edit_script(before, after), len(before))


def test_one_insertion_at_the_front_of_twelve_tokens_is_one_twelfth():
    assert rate(TWELVE, TWELVE.insert(0, "so")) == 1 / 12


def test_three_of_ten_words_replaced_is_three_tenths():
    assert rate(TEN, TEN.replace(0, "x").replace(4, "x").replace(9, "x")) == 0.3


def test_a_deletion_and_a_merge_count_one_each():
    assert rate(TEN, TEN.delete(3)) == 0.1
    assert rate(TEN, TEN.merge(3, "x")) == 0.1
    assert rate(TEN, TEN.merge(8, "x").delete(3)) == 0.2


def test_insertions_can_push_the_rate_over_one():
    after = FOUR
    for _ in range(5):
        after = after.insert(2, "x")
    assert rate(FOUR, after) == 1.25


@pytest.mark.parametrize(
    ("text", "place", "edits"),
    [
        ("Ana saw the sea today", 0, 0),  # the same
        ("Ana saw the sea now", 0, 1),  # one word replaced
        ("Ana Saw the sea today", 0, 1),  # the case of one word
        ("today Ana saw the sea", 1, 2),  # moved: one insertion, one deletion
        ("so Ana saw the sea today", 1, 1),  # one insertion
        ("Ana saw today", 0, 2),  # two deletions
    ],
)
def test_a_paraphrase_counts_its_token_levenshtein_distance(text, place, edits):
    before = sentence("Ana saw the sea today", "B-PER O O O O")
    assert rate(before, before.paraphrase(text.split(), [Span(place, place + 1, "PER")])) == edits / 5


def test_changed_names_new_replaced_and_merged_words_by_their_present_position():
    after = FOUR.insert(0, "x").replace(2, "y").merge(3, "cd")
    assert after.text == "x a y cd"
    assert changed(FOUR, after) == {0, 2, 3}


def test_an_inserted_word_is_changed_even_if_it_repeats_a_neighbour():
    assert changed(FOUR, FOUR.insert(1, "b")) == {1}


def test_sources_follow_tokens_through_edits():
    after = FOUR.insert(0, "x").delete(2).merge(2, "cd")
    assert after.sources == ((), (0,), (2, 3))
