"""Signs that gold labels changed, each on a case that shows it and one that does not."""

from __future__ import annotations

import pytest
from stubs import sentence

from benchmark.alignment import adversarial_sentence, edit_script
from benchmark.label_risk import FLAGS, invalidates, label_risk
from benchmark.types import Span

TEXT = sentence("Yesterday Ana Ruiz left the bank in Tallinn .", "O B-PER I-PER O O O O B-LOC O")
QUIET = (("O",) * 9, ("O",) * 9)
KNOWN = {("hilton",): frozenset({"ORG"}), ("paris",): frozenset({"LOC", "PER"}), ("ana", "ruiz"): frozenset({"PER"})}


def flags(candidate, taggers=(QUIET, QUIET), misspelt=0, known=KNOWN):
    return label_risk(TEXT, candidate, taggers, misspelt, known)


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (TEXT.replace(5, "shop"), ()),
        (TEXT.replace(5, "Barclays"), ("new-capital",)),
        (TEXT.replace(0, "Tomorrow"), ()),  # what it replaces was capitalised as well
        (TEXT.insert(0, "Surely"), ()),  # the first word of a sentence is
        (TEXT.insert(3, "Banco"), ("new-capital",)),
        (TEXT.replace(1, "Anna"), ("mention-edited",)),
        (TEXT.replace(7, "Paris"), ("mention-edited",)),  # known as a place among others
        (TEXT.replace(7, "Hilton"), ("mention-edited", "type-confusable")),
        (TEXT.insert(2, "de", split=True), ("mention-split",)),
        (TEXT.delete(7), ("mention-edited", "mention-lost")),
        (TEXT.delete(2), ("mention-edited",)),
        (TEXT.delete(7).insert(2, "de", split=True), ("mention-edited", "mention-split", "mention-lost")),
        (TEXT.delete(4), ()),
        (TEXT.merge(4, "home"), ()),
        (TEXT.merge(4, "Home"), ("new-capital",)),
    ],
)
def test_a_flag_for_each_sign(candidate, expected):
    quiet = (("O",) * 9, ("O",) * len(candidate))
    assert flags(candidate, (quiet, quiet)) == expected


def test_a_new_entity_must_be_seen_by_both_taggers_and_not_have_been_one_before():
    candidate = TEXT.replace(5, "shop")
    sees = (("O",) * 9, ("O",) * 5 + ("B-ORG",) + ("O",) * 3)
    saw_before = (("O",) * 5 + ("B-ORG",) + ("O",) * 3,) * 2
    elsewhere = (("O",) * 9, ("O",) * 3 + ("B-ORG",) + ("O",) * 5)
    assert flags(candidate, (sees, sees)) == ("new-entity",)
    assert flags(candidate, (sees, QUIET)) == ()
    assert flags(candidate, (sees, saw_before)) == ()
    assert flags(candidate, (elsewhere, elsewhere)) == ()
    assert flags(candidate, ()) == ()


def test_entities_inside_mentions_are_what_mentions_are_for():
    tags = (("O",) * 9, ("O", "B-PER", "I-PER", "O", "O", "O", "O", "B-LOC", "O"))
    assert flags(TEXT.replace(7, "Narva"), (tags, tags)) == ("mention-edited",)


def test_spelling_and_unknown_training_data():
    assert flags(TEXT.replace(5, "bnak"), misspelt=1) == ("misspelt",)
    assert flags(TEXT.replace(5, "bnak"), misspelt=0) == ()
    assert flags(TEXT.replace(7, "Hilton"), known=None) == ("mention-edited",)


def test_a_paraphrase_shows_new_capitals_only_for_new_words():
    moved = TEXT.paraphrase(
        ["Ana", "Ruiz", "left", "the", "bank", "in", "Tallinn", "Yesterday", "."],
        [Span(0, 2, "PER"), Span(6, 7, "LOC")],
    )
    assert flags(moved) == ()


def test_an_edit_inside_a_mention_alone_does_not_invalidate():
    assert {name for name, flag in FLAGS.items() if not flag.invalidates} == {"mention-edited", "misspelt"}
    assert not invalidates(("mention-edited", "misspelt"))
    assert invalidates(("mention-edited", "new-capital"))
    assert not invalidates(())


@pytest.mark.parametrize(
    "candidate",
    [
        TEXT.replace(5, "shop").insert(0, "Surely").delete(4),
        TEXT.merge(4, "home").replace(1, "ANA"),
        TEXT.insert(2, "de", split=True),
        TEXT,
    ],
)
def test_an_adversarial_sentence_is_put_together_again_from_its_script(candidate):
    again = adversarial_sentence(TEXT, edit_script(TEXT, candidate), candidate.tags)
    assert (again.tokens, again.tags, again.sources) == (candidate.tokens, candidate.tags, candidate.sources)


def test_a_mention_cut_down_to_another_types_name_is_confusable():
    text = sentence("He reads the Hilton Times daily .", "O O O B-PER I-PER O O")
    cut = text.delete(4)
    assert label_risk(text, cut, (), 0, KNOWN) == ("mention-edited", "type-confusable")


def test_one_tagger_alone_decides_nothing():
    sees = (("O",) * 9, ("O",) * 5 + ("B-ORG",) + ("O",) * 3)
    assert flags(TEXT.replace(5, "shop"), (sees,)) == ()
