"""The victims and the defenses board: several victims on the sentences all of them were selected for."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
from board_runs import Reader, attack_all, changed, only, read
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2

from benchmark.statistics.robust_f1 import robust_f1
from benchmark.types import Status
from leaderboard.boards.defenses import defenses_board
from leaderboard.boards.victims import victims_board
from leaderboard.export.to_json import to_json
from leaderboard.rows import Reading
from leaderboard.site.addresses import Addresses
from leaderboard.site.heats import attacks_by_victims
from leaderboard.site.shown_tables import shown_table
from leaderboard.tables import shown_cell
from leaderboard.victim_names import base_of

MISSED = "victim misses too many mentions"
BASE, DEFENDED = "minilm/made-up", "minilm/made-up+mat"


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    """A base, its defended self, and a victim of another family that does not know one name."""
    results = tmp_path_factory.mktemp("families")
    victims = [
        Reader(BASE),
        Reader(DEFENDED, letters=3, leans=()),
        Reader("cnn-lstm-crf/made-up", letters=5, blind=("Acme",)),
    ]
    attack_all(results, victims, ["identity", "casing", "deepwordbug-ii"])
    return read(results)


def outcomes(reading, victim, attack):
    (run,) = only(reading, victim=victim, attack=attack).runs
    return {name: example.outcome for name, example in run.examples.items()}


def selected_by_all(reading):
    return set.intersection(*(set(run.spec.sentence_ids) for run in reading.runs))


def strict_f1(pairs):
    gold, predicted = zip(*((list(g), list(p)) for g, p in pairs), strict=True)
    return f1_score(list(gold), list(predicted), mode="strict", scheme=IOB2)


def rows_of(table):
    return {row["victim"]: row for row in table.frame.to_dict(orient="records")}


def test_only_sentences_that_all_victims_were_selected_for_count(families):
    joint = selected_by_all(families)
    assert len(joint) < 30  # the fixture's victims do not know the same names
    (table,) = victims_board(families)
    assert f"{len(joint)} sentences" in table.title
    assert table.notes[0].startswith(f"{len(joint)} sentences that all of them were selected for; seed 0.")
    for victim, row in rows_of(table).items():
        clean = [(o.gold, o.clean) for name, o in outcomes(families, victim, "casing").items() if name in joint]
        assert row["clean_f1"] == pytest.approx(strict_f1(clean))


def test_what_a_victim_loses_on_clean_text_is_seen_beside_the_joint_sentences(families):
    (table,) = defenses_board(families)
    (spec,) = [run.spec for run in only(families, victim=DEFENDED, attack="casing").runs]
    missed = spec.selection["passed_over"][MISSED]
    careless = changed(
        families,
        lambda s: dataclasses.replace(s, selection={**s.selection, "passed_over": {MISSED: missed + 60}}),
        lambda run: run.spec.victim == DEFENDED,
    )
    careless = Reading(
        careless.results,
        tuple(
            dataclasses.replace(run, clean={"sentences": 90, "true_positives": 60, "predicted": 90, "gold": 150})
            if run.spec.victim == DEFENDED
            else run
            for run in careless.runs
        ),
    )
    (after,) = defenses_board(careless)
    own, other = rows_of(table), rows_of(after)
    assert other[DEFENDED]["clean_f1"] == own[DEFENDED]["clean_f1"]  # the joint sentences hide it
    assert own[DEFENDED]["nearly_right"] == len(spec.sentence_ids) / (len(spec.sentence_ids) + missed)
    assert other[DEFENDED]["nearly_right"] == len(spec.sentence_ids) / (len(spec.sentence_ids) + missed + 60)
    assert other[DEFENDED]["clean_f1_of_all"] == pytest.approx(2 * 60 / (90 + 150))
    # As the run counted: the fixture's base misses nothing that it was asked.
    assert own[BASE]["clean_f1_of_all"] == other[BASE]["clean_f1_of_all"] > 0.9


@pytest.mark.parametrize("odd", [{}, {"true_positives": 5, "predicted": 4, "gold": 9}, {"gold": 9}])
def test_odd_counts_of_clean_texts_say_nothing(families, odd):
    runs = tuple(dataclasses.replace(run, clean=odd) for run in families.runs)
    (table,) = defenses_board(Reading(families.results, runs))
    assert "clean_f1_of_all" not in [column.key for column in table.columns]


def knowing_few(reading, name, sentences, letters):
    """Runs of one more victim: as those of the defended one, but selected for a few of its sentences only."""
    added = []
    for run in only(reading, victim=DEFENDED).runs:
        examples = {s: run.examples[s] for s in sentences}
        spec = dataclasses.replace(run.spec, victim=name, victim_fingerprint=letters * 64, sentence_ids=tuple(examples))
        added.append(dataclasses.replace(run, spec=spec, examples=examples))
    return tuple(added)


def test_a_victim_that_would_spoil_the_table_for_all_is_left_out_with_a_remark(families):
    (before,) = defenses_board(families)
    joint = [name for name in outcomes(families, BASE, "casing") if name in outcomes(families, DEFENDED, "casing")]
    one = knowing_few(families, f"{BASE}+spoilt", joint[:2], "0")
    two = knowing_few(families, f"{BASE}+spoilt(seed=1)", joint[:2], "1")
    for more in (one, one + two):  # without one of two nothing is won
        reading = Reading(families.results, families.runs + more)
        (table,) = defenses_board(reading)
        assert rows_of(table).keys() == rows_of(before).keys()
        assert table.title == before.title
        (told,) = reading.remarks
        assert "left out minilm/made-up+spoilt" in told
        assert told.endswith(f": joint sentences would be 2 instead of {len(joint)}")


def test_a_victim_that_costs_less_than_half_of_the_sentences_stays(families):
    joint = [name for name in outcomes(families, BASE, "casing") if name in outcomes(families, DEFENDED, "casing")]
    more = knowing_few(families, f"{BASE}+spoilt", joint[: len(joint) // 2 + 1], "0")
    reading = Reading(families.results, families.runs + more)
    (table,) = defenses_board(reading)
    assert f"{BASE}+spoilt" in rows_of(table)
    assert not reading.remarks


def test_f1_and_attack_rate_after_each_attack(families):
    (table,) = defenses_board(families)
    joint = sorted(
        set(only(families, victim=BASE).runs[0].spec.sentence_ids)
        & set(only(families, victim=DEFENDED).runs[0].spec.sentence_ids)
    )
    for victim, row in rows_of(table).items():
        for attack in ("casing", "deepwordbug-ii"):
            found = outcomes(families, victim, attack)
            after = [(found[name].adversarial_gold, found[name].adversarial_prediction) for name in joint]
            assert row[f"f1 after {attack}"] == pytest.approx(strict_f1(after))
            assert row[f"rate of {attack}"] == sum(found[n].status is Status.SUCCESS for n in joint) / len(joint)


def counts(pairs):
    """True positives, predicted and gold mentions; every mention of the fixture is one token."""
    return [
        (
            sum(g == p != "O" for g, p in zip(gold, said, strict=True)),
            sum(p != "O" for p in said),
            sum(g != "O" for g in gold),
        )
        for gold, said in pairs
    ]


def test_robust_f1_is_the_worst_case_over_clean_text_and_attacks(families):
    (table,) = defenses_board(families)
    joint = [name for name in outcomes(families, BASE, "casing") if name in outcomes(families, DEFENDED, "casing")]
    for victim, row in rows_of(table).items():
        casing, context = outcomes(families, victim, "casing"), outcomes(families, victim, "deepwordbug-ii")
        options = [counts((casing[name].gold, casing[name].clean) for name in joint)]
        options += [
            counts((a[n].adversarial_gold, a[n].adversarial_prediction) for n in joint) for a in (casing, context)
        ]
        assert row["robust_f1"] == pytest.approx(robust_f1(np.array(options, float)).value)
        assert row["robust_f1"] <= min(row["f1 after casing"], row["f1 after deepwordbug-ii"], row["clean_f1"])
        assert row["robust_f1.low"] <= row["robust_f1"] <= row["robust_f1.high"]


def test_with_an_attack_less_robust_f1_is_no_lower(families):
    fewer = [run for run in families.runs if run.spec.attack != "casing"]
    (all_of_them,), (without,) = victims_board(families), victims_board(Reading(families.results, tuple(fewer)))
    for victim, row in rows_of(all_of_them).items():
        assert row["robust_f1"] <= rows_of(without)[victim]["robust_f1"]
    assert rows_of(all_of_them)[BASE]["robust_f1"] < rows_of(without)[BASE]["robust_f1"]


def test_the_defenses_board_holds_a_base_and_its_defended_ones_only(families):
    (table,) = defenses_board(families)
    assert set(table.frame["victim"]) == {BASE, DEFENDED}
    assert table.title.startswith(f"{BASE} on made-up (test): ")


def test_what_the_title_tells_is_not_repeated_in_every_row(families):
    (table,) = defenses_board(families)
    (column,) = [column for column in table.columns if column.key == "victim"]
    assert {shown_cell(table, row, column) for row in range(2)} == {BASE, "mat"}
    assert {row["victim"] for row in json.loads(to_json([table]))[0]["rows"]} == {BASE, DEFENDED}
    heat = attacks_by_victims(table)
    assert heat is not None
    assert {name for name, _ in heat.rows} == {BASE, "mat"}
    addresses = Addresses((), (BASE, DEFENDED), (), (), ())
    names = [row.cells[table.columns.index(column)] for row in shown_table(table, 1, addresses).rows]
    assert {(cell.text, cell.sort, cell.links[0]) for cell in names} == {
        (BASE, BASE, (BASE, addresses.victim(BASE))),
        ("mat", DEFENDED, ("mat", addresses.victim(DEFENDED))),
    }


def test_gain_is_measured_from_the_base(families):
    (table,) = defenses_board(families)
    rows = rows_of(table)
    gain = rows[DEFENDED]["robust_f1"] - rows[BASE]["robust_f1"]
    assert gain > 0  # the fixture's defense helps
    assert rows[DEFENDED]["gain"] == pytest.approx(gain)
    assert rows[DEFENDED]["gain.low"] <= gain <= rows[DEFENDED]["gain.high"]
    assert np.isnan(rows[BASE]["gain"])
    assert rows[DEFENDED]["rank"] == 1


def test_controls_are_no_attacks_here(families):
    (table,) = victims_board(families)
    (told,) = [note for note in table.notes if note.startswith("Robust F1")]
    assert told.endswith("Attacks: casing, deepwordbug-ii.")


def test_only_attacks_that_all_were_given_count(families):
    lacking = [run for run in families.runs if (run.spec.victim, run.spec.attack) != (DEFENDED, "deepwordbug-ii")]
    reading = Reading(families.results, tuple(lacking))
    (table,) = defenses_board(reading)
    assert "f1 after casing" in table.frame
    assert "f1 after deepwordbug-ii" not in table.frame
    (told,) = reading.remarks
    assert "not compared on deepwordbug-ii: not all were given it" in told


def test_a_victim_that_was_given_few_attacks_does_not_empty_the_table_of_the_others(families):
    (before,) = defenses_board(families)
    (casing,) = only(families, victim=DEFENDED, attack="casing").runs
    spec = dataclasses.replace(casing.spec, victim=f"{BASE}+spoilt", victim_fingerprint="0" * 64)
    reading = Reading(families.results, (*families.runs, dataclasses.replace(casing, spec=spec)))
    (table,) = defenses_board(reading)
    assert rows_of(table).keys() == rows_of(before).keys()
    assert table.notes == before.notes
    (told,) = reading.remarks
    assert told.endswith("left out minilm/made-up+spoilt: joint attacks would be 1 instead of 2")


def many_victims(families, few):
    """Six victims with three attacks and, behind them, some that were given one of these."""
    casing, other = (only(families, victim=BASE, attack=attack).runs[0] for attack in ("casing", "deepwordbug-ii"))
    parameters = {**other.spec.parameters, "max_edit_distance": 7}
    third = dataclasses.replace(other, spec=dataclasses.replace(other.spec, parameters=parameters))
    given = [(casing, other, third)] * 6 + [(casing,)] * few
    return [
        dataclasses.replace(
            run, spec=dataclasses.replace(run.spec, victim=f"minilm/{number}", victim_fingerprint=f"{number}" * 64)
        )
        for number, runs in enumerate(given)
        for run in runs
    ]


@pytest.mark.parametrize(("few", "left"), [(2, 6), (3, 6), (4, 10)])
def test_a_few_victims_of_many_go_where_the_table_comes_to_hold_twice_as_much(families, few, left):
    reading = Reading(families.results, tuple(many_victims(families, few)))
    (table,) = victims_board(reading)
    assert len(table.frame) == left
    assert (f"left out minilm/6, minilm/7{', minilm/8' * (few > 2)}: " in reading.remarks[0]) is (left == 6)


def test_which_victim_of_two_of_one_name_is_left_out_is_said(families):
    (casing,) = only(families, victim=BASE, attack="casing").runs
    spec = dataclasses.replace(casing.spec, victim_fingerprint="0" * 64)
    reading = Reading(families.results, (*families.runs, dataclasses.replace(casing, spec=spec)))
    (table,) = victims_board(reading)
    assert BASE in set(table.frame["victim"])
    assert f"left out {BASE} (weights 00000000): joint attacks would be 1 instead of 2" in reading.remarks[0]


def test_victims_without_an_attack_in_common_are_not_compared_and_that_is_said(families):
    kept = [
        r for r in families.runs if (r.spec.victim, r.spec.attack) in {(BASE, "casing"), (DEFENDED, "deepwordbug-ii")}
    ]
    reading = Reading(families.results, tuple(kept))
    assert defenses_board(reading) == []
    (told,) = reading.remarks
    assert "no attack that all of them were given" in told
    assert told.startswith(f"{BASE} with and without defenses on made-up")


def test_a_remark_names_some_of_many_victims(families):
    casing, other = (only(families, victim=BASE, attack=attack).runs[0] for attack in ("casing", "deepwordbug-ii"))
    runs = []
    for number in range(6):
        run = (casing, other)[number % 2]
        spec = dataclasses.replace(run.spec, victim=f"minilm/{number}", victim_fingerprint=f"{number}" * 64)
        runs.append(dataclasses.replace(run, spec=spec))
    reading = Reading(families.results, tuple(runs))
    victims_board(reading)
    assert reading.remarks[0].startswith("minilm/0, minilm/1, minilm/2 and 3 more on made-up")


def test_victims_without_a_sentence_in_common_are_not_compared_and_that_is_said(families):
    reading = only(families, attack="casing")
    elsewhere = []
    for run in reading.runs:
        if run.spec.victim == DEFENDED:
            examples = {f"x{name}": example for name, example in run.examples.items()}
            spec = dataclasses.replace(run.spec, sentence_ids=tuple(examples))
            run = dataclasses.replace(run, spec=spec, examples=examples)  # noqa: PLW2901 - moved elsewhere
        elsewhere.append(run)
    reading = Reading(families.results, tuple(elsewhere))
    assert defenses_board(reading) == []
    assert "no sentence that all were selected for" in reading.remarks[0]


@pytest.mark.parametrize(("field", "value"), [("goal", "untargeted"), ("queries", 39), ("dataset_hash", "0" * 64)])
def test_victims_under_another_protocol_are_not_compared(families, field, value):
    other = changed(families, lambda s: dataclasses.replace(s, **{field: value}), lambda r: r.spec.victim == DEFENDED)
    assert defenses_board(other) == []


def test_what_an_attack_learnt_from_the_victim_does_not_make_it_another_attack(families):
    def learnt(spec):
        return dataclasses.replace(spec, resources={"disentangler": f"learnt from {spec.victim}"})

    (table,) = defenses_board(changed(families, learnt))
    assert set(table.frame["victim"]) == {BASE, DEFENDED}


def test_what_an_attack_leans_on_otherwise_does(families):
    def other_model(spec):
        return dataclasses.replace(spec, resources={"language_model": f"of {spec.victim}"})

    assert defenses_board(changed(families, other_model)) == []


def test_two_victims_of_one_name_are_told_apart(families):
    renamed = changed(families, lambda spec: dataclasses.replace(spec, victim=BASE))
    (table,) = victims_board(renamed)
    assert len(set(table.frame["victim"])) == 3
    assert all(name.startswith(f"{BASE} (weights ") for name in table.frame["victim"])
    # None of them is defended.
    assert defenses_board(renamed) == []
    assert renamed.remarks == []


def test_costs_come_from_provenance_and_what_is_not_known_is_said(families, tmp_path):
    (table,) = defenses_board(families)
    assert any(note.startswith("Not known: Preparing s, Training s, Queries") for note in table.notes)
    shutil.copytree(families.results, tmp_path / "results")
    for path in (tmp_path / "results").glob("runs/*/provenance.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        spec = json.loads((path.parent / "spec.json").read_text(encoding="utf-8"))
        if spec["victim"] == DEFENDED:
            record["victim_cost"] = {"training_seconds": 12.5, "victim_queries": 900, "machine": {"device": "cpu"}}
        path.write_text(json.dumps(record), encoding="utf-8")
    (table,) = defenses_board(read(tmp_path / "results"))
    row = rows_of(table)[DEFENDED]
    assert (row["training_seconds"], row["victim_queries"]) == (12.5, 900)
    assert any(note.startswith("Not known: Preparing s (") for note in table.notes)


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("minilm/wnut17+mat", "minilm/wnut17"),
        ("minilm/wnut17(seed=1)+augment(bert-attack,n=1000)", "minilm/wnut17(seed=1)"),
        ("minilm/wnut17+mat+identity", "minilm/wnut17"),
        ("minilm/wnut17", "minilm/wnut17"),
        ("hf:owner/model", "hf:owner/model"),
        ("no such form", "no such form"),
    ],
)
def test_the_base_is_the_name_without_its_defenses(name, base):
    assert base_of(name) == base
