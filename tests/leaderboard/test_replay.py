"""A run that is executed again agrees, one that was made up does not, and the badge follows."""

from __future__ import annotations

import dataclasses
import json

import pytest
from submissions import Forgery, lines, reuse_models, run_of, workshop

from benchmark.errors import BadInput
from benchmark.finding import ATTACKS, attack_named
from benchmark.spec import RunSpec
from leaderboard.ledger import add, badges, read_ledger
from leaderboard.ledger_lines import RE_EXECUTED, VERIFIED
from leaderboard.recorded_plans import given_parameters, recorded_plan
from leaderboard.replaying import replay

pytestmark = pytest.mark.usefixtures("quick")


def replayed(folder, sample=3, seed=0):
    return replay(folder, recorded_plan(folder.read_spec()), sample, seed, workshop())


# --- what agrees ------------------------------------------------------------------------------------------------------


def test_a_slice_that_agrees_is_re_executed_and_the_whole_is_verified(tiny):
    folder = run_of(tiny, "deepwordbug-i")
    some, all_of_it = replayed(folder), replayed(folder, sample=64)
    assert (some.sampled, some.sampled_agree, some.badge) == (3, 3, RE_EXECUTED)
    assert (all_of_it.sampled, all_of_it.sampled_agree, all_of_it.badge) == (10, 10, VERIFIED)
    won = sum(row["status"] == "success" for row in Forgery(folder).rows)
    assert some.texts == some.texts_agree == 10 + won  # originals, and adversarial examples


def test_the_slice_is_drawn_by_the_seed(tiny, monkeypatch):
    folder = run_of(tiny, "deepwordbug-i")
    attacked = []
    outcomes = "benchmark.executors.local.LocalExecutor.outcomes"
    monkeypatch.setattr(outcomes, lambda _, prepared, todo, options: attacked.append([s.id for s in todo]) or [])
    for seed in (0, 0, 1):
        replayed(folder, sample=4, seed=seed)
    assert attacked[0] == attacked[1] != attacked[2]
    assert {len(ids) for ids in attacked} == {4}


def test_a_sample_of_nothing_is_refused(tiny):
    with pytest.raises(BadInput, match="--sample must be at least 1"):
        replayed(run_of(tiny, "identity"), sample=0)


# --- what does not ----------------------------------------------------------------------------------------------------


def fooled_by_hand(forgery):
    """A failure made a success, consistent in every stored number: only the victim can tell."""
    row = next(row for row in forgery.rows if row["status"] == "failed")
    at = next(i for i, tag in enumerate(row["gold"]) if tag == "O")
    row["edits"] = [{"op": "replace", "at": at, "covers": 1, "words": ["zzz"], "sources": None}]
    row["adversarial_prediction"] = ["O"] * row["length"]
    entities = sum(tag != "O" for tag in row["gold"])
    row |= {"status": "success", "queries_to_success": 1, "similarity": 0.9, "score": 1.0 if entities else 0.0}
    row |= {"grammar_errors": {"typos": 1, "grammar": 0, "casing": 0, "other": 0}, "label_risk": ["misspelt"]}
    return row["sentence_id"]


def test_a_made_up_example_is_found_by_asking_the_victim_even_if_it_is_not_in_the_slice(forgery):
    name = fooled_by_hand(forgery)
    folder = forgery.sealed()
    told = [line for line in lines(folder.path) if "similarity" not in line and "grammar" not in line]
    assert told == []  # all that is stored agrees with itself
    found = replayed(folder, sample=1)
    assert found.badge is None
    assert (name, "adversarial_prediction") in {(one.what, one.field) for one in found.disagreements}
    assert found.texts_agree == found.texts - 1


def test_a_success_called_a_failure_is_found_in_the_slice(forgery):
    row = forgery.success()
    row |= {"status": "failed", "edits": [], "score": 0.0, "queries_to_success": None, "similarity": None}
    row |= {"grammar_errors": None, "label_risk": None, "adversarial_gold": row["gold"]}
    row["adversarial_prediction"] = row["clean"]
    found = replayed(forgery.sealed(), sample=10)
    assert found.badge is None
    assert found.sampled_agree == 9
    assert (row["sentence_id"], "status") in {(one.what, one.field) for one in found.disagreements}


def test_queries_that_were_not_asked_are_found(forgery):
    row = forgery.success()
    row["search_queries"] += 1
    found = replayed(forgery.sealed(), sample=10)
    assert [(one.what, one.field) for one in found.disagreements] == [(row["sentence_id"], "search_queries")]


def test_hard_sentences_left_out_are_found_by_asking_the_victim(forgery):
    dropped = forgery.rows.pop(3)
    forgery.spec["sentence_ids"].remove(dropped["sentence_id"])
    forgery.spec["selection"]["passed_over"]["victim misses too many mentions"] += 1
    forgery.spec["selection"]["limit"] -= 1
    folder = forgery.sealed()
    assert lines(folder.path) == []  # the data alone cannot tell
    found = replayed(folder)
    assert found.badge is None
    assert [one.field for one in found.disagreements] == ["sentence_ids"]


@pytest.mark.parametrize(
    ("field", "value"), [("victim_fingerprint", "0" * 64), ("train_hash", "0" * 64), ("attack_version", 2)]
)
def test_another_victim_under_the_same_name_is_told_and_nothing_is_attacked(forgery, field, value, monkeypatch):
    forgery.spec[field] = value
    folder = forgery.sealed()
    monkeypatch.setattr("benchmark.executors.local.LocalExecutor.outcomes", lambda *_: pytest.fail("attacked"))
    found = replayed(folder)
    assert found.badge is None
    assert found.sampled == 0
    assert [(one.what, one.field) for one in found.disagreements] == [("spec.json", field)]


# --- back from the record ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ["deepwordbug-i", "deepwordbug-ii", "identity"])
def test_a_recorded_plan_leads_to_the_same_run(tiny, attack):
    from benchmark.workshop import PreparedRun

    folder = run_of(tiny, attack)
    assert PreparedRun(recorded_plan(folder.read_spec()), workshop()).spec == folder.read_spec()


def test_settings_of_the_victim_are_taken_from_the_record(tiny):
    spec = run_of(tiny, "identity").read_spec()
    settings = {
        "backend": "torch-compile-cpu",
        "precision": "bfloat16",
        "pooling": "characters",
        "label_map": {"PERSON": "PER"},
    }
    options = recorded_plan(dataclasses.replace(spec, victim_settings=settings)).options
    assert (options.backend, options.precision, options.pooling) == ("torch-compile", "bfloat16", "characters")
    assert options.label_map.pairs == {"PERSON": "PER"}
    options = recorded_plan(dataclasses.replace(spec, victim_settings={"backend": "spacy 3.8"})).options
    assert (options.backend, options.precision, options.label_map) == ("auto", "float32", None)
    assert recorded_plan(spec, victim="path:/elsewhere").victim == "path:/elsewhere"
    assert recorded_plan(dataclasses.replace(spec, constraints="adjusted 1")).constraints == "adjusted"


@pytest.mark.parametrize("name", list(ATTACKS))
def test_parameters_are_found_again_for_every_attack(name):
    recorded = json.loads(json.dumps(attack_named(name, {}).parameters))
    assert attack_named(name, given_parameters(name, recorded)).parameters == recorded


def test_parameters_of_an_attack_that_wraps_another_are_found_again():
    recorded = json.loads(json.dumps(attack_named("random-word", {"like": "clare", "words": 2}).parameters))
    assert given_parameters("random-word", recorded)["words"] == 2
    recorded["model"]["version"] += 1
    with pytest.raises(BadInput, match="has other parameters here: model"):
        given_parameters("random-word", recorded)


def test_every_field_that_decides_an_outcome_is_compared_or_planned(tiny):
    """Else two different runs could pass for one."""
    spec = run_of(tiny, "identity").read_spec()
    compared = {"attack_version", "constraints", "resources", "victim_fingerprint", "victim_settings", "train_hash"}
    compared |= {"protocol", "dataset_hash", "parameters", "touch", "access", "sentence_ids"}
    planned = {"attack", "victim", "dataset", "split", "selection", "goal", "mode", "queries", "seed"}
    assert compared | planned | {"schema"} == {field.name for field in dataclasses.fields(RunSpec)}
    plan = recorded_plan(spec)
    assert {name: getattr(plan, name) for name in planned - {"selection", "mode"}} == {
        name: getattr(spec, name) for name in planned - {"selection", "mode"}
    }


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def at_hand(monkeypatch):
    reuse_models(monkeypatch)


def test_the_command_records_a_badge_only_if_asked_and_only_if_it_agrees(results, gauntlet, at_hand):
    folder = run_of(results, "deepwordbug-i")
    add(results, folder.run_id, "first results", "2026-11-22")
    code, out, _ = gauntlet("replay", folder.path, "--sample", 2, "--seed", 3)
    assert code == 0
    assert "2 of 2 sentences attacked again end as stored (10 in the run, seed 3): re-executed" in out
    assert len(read_ledger(results)) == 1
    code, _, _ = gauntlet("replay", folder.path, "--sample", 99, "--record", "--reason", "ours", "--date", "2026-11-23")
    assert code == 0
    entry = read_ledger(results)[-1]
    assert (entry.verb, entry.badge, entry.reason, entry.date) == ("replay", VERIFIED, "ours", "2026-11-23")
    assert (entry.figures["sampled"], entry.figures["sampled_agree"]) == (10, 10)
    assert badges(results)[folder.run_id] == VERIFIED


def test_the_command_does_not_execute_what_does_not_hold(results, gauntlet, monkeypatch, at_hand):
    forgery = Forgery(run_of(results, "deepwordbug-i"))
    forgery.result["metrics"]["attack_rate"]["value"] += 0.001
    forgery.write_result()
    monkeypatch.setattr("leaderboard.replaying.replay", lambda *_: pytest.fail("executed"))
    code, out, err = gauntlet("replay", forgery.folder.path)
    assert code == 5
    assert "metrics.attack_rate.value" in out
    assert "so it is not replayed" in err


def test_the_command_tells_what_differs_and_records_nothing(forgery, gauntlet, at_hand):
    row = forgery.success()
    row["search_queries"] += 1
    folder = forgery.sealed()
    add(folder.path.parent.parent, folder.run_id, "first results", "2026-11-22")
    code, out, _ = gauntlet("replay", folder.path, "--sample", 10, "--record")
    assert code == 5
    assert f"{row['sentence_id']}: search_queries: stored {row['search_queries']}, now" in out
    assert "does not agree" in out
    assert len(read_ledger(folder.path.parent.parent)) == 1


def test_a_folder_of_many_runs_is_refused(results, gauntlet):
    code, _, err = gauntlet("replay", results)
    assert code == 2
    assert "replay one run at a time" in err


# --- victims that are kept with results -------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["run", "replay", "transfer", "consistency"])
def test_commands_look_for_victims_beside_the_results(gauntlet, tiny, monkeypatch, verb):
    asked = []

    def find(name, options):
        asked.append(options.kept)
        raise BadInput("that is enough")

    for module in ("benchmark.workshop", "benchmark.victims"):
        monkeypatch.setattr(f"{module}.find_victim", find)
    what = {
        "run": ("run", "--attack", "identity"),
        "replay": ("replay", str(run_of(tiny, "deepwordbug-i").path)),
        "transfer": ("transfer", "minilm/other"),
        "consistency": ("consistency",),
    }
    code, _, _ = gauntlet(*what[verb], *(() if verb == "replay" else ("--results", str(tiny))))
    assert code == (0 if verb == "consistency" else 2)  # which leaves out what it cannot ask
    assert set(asked) == {tiny.resolve() / "victims"}
