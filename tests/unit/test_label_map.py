"""Label maps: always explicit; both label sets are shown where they do not fit."""

from __future__ import annotations

import numpy as np
import pytest
from stubs import LABELS, StubVictim, lexicon

from benchmark.errors import BadInput
from benchmark.victims.label_map import LabelMap, RelabelledVictim, require_iob2_labels, require_same_types, types_of

ONTONOTES = ("O", "B-PERSON", "I-PERSON", "B-GPE", "I-GPE", "B-LOC", "I-LOC", "B-DATE", "I-DATE")


def ontonotes_victim(confidence=0.9):
    known = {"Ana": "B-PERSON", "Ruiz": "I-PERSON", "Oslo": "B-GPE", "Monday": "B-DATE", "Alps": "B-LOC"}
    return StubVictim(lexicon(known), confidence, ONTONOTES)


def test_types_are_renamed_with_their_marks_and_others_kept():
    label_map = LabelMap.parse("PERSON=PER, GPE=LOC,DATE=O")
    assert [label_map(label) for label in ("B-PERSON", "I-GPE", "B-DATE", "O", "B-ORG")] == [
        "B-PER",
        "I-LOC",
        "O",
        "O",
        "B-ORG",
    ]


def test_whole_labels_are_renamed_and_win_over_types():
    label_map = LabelMap.parse("LABEL_0=O,LABEL_1=B-PER,I-GPE=I-LOC,GPE=ORG")
    assert [label_map(label) for label in ("LABEL_0", "LABEL_1", "I-GPE", "B-GPE")] == ["O", "B-PER", "I-LOC", "B-ORG"]


@pytest.mark.parametrize("text", ["PERSON", "PERSON=", "=PER", "PERSON=PER,,GPE=LOC", "PERSON:PER", " "])
def test_malformed_map_shows_the_item_and_an_example(text):
    with pytest.raises(BadInput, match=r"is not OLD=NEW; example: PERSON=PER"):
        LabelMap.parse(text)


def test_tags_are_renamed_and_dropped():
    victim = RelabelledVictim(ontonotes_victim(), LabelMap.parse("PERSON=PER,GPE=LOC,DATE=O"))
    (answer,) = victim.predict([("Ana", "Ruiz", "left", "Oslo", "Monday", "Alps")])
    assert answer.tags == ("B-PER", "I-PER", "O", "B-LOC", "O", "B-LOC")
    assert victim.labels == ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def test_probabilities_of_labels_that_fall_together_are_added():
    victim = RelabelledVictim(ontonotes_victim(0.2), LabelMap.parse("PERSON=PER,GPE=LOC,DATE=O"))
    (answer,) = victim.predict([("Oslo",)])
    rest = 0.8 / 8
    # O gathers O and the two of DATE; B-LOC gathers B-GPE (the one predicted) and B-LOC.
    assert answer.probabilities == pytest.approx(np.array([[3 * rest, rest, rest, 0.2 + rest, 2 * rest]]), abs=1e-6)
    assert answer.probabilities.sum() == pytest.approx(1.0, abs=1e-6)


def test_victim_with_labels_only_stays_one():
    victim = RelabelledVictim(ontonotes_victim(None), LabelMap.parse("PERSON=PER,GPE=LOC,DATE=O"))
    assert victim.predict([("Ana",)])[0].probabilities is None
    assert victim.access == ontonotes_victim(None).access


def test_map_is_part_of_the_settings_in_one_order():
    one = RelabelledVictim(ontonotes_victim(), LabelMap.parse("PERSON=PER,DATE=O"))
    two = RelabelledVictim(ontonotes_victim(), LabelMap.parse("DATE=O,PERSON=PER"))
    assert one.settings == two.settings == {"backend": "stub", "label_map": {"DATE": "O", "PERSON": "PER"}}
    assert list(one.settings["label_map"]) == list(two.settings["label_map"])


def test_name_the_victim_does_not_have_shows_its_labels():
    with pytest.raises(BadInput, match="renames PERSN, which stub does not have; its labels: O, B-PERSON, I-PERSON"):
        RelabelledVictim(ontonotes_victim(), LabelMap.parse("PERSN=PER"))


def test_labels_that_are_not_iob2_show_the_way_out():
    with pytest.raises(BadInput, match=r"labels of it .*LABEL_0, LABEL_1; rename them, .*--label-map LABEL_0=O"):
        require_iob2_labels(("LABEL_0", "LABEL_1"), "it")
    with pytest.raises(BadInput, match="not IOB2"):
        require_iob2_labels(("B-PER", "I-PER"), "it")
    require_iob2_labels(LABELS, "it")


def test_map_to_something_that_is_not_iob2_is_refused():
    victim = StubVictim(lambda tokens: ["LABEL_0" for _ in tokens], 0.9, ("LABEL_0", "LABEL_1", "LABEL_2"))
    with pytest.raises(BadInput, match="LABEL_2"):
        RelabelledVictim(victim, LabelMap.parse("LABEL_0=O,LABEL_1=B-PER"))


def test_types_of_a_label_set():
    assert types_of(ONTONOTES) == {"PERSON", "GPE", "LOC", "DATE"}


def test_different_types_show_both_sets():
    told = "the victim has DATE, GPE, LOC, PERSON, the data set LOC, PER;.*--label-map"
    with pytest.raises(BadInput, match=told):
        require_same_types(ontonotes_victim(), ("PER", "LOC"), "mine")


def test_type_that_only_the_data_set_has_is_refused():
    with pytest.raises(BadInput, match="the data set GENE, LOC"):
        require_same_types(StubVictim(lexicon({})), ("GENE", "LOC"), "mine")


def test_type_that_only_the_victim_has_must_be_named():
    victim = StubVictim(lexicon({}))
    with pytest.raises(BadInput, match="MISC"):
        require_same_types(victim, ("PER", "LOC", "ORG"), "mine")
    require_same_types(RelabelledVictim(victim, LabelMap.parse("MISC=MISC")), ("PER", "LOC", "ORG"), "mine")
    require_same_types(RelabelledVictim(victim, LabelMap.parse("MISC=O")), ("PER", "LOC", "ORG"), "mine")


def test_whole_labels_to_types_the_data_set_has_are_accepted():
    victim = StubVictim(lambda tokens: ["LABEL_0" for _ in tokens], 0.9, ("LABEL_0", "LABEL_1", "LABEL_2"))
    relabelled = RelabelledVictim(victim, LabelMap.parse("LABEL_0=O,LABEL_1=B-PER,LABEL_2=I-PER"))
    require_same_types(relabelled, ("PER",), "mine")
    assert relabelled.predict([("x",)])[0].tags == ("O",)
