"""Goals, with worked numbers. Success is always measured against the clean prediction."""

from __future__ import annotations

import numpy as np
import pytest
from stubs import LABELS, sentence

from benchmark.errors import BadInput
from benchmark.goals import GOALS, Clean, goal_named, kind
from benchmark.types import Prediction, Span

# Ana Ruiz of Acme saw Rome: E = 4 entity tokens, 3 mentions.
TEXT = "Ana Ruiz of Acme saw Rome"
GOLD = "B-PER I-PER O B-ORG O B-LOC"
ALL = ("untargeted", "untargeted-strict", "untargeted-any", "targeted-to-O", "targeted(PER)", "entity-miss", "spurious")


def predicted(tags, **doubts):
    """A prediction that gives each tag all probability but for `doubts`: t3="B-PER 0.4" moves 0.4 of token 3 there."""
    tags = tags.split()
    probabilities = np.zeros((len(tags), len(LABELS)), dtype=np.float64)
    for i, tag in enumerate(tags):
        probabilities[i, LABELS.index(tag)] = 1.0
    for place, doubt in doubts.items():
        i, (label, mass) = int(place[1:]), doubt.split()
        probabilities[i, LABELS.index(tags[i])] -= float(mass)
        probabilities[i, LABELS.index(label)] += float(mass)
    return Prediction(tuple(tags), probabilities)


def clean(tags=GOLD, text=TEXT, gold=GOLD):
    return Clean(sentence(text, gold), predicted(tags), LABELS)


def label_score(goal, now, before=GOLD):
    known = clean(before)
    return goal_named(goal).label_score(known, known.sentence, tuple(now.split()))


def confidence_score(goal, now, before=GOLD, **doubts):
    known = clean(before)
    return goal_named(goal).confidence_score(known, known.sentence, predicted(now, **doubts))


@pytest.mark.parametrize("goal", ALL)
@pytest.mark.parametrize(
    "tags",
    [GOLD, "O O O O O O", "B-PER I-PER B-ORG I-ORG O O", "I-PER I-PER O B-PER O B-LOC", "B-LOC O B-PER O B-PER B-LOC"],
)
def test_repeating_the_clean_prediction_scores_zero_whatever_its_errors(goal, tags):
    assert label_score(goal, tags, before=tags) == 0


@pytest.mark.parametrize(
    ("goal", "now", "score"),
    [
        # A new entity on an O token: nothing that was right about the entities breaks.
        ("untargeted", "B-PER I-PER O B-ORG B-LOC B-LOC", 0),
        ("untargeted-strict", "B-PER I-PER O B-ORG B-LOC B-LOC", 0),
        ("untargeted-any", "B-PER I-PER O B-ORG B-LOC B-LOC", 1 / 4),
        ("targeted-to-O", "B-PER I-PER O B-ORG B-LOC B-LOC", 0),
        ("targeted(PER)", "B-PER I-PER O B-ORG B-PER B-LOC", 0),
        ("entity-miss", "B-PER I-PER O B-ORG B-PER B-LOC", 0),
        ("spurious", "B-PER I-PER O B-ORG B-PER B-LOC", 1 / 3),
        # Opening and continuing exchanged: another tag of the same class.
        ("untargeted", "B-PER B-PER O B-ORG O B-LOC", 1 / 4),
        ("untargeted-strict", "B-PER B-PER O B-ORG O B-LOC", 0),
        ("untargeted-any", "B-PER B-PER O B-ORG O B-LOC", 0),
        ("targeted-to-O", "B-PER B-PER O B-ORG O B-LOC", 0),
        ("entity-miss", "B-PER B-PER O B-ORG O B-LOC", 1 / 3),
        ("untargeted", "I-PER I-PER O B-ORG O B-LOC", 1 / 4),
        ("untargeted-strict", "I-PER I-PER O B-ORG O B-LOC", 0),
        ("entity-miss", "I-PER I-PER O B-ORG O B-LOC", 0),
        # An entity token becomes O.
        ("untargeted", "B-PER O O B-ORG O B-LOC", 1 / 4),
        ("untargeted-strict", "B-PER O O B-ORG O B-LOC", 1 / 4),
        ("untargeted-any", "B-PER O O B-ORG O B-LOC", 1 / 4),
        ("targeted-to-O", "B-PER O O B-ORG O B-LOC", 1 / 4),
        ("targeted(PER)", "B-PER O O B-ORG O B-LOC", 0),
        ("entity-miss", "B-PER O O B-ORG O B-LOC", 1 / 3),
        ("spurious", "B-PER O O B-ORG O B-LOC", 0),
        # An entity token gets another type.
        ("untargeted-strict", "B-PER I-PER O B-PER O B-LOC", 1 / 4),
        ("targeted-to-O", "B-PER I-PER O B-PER O B-LOC", 0),
        ("targeted(PER)", "B-PER I-PER O B-PER O B-LOC", 1 / 2),
        ("targeted(PER)", "B-PER I-PER O B-PER O I-PER", 1),
        ("targeted(LOC)", "B-PER I-PER O B-PER O B-LOC", 0),
        ("targeted(LOC)", "B-LOC I-PER O B-LOC O B-ORG", 2 / 3),
        ("entity-miss", "B-PER I-PER O B-PER O B-LOC", 1 / 3),
        ("spurious", "B-PER I-PER O B-PER O B-LOC", 0),
        # A mention that grows over an O token is missed, but the span is no new one: it holds an entity token.
        ("entity-miss", "B-PER I-PER I-PER B-ORG O B-LOC", 1 / 3),
        ("spurious", "B-PER I-PER I-PER B-ORG O B-LOC", 0),
        ("untargeted-any", "B-PER I-PER I-PER B-ORG O B-LOC", 1 / 4),
        # Everything at once.
        ("untargeted", "O O O O O O", 1),
        ("untargeted-strict", "O O O O O O", 1),
        ("entity-miss", "O O O O O O", 1),
        ("targeted-to-O", "O O O O O O", 1),
        ("spurious", "O O B-PER O B-LOC O", 2 / 3),
        ("untargeted-any", "O O B-PER O B-LOC O", 6 / 4),
    ],
)
def test_label_score_after_a_faultless_clean_prediction(goal, now, score):
    assert label_score(goal, now) == pytest.approx(score, abs=0)


@pytest.mark.parametrize(
    ("goal", "before", "now", "score"),
    [
        # Acme was missed on the clean text: it never counts, though E stays 4.
        ("untargeted", "B-PER I-PER O O O B-LOC", "B-PER I-PER O B-PER O B-LOC", 0),
        ("untargeted-strict", "B-PER I-PER O O O B-LOC", "B-PER I-PER O B-PER O B-LOC", 0),
        ("untargeted-strict", "B-PER I-PER O O O B-LOC", "B-PER I-PER O B-PER O O", 1 / 4),
        ("untargeted-any", "B-PER I-PER O O O B-LOC", "B-PER I-PER O B-PER O B-LOC", 0),
        ("targeted-to-O", "B-PER I-PER O B-LOC O B-LOC", "B-PER I-PER O O O B-LOC", 0),
        ("targeted(PER)", "B-PER I-PER O O O B-LOC", "B-PER I-PER O B-PER O B-LOC", 0),
        ("targeted(PER)", "B-PER I-PER O O O B-LOC", "B-PER I-PER O B-PER O B-PER", 1 / 2),
        ("entity-miss", "B-PER I-PER O O O B-LOC", "O O O O O B-LOC", 1 / 3),
        # Ruiz was B- on the clean text: right for the class, wrong for the tag.
        ("untargeted", "B-PER B-PER O B-ORG O B-LOC", "B-PER O O B-ORG O B-LOC", 0),
        ("untargeted-strict", "B-PER B-PER O B-ORG O B-LOC", "B-PER O O B-ORG O B-LOC", 1 / 4),
        ("entity-miss", "B-PER B-PER O B-ORG O B-LOC", "O O O B-ORG O B-LOC", 0),
        # "of" was taken for a place on the clean text: that it still is, or is a person now, is nothing new.
        ("untargeted-any", "B-PER I-PER B-LOC B-ORG O B-LOC", "B-PER I-PER B-PER B-ORG O B-LOC", 0),
        ("spurious", "B-PER I-PER B-LOC B-ORG O B-LOC", "B-PER I-PER B-PER B-ORG O B-LOC", 0),
        ("spurious", "B-PER I-PER B-LOC B-ORG O B-LOC", "B-PER I-PER O B-ORG B-PER B-LOC", 1 / 3),
        # A clean error that is mended is no success.
        ("untargeted", "O O O B-ORG O B-LOC", GOLD, 0),
        ("entity-miss", "O O O B-ORG O B-LOC", GOLD, 0),
        ("spurious", "O O O B-ORG O B-LOC", GOLD, 0),
    ],
)
def test_clean_errors_never_count(goal, before, now, score):
    assert label_score(goal, now, before) == pytest.approx(score, abs=0)


@pytest.mark.parametrize(
    ("goal", "now", "doubts", "score"),
    [
        # Doubt in a class: B-PER for Ana may lose 0.4 to I-PER; the strict goal does not mind.
        ("untargeted", GOLD, {"t0": "I-PER 0.4"}, 0.4 / 4),
        ("untargeted-strict", GOLD, {"t0": "I-PER 0.4"}, 0),
        ("untargeted-strict", GOLD, {"t0": "B-LOC 0.4"}, 0.4 / 4),
        ("untargeted-strict", GOLD, {"t2": "B-LOC 0.4"}, 0),
        ("untargeted-any", GOLD, {"t2": "B-LOC 0.4"}, 0.4 / 4),
        ("targeted-to-O", GOLD, {"t0": "B-LOC 0.4"}, 0),
        ("targeted-to-O", GOLD, {"t0": "O 0.4"}, 0.4 / 4),
        ("targeted(PER)", GOLD, {"t3": "I-PER 0.3"}, 0.3 / 2),
        ("targeted(PER)", GOLD, {"t3": "B-LOC 0.3"}, 0),
        # What is broken counts in full, however unsure the victim is.
        ("untargeted-strict", "B-PER I-PER O O O B-LOC", {"t3": "B-ORG 0.4", "t5": "O 0.2"}, (1 + 0.2) / 4),
        ("targeted-to-O", "B-PER I-PER O O O B-LOC", {"t3": "B-ORG 0.4"}, 1 / 4),
        # Of a mention the weakest token counts.
        ("entity-miss", GOLD, {"t0": "O 0.1", "t1": "O 0.3"}, 0.3 / 3),
        ("entity-miss", "B-PER I-PER O O O B-LOC", {"t0": "O 0.1", "t1": "O 0.3"}, 1.3 / 3),
        # Of the O tokens the weakest counts, until a span appears.
        ("spurious", GOLD, {"t2": "B-LOC 0.2", "t4": "B-LOC 0.4"}, 0.4 / 3),
        ("spurious", "B-PER I-PER O B-ORG B-LOC B-LOC", {"t2": "B-LOC 0.2"}, 1 / 3),
    ],
)
def test_confidence_score(goal, now, doubts, score):
    assert confidence_score(goal, now, **doubts) == pytest.approx(score)


def test_confidence_score_leaves_out_what_was_wrong_on_the_clean_text():
    before = "B-PER I-PER O O O B-LOC"
    assert confidence_score("untargeted-strict", GOLD, before, t3="O 0.4") == 0
    assert confidence_score("untargeted-any", GOLD, "B-PER I-PER B-LOC B-ORG O B-LOC", t2="B-LOC 0.4") == 0
    assert confidence_score("entity-miss", GOLD, before, t3="O 0.4") == 0
    assert confidence_score("spurious", GOLD, "B-PER I-PER B-LOC B-ORG O B-LOC", t2="B-LOC 0.4") == 0


@pytest.mark.parametrize("goal", ALL)
@pytest.mark.parametrize("now", [GOLD, "O O O O O O", "B-LOC O B-PER B-PER B-ORG I-PER"])
def test_without_probabilities_the_confidence_score_is_the_label_score(goal, now):
    known = Clean(sentence(TEXT, GOLD), Prediction(tuple(GOLD.split())), LABELS)
    tags = tuple(now.split())
    reached = goal_named(goal)
    assert reached.confidence_score(known, known.sentence, Prediction(tags)) == reached.label_score(
        known, known.sentence, tags
    )


@pytest.mark.parametrize(
    ("goal", "now", "score"),
    [
        ("untargeted", "B-PER B-PER O B-ORG O B-LOC", 1 / 4),
        ("untargeted-strict", "B-PER I-PER O O O O", 1 / 2),
        ("untargeted-any", "B-PER I-PER B-MISC B-ORG O B-LOC", 1 / 4),
        ("targeted-to-O", "B-PER I-PER O O O O", 1 / 2),
        ("targeted(PER)", "B-PER I-PER O B-PER O B-LOC", 1 / 2),
        ("entity-miss", "B-PER I-PER O B-PER O B-LOC", 1 / 3),
        ("spurious", "B-PER I-PER B-PER B-ORG O B-LOC", 1 / 3),
    ],
)
@pytest.mark.parametrize("labels", [(), ("O", "B-PER", "I-PER", "B-ORG", "B-LOC")])
def test_the_label_score_does_not_need_the_victim_to_list_its_labels(goal, now, score, labels):
    known = Clean(sentence(TEXT, GOLD), Prediction(tuple(GOLD.split())), labels)
    assert goal_named(goal).label_score(known, known.sentence, tuple(now.split())) == pytest.approx(score, abs=0)


@pytest.mark.parametrize(
    ("goal", "gold", "before", "reason"),
    [
        ("untargeted", "O O O O O O", GOLD, "no entity"),
        ("untargeted-strict", "O O O O O O", GOLD, "no entity"),
        ("untargeted-any", "O O O O O O", GOLD, "no entity"),
        ("targeted-to-O", "O O O O O O", GOLD, "no entity"),
        ("targeted(PER)", "O O O O O O", GOLD, "no entity of another type than PER"),
        ("entity-miss", "O O O O O O", GOLD, "no entity"),
        ("untargeted", GOLD, "O O O O O O", "nothing right to break"),
        ("untargeted", GOLD, "I-PER B-PER O O O O", "nothing right to break"),
        ("untargeted-strict", GOLD, "O O O O O O", "nothing right to break"),
        ("targeted-to-O", GOLD, "O O O O O O", "nothing right to break"),
        ("targeted(PER)", "B-PER I-PER O O O B-PER", GOLD, "no entity of another type than PER"),
        ("targeted(PER)", GOLD, "B-PER I-PER O O O O", "nothing right to break"),
        ("entity-miss", GOLD, "B-PER O O O O O", "nothing right to break"),
        ("spurious", "B-PER I-PER B-LOC B-ORG B-LOC B-LOC", GOLD, "no token outside mentions"),
    ],
)
def test_a_sentence_with_nothing_to_break_is_named_unusable(goal, gold, before, reason):
    assert goal_named(goal).unusable(clean(before, gold=gold)) == reason


@pytest.mark.parametrize("goal", ALL)
def test_a_sentence_with_something_right_is_usable(goal):
    assert goal_named(goal).unusable(clean()) is None


def test_without_entities_only_spurious_has_something_to_do():
    known = clean("O O O O O O", gold="O O O O O O")
    assert goal_named("spurious").unusable(known) is None
    assert goal_named("spurious").label_score(known, known.sentence, ("O", "B-PER", "O", "O", "B-LOC", "I-LOC")) == 2


def test_an_inserted_word_counts_as_seen_outside_before():
    known = clean()
    candidate = known.sentence.insert(0, "Oslo")
    tags = ("B-LOC", *GOLD.split())
    assert goal_named("untargeted-any").label_score(known, candidate, tags) == 1 / 4
    assert goal_named("spurious").label_score(known, candidate, tags) == 1 / 3
    for name in ("untargeted", "untargeted-strict", "targeted-to-O", "entity-miss"):
        assert goal_named(name).label_score(known, candidate, tags) == 0


def test_labels_are_compared_word_by_word_after_a_deletion():
    known = clean()
    candidate = known.sentence.delete(2)
    moved = tuple(tag for i, tag in enumerate(GOLD.split()) if i != 2)
    for name in ALL:
        assert goal_named(name).label_score(known, candidate, moved) == 0


def test_the_scale_is_the_number_of_entity_tokens_of_the_candidate():
    known = clean()
    candidate = known.sentence.delete(3)
    assert goal_named("untargeted-strict").label_score(known, candidate, ("B-PER", "I-PER", "O", "O", "O")) == 1 / 3


def test_clean_errors_stay_with_their_words_when_words_move():
    known = clean("B-PER I-PER O O O B-LOC")
    candidate = known.sentence.insert(0, "so")
    missed = ("O", "B-PER", "I-PER", "O", "O", "O", "B-LOC")
    assert goal_named("untargeted-strict").label_score(known, candidate, missed) == 0
    assert goal_named("untargeted-strict").label_score(known, candidate, (*missed[:-1], "O")) == 1 / 4


def test_a_token_that_opens_its_mention_since_a_deletion_was_right_before():
    known = clean()
    candidate = known.sentence.delete(0)
    gone = ("O", "O", "B-ORG", "O", "B-LOC")
    assert goal_named("untargeted-strict").label_score(known, candidate, gone) == 1 / 3
    assert goal_named("untargeted").label_score(known, candidate, gone) == 1 / 3


def test_a_token_that_opens_the_second_half_of_a_split_mention_was_right_before():
    known = clean()
    candidate = known.sentence.insert(1, "and", split=True)
    gone = ("B-PER", "O", "O", "O", "B-ORG", "O", "B-LOC")
    assert goal_named("untargeted-strict").label_score(known, candidate, gone) == 1 / 4
    assert goal_named("untargeted").label_score(known, candidate, gone) == 1 / 4


def test_a_mention_is_followed_through_a_paraphrase():
    known = clean("B-PER I-PER O O O B-LOC")  # Acme was missed
    spans = [Span(2, 4, "PER"), Span(4, 5, "ORG"), Span(0, 1, "LOC")]
    candidate = known.sentence.paraphrase(["Rome", "saw", "Ana", "Ruiz", "Acme"], spans)
    goal = goal_named("entity-miss")
    assert goal.label_score(known, candidate, ("B-LOC", "O", "B-PER", "I-PER", "O")) == 0
    assert goal.label_score(known, candidate, ("O", "O", "B-PER", "O", "O")) == 2 / 3


def test_a_replaced_mention_still_stands_for_the_original_one():
    known = clean()
    candidate = known.sentence.replace_span(Span(5, 6, "LOC"), ["New", "York"])
    tags = tuple(GOLD.split())
    goal = goal_named("entity-miss")
    assert goal.label_score(known, candidate, (*tags[:5], "B-LOC", "I-LOC")) == 0
    assert goal.label_score(known, candidate, (*tags[:5], "B-LOC", "O")) == 1 / 3


def test_every_changed_text_is_perturbed_whatever_the_victim_says():
    known, goal = clean(), goal_named("perturbed")
    changed = known.sentence.replace(0, "another")
    for tags in (known.prediction.tags, ("O",) * len(changed)):
        assert goal.label_score(known, changed, tags) == 1
        assert goal.confidence_score(known, changed, Prediction(tags)) == 1
        assert goal.label_score(known, known.sentence, tags) == 0
    bare = sentence("it rained", "O O")
    assert goal.unusable(Clean(bare, Prediction(bare.tags), LABELS)) is None


def test_goals_are_found_by_the_names_they_carry():
    for name in GOALS:
        concrete = name.replace("TYPE", "MISC")
        assert goal_named(concrete).name == concrete


@pytest.mark.parametrize(
    "name", ["", "strict", "targeted", "targeted(TYPE)", "targeted()", "targeted(PER", "Untargeted"]
)
def test_an_unknown_goal_is_refused_and_the_known_ones_are_named(name):
    with pytest.raises(BadInput, match="untargeted-strict"):
        goal_named(name)


def test_the_kind_of_a_tag_is_its_type():
    assert [kind(tag) for tag in ("O", "B-PER", "I-PER", "B-work-of-art")] == ["O", "PER", "PER", "work-of-art"]
