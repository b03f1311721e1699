"""Sentences and their edits: labels move with their words."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest
from stubs import sentence

from benchmark.errors import BadInput
from benchmark.types import Edit, Operation, Outcome, Sentence, Span, Status

#                0   1    2     3   4  5     6
ANA = sentence("Ana Ruiz saw Paris , then Rome", "B-PER I-PER O B-LOC O O B-LOC")
NEIGHBOURS = sentence("Ana Paris", "B-PER B-LOC")
LONG = sentence("the New York Times said", "O B-ORG I-ORG I-ORG O")


def shown(s):
    return " ".join(s.tokens), " ".join(s.tags)


def test_a_new_sentence_stands_for_itself():
    assert ANA.sources == ((0,), (1,), (2,), (3,), (4,), (5,), (6,))
    assert ANA.text == "Ana Ruiz saw Paris , then Rome"
    assert len(ANA) == 7
    assert ANA.spans == (Span(0, 2, "PER"), Span(3, 4, "LOC"), Span(6, 7, "LOC"))
    assert [ANA.inside(i) for i in range(7)] == [True, True, False, True, False, False, True]
    assert not ANA.paraphrased


def test_a_sentence_cannot_be_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        ANA.tokens = ()


@pytest.mark.parametrize("tags", ["O", "O O O"])
def test_as_many_tags_as_tokens(tags):
    with pytest.raises(BadInput, match="2 tokens"):
        sentence("a b", tags)


def test_as_many_sources_as_tokens():
    with pytest.raises(BadInput):
        Sentence("s", ("a", "b"), ("O", "O"), ((0,),))


@pytest.mark.parametrize(
    ("tokens", "tags"), [("a", "I-PER"), ("a b", "O I-PER"), ("a b", "B-LOC I-PER"), ("a b c", "B-PER O I-PER")]
)
def test_a_dangling_inside_tag_is_refused(tokens, tags):
    with pytest.raises(BadInput, match="dangling"):
        sentence(tokens, tags)


@pytest.mark.parametrize("tag", ["S-PER", "E-PER", "PER", "I-", "B-", ""])
def test_a_tag_that_is_not_iob2_is_refused(tag):
    with pytest.raises(BadInput):
        Sentence("s", ("Ana",), (tag,))


def test_replace_keeps_label_and_source():
    after = ANA.replace(1, "Diaz")
    assert shown(after) == ("Ana Diaz saw Paris , then Rome", "B-PER I-PER O B-LOC O O B-LOC")
    assert after.sources == ANA.sources
    assert ANA.tokens[1] == "Ruiz"


@pytest.mark.parametrize("i", [-1, 7, 8])
@pytest.mark.parametrize("edit", ["replace", "delete"])
def test_an_index_outside_the_sentence_is_refused(edit, i):
    arguments = (i, "x") if edit == "replace" else (i,)
    with pytest.raises(BadInput, match="no token"):
        getattr(ANA, edit)(*arguments)


@pytest.mark.parametrize(
    ("i", "tokens", "tags"),
    [
        (0, "so Ana Ruiz saw Paris , then Rome", "O B-PER I-PER O B-LOC O O B-LOC"),
        (2, "Ana Ruiz so saw Paris , then Rome", "B-PER I-PER O O B-LOC O O B-LOC"),
        (3, "Ana Ruiz saw so Paris , then Rome", "B-PER I-PER O O B-LOC O O B-LOC"),
        (7, "Ana Ruiz saw Paris , then Rome so", "B-PER I-PER O B-LOC O O B-LOC O"),
    ],
)
@pytest.mark.parametrize("split", [False, True])
def test_an_inserted_word_is_outside_and_moves_nothing(i, tokens, tags, split):
    after = ANA.insert(i, "so", split=split)
    assert shown(after) == (tokens, tags)
    assert after.sources == (*ANA.sources[:i], (), *ANA.sources[i:])


def test_insertion_between_two_neighbouring_mentions():
    assert shown(NEIGHBOURS.insert(1, "in")) == ("Ana in Paris", "B-PER O B-LOC")


def test_insertion_inside_a_mention_is_refused():
    with pytest.raises(BadInput, match="split a mention"):
        ANA.insert(1, "so")


def test_insertion_inside_a_mention_with_split_opens_the_rest_anew():
    assert shown(LONG.insert(2, "x", split=True)) == ("the New x York Times said", "O B-ORG O B-ORG I-ORG O")
    assert shown(LONG.insert(3, "x", split=True)) == ("the New York x Times said", "O B-ORG I-ORG O B-ORG O")


@pytest.mark.parametrize("i", [-1, 8])
def test_insertion_outside_the_sentence_is_refused(i):
    with pytest.raises(BadInput, match="no place"):
        ANA.insert(i, "so")


@pytest.mark.parametrize(
    ("i", "tokens", "tags"),
    [
        (0, "Ruiz saw Paris , then Rome", "B-PER O B-LOC O O B-LOC"),
        (1, "Ana saw Paris , then Rome", "B-PER O B-LOC O O B-LOC"),
        (2, "Ana Ruiz Paris , then Rome", "B-PER I-PER B-LOC O O B-LOC"),
        (3, "Ana Ruiz saw , then Rome", "B-PER I-PER O O O B-LOC"),
        (6, "Ana Ruiz saw Paris , then", "B-PER I-PER O B-LOC O O"),
    ],
)
def test_deleting_a_token_deletes_its_label(i, tokens, tags):
    after = ANA.delete(i)
    assert shown(after) == (tokens, tags)
    assert after.sources == (*ANA.sources[:i], *ANA.sources[i + 1 :])


def test_deleting_a_token_in_the_middle_of_a_mention_keeps_it_one_mention():
    assert shown(LONG.delete(2)) == ("the New Times said", "O B-ORG I-ORG O")


def test_deleting_a_mention_does_not_lengthen_its_neighbour():
    assert sentence("Ana Bo Cy", "B-PER B-PER I-PER").delete(0).spans == (Span(0, 2, "PER"),)
    assert sentence("Ana x Bo", "B-PER O B-PER").delete(1).spans == (Span(0, 1, "PER"), Span(1, 2, "PER"))


def test_the_only_token_cannot_be_deleted():
    with pytest.raises(BadInput, match="only token"):
        sentence("Ana", "B-PER").delete(0)


@pytest.mark.parametrize(
    ("before", "i", "tokens", "tags"),
    [
        (ANA, 0, "X saw Paris , then Rome", "B-PER O B-LOC O O B-LOC"),
        (ANA, 4, "Ana Ruiz saw Paris X Rome", "B-PER I-PER O B-LOC O B-LOC"),
        (LONG, 2, "the New X said", "O B-ORG I-ORG O"),
    ],
)
def test_merge_puts_one_word_and_the_first_label_in_the_place_of_two(before, i, tokens, tags):
    after = before.merge(i, "X")
    assert shown(after) == (tokens, tags)
    assert after.sources[i] == (i, i + 1)


@pytest.mark.parametrize(("before", "i"), [(ANA, 1), (ANA, 2), (ANA, 3), (ANA, 5), (NEIGHBOURS, 0)])
def test_merge_across_the_border_of_a_mention_is_refused(before, i):
    with pytest.raises(BadInput, match="border"):
        before.merge(i, "X")


@pytest.mark.parametrize("i", [-1, 6])
def test_merge_needs_two_tokens(i):
    with pytest.raises(BadInput):
        ANA.merge(i, "X")


@pytest.mark.parametrize(
    ("words", "tokens", "tags", "sources"),
    [
        (["Bo", "Li"], "Bo Li saw", "B-PER I-PER O", ((0,), (1,), (2,))),
        (["Bo"], "Bo saw", "B-PER O", ((0,), (2,))),
        (["Bo", "van", "Li"], "Bo van Li saw", "B-PER I-PER I-PER O", ((0,), (1,), (), (2,))),
    ],
)
def test_replacing_a_mention_aligns_from_the_left(words, tokens, tags, sources):
    after = sentence("Ana Ruiz saw", "B-PER I-PER O").replace_span(Span(0, 2, "PER"), words)
    assert shown(after) == (tokens, tags)
    assert after.sources == sources


def test_replacing_a_mention_may_change_its_type():
    after = ANA.replace_span(Span(3, 4, "LOC"), ["Acme", "Ltd"], "ORG")
    assert after.tags == ("B-PER", "I-PER", "O", "B-ORG", "I-ORG", "O", "O", "B-LOC")


@pytest.mark.parametrize("span", [Span(0, 1, "PER"), Span(0, 2, "LOC"), Span(2, 3, "PER")])
def test_only_a_gold_mention_can_be_replaced_as_one(span):
    with pytest.raises(BadInput, match="no gold mention"):
        ANA.replace_span(span, ["x"])


def test_a_mention_cannot_be_replaced_by_nothing():
    with pytest.raises(BadInput, match="nothing"):
        ANA.replace_span(Span(0, 2, "PER"), [])


def test_a_paraphrase_moves_mentions_with_their_labels_and_sources():
    spans = [Span(3, 5, "PER"), Span(0, 1, "LOC"), Span(2, 3, "LOC")]
    after = ANA.paraphrase(["Paris", ",", "Rome", "Ana", "Ruiz", "Saw", "twice"], spans)
    assert after.tags == ("B-LOC", "O", "B-LOC", "B-PER", "I-PER", "O", "O")
    assert after.sources == ((3,), (4,), (6,), (0,), (1,), (2,), ())
    assert after.paraphrased


def test_a_paraphrase_aligns_each_context_word_once():
    after = sentence("so Ana so", "O B-PER O").paraphrase(["so", "so", "so", "Ana"], [Span(3, 4, "PER")])
    assert after.sources == ((0,), (2,), (), (1,))


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Ana Ruiz left", [Span(0, 2, "PER"), Span(0, 1, "PER")]),  # too many
        ("nobody left", []),  # gone
        ("Ana Diaz left", [Span(0, 2, "PER")]),  # other words
        ("Ana Ruiz left", [Span(0, 2, "LOC")]),  # other type
        ("Ana Ruiz left", [Span(0, 1, "PER")]),  # shortened
        ("Ana Ruiz", [Span(1, 3, "PER")]),  # beyond the end
    ],
)
def test_a_paraphrase_that_changes_a_mention_is_refused(text, spans):
    with pytest.raises(BadInput):
        sentence("Ana Ruiz left", "B-PER I-PER O").paraphrase(text.split(), spans)


def test_a_paraphrase_cannot_put_two_mentions_in_one_place():
    with pytest.raises(BadInput, match="overlaps"):
        sentence("Ana met Ana", "B-PER O B-PER").paraphrase(["Ana"], [Span(0, 1, "PER"), Span(0, 1, "PER")])


def test_a_paraphrase_that_repeats_a_mention_as_context_is_refused():
    with pytest.raises(BadInput):
        sentence("Ana Ruiz left", "B-PER I-PER O").paraphrase(
            ["Ana", "Ruiz", ",", "Ana", "Ruiz", "left"], [Span(0, 2, "PER")]
        )


@pytest.mark.parametrize(
    "edit",
    [
        Edit(Operation.REPLACE, 3, ("x",)),
        Edit(Operation.INSERT, 0, ("x",), 0),
        Edit(Operation.DELETE, 2),
        Edit(Operation.MERGE, 1, ("x",), 2),
        Edit(Operation.PARAPHRASE, 0, ("", "new", ""), 4, ((3,), (), (0, 1))),
    ],
)
def test_an_edit_survives_json(edit):
    assert Edit.from_json(json.loads(json.dumps(edit.to_json()))) == edit


def test_an_outcome_without_success_shows_the_original_answers():
    outcome = Outcome("s", None, 2, Status.FAILED, ("B-PER", "O"), ("O", "O"))
    assert outcome.adversarial_gold == ("B-PER", "O")
    assert outcome.adversarial_prediction == ("O", "O")


def test_queries_of_an_outcome_are_those_of_everybody():
    outcome = Outcome(
        "s", None, 1, Status.FAILED, ("O",), ("O",), search_queries=5, constraint_queries=2, gradient_queries=1
    )
    assert outcome.queries == 8


def test_a_paraphrase_that_leaves_no_token_is_refused():
    with pytest.raises(BadInput):
        sentence("so it goes", "O O O").paraphrase([], [])
