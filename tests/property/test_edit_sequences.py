"""Whatever edits an attack chains, labels stay aligned and the edit script tells the whole story."""

from __future__ import annotations

import json

from hypothesis import given, settings
from property.strategies import TYPES, edited, sentences
from stubs import ALL_GOALS, LABELS, StubVictim

from benchmark.alignment import apply_edits, changed, edit_script, modification_rate
from benchmark.goals import Clean, goal_named
from benchmark.tag_schemes import to_iob2
from benchmark.types import Edit, Operation, Prediction

IN_PLACE = ("replace", "insert", "split", "delete", "merge", "replace_span")
NEVER_MERGED = ("replace", "insert", "split", "delete", "replace_span", "paraphrase")


@given(edited())
def test_tokens_tags_and_sources_keep_one_length_and_tags_stay_iob2(case):
    _, sentence, _ = case
    assert len(sentence.tokens) == len(sentence.tags) == len(sentence.sources) >= 1
    assert to_iob2(sentence.tags) == sentence.tags


@settings(max_examples=400)
@given(edited())
def test_the_edit_script_gives_the_tokens_back(case):
    original, sentence, applied = case
    assert apply_edits(original.tokens, edit_script(original, sentence)) == sentence.tokens, applied


@settings(max_examples=300)
@given(edited(NEVER_MERGED))
def test_the_edit_script_gives_the_tokens_back_without_merges(case):
    original, sentence, applied = case
    assert apply_edits(original.tokens, edit_script(original, sentence)) == sentence.tokens, applied


@settings(max_examples=300)
@given(edited(("delete", "merge", "insert"), most=12))
def test_deletions_and_merges_of_neighbours_give_the_tokens_back(case):
    original, sentence, applied = case
    assert apply_edits(original.tokens, edit_script(original, sentence)) == sentence.tokens, applied


@given(edited(NEVER_MERGED))
def test_the_edit_script_survives_json(case):
    original, sentence, _ = case
    script = edit_script(original, sentence)
    stored = json.loads(json.dumps([edit.to_json() for edit in script]))
    assert tuple(Edit.from_json(record) for record in stored) == script


@given(edited(("replace", "insert", "split", "delete", "replace_span")))
def test_edits_run_from_left_to_right_and_none_is_idle(case):
    original, sentence, _ = case
    script = edit_script(original, sentence)
    assert [edit.at for edit in script] == sorted(edit.at for edit in script)
    for edit in script:
        if edit.operation is Operation.REPLACE:
            assert edit.words != original.tokens[edit.at : edit.at + 1]
    assert modification_rate(script, len(original)) * len(original) <= max(len(original), len(sentence)) + len(original)


@given(edited(("replace",)))
def test_replacements_alone_make_one_edit_for_each_changed_word(case):
    original, sentence, _ = case
    positions = [i for i in range(len(original)) if original.tokens[i] != sentence.tokens[i]]
    script = edit_script(original, sentence)
    assert [edit.at for edit in script] == positions
    assert {edit.operation for edit in script} <= {Operation.REPLACE, Operation.RECASE}
    for edit in script:
        old, new = original.tokens[edit.at], sentence.tokens[edit.at]
        recased = new in {old.lower(), old.upper(), old.capitalize()}
        assert (edit.operation is Operation.RECASE) == recased
        assert recased or edit.words == (new,)
    assert changed(original, sentence) == set(positions)
    assert sentence.tags == original.tags


@given(edited(IN_PLACE))
def test_sources_name_original_tokens_in_order_once(case):
    original, sentence, _ = case
    named = [i for source in sentence.sources for i in source]
    assert named == sorted(set(named))
    assert set(named) <= set(range(len(original)))


@given(edited(("replace", "insert", "delete", "paraphrase")))
def test_a_surviving_entity_token_keeps_its_class(case):
    original, sentence, _ = case
    for tag, source in zip(sentence.tags, sentence.sources, strict=True):
        if source:
            assert tag[2:] == original.tags[source[0]][2:]
        else:
            assert tag == "O"


@given(edited(("paraphrase",), most=3))
def test_a_paraphrase_keeps_every_mention(case):
    original, sentence, _ = case

    def mentions(of):
        return sorted((span.type, of.tokens[span.start : span.end]) for span in of.spans)

    assert mentions(sentence) == mentions(original)


@given(edited(("replace", "insert", "delete", "replace_span")), sentences())
def test_no_goal_is_reached_where_the_victim_says_of_each_word_what_it_said_before(case, said):
    original, sentence, _ = case
    before = [said.tags[i % len(said)] for i in range(len(original))]
    clean = Clean(original, Prediction(tuple(before)), LABELS)
    now = tuple(before[source[0]] if source else "O" for source in sentence.sources)
    kept = all(not s or tag == original.tags[s[0]] for tag, s in zip(sentence.tags, sentence.sources, strict=True))
    for name in ("untargeted-strict", "untargeted-any", "targeted-to-O", "targeted(PER)"):
        assert goal_named(name).label_score(clean, sentence, now) == 0
    if kept:  # else a deletion made an I- a B-, which the victim may fail to follow
        assert goal_named("untargeted").label_score(clean, sentence, now) == 0


@given(sentences(), sentences())
def test_asking_the_original_again_reaches_no_goal_whatever_the_clean_errors(original, said):
    tags = tuple(said.tags[i % len(said)] for i in range(len(original)))
    victim = StubVictim(lambda tokens: tags)
    (prediction,) = victim.predict([original.tokens])
    clean = Clean(original, prediction, LABELS)
    for name in ALL_GOALS:
        assert goal_named(name).label_score(clean, original, prediction.tags) == 0


@given(sentences(), sentences())
def test_shares_stay_between_zero_and_one_and_certainty_makes_both_scores_one_number(original, now):
    tags = tuple(now.tags[i % len(now)] for i in range(len(original)))
    clean = Clean(original, Prediction(original.tags), LABELS)
    victim = StubVictim(lambda tokens: tags, confidence=1.0)
    (prediction,) = victim.predict([original.tokens])
    for name in ("untargeted", "untargeted-strict", "targeted-to-O", f"targeted({TYPES[0]})"):
        goal = goal_named(name)
        score = goal.label_score(clean, original, tags)
        assert 0 <= score <= 1
        assert goal.confidence_score(clean, original, prediction) == score
