"""The threat model: which candidates are refused, and why."""

from __future__ import annotations

import pytest
from stubs import sentence

from benchmark.errors import BadInput
from benchmark.threat import Access, Budget, ThreatModel, Touch, invalid_word
from benchmark.types import Span

ORIGINAL = sentence("« Zoe » , said Ana Ruiz , left Paris .", "O B-PER O O O B-PER I-PER O O B-LOC O")
ANYTHING = ThreatModel()
CONTEXT = ThreatModel(touch=Touch.CONTEXT)
ENTITY = ThreatModel(touch=Touch.ENTITY)


@pytest.mark.parametrize(
    "word",
    [
        "",
        " ",
        "two words",
        "tab\t",
        "line\nbreak",
        "no\u00a0break",
        "thin\u2009space",
        "zero\u200bwidth",
        "\u200d",
        "\ufeffbom",
        "soft\u00adhyphen",
        "right\u202eleft",
        "nul\x00",
        "\x07",
        "\ud800",
        "\ue000",
        "##ing",
        "walk##ing",
        "Ġthe",
        "▁the",
        "[MASK]",
        "[UNK]",
        "[unk]",
        "[PAD]",
        "[CLS]",
        "[SEP]",
        "<s>",
        "</s>",
        "<mask>",
        "<unk>",
        "<pad>",
        "end</s>",
    ],
)
def test_words_that_no_text_holds_are_invalid_and_refused(word):
    assert invalid_word(word)
    assert ANYTHING.objection(ORIGINAL, ORIGINAL.replace(4, word)) == invalid_word(word)
    assert ANYTHING.objection(ORIGINAL, ORIGINAL.insert(0, word)) == invalid_word(word)


@pytest.mark.parametrize(
    "word",
    ["the", "Ruiz", "naïve", "東京", "e\u0301tude", "🙂", "#1", "#", "C#", "-LRB-", "[", "<", "s", "1,000"],
)
def test_unusual_but_visible_words_are_valid(word):
    assert invalid_word(word) is None
    assert ANYTHING.objection(ORIGINAL, ORIGINAL.replace(4, word)) is None


@pytest.mark.parametrize("word", ["ġurnata", "Għaġeb"])
def test_a_small_maltese_letter_is_no_debris(word):
    assert invalid_word(word) is None


def test_invalid_words_of_the_original_are_not_the_attack_s_fault():
    original = sentence("<s> Ana left", "O B-PER O")
    assert ANYTHING.objection(original, original.replace(2, "went")) is None
    assert ANYTHING.objection(original, original.replace(0, "<s>")) is None
    assert ANYTHING.objection(original, original.insert(0, "<s>")) is not None


def test_the_original_itself_is_always_allowed():
    for model in (ANYTHING, CONTEXT, ENTITY):
        assert model.objection(ORIGINAL, ORIGINAL) is None


@pytest.mark.parametrize(
    ("candidate", "context", "entity"),
    [
        (ORIGINAL.replace(4, "says"), True, False),
        (ORIGINAL.replace(0, '"'), True, False),
        (ORIGINAL.insert(0, "so"), True, False),
        (ORIGINAL.insert(11, "so"), True, False),
        (ORIGINAL.delete(3), True, False),
        (ORIGINAL.merge(2, "»,"), True, False),
        (ORIGINAL.replace(1, "Bo"), False, True),
        (ORIGINAL.replace(5, "ana"), False, True),
        (ORIGINAL.delete(1), False, True),
        (ORIGINAL.delete(6), False, True),
        (ORIGINAL.merge(5, "AnaRuiz"), False, True),
        (ORIGINAL.replace_span(Span(9, 10, "LOC"), ["New", "York"]), False, True),
        (ORIGINAL.replace_span(Span(9, 10, "LOC"), ["Paris"], "PER"), False, True),
        (ORIGINAL.insert(6, "so", split=True), False, False),
        (ORIGINAL.replace(4, "says").replace(1, "Bo"), False, False),
    ],
)
def test_who_may_touch_what(candidate, context, entity):
    assert ANYTHING.objection(ORIGINAL, candidate) is None
    assert CONTEXT.objection(ORIGINAL, candidate) == (None if context else "touches a mention")
    assert ENTITY.objection(ORIGINAL, candidate) == (None if entity else "touches the context")


def test_mentions_are_known_by_token_index_with_punctuation_and_insertions_before_them():
    candidate = ORIGINAL.insert(0, "--").insert(0, ",")
    place = candidate.tokens.index("said")
    assert CONTEXT.objection(ORIGINAL, candidate.replace(place, "sayd")) is None
    for i in (3, 7, 8, 11):
        assert candidate.inside(i)
        assert CONTEXT.objection(ORIGINAL, candidate.replace(i, "xx")) == "touches a mention"


def test_a_paraphrase_that_keeps_the_mentions_leaves_them_untouched():
    # The mentions stand in the order PER (Zoe), PER (Ana Ruiz), LOC: not an alphabetical one.
    spans = [Span(0, 1, "PER"), Span(2, 4, "PER"), Span(5, 6, "LOC")]
    candidate = ORIGINAL.paraphrase(["Zoe", ",", "Ana", "Ruiz", "left", "Paris"], spans)
    assert CONTEXT.objection(ORIGINAL, candidate) is None


def test_a_paraphrase_may_reorder_mentions():
    spans = [Span(5, 6, "PER"), Span(2, 4, "PER"), Span(0, 1, "LOC")]
    candidate = ORIGINAL.paraphrase(["Paris", ",", "Ana", "Ruiz", "left", "Zoe"], spans)
    assert CONTEXT.objection(ORIGINAL, candidate) is None


def test_a_mention_edited_after_a_paraphrase_is_touched():
    spans = [Span(5, 6, "PER"), Span(2, 4, "PER"), Span(0, 1, "LOC")]
    candidate = ORIGINAL.paraphrase(["Paris", ",", "Ana", "Ruiz", "left", "Zoe"], spans).replace(0, "Pariss")
    assert CONTEXT.objection(ORIGINAL, candidate) == "touches a mention"


def test_each_level_of_access_includes_the_ones_before():
    assert Access.LABELS < Access.SCORES < Access.GRADIENTS


@pytest.mark.parametrize("queries", [0, -1])
def test_a_budget_of_nothing_is_refused(queries):
    with pytest.raises(BadInput):
        Budget(queries)
