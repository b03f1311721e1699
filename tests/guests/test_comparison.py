"""Attacks of ours in TextAttack's loop ask what they ask in our engine, one text a forward or many."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
import torch
from conftest import DoubtfulVictim
from stubs import sentence, stub_resources

from attacks.guests.comparison import InBatches, OneTextAForward
from attacks.guests.textattack_import import import_textattack
from benchmark.attacking import Assault, Mode
from benchmark.engine import Engine
from benchmark.errors import BadInput
from benchmark.finding import attack_named
from benchmark.goals import goal_named
from benchmark.resources.language_models import language_model_named
from benchmark.resources.loading import Resources
from benchmark.threat import Budget
from benchmark.types import Status
from benchmark.victims import VictimOptions, find_victim

import_textattack("test")

SWAPPING = ("deepwordbug-i", "bert-attack")


def assault(attack, victim, queries=100):
    return Assault(
        attack_named(attack, {}),
        victim,
        goal_named("untargeted-strict"),
        Mode.FIRST_SUCCESS,
        Budget(queries),
        0,
        resources=stub_resources(),
    )


def nothing():
    """Called after each sentence."""


@pytest.mark.parametrize("attack", SWAPPING)
@pytest.mark.parametrize("queries", [1, 4, 9, 500])
@pytest.mark.parametrize("doubt", [0.3, 0.5, 0.9])
def test_textattacks_loop_asks_what_our_engine_asks(sentences, attack, queries, doubt):
    """Word by word the same texts, however the budget cuts; so sentences end alike and cost as many queries."""
    for original in sentences:
        theirs, ours = DoubtfulVictim(sentences, doubt), DoubtfulVictim(sentences, doubt)
        found = InBatches().attack(assault(attack, theirs, queries), [original], nothing)[original.id]
        (done,) = Engine().run([assault(attack, ours, queries).job(original)])
        assert (found.status, found.queries) == (done.result.status, done.result.search_queries)
        # TextAttack sorts the candidates at a place by the alphabet and asks each text once.
        assert set(theirs.asked) == set(ours.asked) or queries < 500
        assert len(theirs.asked) == len(set(theirs.asked))


def test_the_loop_ends_both_ways(sentences):
    """What the test before compares are not only failures."""
    ended = Counter(
        each.status
        for attack in SWAPPING
        for doubt in (0.3, 0.9)
        for each in InBatches().attack(assault(attack, DoubtfulVictim(sentences, doubt)), sentences, nothing).values()
    )
    assert ended[Status.SUCCESS] > 1
    assert ended[Status.FAILED] > 1


def test_a_sentence_that_offers_nothing_is_skipped_and_an_error_stops_nobody(sentences, caplog):
    class Falling(DoubtfulVictim):
        def predict(self, batch):
            if any("bicycles" in text or "numbers" in text for text in batch):
                raise ZeroDivisionError
            return super().predict(batch)

    dull = sentence("nobody walked home .", "O O O O", "dull")
    ticks = []
    found = InBatches().attack(
        assault("deepwordbug-i", Falling(sentences, 0.9)), [dull, *sentences], lambda: ticks.append(1)
    )
    assert found["dull"] == (Status.SKIPPED, 0)
    assert [name for name, each in found.items() if each.status is Status.ERROR] == ["d"]
    assert len(ticks) == len(found) == 6
    assert "sentence d" in caplog.text


def test_both_ways_ask_the_same_texts(newsroom, monkeypatch):
    """One text a forward or many: the victim reads the same texts in the same order."""
    victim = find_victim("minilm/newsroom", VictimOptions("cpu", backend="torch"))
    own = replace(assault("bert-attack", victim, 40), attack=attack_named("bert-attack", {"similarity": 0.0}))
    own = replace(own, resources=Resources({"language_model": language_model_named("minilm-mlm", torch.device("cpu"))}))
    asked, rows, ended = {}, {}, {}
    for way in (OneTextAForward(), InBatches()):
        plain = way.equipped(own)
        read, given = asked.setdefault(way, []), rows.setdefault(way, [])
        predict, forward = plain.victim.predict, plain.victim._forward

        def noting_texts(batch, predict=predict, read=read):
            read.extend(batch)
            return predict(batch)

        def noting_rows(batches, forward=forward, given=given):
            given.extend(len(batch.pieces) for batch in batches)
            return forward(batches)

        monkeypatch.setattr(plain.victim, "predict", noting_texts)
        monkeypatch.setattr(plain.victim, "_forward", noting_rows)
        ended[way] = way.attack(plain, [s for s in newsroom.split("test") if s.spans][:2], nothing)
    (one, batched), (ones, many) = asked.values(), rows.values()
    assert one == batched
    assert len(one) > 20
    assert ones == [1] * len(one)
    assert max(many) > 4
    assert len({tuple(found.items()) for found in ended.values()}) == 1


def test_only_transformers_can_be_compared(sentences):
    with pytest.raises(BadInput, match=r"compares transformers .*, not doubtful"):
        InBatches().equipped(assault("deepwordbug-i", DoubtfulVictim(sentences)))


def test_attacks_that_swap_no_words_are_refused():
    with pytest.raises(BadInput, match="casing cannot be run by TextAttack's loop"):
        OneTextAForward().require(attack_named("casing", {}))


def test_the_command_measures_all(gauntlet):
    code, out, _ = gauntlet(
        "bench",
        "--attack",
        "deepwordbug-i",
        "--limit",
        2,
        "--queries",
        24,
        "--repeats",
        1,
        "--backend",
        "torch",
        "--json",
    )
    record = json.loads(out)
    assert code == 0
    assert set(record["ratios"]) == {"one_text_a_forward", "textattack_batched", "pure_forward"}
    assert all(ratio > 0 for ratio in record["ratios"].values())
    assert record["agreement"]["deepwordbug-i"] == {"one_text_a_forward": 1.0, "textattack_batched": 1.0}
