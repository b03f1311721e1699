"""From tokens to running text, rule by rule."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark.resources.detokenizing import detokenize

BRACKETS = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}
MARKS = [*BRACKETS, *".,:;!?()[]{}%$£€#\"'", "''", "``", "“", "”", "’s", "'s", "n't", "...", "…", "U", "S", "ca", "Ana"]


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        # clitics
        ("I do n't know", "I don't know"),
        ("We 're sure Bob 's here", "We're sure Bob's here"),
        ("I 'm , they 've , you 'll , he 'd", "I'm, they've, you'll, he'd"),
        ("WE 'RE SURE IT 'S N'T", "WE'RE SURE IT'SN'T"),
        ("It is n’t Bob ’s", "It isn’t Bob’s"),
        ("the 'sixties", "the 'sixties"),
        # punctuation
        ("Yes , it is .", "Yes, it is."),
        ("What ! Why ? So : this ; that ...", "What! Why? So: this; that..."),
        ("Well … no", "Well… no"),
        ("50 % of it", "50% of it"),
        ("one - two / three", "one - two / three"),
        # brackets
        ("He ( Bob ) left", "He (Bob) left"),
        ("He -LRB- Bob -RRB- left", "He (Bob) left"),
        ("a -LSB- b -RSB- c -LCB- d -RCB- e", "a [b] c {d} e"),
        ("f [ see { 1 } ]", "f [see {1}]"),
        # quotes
        ('He said " no " twice', 'He said "no" twice'),
        ('" Yes , " he said , " I will . "', '"Yes," he said, "I will."'),
        ("`` Yes , '' he said", "``Yes,'' he said"),
        ("He said “ no ” twice", "He said “no” twice"),
        ("She said ' yes ' twice", "She said 'yes' twice"),
        ("\" He said ' no ' . \"", "\"He said 'no'.\""),
        ("' He said \" no \" . '", "'He said \"no\".'"),
        ('( " Yes " )', '("Yes")'),
        ('" A " " B "', '"A" "B"'),
        # currency
        ("It cost $ 5 or £ 4 or € 6", "It cost $5 or £4 or €6"),
        ("the # 1", "the #1"),
        # initials
        ("the U . S . army", "the U.S. army"),
        ("U . S . A .", "U.S.A."),
        ("John F . Kennedy", "John F. Kennedy"),
        ("Plan B . A new one", "Plan B. A new one"),
        # nothing to do
        ("All is well", "All is well"),
        ("U.S. forces", "U.S. forces"),
        (". Ana", ". Ana"),
        ("Ana", "Ana"),
        ("", ""),
    ],
)
def test_rules(tokens, text):
    assert detokenize(tokens.split()) == text


def test_what_opens_the_text_leans_on_nothing():
    assert detokenize(["'s", ",", "no"]) == "'s, no"


def shown(tokens):
    return "".join(BRACKETS.get(token, token) for token in tokens)


def without_spaces(text):
    return "".join(text.split())


@given(st.lists(st.sampled_from(MARKS) | st.text(st.characters(blacklist_categories=["Z", "C"]), min_size=1)))
@example(["'", "'", '"', "'", '"'])
@example(["$", "$", ")", "-LRB-"])
def test_no_character_is_ever_lost_added_or_moved(tokens):
    assert without_spaces(detokenize(tokens)) == without_spaces(shown(tokens))


@given(st.lists(st.sampled_from(MARKS)))
def test_spaces_are_single_and_only_inside(tokens):
    text = detokenize(tokens)
    assert text == text.strip()
    assert "  " not in text


@given(st.lists(st.sampled_from(MARKS)))
def test_tokens_keep_their_order_and_are_never_broken(tokens):
    text, at = detokenize(tokens), 0
    for token in tokens:
        at = text.index(BRACKETS.get(token, token), at) + len(BRACKETS.get(token, token))
    assert at == len(text)


@given(st.lists(st.sampled_from(["Ana", "Bo", "saw", "Rome"]), min_size=1))
def test_plain_words_are_joined_by_single_spaces(words):
    assert detokenize(words) == " ".join(words)
    assert detokenize(tuple(words)) == detokenize(words)
