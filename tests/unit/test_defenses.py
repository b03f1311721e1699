"""What each defense that adds sentences trains on, and the spell-checker."""

from __future__ import annotations

import json
import logging
import random
from collections import Counter
from dataclasses import replace

import pytest
from comparing_texts import names
from small_training import CPU, training_case
from stubs import StubVictim, lexicon, sentence

from benchmark.datasets import Dataset
from benchmark.defending import defense_named
from benchmark.errors import BadInput
from benchmark.threat import Access
from benchmark.training.hooks import Hooks
from benchmark.victims import find_victim
from benchmark.victims.cnn_lstm_crf import CNN_LSTM_CRF
from defenses.augment import HalfClean
from defenses.spell_check import SpellCheckedVictim, Speller

SETTINGS = {"epochs": 10, "batch_size": 6, "learning_rate": 0.01}
BASE = "cnn-lstm-crf/mine(batch_size=6,epochs=10,learning_rate=0.01)"


pytestmark = pytest.mark.usefixtures("small_glove")


@pytest.fixture
def case(tmp_path, tmp_path_factory, monkeypatch):
    """Make the case of a training; the base victim is trained once for all tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "base-cache"))
    return training_case(tmp_path, BASE, SETTINGS)


def added(case, name):
    """The sentences that a defense adds, after the clean ones."""
    regimen = defense_named(name).regimen(case)
    assert regimen.sentences[: len(case.sentences)] == case.sentences
    more = regimen.sentences[len(case.sentences) :]
    assert regimen.made["added"] == len(more)
    return more


def by_id(case):
    return {s.id: s for s in case.sentences}


# --- controls ---------------------------------------------------------------------------------------------------------


def test_entity_switching_keeps_context_and_types(case):
    more = added(case, "entity-switching(n=10)")
    assert len({s.id for s in more}) == 10
    for switched in more:
        original = by_id(case)[switched.id]
        assert switched.tokens != original.tokens
        assert [kind for kind, _ in names(switched)] == [kind for kind, _ in names(original)]
        known = {name for s in case.sentences for name in names(s)}
        assert set(names(switched)) <= known


def test_random_characters_change_mentions_alone(case):
    for scrambled in added(case, "random-characters(n=10)"):
        original = by_id(case)[scrambled.id]
        assert scrambled.tags == original.tags
        differ = [a != b for a, b in zip(scrambled.tokens, original.tokens, strict=True)]
        assert any(differ)
        assert not any(changed for changed, tag in zip(differ, original.tags, strict=True) if tag == "O")


def test_mix_up_makes_sentences_of_two(case):
    more = added(case, "mix-up(n=10)")
    assert len(more) == 10
    for joined in more:
        one, other = (by_id(case)[name] for name in joined.id.split("+"))
        ends = [span.end for span in one.spans if joined.tokens[: span.end] == one.tokens[: span.end]]
        assert any(joined.tokens[end:] == other.tokens[span.end :] for end in ends for span in other.spans)


def test_casing_changes_nothing_but_casing(case):
    more = added(case, "casing-augmentation(n=12)")
    assert len(more) == 12
    for recased in more:
        original = by_id(case)[recased.id]
        assert recased.tags == original.tags
        assert recased.text != original.text
        assert recased.text.lower() == original.text.lower()


def test_extra_clean_sentences_are_those_left_out_and_then_repeats(case):
    dataset = case.dataset
    fewer = replace(case, plain=replace(case.plain, sentences=10))
    left_out = {s.tokens for s in dataset.split("train")} - {s.tokens for s in fewer.sentences}
    more = added(fewer, "extra-clean(n=9)")
    assert {s.tokens for s in more[:6]} == left_out
    assert len({s.tokens for s in more[6:]} & {s.tokens for s in fewer.sentences}) == 3
    assert {s.tokens for s in added(case, "extra-clean(n=5)")} <= {s.tokens for s in case.sentences}


@pytest.mark.parametrize(
    "name", ["entity-switching", "random-characters", "mix-up", "casing-augmentation", "extra-clean"]
)
def test_controls_are_seeded_and_tell_where_there_are_fewer(case, name, caplog):
    assert added(case, f"{name}(n=8)") == added(case, f"{name}(n=8)")
    other = replace(case, plain=replace(case.plain, seed=1))
    assert added(case, f"{name}(n=8)") != added(other, f"{name}(n=8)")
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        more = added(case, f"{name}(n=400)")
    assert len(more) <= 16
    assert f"{name} found {len(more)} sentences of the 400 wanted" in caplog.text
    assert defense_named(f"{name}(n=400)").regimen(case).made == {"added": len(more), "wanted": 400}


def test_words_are_dropped_at_the_rate(case):
    seen = []

    class Trainee:
        def encode(self, sentences):
            return sentences

        def with_words(self, batch, words):
            seen.append(words)
            return batch

        def loss(self, batch):
            return len(batch)

    hooks = defense_named("word-dropout(rate=0.2)").regimen(case).hooks
    rng = random.Random(0)
    assert all(hooks.loss(Trainee(), case.sentences, rng) == 16 for _ in range(100))
    words = sum(map(len, case.sentences))
    assert sum(map(len, seen)) / (100 * words) == pytest.approx(0.2, abs=0.01)
    assert {word for places in seen for word in places.values()} == {None}
    assert {place for places in seen for place in places} == {
        (row, i) for row, s in enumerate(case.sentences) for i in range(len(s))
    }


# --- augmentation by an attack ----------------------------------------------------------------------------------------

AUGMENT = "augment(deepwordbug-i,n=3,queries=24)"


def test_adversarial_examples_break_the_base_and_keep_the_gold_labels(case):
    base = find_victim(BASE, case.options)
    more = added(case, AUGMENT)
    assert len(more) == 3 == len({s.id for s in more})
    for adversarial in more:
        original = by_id(case)[adversarial.id]
        assert adversarial.tokens != original.tokens
        assert adversarial.tags == original.tags
        one, other = base.predict([original.tokens, adversarial.tokens])
        # Something on a mention was right and is wrong now.
        assert any(
            gold != "O" and before == gold != after
            for gold, before, after in zip(original.tags, one.tags, other.tags, strict=True)
        )


def test_what_the_attack_cost_is_on_the_card(case):
    regimen = defense_named(AUGMENT).regimen(case)
    journal = (case.work / "journal.jsonl").read_bytes().splitlines()
    outcomes = [json.loads(line.partition(b" ")[2]) for line in journal]
    assert regimen.made["attacked"] == sum(o["status"] != "skipped" for o in outcomes)
    assert regimen.made["successes"] == sum(o["status"] == "success" for o in outcomes)
    queries = sum(o["search_queries"] + o["constraint_queries"] + o["gradient_queries"] for o in outcomes)
    assert regimen.made["victim_queries"] == regimen.cost["victim_queries"] == queries > 0
    assert regimen.made["wanted"] == 3
    assert regimen.made["base_fingerprint"] == find_victim(BASE, case.options).fingerprint
    assert regimen.cost["preparing_seconds"] > 0


def test_an_interrupted_attack_attacks_the_rest_only(case):
    whole = defense_named(AUGMENT).regimen(case)
    journal = case.work / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:5]) + lines[5][:20])  # killed while it wrote the sixth
    spent = json.loads((case.work / "attacking.json").read_text())
    again = defense_named(AUGMENT).regimen(case)
    assert journal.read_bytes().splitlines()[:5] == [line.rstrip() for line in lines[:5]]
    assert len(journal.read_bytes().splitlines()) == len(lines)
    assert again.sentences == whole.sentences
    assert again.made == whole.made
    assert again.cost["preparing_seconds"] > spent


def test_fewer_successes_than_wanted_are_told(case, caplog):
    with caplog.at_level(logging.WARNING):
        regimen = defense_named("augment(deepwordbug-i,n=400,queries=24)").regimen(case)
    assert 0 < regimen.made["added"] < 400
    assert f"augment found {regimen.made['added']} sentences of the 400 wanted" in caplog.text
    every = defense_named("augment(deepwordbug-i,n=0,queries=24)").regimen(replace(case))
    assert (every.made["added"], every.made["wanted"]) == (regimen.made["added"], "all")


def test_an_attack_that_breaks_nothing_is_told(case):
    with pytest.raises(BadInput, match=r"identity breaks cnn-lstm-crf/mine.* on none of its 16 training sentences"):
        defense_named("augment(identity)").regimen(case)


def test_random_edits_ask_whether_the_text_is_another_one_and_no_more(case):
    more = added(case, "random-augment(n=5)")
    assert len(more) == 5
    for edited in more:
        original = by_id(case)[edited.id]
        assert sum(a != b for a, b in zip(edited.tokens, original.tokens, strict=True)) == 1
    made = defense_named("random-augment(n=5)").regimen(case).made
    of_augment = defense_named(AUGMENT).regimen(case).made
    assert made["successes"] == made["attacked"] == of_augment["attacked"]


def test_random_edits_are_of_sentences_that_could_be_broken_as_those_of_augment_are(case, monkeypatch):
    texts = {
        "known": ("Bo flew home .", "B-PER O O O"),
        "missed": ("Zed flew home .", "B-PER O O O"),
        "none": ("twelve boats left .", "O O O O"),
    }
    training = tuple(sentence(*text, name=name) for name, text in texts.items())
    own = replace(case, dataset=Dataset("mine", {**case.dataset.splits, "train": training}, "here"))
    victim = StubVictim(lexicon({"Bo": "B-PER"}), labels=("O", "B-PER"))
    monkeypatch.setattr("benchmark.workshop.Workshop.victim", lambda *_: victim)
    regimen = defense_named("random-augment(n=0)").regimen(own)
    assert [s.id for s in regimen.sentences[len(training) :]] == ["known"]
    assert (regimen.made["attacked"], regimen.made["successes"], regimen.made["added"]) == (1, 1, 1)
    # Those in vain were asked about all the same.
    journal = [json.loads(line.partition(b" ")[2]) for line in (own.work / "journal.jsonl").read_bytes().splitlines()]
    assert regimen.cost["victim_queries"] == sum(outcome["search_queries"] for outcome in journal)
    assert sum(outcome["search_queries"] > 0 for outcome in journal) == 3


def test_from_scratch_keeps_the_recipe_and_continue_goes_on_gently_from_the_base(case):
    scratch = defense_named(AUGMENT)
    assert scratch.recipe(case.plain) == case.plain
    assert scratch.regimen(case).start is None
    assert type(scratch.regimen(case).hooks) is Hooks
    onward = defense_named("augment(deepwordbug-i,n=3,queries=24,schedule=continue)")
    assert onward.recipe(case.plain) == replace(case.plain, epochs=1, learning_rate=0.002)
    regimen = onward.regimen(case)
    assert regimen.start == case.base_folder
    assert [s.id for s in regimen.sentences] == [s.id for s in scratch.regimen(case).sentences[16:]]


def test_a_victim_that_goes_on_begins_with_the_weights_and_words_of_its_base(case, tmp_path):
    """At a rate that moves nothing, the weights are those of the base."""
    from safetensors.torch import load_file

    regimen = defense_named("augment(deepwordbug-i,n=3,queries=24,schedule=continue)").regimen(case)
    still = replace(case.plain, epochs=1, learning_rate=1e-12)
    CNN_LSTM_CRF.train(still, case.dataset, tmp_path / "v", "v", CPU, prepare=lambda _: regimen)
    base, onward = (load_file(folder / "model.safetensors") for folder in (case.base_folder, tmp_path / "v"))
    assert all((base[name] - onward[name]).abs().max() < 1e-9 for name in base)
    other = replace(case, dataset=Dataset("other", {**case.dataset.splits, "train": case.dataset.split("test")}, ""))
    with pytest.raises(BadInput, match="it was trained on other words"):
        CNN_LSTM_CRF.train(still, other.dataset, tmp_path / "w", "w", CPU, prepare=lambda _: regimen)


def test_batches_are_half_clean():
    clean = [sentence(f"c{k}", "O", f"c{k}") for k in range(7)]
    attacked = [sentence(f"a{k}", "O", f"a{k}") for k in range(20)]
    batches = list(HalfClean(clean).batches(attacked, 8, random.Random(0)))
    assert [len(batch) for batch in batches] == [8] * 5
    assert all(Counter(s.id[0] for s in batch) == {"a": 4, "c": 4} for batch in batches)
    assert sorted(s.id for batch in batches for s in batch if s.id[0] == "a") == sorted(s.id for s in attacked)
    # Clean ones come again only when all have been there.
    counts = Counter(s.id for batch in batches for s in batch if s.id[0] == "c")
    assert set(counts.values()) <= {2, 3}
    assert [len(batch) for batch in HalfClean(clean).batches(attacked[:3], 8, random.Random(0))] == [6]


# --- the spell-checker ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "corrected"),
    [
        ("Tallinm", "Tallinn"),  # a substitution, in a word of the training split
        ("Kuresaare", "Kuressaare"),  # a letter lost, in a word that only the training split has
        ("goverment", "government"),
        ("Governmnet", "Government"),  # two letters swapped are one edit
        ("GOVERNMEENT", "GOVERNMENT"),
        ("government", "government"),
        ("Kuressaare", "Kuressaare"),
        ("zzyzx", "zzyzx"),  # nothing is near
        ("teh", "teh"),  # too short
        ("[UNK]", "[UNK]"),
        ("1996", "1996"),
        ("", ""),
    ],
)
def test_misspelled_words_are_corrected_and_others_left_alone(word, corrected):
    assert Speller(["Tallinn", "Kuressaare"], 1, 4)(word) == corrected


def test_of_words_equally_near_the_most_frequent_in_training_is_taken():
    assert Speller(["blarg", "blorg", "blorg"], 1, 4)("blerg") == "blorg"
    assert Speller(["blarg", "blarg", "blorg"], 1, 4)("blerg") == "blarg"


def test_the_victim_behind_reads_the_corrected_text_word_by_word():
    inner = StubVictim(lexicon({"Tallinn": "B-LOC"}))
    victim = SpellCheckedVictim(inner, Speller(["Tallinn"], 1, 4), "spell-check", 1)
    (answer,) = victim.predict([("Talinn", "is", "[UNK]")])
    assert answer.tags == ("B-LOC", "O", "O")
    assert inner.asked == [("Tallinn", "is", "[UNK]")]
    assert victim.access is Access.SCORES
    assert victim.fits(("Talinn",))


def test_a_checked_victim_is_another_one(minilm, newsroom):
    training = newsroom.split("train")
    calls = (("spell-check", training), ("spell-check(edits=2)", training), ("spell-check", training[1:]))
    checked, wider, elsewhere = (defense_named(call).before(minilm, given) for call, given in calls)
    assert (checked.name, wider.name) == ("minilm/newsroom+spell-check", "minilm/newsroom+spell-check(edits=2)")
    assert len({v.fingerprint for v in (minilm, checked, wider, elsewhere)}) == 4
    assert checked.fingerprint == defense_named("spell-check").before(minilm, training).fingerprint
    # It knows the training split by heart, so it changes nothing there.
    texts = [s.tokens for s in training[:20]]
    assert [a.tags for a in checked.predict(texts)] == [a.tags for a in minilm.predict(texts)]
