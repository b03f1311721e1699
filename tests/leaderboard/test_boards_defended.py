"""What the defenses board tells beyond robust F1: the ensemble it is over, transfer, unseen mentions, costs, flags."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from board_runs import NAMES, Reader, attack_all, changed, made_up, only, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from platformdirs import user_cache_path

from benchmark.datasets import Dataset
from benchmark.metrics.span_f1 import recall_counts
from benchmark.statistics.intervals import wilson
from benchmark.suites.ensembles import Ensemble, Member
from benchmark.types import Sentence, Status
from benchmark.victims.recipe import CARD, COST, training_cost
from leaderboard import joint as joints
from leaderboard.boards.defenses import defenses_board
from leaderboard.boards.victims import victims_board
from leaderboard.joining import joint_groups
from leaderboard.rows import Reading
from leaderboard.transferring import read_transfers, transfer

BASE = Reader("minilm/made-up")
DEFENDED = Reader("minilm/made-up+mat", letters=3, leans=(), blind=("Acme",))
ATTACKS = ("casing", "deepwordbug-i", "deepwordbug-ii")
# Mentions of the training split; the other names are unseen.
SEEN = ("Ana", "Rome", "Oslo")


def dataset():
    training = [Sentence(f"train-{k}", (name, "left"), (f"B-{NAMES[name]}", "O")) for k, name in enumerate(SEEN)]
    return Dataset("made-up", {"train": tuple(training), "test": made_up().split("test")}, "tests")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A base and a defended victim under three attacks, and what the base's examples do to the defended one."""
    folder = tmp_path_factory.mktemp("defended")
    attack_all(folder, [BASE, DEFENDED], ["identity", *ATTACKS], dataset=dataset())
    for run in only(read(folder), victim=BASE.name).runs:
        if run.spec.attack in {"casing", "deepwordbug-i"}:
            transfer(folder, run, DEFENDED, dataset())
    return folder


@pytest.fixture(scope="module")
def runs(results):
    return read(results)


def rows_of(reading):
    (table,) = defenses_board(reading)
    return {row["victim"]: row for row in table.frame.to_dict(orient="records")}, table


def joint_of(reading):
    (found,) = joint_groups(reading, base=True)
    return found


def outcomes(reading, victim, attack):
    (run,) = only(reading, victim=victim.name, attack=attack).runs
    return {name: example.outcome for name, example in run.examples.items()}


def broken(reading, how_many):
    """A reading in which so many of the joint sentences are broken, the first ones, by (victim, attack)."""
    joint = joint_of(reading).sentences

    def ended(run, name, example):
        wanted = how_many.get((run.spec.victim, run.spec.attack))
        if wanted is None:
            return example
        status = Status.SUCCESS if name in joint[:wanted] else Status.FAILED
        return dataclasses.replace(example, outcome=dataclasses.replace(example.outcome, status=status))

    runs = [
        dataclasses.replace(run, examples={name: ended(run, name, example) for name, example in run.examples.items()})
        for run in reading.runs
    ]
    return Reading(reading.results, tuple(runs))


def broken_off(reading, victim, attack, how_many, **how):
    """A reading in which the attack ended otherwise on the first joint sentences, with nothing found."""
    joint = joint_of(reading).sentences[:how_many]
    how = how or {"status": Status.ERROR}

    def ended(name, example):
        if name not in joint:
            return example
        nothing = {"edits": (), "adversarial_gold": (), "adversarial_prediction": (), "score": 0.0}
        return dataclasses.replace(example, outcome=dataclasses.replace(example.outcome, **nothing, **how))

    runs = [
        dataclasses.replace(run, examples={name: ended(name, example) for name, example in run.examples.items()})
        if (run.spec.victim, run.spec.attack) == (victim, attack)
        else run
        for run in reading.runs
    ]
    return Reading(reading.results, tuple(runs))


@pytest.fixture
def frozen(monkeypatch):
    """Let other ensembles be frozen."""
    return lambda *ensembles: monkeypatch.setattr(joints, "ensembles", lambda: ensembles)


MISSPELT = Member("deepwordbug-ii", 1, {"max_edit_distance": 30, "order": "importance"})
SMALL = Ensemble("small-v1", (Member("casing", 1, {}), MISSPELT), "untargeted-strict", "first-success", 40, (0,))
YOUNGER = SMALL._replace(name="small-v2", members=(Member("casing", 2, {}), MISSPELT))


# --- the ensemble -----------------------------------------------------------------------------------------------------


def test_robust_f1_is_over_the_frozen_ensemble_where_all_its_attacks_were_run(runs, frozen):
    frozen(YOUNGER, SMALL)
    whole, table = rows_of(runs)
    fewer, _ = rows_of(Reading(runs.results, tuple(r for r in runs.runs if r.spec.attack != "deepwordbug-i")))
    assert {v: row["robust_f1"] for v, row in whole.items()} == {v: row["robust_f1"] for v, row in fewer.items()}
    (told,) = [note for note in table.notes if note.startswith("Robust F1")]
    assert told.endswith("Attacks of the frozen ensemble small-v1: casing, deepwordbug-ii.")
    assert "f1 after deepwordbug-i" in table.frame  # shown all the same


def test_where_no_ensemble_is_complete_it_is_over_what_there_is_and_that_is_said(runs, frozen):
    frozen(YOUNGER)
    _, table = rows_of(runs)
    (told,) = [note for note in table.notes if note.startswith("Robust F1")]
    assert "Over what there is, no frozen ensemble (small-v2, with its parameters and seeds, lacks casing 2)." in told
    assert told.endswith("Attacks: casing, deepwordbug-i, deepwordbug-ii.")


def test_an_attack_with_other_parameters_is_no_member(runs, frozen):
    frozen(SMALL)
    other = changed(
        runs,
        lambda spec: dataclasses.replace(spec, parameters={**spec.parameters, "max_edit_distance": 3}),
        lambda run: run.spec.attack == "deepwordbug-ii",
    )
    assert joint_of(other).ensemble is None
    assert joint_of(runs).ensemble is SMALL


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({"goal": "untargeted"}, "goal untargeted"),
        ({"mode": "escalate"}, "mode escalate"),
        ({"queries": 128}, "128 queries"),
        ({"seeds": (0, 1)}, "casing 1, deepwordbug-ii 1"),
        ({"members": (MISSPELT._replace(parameters={}),)}, "deepwordbug-ii 1"),  # defaults of the day are no member's
    ],
)
def test_runs_under_another_protocol_than_the_frozen_one_are_not_the_ensemble(runs, frozen, change, lacking):
    frozen(SMALL._replace(**change))
    assert joint_of(runs).ensemble is None
    assert any(f"lacks {lacking})" in note for note in joint_of(runs).notes)


def test_constraints_on_top_are_another_ensemble(runs, frozen):
    frozen(SMALL)
    assert joint_of(changed(runs, lambda spec: dataclasses.replace(spec, constraints="adjusted 1"))).ensemble is None


def test_other_seeds_than_the_frozen_ones_do_not_enter(runs, frozen):
    """A second seed under which everything breaks lowers robust F1 over all, and not that over the ensemble."""
    frozen(SMALL)
    worse = [
        dataclasses.replace(run, spec=dataclasses.replace(run.spec, seed=1))
        for run in broken_off(runs, DEFENDED.name, "casing", len(joint_of(runs).sentences)).runs
    ]
    two_seeds = Reading(runs.results, (*runs.runs, *worse))
    (before, _), (after, _) = rows_of(runs), rows_of(two_seeds)
    assert after[DEFENDED.name]["robust_f1"] == before[DEFENDED.name]["robust_f1"] > 0
    assert after[DEFENDED.name]["unseen_worst"] == before[DEFENDED.name]["unseen_worst"]
    assert after[DEFENDED.name]["robust_f1_all"] == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(attacks=st.sets(st.sampled_from(ATTACKS), min_size=1), more=st.sampled_from(ATTACKS))
def test_an_attack_more_never_raises_robust_f1_over_all_even_if_it_completes_an_ensemble(runs, frozen, attacks, more):
    frozen(SMALL)

    def robust(names):
        found = joint_of(Reading(runs.results, tuple(r for r in runs.runs if r.spec.attack in names)))
        return {name: found.robust_over_all(victim).value for victim, name in enumerate(found.victims)}

    before, after = robust(attacks), robust({*attacks, more})
    assert all(after[victim] <= before[victim] + 1e-12 for victim in before)


def test_where_several_victims_go_by_the_bases_name_none_is_taken_for_it(runs):
    twin = tuple(
        dataclasses.replace(run, spec=dataclasses.replace(run.spec, victim_fingerprint="1" * 64))
        for run in only(runs, victim=BASE.name).runs
    )
    _, one = rows_of(runs)
    _, two = rows_of(Reading(runs.results, (*runs.runs, *twin)))
    keys = [{column.key for column in table.columns} for table in (one, two)]
    assert "gain" in keys[0] - keys[1]
    assert not [key for key in keys[1] if key.startswith("transfer of")]
    (told,) = [note for note in two.notes if note.startswith("No gain")]
    assert told.count(f"{BASE.name} (weights ") == 2
    assert not any(note.startswith("No gain") for note in one.notes)


# --- transfer ---------------------------------------------------------------------------------------------------------


def test_beside_the_rate_of_an_attack_stands_what_the_bases_examples_do(runs):
    rows, table = rows_of(runs)
    joint = joint_of(runs).sentences
    rates = {}
    for stored in read_transfers(runs):
        (attack,) = [run.spec.attack for run in runs.runs if run.run_id == stored.run_id]
        hits = sum(answer.score > 0 and answer.sentence_id in joint for answer in stored.answers)
        rates[attack] = hits / len(joint)
        row = rows[DEFENDED.name]
        assert row[f"transfer of {attack}"] == pytest.approx(rates[attack])
        assert (row[f"transfer of {attack}.low"], row[f"transfer of {attack}.high"]) == pytest.approx(
            tuple(wilson(hits, len(joint)))
        )
    assert set(rates) == {"casing", "deepwordbug-i"}
    assert rates["casing"] == 0  # what the base leans on in them the defended victim does not read
    assert rates["deepwordbug-i"] > 0
    assert np.isnan(rows[BASE.name]["transfer of deepwordbug-i"])
    assert "transfer of deepwordbug-ii" not in table.frame  # it was not asked


def test_answers_of_another_victim_of_that_name_do_not_count(runs):
    other = changed(
        runs, lambda spec: dataclasses.replace(spec, victim_fingerprint="0" * 64), lambda r: "+" in r.spec.victim
    )
    _, table = rows_of(other)
    assert not [key for key in table.frame if key.startswith("transfer of")]
    assert any("Not looked at: " in note and "transfer (gauntlet transfer VICTIM)" in note for note in table.notes)


# --- unseen mentions --------------------------------------------------------------------------------------------------


def test_recall_of_unseen_mentions_is_told_of_clean_texts_and_of_those_robust_f1_took(runs):
    rows, table = rows_of(runs)
    joint = joint_of(runs)
    sentences = {sentence.id: sentence for sentence in made_up().split("test")}
    for victim in (BASE, DEFENDED):
        found = of_them = 0
        for name in joint.sentences:
            outcome = outcomes(runs, victim, "casing")[name]
            for token, gold, said in zip(sentences[name].tokens, outcome.gold, outcome.clean, strict=True):
                of_them += gold != "O" and token not in SEEN
                found += gold != "O" and token not in SEEN and said == gold
        assert of_them > 10
        assert rows[victim.name]["unseen"] == pytest.approx(found / of_them)
        own = joint.robust[joint.victims.index(victim.name)]
        sides = [("casing", "before"), *((attack, "after") for attack in ATTACKS)]
        counts = [
            recall_counts(outcomes(runs, victim, sides[k][0])[name], sides[k][1], unseen=True)
            for k, name in zip(own.chosen, joint.sentences, strict=True)
        ]
        hits, mentions = map(sum, zip(*counts, strict=True))
        assert rows[victim.name]["unseen_worst"] == pytest.approx(hits / mentions)
        assert rows[victim.name]["unseen_worst"] < rows[victim.name]["unseen"]
    assert any(note.startswith("Unseen R: recall of gold mentions") for note in table.notes)


def test_seen_and_unseen_mentions_are_all_mentions(runs):
    for outcome in outcomes(runs, BASE, "deepwordbug-i").values():
        for when in ("before", "after"):
            counts = [recall_counts(outcome, when, unseen=unseen) for unseen in (True, False)]
            assert sum(mentions for _, mentions in counts) == 2
            assert all(found <= mentions for found, mentions in counts)


def test_without_a_training_split_nothing_is_said_of_unseen_mentions(one_seed):
    _, table = rows_of(one_seed)
    assert "unseen" not in [column.key for column in table.columns]
    assert not any(note.startswith("Unseen") for note in table.notes)


# --- costs ------------------------------------------------------------------------------------------------------------


def test_the_cost_of_a_trained_victim_is_found_by_its_recipe(tmp_path):
    recipe_id = "0123456789abcdef"
    assert training_cost(recipe_id) == {}
    folder = user_cache_path("gauntlet") / "victims" / f"minilm-mat-{recipe_id}"
    folder.mkdir(parents=True)
    (folder / CARD).write_text(json.dumps({"id": recipe_id}), encoding="utf-8")
    (folder / COST).write_text(json.dumps({"training_seconds": 3.5, "machine": {"device": "cpu"}}), encoding="utf-8")
    assert training_cost(recipe_id)["training_seconds"] == 3.5
    assert training_cost("") == training_cost(recipe_id[:-1]) == {}
    (folder / COST).write_text("{", encoding="utf-8")
    assert training_cost(recipe_id) == {}


def test_a_run_tells_what_its_victim_cost_and_how_sound_its_answers_are(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.runner.training_cost", lambda recipe, _: {"training_seconds": 7.5, "recipe": recipe})
    trained = Reader("minilm/made-up+mat")
    trained.settings = {**trained.settings, "recipe": "abc"}
    (folder,) = attack_all(tmp_path, [trained], ["casing"], limit=3)
    told = json.loads(folder.provenance_file.read_text(encoding="utf-8"))
    assert told["victim_cost"] == {"training_seconds": 7.5, "recipe": "abc"}
    assert told["soundness"] == {"asked_twice": 3, "answered_otherwise": 0}
    (run,) = read(tmp_path).runs
    assert run.victim_cost == {"training_seconds": 7.5}
    assert run.soundness == told["soundness"]
    assert run.clean == told["clean"]
    assert run.clean["sentences"] == 3 + run.spec.selection["passed_over"]["victim misses too many mentions"]
    assert run.clean["gold"] == 2 * run.clean["sentences"]  # every made-up sentence has two names


# --- flags ------------------------------------------------------------------------------------------------------------


def flags_of(reading):
    rows, table = rows_of(reading)
    return {victim: row.get("flags") for victim, row in rows.items()}, table


def test_nothing_is_flagged_where_nothing_is_odd(runs):
    _, table = flags_of(runs)
    assert "flags" not in [column.key for column in table.columns]
    (told,) = [note for note in table.notes if note.startswith("Flags")]
    # DeepWordBug II was not put to the defended victim.
    partly = "partly transfer (gauntlet transfer VICTIM)"
    assert told.endswith(f"Not looked at: zero gradients, {partly}, white-box attacks.")


def test_a_victim_that_makes_attacks_break_off_gains_nothing_by_it_and_is_flagged(runs):
    joint = joint_of(runs)
    failing = broken_off(runs, DEFENDED.name, "deepwordbug-i", len(joint.sentences))
    (before, _), (after, table) = rows_of(runs), rows_of(failing)
    assert before[DEFENDED.name]["robust_f1"] > 0
    assert after[DEFENDED.name]["robust_f1"] == after[DEFENDED.name]["f1 after deepwordbug-i"] == 0
    assert after[DEFENDED.name]["unseen_worst"] == 0
    assert after[BASE.name]["robust_f1"] == before[BASE.name]["robust_f1"]
    broken, attacked = len(joint.sentences), 3 * len(joint.sentences)
    assert f"attacks broke off ({broken} of {attacked})" in after[DEFENDED.name]["flags"]
    assert not isinstance(after[BASE.name]["flags"], str)
    (told,) = [note for note in table.notes if note.startswith("Attacks on a sentence that broke off")]
    assert f"{DEFENDED.name} {broken} of {attacked}. " in told
    assert told in victims_board(failing)[0].notes  # it has no column of flags
    assert not any("broke off" in note for note in victims_board(runs)[0].notes)


def test_a_victim_that_will_not_read_what_attacks_write_gains_nothing_by_it_and_is_flagged(runs):
    many = len(joint_of(runs).sentences)
    refused = {"status": Status.FAILED, "rejected": {"too long for the victim": 3}}
    before, (after, table) = rows_of(runs)[0], rows_of(broken_off(runs, DEFENDED.name, "casing", many, **refused))
    assert before[DEFENDED.name]["robust_f1"] > after[DEFENDED.name]["robust_f1"] == 0
    assert f"texts refused ({many} of {3 * many})" in after[DEFENDED.name]["flags"]
    assert any(f"would not read: {DEFENDED.name} {many} of {3 * many}. " in note for note in table.notes)
    elsewhere = {"status": Status.FAILED, "rejected": {"too many words changed": 3}}
    other, _ = rows_of(broken_off(runs, DEFENDED.name, "casing", many, **elsewhere))
    assert other[DEFENDED.name]["robust_f1"] > 0
    assert "refused" not in str(other[DEFENDED.name].get("flags"))


def test_to_fail_on_the_clean_text_takes_no_sentence_away(runs):
    joint = joint_of(runs)
    failing = broken_off(runs, DEFENDED.name, "casing", 9, status=Status.ERROR, clean=())
    assert joint_of(failing).sentences == joint.sentences
    (before, _), (after, _) = rows_of(runs), rows_of(failing)
    assert after[BASE.name]["robust_f1"] == before[BASE.name]["robust_f1"]
    assert after[DEFENDED.name]["robust_f1"] < before[DEFENDED.name]["robust_f1"]
    assert f"attacks broke off (9 of {3 * len(joint.sentences)})" in after[DEFENDED.name]["flags"]


def test_a_defense_that_only_misleads_the_search_is_flagged(runs):
    flags, table = flags_of(broken(runs, {(DEFENDED.name, "deepwordbug-i"): 0}))
    assert flags[DEFENDED.name] == "transfer beats deepwordbug-i"
    assert not isinstance(flags[BASE.name], str)
    assert "Flags" in [column.title for column in table.columns]


def test_answers_that_vary_and_gradients_that_are_zero_are_flagged(runs):
    signs = {"asked_twice": 16, "answered_otherwise": 2, "differentiated": 16, "zero_gradient": 16}
    odd = [
        dataclasses.replace(run, soundness=signs)
        if (run.spec.victim, run.spec.attack) == (DEFENDED.name, "casing")
        # The same texts, asked again: counts of several runs are not added up.
        else dataclasses.replace(run, soundness={"asked_twice": 16, "answered_otherwise": run.spec.victim != BASE.name})
        for run in runs.runs
    ]
    flags, table = flags_of(Reading(runs.results, tuple(odd)))
    assert flags[DEFENDED.name] == "answers vary (2 of 16 texts); zero gradients (16 of 16 texts)"
    assert not isinstance(flags[BASE.name], str)
    assert any("Not looked at: partly zero gradients, " in note for note in table.notes)  # the base has none


def test_where_every_attack_sees_gradients_there_is_none_to_hold_them_against(runs):
    seeing = changed(runs, lambda spec: dataclasses.replace(spec, access="gradients"))
    _, table = flags_of(seeing)
    (told,) = [note for note in table.notes if note.startswith("Flags")]
    assert told.endswith(" black-box attacks.")
    assert "white-box attacks" not in told.partition("Not looked at")[2]


@pytest.mark.parametrize(
    ("white_on_base", "white", "flagged"),
    [
        (14, 2, True),
        (14, 10, False),  # too little to tell
        (10, 2, False),  # on the base the attack is the weaker one as well
    ],
)
def test_white_box_attacks_that_fall_below_black_box_ones_are_flagged_unless_they_do_so_on_the_base(
    runs, white_on_base, white, flagged
):
    seeing = changed(
        runs, lambda spec: dataclasses.replace(spec, access="gradients"), lambda run: run.spec.attack == "casing"
    )
    attacks = ("casing", "deepwordbug-i", "deepwordbug-ii")
    how_many = dict(zip([(BASE.name, name) for name in attacks], (white_on_base, 12, 5), strict=True))
    how_many |= dict(zip([(DEFENDED.name, name) for name in attacks], (white, 12, 0), strict=True))
    assert len(joint_of(runs).sentences) > 14
    flags, table = flags_of(broken(seeing, how_many))
    assert ("white-box below black-box" in str(flags[DEFENDED.name])) is flagged
    assert "white-box" not in str(flags[BASE.name])
    assert not any("white-box attacks" in note.partition("Not looked at")[2] for note in table.notes)
