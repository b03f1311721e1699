"""Which sentences are attacked, and what becomes of odd ones with the real victim."""

from __future__ import annotations

import numpy as np
import pytest
from stubs import StubVictim, lexicon, sentence

from benchmark import selection
from benchmark.errors import BadInput
from benchmark.selection import SelectionRule, select
from benchmark.types import Sentence

KNOWN = {"Ana": "B-PER", "Bo": "B-PER", "Oslo": "B-LOC"}


def corpus(n=40):
    """Sentences in turn: found, found, missed, without a mention, too long."""
    kinds = (
        ("Ana left .", "B-PER O O"),
        ("Bo saw Oslo .", "B-PER O B-LOC O"),
        ("Zed left .", "B-PER O O"),
        ("It rained .", "O O O"),
        ("Ana " + "went on " * 10, "B-PER" + " O O" * 10),
    )
    return [sentence(*kinds[k % 5], name=f"test-{k}") for k in range(n)]


def test_all_that_qualify_are_chosen_and_the_others_counted_by_reason():
    chosen = select(corpus(), StubVictim(lexicon(KNOWN), longest=10), SelectionRule(limit=None))
    assert {int(s.id.partition("-")[2]) % 5 for s in chosen.sentences} == {0, 1}
    assert len(chosen.sentences) == 16
    assert chosen.passed_over == {
        "no mention": 8,
        "too long for the victim": 8,
        "victim misses too many mentions": 8,
    }


def test_mentions_of_all_sentences_looked_at_are_counted_chosen_or_not():
    chosen = select(corpus(), StubVictim(lexicon({**KNOWN, "rained": "B-LOC"}), longest=10), SelectionRule(limit=None))
    # Of forty sentences eight have no mention; what is predicted in them does not count. 8 x (1 + 2) of 8 x (1 + 2 + 1
    # + 1) mentions are found: one is unknown, one stands in a text that cannot be read.
    assert chosen.clean == {"sentences": 32, "true_positives": 24, "predicted": 24, "gold": 40}
    few = select(corpus(), StubVictim(lexicon(KNOWN), longest=10), SelectionRule(limit=3))
    assert few.clean["sentences"] == 3 + sum(n for why, n in few.passed_over.items() if why != "no mention")


def test_too_long_sentences_are_never_put_to_the_victim():
    victim = StubVictim(lexicon(KNOWN), longest=10)
    select(corpus(), victim, SelectionRule())
    assert max(map(len, victim.asked)) <= 10


def test_limit_and_seed_decide_the_choice():
    def ids(limit, seed):
        rule = SelectionRule(limit=limit, seed=seed)
        return [s.id for s in select(corpus(), StubVictim(lexicon(KNOWN)), rule).sentences]

    assert len(ids(5, 0)) == 5
    assert ids(5, 0) == ids(5, 0)
    assert ids(5, 0) != ids(5, 1)
    assert ids(8, 0)[:5] == ids(5, 0)


def test_choice_and_counts_do_not_depend_on_how_many_are_tagged_at_a_time(monkeypatch):
    def chosen(chunk):
        monkeypatch.setattr(selection, "_CHUNK", chunk)
        return select(corpus(), StubVictim(lexicon(KNOWN), longest=10), SelectionRule(limit=4))

    one, many = chosen(1), chosen(64)
    assert [s.id for s in one.sentences] == [s.id for s in many.sentences]
    # The counts are part of the run's specification, so of its name.
    assert one.passed_over == many.passed_over


def test_one_mention_in_ten_may_be_missed():
    tags = " ".join(["B-PER O"] * 10)
    ten = sentence(" ".join(["Ana ,"] * 9 + ["Zed ,"]), tags)
    worse = sentence(" ".join(["Ana ,"] * 8 + ["Zed ,"] * 2), tags)
    victim = StubVictim(lexicon(KNOWN))
    assert select([ten], victim, SelectionRule()).sentences == (ten,)
    with pytest.raises(BadInput, match="victim misses too many mentions: 1"):
        select([worse], victim, SelectionRule())
    assert select([worse], victim, SelectionRule(max_missed=0.2)).sentences == (worse,)


@pytest.mark.parametrize("limit", [0, -1])
def test_limit_below_one_is_refused(limit):
    with pytest.raises(BadInput, match=f"at least 1, not {limit}"):
        SelectionRule(limit=limit)


def test_none_that_qualifies_tells_why():
    with pytest.raises(BadInput, match=r"no sentence qualifies for stub \(no mention: 1\)"):
        select([sentence("It rained .", "O O O")], StubVictim(lexicon(KNOWN)), SelectionRule())
    with pytest.raises(BadInput, match="the split is empty"):
        select([], StubVictim(lexicon(KNOWN)), SelectionRule())


def test_progress_reaches_the_end():
    seen = []
    select(corpus(), StubVictim(lexicon(KNOWN)), SelectionRule(), lambda done, total: seen.append((done, total)))
    assert seen[-1] == (40, 40)


def test_long_sentence_is_excluded_up_front_and_counted_with_the_real_victim(minilm, newsroom):
    long = Sentence("test-long", ("Oslo",) * 600, ("B-LOC",) * 600)
    assert not minilm.fits(long.tokens)
    with pytest.raises(BadInput, match="too long"):
        minilm.predict([long.tokens])
    sentences = [*newsroom.split("test")[:40], long]
    chosen = select(sentences, minilm, SelectionRule(limit=None))
    assert long not in chosen.sentences
    assert chosen.passed_over["too long for the victim"] == 1
    assert len(chosen.sentences) + sum(chosen.passed_over.values()) == 41


ODD = {
    "one token": ("Oslo",),
    "one mark": (".",),
    "only punctuation": ("…", "!", "--", "\u201c", "?!", "(", ")"),
    "accents": ("Zoë", "Núñez", "à", "Łódź", "Jose\u0301", "."),
    "other scripts": ("東京", "で", "Москва", "Ελλάδα", "서울"),
    "right to left": ("\u05d9\u05e8\u05d5\u05e9\u05dc\u05d9\u05dd", "\u0627\u0644\u0642\u0627\u0647\u0631\u0629", "."),
    "emoji": ("😀", "👩‍👩‍👧", "🇳🇴", "Oslo", "❤️"),
    "zero-width": ("\u200b", "Os\u200blo", "\ufeff", "\u200d"),
    "NUL and other controls": ("\x00", "a\x00b", "\x07", "\x7f", "\u0085"),
    "white space in tokens": ("New York", "\u00a0", "a\tb"),
    "special pieces as words": ("[CLS]", "[SEP]", "[PAD]", "##ing", "[UNK]", "[MASK]"),
    "a very long word": ("x" * 3000, "left"),
}


@pytest.mark.parametrize("tokens", ODD.values(), ids=ODD.keys())
def test_odd_sentence_goes_through_the_real_victim_with_one_tag_a_token(minilm, tokens):
    assert minilm.fits(tokens)
    (answer,) = minilm.predict([tokens])
    assert len(answer.tags) == len(tokens)
    assert set(answer.tags) <= set(minilm.labels)
    assert answer.probabilities.shape == (len(tokens), len(minilm.labels))
    assert np.allclose(answer.probabilities.sum(axis=-1), 1.0, atol=1e-5)


def test_odd_sentences_together_answer_as_each_alone(minilm):
    together = minilm.predict(list(ODD.values()))
    for tokens, answer in zip(ODD.values(), together, strict=True):
        (alone,) = minilm.predict([tokens])
        assert np.array_equal(alone.probabilities, answer.probabilities)


def test_no_token_at_all_does_not_fit(minilm):
    assert not minilm.fits(())
