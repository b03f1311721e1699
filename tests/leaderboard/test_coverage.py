"""Which runs of a suite a results folder holds, told from names alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from submissions import Forgery, plan_of, run_of

from benchmark.attacking import Mode
from benchmark.cli.board import asked_for
from benchmark.errors import BadInput
from benchmark.finding import attack_named
from benchmark.selection import SelectionRule
from benchmark.spec import spec_id
from benchmark.victims import LabelMap, VictimOptions, find_victim
from leaderboard.coverage import cells
from leaderboard.recorded_plans import recorded_plan
from leaderboard.victim_names import as_recorded, recorded_victim


def runs_of(plan, results):
    (cell,) = cells([plan], results)
    assert cell.plan is plan
    return [folder.run_id for folder in cell.runs]


@pytest.mark.parametrize("attack", ["deepwordbug-i", "deepwordbug-ii", "identity"])
def test_a_plan_is_found_without_loading_anything(tiny, attack, monkeypatch):
    monkeypatch.setattr("benchmark.workshop.find_victim", None)
    assert runs_of(plan_of(attack), tiny) == [run_of(tiny, attack).run_id]


def test_defaults_may_be_written_out(tiny):
    spelled_out = attack_named("deepwordbug-i", {}).parameters
    assert runs_of(plan_of("deepwordbug-i", parameters=spelled_out), tiny) == [run_of(tiny, "deepwordbug-i").run_id]


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"split": "dev"},
        {"goal": "untargeted-any"},
        {"mode": Mode.ESCALATE},
        {"queries": 25},
        {"constraints": "adjusted"},
        {"parameters": {"max_edit_distance": 5}},
        {"victim": "minilm/newsroom+spell-check"},
        {"dataset": "wnut17"},
        {"selection": SelectionRule(limit=11)},
        {"options": VictimOptions(pooling="characters")},
        {"options": VictimOptions(precision="bfloat16")},
        {"options": VictimOptions(backend="torch")},
        {"options": VictimOptions(label_map=LabelMap({"PER": "PERSON"}))},
    ],
    ids="-".join,
)
def test_a_plan_that_asks_for_something_else_was_not_run(tiny, other):
    assert runs_of(replace(plan_of("deepwordbug-i"), **other), tiny) == []


def test_the_back_end_that_auto_chose_may_be_named(tiny):
    backend = run_of(tiny, "identity").read_spec().victim_settings["backend"].rpartition("-")[0]
    named = plan_of("identity", options=VictimOptions(backend=backend))
    assert runs_of(named, tiny) == [run_of(tiny, "identity").run_id]


def test_a_victim_that_pools_nothing_takes_any_pooling(results):
    forgery = Forgery(run_of(results, "identity"))
    del forgery.spec["victim_settings"]["pooling"]
    run = forgery.sealed()
    assert runs_of(plan_of("identity", options=VictimOptions(pooling="characters")), results) == [run.run_id]


@pytest.mark.parametrize("change", [{"attack_version": 99}, {"protocol": 1}, {"attack": "no-such-attack"}])
def test_a_run_that_would_come_out_otherwise_today_does_not_count(results, change):
    forgery = Forgery(run_of(results, "identity"))
    forgery.spec |= change
    forgery.sealed()
    assert runs_of(plan_of("identity"), results) == []
    assert runs_of(plan_of("deepwordbug-i"), results) != []


def test_a_damaged_run_does_not_hide_the_others(results):
    (run_of(results, "identity").path / "spec.json").write_text("{")
    assert runs_of(plan_of("deepwordbug-i"), results) == [run_of(results, "deepwordbug-i").run_id]


@pytest.mark.parametrize(
    "change", [{"parameters": [1]}, {"attack": ["identity"]}, {"victim": 5}, {"selection": {}}, {"victim": "path:\0"}]
)
def test_a_specification_of_the_wrong_form_is_damage(results, gauntlet, suite, change):
    run = run_of(results, "identity")
    record = json.loads(run.spec_file.read_text()) | change
    run.spec_file.write_text(json.dumps(record))
    run.path.rename(run.path.with_name(spec_id(record)))
    assert runs_of(plan_of("deepwordbug-i"), results) == [run_of(results, "deepwordbug-i").run_id]
    assert gauntlet("status", suite, "--results", results)[0] == 0
    code, _, err = gauntlet("status", "--results", results)
    assert code == 5
    assert f"spec.json: {next(iter(change))}" in err


@pytest.mark.parametrize("label_map", [["PER"], "PER=O", {"PER": 1}])
def test_a_label_map_that_is_none_leads_to_no_plan(tiny, label_map):
    spec = run_of(tiny, "identity").read_spec()
    with pytest.raises(BadInput, match="label map of victim minilm/newsroom"):
        recorded_plan(replace(spec, victim_settings={**spec.victim_settings, "label_map": label_map}))


def test_a_plan_that_names_something_unknown_is_refused(tiny):
    with pytest.raises(BadInput, match="unknown attack 'deepwordbugg'"):
        cells([plan_of("deepwordbugg")], tiny)


# --- a victim's name in the record ------------------------------------------------------------------------------------


def test_a_name_is_recorded_without_defaults_and_without_a_path():
    defended = "minilm/wnut17(seed=1,epochs=2)+augment(deepwordbug-i, n=500, queries=128)+spell-check"
    recorded = "minilm/wnut17(epochs=2,seed=1)+augment(deepwordbug-i,queries=128)+spell-check"
    assert recorded_victim(defended) == recorded_victim(recorded) == recorded
    assert recorded_victim("path:/some/where/my-model") == "path:my-model"
    assert recorded_victim("hf:owner/model") == "hf:owner/model"


def test_a_front_end_has_that_name_itself():
    name = "minilm/newsroom+spell-check"
    assert find_victim(name).name == recorded_victim(name) == name


SPELLED = "minilm/wnut17(seed=1,epochs=2)+augment(deepwordbug-i, n=500)"
ANOTHER = "minilm/wnut17+augment(deepwordbug-i)"


@pytest.mark.parametrize("recorded", [SPELLED, "minilm/wnut17(epochs=2,seed=1)+augment(deepwordbug-i)"])
def test_a_filter_finds_a_victim_by_any_spelling_of_its_name_however_it_is_recorded(tiny, recorded):
    spec = replace(run_of(tiny, "deepwordbug-i").read_spec(), victim=recorded)
    wanted = {name: asked_for(None, [name], ["deepwordbug-i"]).wants(spec) for name in (SPELLED, recorded, ANOTHER)}
    assert wanted == {SPELLED: True, recorded: True, ANOTHER: False}


@pytest.mark.parametrize("name", ["hf:owner/model", "no such form", "minilm/x" + "+a" * 3000, "path:\0"])
def test_a_name_that_is_not_known_here_is_taken_as_it_is(name):
    assert as_recorded(name) == name


def test_a_path_that_leads_nowhere_is_taken_as_it_is(gauntlet, tiny, tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    code, out, err = gauntlet("board", "attacks", "--results", tiny, "--victim", f"path:{tmp_path / 'loop'}")
    assert (code, out) == (0, "")
    assert "nothing for this board" in err


# --- gauntlet status SUITE --------------------------------------------------------------------------------------------


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('attacks = ["identity", "deepwordbug-i", "casing"]\nlimit = 10\nqueries = 24\n')
    return str(path)


def test_status_of_a_suite_tells_what_was_not_run(gauntlet, suite, tiny):
    code, out, err = gauntlet("status", suite, "--results", str(tiny), "--json")
    assert (code, err) == (0, "")
    rows = json.loads(out)
    assert [(row["attack"], row["state"]) for row in rows] == [
        ("identity", "finished"),
        ("deepwordbug-i", "finished"),
        ("casing", "not run"),
    ]
    assert [row["run"] for row in rows] == [run_of(tiny, "identity").run_id, run_of(tiny, "deepwordbug-i").run_id, None]
    assert [row["seconds"] is None for row in rows] == [False, False, True]
    assert {row["victim"] for row in rows} == {"minilm/newsroom"}
    code, out, _ = gauntlet("status", suite, "--results", str(tiny))
    assert code == 0
    assert "runs finished: 2 of 3, in 0:" in out


def test_status_takes_the_place_of_data_sets_and_victims(gauntlet, suite, tiny):
    other = ("--dataset", "wnut17", "--victim", "minilm/{dataset}")
    _, out, _ = gauntlet("status", suite, "--results", str(tiny), *other, "--json")
    assert {(row["victim"], row["dataset"], row["state"]) for row in json.loads(out)} == {
        ("minilm/wnut17", "wnut17", "not run")
    }
    code, _, err = gauntlet("status", "--results", str(tiny), "--dataset", "wnut17")
    assert code == 2
    assert "--victim, --dataset and the like go with a suite" in err


def test_what_a_suite_passes_over_is_not_missing(gauntlet, suite, tiny):
    Path(suite).write_text('attacks = ["identity", "hotflip-subword", "casing"]\nlimit = 10\nqueries = 24\n')
    defended = ("minilm/newsroom+spell-check", "minilm/newsroom+spell-check+identity")
    victims = ("--victim", "minilm/newsroom", *(part for name in defended for part in ("--victim", name)))
    _, out, _ = gauntlet("status", suite, "--results", str(tiny), *victims, "--json")
    states = {(row["victim"], row["attack"]): row["state"] for row in json.loads(out)}
    assert {key for key, state in states.items() if state == "passed over"} == {
        (name, "hotflip-subword") for name in defended
    }
    _, out, _ = gauntlet("status", suite, "--results", str(tiny), *victims)
    assert "runs finished: 1 of 7" in out


@pytest.mark.parametrize("other", [("--limit", "9"), ("--queries", "23"), ("--seed", "1")])
def test_status_of_a_suite_in_another_size_is_told_apart(gauntlet, suite, tiny, other):
    as_it_is = ("--limit", "10", "--queries", "24", "--seed", "0")
    told = [gauntlet("status", suite, "--results", str(tiny), *given, "--json")[1] for given in (as_it_is, other)]
    assert ["finished" in {row["state"] for row in json.loads(out)} for out in told] == [True, False]


def test_status_shows_goals_where_a_suite_has_several(gauntlet, suite, tiny):
    headings = [gauntlet("status", name, "--results", str(tiny))[1] for name in (suite, "seqattack-table1")]
    assert ["goal" in out and "untargeted-any" in out for out in headings] == [False, True]


@pytest.mark.parametrize("seconds", [1e300, 10**30, -5, True, "long", None])
def test_a_time_that_cannot_be_is_not_told(gauntlet, results, seconds):
    for attack in ("identity", "deepwordbug-i", "deepwordbug-ii"):
        run_of(results, attack).provenance_file.write_text(json.dumps({"seconds": seconds}))
    code, out, _ = gauntlet("status", "--results", results)
    assert code == 0
    assert out.splitlines()[0].strip() == "runs finished: 3 of 3"
    assert {row["seconds"] for row in json.loads(gauntlet("status", "--results", results, "--json")[1])} == {None}
