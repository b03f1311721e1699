"""Results that were tampered with are caught, whatever was done about their hashes; those that hold are let through."""

from __future__ import annotations

import dataclasses
import json

import pyarrow.parquet as pq
import pytest
from submissions import (
    ATTACKS,
    SENTENCES,
    Forgery,
    library,
    lines,
    run_of,
    verified,
)

from benchmark.errors import BadInput
from benchmark.spec import RunSpec
from leaderboard.verifying.attack_cards import card_faults
from leaderboard.verifying.finding import TEXT_NOT_HERE
from leaderboard.verifying.records import SpecRecord
from leaderboard.verifying.sentences import Library
from leaderboard.verifying.stored_run import StoredRun

pytestmark = pytest.mark.usefixtures("quick")


def unedited(row):
    """Positions of context words that no edit concerns."""
    taken = {edit["at"] for edit in row["edits"]}
    return [i for i, tag in enumerate(row["gold"]) if tag == "O" and i not in taken]


# --- what holds -------------------------------------------------------------------------------------------------------


def test_runs_as_they_come_have_no_findings_and_nothing_is_left_unchecked(tiny):
    report = verified(tiny)
    assert (report.runs, report.findings, report.not_checked) == (len(ATTACKS), (), ())
    statuses = [row["status"] for attack in ATTACKS for row in Forgery(run_of(tiny, attack)).rows]
    assert {"success", "failed"} <= set(statuses)


def test_one_run_alone_can_be_verified(tiny):
    report = verified(run_of(tiny, "deepwordbug-i").path)
    assert (report.runs, report.findings) == (1, ())


def test_without_the_text_what_needs_it_is_told_as_not_checked_and_the_rest_is_checked(results, forgery):
    forgery.spec["dataset"] = "not-here"
    folder = forgery.sealed()
    report = verified(folder.path)
    assert report.findings == ()
    assert {(gap.field, gap.why[: len(TEXT_NOT_HERE)]) for gap in report.not_checked} == {
        ("dataset", TEXT_NOT_HERE),
        ("similarity, grammar_errors, label_risk", TEXT_NOT_HERE),
    }
    forgery = Forgery(folder)
    forgery.success()["edits"][0]["at"] = 900
    assert any("edits" in line for line in lines(forgery.sealed(scored=False).path))


def test_every_field_of_a_specification_has_a_form():
    assert {field.alias or name for name, field in SpecRecord.model_fields.items()} == set(RunSpec.__annotations__)


def test_no_name_out_of_a_submission_is_taken_for_a_path(forgery, tmp_path, monkeypatch):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "test.conll").write_text("Ana B-PER\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    forgery.spec["dataset"] = "elsewhere"
    report = verified(forgery.sealed().path, library=Library())
    assert [gap.why for gap in report.not_checked if gap.field == "dataset"] == [
        f"{TEXT_NOT_HERE} (elsewhere: pass --data-dir)"
    ]


def test_a_path_that_is_no_results_folder_is_refused_in_one_line(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BadInput, match="runs"):
            verified(path)


# --- files changed, hashes left ---------------------------------------------------------------------------------------


def metric_off(folder):
    record = json.loads(folder.result_file.read_text())
    record["metrics"]["attack_rate"]["value"] += 0.001
    folder.result_file.write_text(json.dumps(record))


def victim_renamed(folder):
    folder.spec_file.write_text(folder.spec_file.read_text().replace("minilm/newsroom", "minilm/wnut17"))


def sentence_dropped_from_the_specification(folder):
    record = json.loads(folder.spec_file.read_text())
    record["sentence_ids"].pop()
    folder.spec_file.write_text(json.dumps(record))


def examples_of_another_run(folder):
    other = run_of(folder.path.parent.parent, "deepwordbug-ii")
    folder.examples_file.write_bytes(other.examples_file.read_bytes())


def two_examples_swapped(folder):
    table = pq.read_table(folder.examples_file)
    order = [1, 0, *range(2, len(table))]
    pq.write_table(table.take(order), folder.examples_file)


def examples_cut_short(folder):
    folder.examples_file.write_bytes(folder.examples_file.read_bytes()[:-100])


def result_of_another_run(folder):
    other = run_of(folder.path.parent.parent, "deepwordbug-ii")
    folder.result_file.write_bytes(other.result_file.read_bytes())


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (metric_off, ["result.json: sha256", "result.json: metrics.attack_rate.value"]),
        (victim_renamed, ["spec.json: hash", "result.json: spec.victim: 'minilm/newsroom'"]),
        (sentence_dropped_from_the_specification, ["spec.json: hash", "examples.parquet: sentence_id: other ids"]),
        (examples_of_another_run, ["examples.parquet: metadata.run_id", "result.json: examples_sha256"]),
        (two_examples_swapped, ["examples.parquet: sentence_id: other ids, first in row 0", "examples_sha256"]),
        (examples_cut_short, ["examples.parquet: file: no Parquet that can be read"]),
        (result_of_another_run, ["result.json: run_id", "result.json: spec.attack"]),
        (lambda folder: folder.spec_file.unlink(), ["spec.json: file: missing"]),
        (lambda folder: folder.examples_file.unlink(), ["examples.parquet: file: missing"]),
        (lambda folder: folder.result_file.unlink(), ["result.json: file: missing"]),
        (lambda folder: folder.provenance_file.unlink(), ["provenance.json: file: missing"]),
        (lambda folder: folder.path.rename(folder.path.with_name("0" * 16)), ["spec.json: hash", "metadata.run_id"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_changed_file_is_caught_by_its_hash(results, tamper, told):
    tamper(run_of(results, "deepwordbug-i"))
    found = lines(results)
    for part in told:
        assert any(part in line for line in found), (part, found)


# --- hashes made to fit again -----------------------------------------------------------------------------------------


def answers_as_on_the_clean_text(forgery):
    row = forgery.success(lambda row: len(row["clean"]) == len(row["adversarial_gold"]))
    row["adversarial_prediction"] = list(row["adversarial_gold"])


def failure_called_success(forgery):
    row = forgery.rows[next(k for k, row in enumerate(forgery.rows) if row["status"] == "failed")]
    row |= {"status": "success", "score": 1.0, "queries_to_success": 1, "similarity": 1.0}
    row |= {"grammar_errors": dict.fromkeys(("typos", "grammar", "casing", "other"), 0), "label_risk": []}


def failure_called_skipped(forgery):
    row = next(row for row in forgery.rows if row["status"] == "failed")
    row |= {"status": "skipped", "reason": "no entity"}


def gold_changed_until_the_answer_is_wrong(forgery):
    row = forgery.success()
    at = next(i for i, tag in enumerate(row["adversarial_gold"]) if tag == "O")
    row["adversarial_gold"][at] = "B-PER"


def another_word_edited(forgery):
    row = forgery.success()
    row["edits"][0]["at"] += 200


def edit_that_changes_nothing(forgery):
    row = forgery.success()
    text = library()._workshop.dataset(_plan()).split("test")
    tokens = next(sentence.tokens for sentence in text if sentence.id == row["sentence_id"])
    at = unedited(row)[-1]
    edits = [*row["edits"], {"op": "replace", "at": at, "covers": 1, "words": [tokens[at]], "sources": None}]
    row["edits"] = sorted(edits, key=lambda edit: edit["at"])


def edits_out_of_order(forgery):
    row = forgery.success()
    at = unedited(row)[0]
    row["edits"] = [
        {"op": "replace", "at": len(row["gold"]) - 1, "covers": 1, "words": ["zz"], "sources": None},
        {"op": "replace", "at": at, "covers": 1, "words": ["yy"], "sources": None},
    ]


def merge_of_one_word(forgery):
    forgery.success()["edits"][0] |= {"op": "merge", "covers": 1}


def more_queries_than_the_budget(forgery):
    forgery.success()["search_queries"] = forgery.spec["queries"] + 1


def gradients_of_a_black_box(forgery):
    row = forgery.success()
    row["gradient_queries"] = 1


def success_before_the_first_query(forgery):
    row = forgery.success()
    row["queries_to_success"] = row["search_queries"] + 1


def more_forwards_than_texts(forgery):
    row = forgery.success()
    row["forwards"] = row["search_queries"] + 2


def trajectory_that_goes_back(forgery):
    row = forgery.success()
    row["trajectory"] = [{"queries": 2, "confidence": 0.5}, {"queries": 1, "confidence": 0.6}]


def score_made_better(forgery):
    row = forgery.success(lambda row: row["score"] > 0.1)
    row["score"] -= 0.01


def sign_of_risk_hidden(forgery):
    row = forgery.success(lambda row: "mention-edited" in (row["label_risk"] or ()))
    row["label_risk"].remove("mention-edited")


def spelling_mistakes_hidden(forgery):
    row = forgery.success(lambda row: row["grammar_errors"]["typos"] > 0)
    row["grammar_errors"]["typos"] = 0


def similarity_made_better(forgery):
    forgery.success()["similarity"] = 0.999


def success_not_judged(forgery):
    forgery.success()["label_risk"] = None


def failure_judged(forgery):
    next(row for row in forgery.rows if row["status"] == "failed")["similarity"] = 1.0


def another_sentence_chosen(forgery):
    chosen = set(forgery.spec["sentence_ids"])
    sentences = library()._workshop.dataset(_plan()).split("test")
    other = next(s for s in sentences if s.id not in chosen and s.spans)
    row = forgery.rows[-1]
    row |= {"sentence_id": other.id, "document": other.document, "length": len(other), "gold": list(other.tags)}
    row |= {"clean": list(other.tags), "status": "failed", "edits": [], "score": 0.0, "queries_to_success": None}
    row |= {"adversarial_gold": list(other.tags), "adversarial_prediction": list(other.tags), "similarity": None}
    row |= {"grammar_errors": None, "label_risk": None, "unseen": [True] * len(other.spans)}
    forgery.spec["sentence_ids"][-1] = other.id


def hard_sentences_left_out(forgery):
    dropped = forgery.rows.pop(3)
    forgery.spec["sentence_ids"].remove(dropped["sentence_id"])
    forgery.spec["selection"]["limit"] -= 1


def sentence_of_no_data_set(forgery):
    forgery.rows[0]["sentence_id"] = forgery.spec["sentence_ids"][0] = "test-100000"


def passed_over_miscounted(forgery):
    forgery.spec["selection"]["passed_over"]["victim misses too many mentions"] += 5


def gold_of_another_sentence(forgery):
    row = next(row for row in forgery.rows if row["status"] == "failed")
    at = row["gold"].index("O")
    for name in ("gold", "adversarial_gold"):
        row[name][at] = "B-PER"
    row["unseen"].append(True)


def unseen_mentions_called_seen(forgery):
    row = next(row for row in forgery.rows if row["unseen"])
    row["unseen"][0] = not row["unseen"][0]


def documents_split(forgery):
    forgery.rows[0]["document"] = "a document of its own"


def clean_answers_made_worse(forgery):
    row = next(row for row in forgery.rows if row["status"] == "failed")
    row["clean"] = row["adversarial_prediction"] = ["O"] * row["length"]


def another_version_of_the_data(forgery):
    forgery.spec["dataset_hash"] = "0" * 64


def another_training_split(forgery):
    forgery.spec["train_hash"] = "0" * 64


def wider_threat_model(forgery):
    forgery.spec["touch"] = "entity"


def more_access(forgery):
    forgery.spec["access"] = "gradients"


def parameter_nobody_has(forgery):
    forgery.spec["parameters"]["luck"] = 3


def version_to_come(forgery):
    forgery.spec["attack_version"] = 99


def protocol_to_come(forgery):
    forgery.spec["protocol"] = 99


def metric_left_out(forgery):
    del forgery.result["metrics"]["valid_attack_rate"]


def metric_made_up(forgery):
    forgery.result["metrics"]["beauty"] = {"value": 1.0, "low": None, "high": None, "n": 1}


def interval_made_narrow(forgery):
    forgery.result["metrics"]["attack_rate"]["low"] += 0.001


def number_of_sentences_raised(forgery):
    forgery.result["metrics"]["attack_rate"]["n"] += 1


def f1_of_a_type_raised(forgery):
    kind = min(forgery.result["per_type"])
    forgery.result["per_type"][kind]["f1.strict.after"]["value"] = 0.123


def rejections_hidden(forgery):
    forgery.result["rejected"] = {"too long for the victim": 7}


def other_judge_named(forgery):
    forgery.result["judges"] = {**forgery.result["judges"], "similarity": "a kinder encoder"}


def _plan():
    from benchmark.plan import Plan

    return Plan("identity")


TAMPERED = [
    (answers_as_on_the_clean_text, "status: success; expected failed: the tags do not fool the victim"),
    (failure_called_success, "edits: none; expected at least one, as the status is success"),
    (failure_called_skipped, "status: skipped ('no entity'); expected an attack"),
    (gold_changed_until_the_answer_is_wrong, "adversarial_gold"),
    (another_word_edited, "edits: do not make a sentence"),
    (edit_that_changes_nothing, "edits: not the canonical script"),
    (edits_out_of_order, "edits: do not make a sentence"),
    (merge_of_one_word, "edits.0"),
    (more_queries_than_the_budget, "queries: 25 in all; expected at most 24, the budget"),
    (gradients_of_a_black_box, "gradient_queries: 1; expected 0"),
    (success_before_the_first_query, "queries_to_success"),
    (more_forwards_than_texts, "forwards"),
    (trajectory_that_goes_back, "trajectory: goes back"),
    (score_made_better, "score"),
    (sign_of_risk_hidden, "label_risk"),
    (spelling_mistakes_hidden, "grammar_errors"),
    (similarity_made_better, "similarity: 0.999"),
    (success_not_judged, "label_risk: nothing; expected a judgement"),
    (failure_judged, "similarity: 1.0; expected nothing"),
    (another_sentence_chosen, "selection.passed_over"),
    (hard_sentences_left_out, "selection.passed_over"),
    (sentence_of_no_data_set, "sentence_ids: 'test-100000'; expected a sentence of newsroom"),
    (passed_over_miscounted, "selection.passed_over"),
    (gold_of_another_sentence, "gold"),
    (unseen_mentions_called_seen, "unseen"),
    (documents_split, "document: 'a document of its own'"),
    (clean_answers_made_worse, "the victim misses 1.000 of the mentions"),
    (another_version_of_the_data, "dataset_hash"),
    (another_training_split, "train_hash"),
    (wider_threat_model, "touch: 'entity'; expected any, by the card of deepwordbug-i"),
    (more_access, "access: 'gradients'; expected scores"),
    (parameter_nobody_has, "parameters"),
    (version_to_come, "attack_version: 99; expected at most"),
    (protocol_to_come, "protocol: 99"),
]
IN_THE_RESULT = [
    (metric_left_out, "metrics.valid_attack_rate: missing"),
    (metric_made_up, "metrics.beauty: unknown metric"),
    (interval_made_narrow, "metrics.attack_rate.low"),
    (number_of_sentences_raised, "metrics.attack_rate.n"),
    (f1_of_a_type_raised, "f1.strict.after.value: 0.123"),
    (rejections_hidden, "rejected"),
    (other_judge_named, "judges"),
]


@pytest.mark.parametrize(("tamper", "told"), TAMPERED, ids=lambda value: getattr(value, "__name__", None))
def test_a_forgery_whose_hashes_fit_is_caught(forgery, tamper, told):
    tamper(forgery)
    folder = forgery.sealed(scored=tamper is not protocol_to_come)
    found = lines(folder.path)
    assert any(told in line for line in found), found
    assert not any(part in line for line in found for part in (": hash:", ": sha256:", ": examples_sha256:"))


@pytest.mark.parametrize(("tamper", "told"), IN_THE_RESULT, ids=lambda value: getattr(value, "__name__", None))
def test_a_number_that_does_not_follow_from_the_examples_is_caught(forgery, tamper, told):
    tamper(forgery)
    forgery.write_result()
    found = lines(forgery.folder.path)
    assert any(told in line and line.startswith("result.json") for line in found), found


def test_an_edit_outside_the_threat_model_is_caught_without_the_text_too(results):
    forgery = Forgery(run_of(results, "deepwordbug-ii"))
    row = forgery.success()
    at = next(i for i, tag in enumerate(row["gold"]) if tag != "O")
    edit = {"op": "replace", "at": at, "covers": 1, "words": ["Zzz"], "sources": None}
    row["edits"] = sorted([*row["edits"], edit], key=lambda one: one["at"])
    told = "edits: touches a mention; expected edits within the threat model (touch: context)"
    folder = forgery.sealed()
    assert any(told in line for line in lines(folder.path))
    again = Forgery(folder)
    again.spec["dataset"] = "not-here"
    assert any(told in line for line in lines(again.sealed().path))


def test_a_mention_that_nobody_edited_keeps_its_type(results):
    forgery = Forgery(run_of(results, "deepwordbug-ii"))
    row = forgery.success()
    row["adversarial_gold"] = [tag if tag == "O" else tag[:2] + "XYZ" for tag in row["adversarial_gold"]]
    found = lines(forgery.sealed().path)
    assert any("adversarial_gold" in line and "as in the original" in line for line in found)


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"attack": "shout"}, "access", "there is no card of shout here: only its code tells what it asks"),
        ({"attack": "casing", "attack_version": 0}, "attack_version", "the card here is that of version 1, not 0"),
    ],
)
def test_what_no_card_here_tells_is_said_not_to_be_checked(forgery, change, field, told):
    run = StoredRun(forgery.folder.path, "", spec=dataclasses.replace(forgery.folder.read_spec(), **change))
    assert [(gap.field, gap.why) for gap in card_faults(run)] == [(field, told)]


def test_all_findings_are_told_not_only_the_first(forgery):
    for tamper in (documents_split, score_made_better, more_forwards_than_texts, passed_over_miscounted):
        tamper(forgery)
    folder = forgery.sealed(scored=False)
    found = "\n".join(lines(folder.path))
    for told in ("document", "score", "forwards", "selection.passed_over", "examples.parquet", "spec.json"):
        assert told in found


def test_every_kind_of_tampering_really_changes_something(results):
    """Else a test could pass because of something else."""
    folder = run_of(results, "deepwordbug-i")
    assert lines(folder.path) == []
    assert len(TAMPERED) + len(IN_THE_RESULT) >= 40
    assert lines(Forgery(folder).sealed().path) == []


def test_the_sentences_of_the_tiny_runs_are_as_many_as_asked_for(tiny):
    assert len(Forgery(run_of(tiny, "deepwordbug-i")).rows) == SENTENCES
