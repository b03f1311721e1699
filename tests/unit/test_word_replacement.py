"""The attacks that put other words in the place of words: BERT-Attack, BAE, TextFooler, Morpheus."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from attacking_frame import EDITABLE, KNOWN, NOUNS, TEXT, VERBS, attacked, outcome_of, unmoved, wavering
from comparing_texts import edited
from stubs import StubLanguageModel, StubVictim, sentence, stub_resources

from attacks.bae import Bae
from attacks.bert_attack import BertAttack
from attacks.morpheus import Morpheus
from attacks.textfooler import TextFooler
from benchmark.errors import BadInput
from benchmark.resources.language_models import Gap, Seen
from benchmark.resources.word_vectors import WordVectors
from benchmark.types import Status

# --- BERT-Attack and BAE ----------------------------------------------------------------------------------------------


def test_bert_attack_asks_the_language_model_about_the_original_only_with_the_word_in_sight():
    model = StubLanguageModel()
    attacked(BertAttack(k=3), wavering(), language_model=model)
    # Once for each word, although by the end of the walk the sentence has changed.
    assert sorted(q.at for q in model.asked) == EDITABLE
    assert set(model.asked) == {Gap(TEXT.tokens, i, 3, Seen.VISIBLE) for i in EDITABLE}


def test_bert_attack_asks_the_language_model_once_in_all_passes_of_escalate():
    model = StubLanguageModel()
    victim = StubVictim(
        lambda tokens: [KNOWN.get(t, "O") if tokens[3] == "traders" or t != "Rome" else "O" for t in tokens]
    )
    outcome = attacked(BertAttack(), victim, mode="escalate", language_model=model)
    assert outcome.status is Status.SUCCESS
    assert len(model.asked) == len(set(model.asked)) <= len(EDITABLE)


def test_bae_hides_the_word_and_asks_about_the_sentence_as_it_is_by_then():
    model = StubLanguageModel()
    attacked(Bae(similarity=0.0), wavering(), language_model=model, tagger=NOUNS)
    assert {q.seen for q in model.asked} == {Seen.HIDDEN}
    changed = [sum(a != b for a, b in zip(q.tokens, TEXT.tokens, strict=True)) for q in model.asked]
    assert changed[0] == 0
    assert max(changed) >= 3


def test_k_words_are_tried_at_a_place(candidates):
    attacked(BertAttack(k=2))
    assert max(Counter(tuple(edited(c, TEXT)) for c in candidates).values()) == 2


def test_bae_keeps_the_part_of_speech(candidates):
    outcome = attacked(Bae(similarity=0.0))
    assert outcome.rejected["part of speech changed"] > 0
    new = {c.tokens[i] for c in candidates for i, word in enumerate(TEXT.tokens) if c.tokens[i] != word}
    # To the stub "quickly" is an adverb; all others are nouns.
    assert new == {"red", "market", "seventeen", "paint", "whose", "harvest"}


def test_a_language_model_that_fails_after_a_success_leaves_the_success():
    class OnlyOriginals(StubLanguageModel):
        def _answer(self, question):
            if question.tokens != TEXT.tokens:
                raise RuntimeError("no")
            return super()._answer(question)

    def tag(tokens):
        """Lose Rome as soon as "told" is replaced; the other name never."""
        known = KNOWN if tokens[2] == "told" else {**KNOWN, "Rome": "O"}
        return [known.get(token, "O") for token in tokens]

    victim = StubVictim(tag, confidence=lambda tokens: 0.9 - 0.02 * len(set(tokens) - set(TEXT.tokens)))
    lean = {"language_model": OnlyOriginals(), "tagger": NOUNS}
    attacker = Bae(similarity=0.0, order="random")
    outcomes = [outcome_of(attacker, victim, mode="escalate", seed=seed, **lean) for seed in range(8)]
    kept = [o for o in outcomes if o.status is Status.SUCCESS and o.reason]
    assert kept
    for outcome in kept:
        assert "ServiceFailed (RuntimeError)" in outcome.reason
        assert [edit.at for edit in outcome.edits] == [2]
        assert outcome.score == pytest.approx(1 / 3, abs=1e-6)
    assert {o.status for o in outcomes} <= {Status.SUCCESS, Status.ERROR}


# --- TextFooler -------------------------------------------------------------------------------------------------------


def near_words():
    """Cosines with "told": said 0.95, spoke 0.8, quietly 0.8, sang 0.6, wept 0.3."""
    cosines = {"told": 1.0, "said": 0.95, "spoke": 0.8, "quietly": 0.8, "sang": 0.6, "wept": 0.3}
    vectors = np.array([[c, (1 - c * c) ** 0.5] for c in cosines.values()], dtype=np.float32)
    return WordVectors(list(cosines), vectors, "by hand")


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ({}, {"said", "spoke", "sang"}),
        ({"min_cosine": 0.7}, {"said", "spoke"}),
        ({"min_cosine": 0.9}, {"said"}),
        ({"min_cosine": 0.99}, set()),
        ({"min_cosine": -1.0}, {"said", "spoke", "sang", "wept"}),
        ({"k": 1}, {"said"}),
        ({"k": 3, "min_cosine": 0.0}, {"said", "spoke"}),
    ],
)
def test_textfooler_takes_the_nearest_words_of_the_same_part_of_speech(parameters, wanted, candidates):
    outcome = attacked(TextFooler(similarity=0.0, **parameters), word_vectors=near_words())
    assert {c.tokens[2] for c in candidates} == wanted
    if parameters.get("min_cosine", 0.5) <= 0.8 and parameters.get("k") != 1:
        assert outcome.rejected["part of speech changed"] == 1  # quietly


@pytest.mark.parametrize(("word", "wanted"), [("told", "said"), ("Told", "Said"), ("TOLD", "SAID")])
def test_textfoolers_words_take_the_casing(word, wanted, candidates):
    text = sentence(f"Ana {word}", "B-PER O")
    attacked(TextFooler(similarity=0.0, min_cosine=0.9), text=text, word_vectors=near_words(), tagger=NOUNS)
    assert [c.tokens[1] for c in candidates] == [wanted]


def test_the_stub_vectors_are_near_by_pairs():
    vectors = stub_resources().word_vectors
    assert vectors.neighbours("said", 1)[0][0] == "told"
    assert vectors.neighbours("nowhere", 5) == ()


# --- Morpheus ---------------------------------------------------------------------------------------------------------


# Forms of to fall and of to fell.
FALL_OR_FELL = ("fall", "falls", "falling", "fallen", "fells", "felled", "felling")


def test_morpheus_walks_the_text_and_inflects(candidates):
    attacked(Morpheus(), tagger=VERBS)
    found = [(i, c.tokens[i]) for c in candidates for (i,) in [edited(c, TEXT)]]
    assert [i for i, _ in found] == sorted(i for i, _ in found)
    wanted = {(2, w) for w in ("tell", "tells", "telling")} | {(3, "trader"), (6, "market")}
    assert set(found) == wanted | {(9, w) for w in FALL_OR_FELL}


def test_morpheus_keeps_the_worst_inflection_of_each_word(candidates):
    outcome = attacked(Morpheus(), wavering(), tagger=VERBS)
    assert max(len(edited(c, TEXT)) for c in candidates) == 4
    assert outcome.status is Status.FAILED


def test_morpheus_in_the_order_of_importance_ranks_by_masking():
    victim = unmoved()
    attacked(Morpheus(order="importance"), victim, tagger=VERBS)
    assert all("[UNK]" in tokens for tokens in victim.asked[1 : 1 + len(EDITABLE)])


def test_morpheus_keeps_capitals(candidates):
    text = sentence("TRADERS FELL near Ana", "O O O B-PER")
    attacked(Morpheus(), text=text, tagger=VERBS)
    assert {c.tokens[0] for c in candidates} == {"TRADERS", "TRADER"}
    assert {c.tokens[1] for c in candidates} == {"FELL", *(w.upper() for w in FALL_OR_FELL)}


def test_morpheus_knows_more_orders_than_the_others():
    Morpheus(order="text")
    with pytest.raises(BadInput, match="importance, random"):
        BertAttack(order="text")
    with pytest.raises(BadInput, match="text, importance, random"):
        Morpheus(order="backwards")
