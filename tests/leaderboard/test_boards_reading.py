"""What a board does with damaged and hostile results: one plain line with file and field, and all other rows."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from board_runs import Reader, attack_all, tampered

from benchmark.store import RunFolder
from leaderboard import ledger
from leaderboard.ledger_lines import RE_EXECUTED, SELF_REPORTED
from leaderboard.rows import Filter, own_run, read_run, read_runs

ATTACKS = ("identity", "casing", "deepwordbug-ii")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Three runs; tests work on copies."""
    results = tmp_path_factory.mktemp("sound")
    attack_all(results, [Reader("minilm/made-up")], ATTACKS)
    return results


@pytest.fixture
def results(sound, tmp_path):
    shutil.copytree(sound, tmp_path / "results")
    return tmp_path / "results"


def folder_of(results, attack):
    (found,) = [p for p in results.glob("runs/*") if json.loads((p / "spec.json").read_text())["attack"] == attack]
    return RunFolder(results, found.name)


def examples_with(**fields):
    """Change the outcome of the third example."""

    def change(examples):
        examples[2] = replace(examples[2], outcome=replace(examples[2].outcome, **fields))

    return change


def metric(value):
    return lambda result: result["metrics"]["attack_rate"].update(value=value)


# Each keeps all hashes right; what is wrong is one field.
FIELDS = {
    "attack of another kind": ("spec.json", "attack", {"spec": lambda s: s.update(attack=3)}),
    "script in a name": ("spec.json", "attack", {"spec": lambda s: s.update(attack="</script><img onerror=alert(1)>")}),
    "ANSI codes in a name": ("spec.json", "victim", {"spec": lambda s: s.update(victim="a\x1b[31mred")}),
    "line end in a name": ("spec.json", "dataset", {"spec": lambda s: s.update(dataset="a\nb")}),
    "formula for a name": ("spec.json", "attack", {"spec": lambda s: s.update(attack="=cmd|' /C calc'!A0")}),
    "megabytes in a name": ("spec.json", "attack", {"spec": lambda s: s.update(attack="x" * 2_000_000)}),
    "path traversal in a name": ("spec.json", "dataset", {"spec": lambda s: s.update(dataset="../../etc")}),
    "negative budget": ("spec.json", "queries", {"spec": lambda s: s.update(queries=-1)}),
    "unknown field": ("spec.json", "extra", {"spec": lambda s: s.update(extra=1)}),
    "missing field": ("spec.json", "goal", {"spec": lambda s: s.pop("goal")}),
    "no sentences": ("spec.json", "sentence_ids", {"spec": lambda s: s.update(sentence_ids=[])}),
    "another sentence": ("examples.parquet", "sentence_id", {"examples": examples_with(sentence_id="test-999")}),
    "a sentence twice": ("examples.parquet", "sentence_id", {"examples": lambda e: e.__setitem__(2, e[1])}),
    "a sentence less": ("examples.parquet", "sentence_id", {"examples": lambda e: e.pop()}),
    "negative count": ("examples.parquet", "search_queries", {"examples": examples_with(search_queries=-4)}),
    "queries from 0": ("examples.parquet", "queries_to_success", {"examples": examples_with(queries_to_success=0)}),
    "tags of another length": ("examples.parquet", "row 2", {"examples": examples_with(gold=("O",))}),
    "no number for a metric": ("result.json", "attack_rate", {"result": metric("high")}),
    "metric without a count": ("result.json", "n", {"result": lambda r: r["metrics"]["attack_rate"].pop("n")}),
    "no metrics": ("result.json", "metrics", {"result": lambda r: r.update(metrics=[])}),
    "judge that is no text": ("result.json", "judges", {"result": lambda r: r["judges"].update(similarity=1)}),
}


@pytest.mark.parametrize("what", FIELDS, ids=FIELDS)
def test_a_wrong_field_is_one_line_and_hides_no_other_run(gauntlet, results, what):
    file, field, changes = FIELDS[what]
    folder = tampered(folder_of(results, "casing"), **changes)
    code, out, err = gauntlet("board", "attacks", "--results", results)
    assert code == 5
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    assert f"{folder.run_id}/{file}: " in line
    assert field in line
    assert len(line) < 1500
    assert line.isprintable()
    assert "deepwordbug-ii" in out
    assert "identity" in out
    assert "casing" not in out


def truncated(folder):
    folder.examples_file.write_bytes(folder.examples_file.read_bytes()[:-30])


def swapped(folder):
    other = folder_of(folder.path.parent.parent, "deepwordbug-ii")
    folder.examples_file.write_bytes(other.examples_file.read_bytes())


def not_a_number(folder):
    text = folder.result_file.read_text(encoding="utf-8")
    folder.result_file.write_text(text.replace('"value": 0.', '"value": NaN, "was": 0.', 1), encoding="utf-8")


def linked(folder):
    elsewhere = folder.path.parent.parent / "elsewhere.json"
    folder.result_file.rename(elsewhere)
    folder.result_file.symlink_to(elsewhere)


def altered(folder):
    text = folder.result_file.read_text(encoding="utf-8")
    folder.result_file.write_text(text.replace('"n": 30', '"n": 31', 1), encoding="utf-8")


def renamed(folder):
    folder.path.rename(folder.path.with_name("0" * 16))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (truncated, "examples.parquet"),
        (swapped, "examples.parquet"),
        (not_a_number, "result.json"),
        (linked, "gauntlet verify"),
        (altered, "result.json: sha256"),
        (renamed, "examples.parquet: metadata.run_id"),
        (lambda folder: folder.spec_file.write_text("[]"), "spec.json"),
        (lambda folder: folder.spec_file.write_text("[" * 100_000), "spec.json"),
        (lambda folder: folder.examples_file.unlink(), "examples.parquet"),
    ],
)
def test_a_damaged_file_is_one_line_and_hides_no_other_run(gauntlet, results, damage, told):
    damage(folder_of(results, "casing"))
    code, out, err = gauntlet("board", "attacks", "--results", results)
    assert code == 5
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert "deepwordbug-ii" in out
    assert "casing" not in out


def test_two_damaged_runs_are_two_lines(gauntlet, results):
    truncated(folder_of(results, "casing"))
    altered(folder_of(results, "identity"))
    code, out, err = gauntlet("board", "attacks", "--results", results)
    assert code == 5
    assert len(err.splitlines()) == 2
    assert all(line.startswith("error: ") for line in err.splitlines())
    assert "deepwordbug-ii" in out


def test_an_unfinished_run_is_counted_and_no_damage(gauntlet, results):
    folder_of(results, "casing").result_file.unlink()
    code, out, err = gauntlet("board", "attacks", "--results", results)
    assert code == 0
    assert "unfinished runs left out: 1" in err
    assert "casing" not in out


def test_what_was_left_out_by_a_filter_is_not_shown_but_damage_is(gauntlet, results):
    truncated(folder_of(results, "identity"))
    code, out, _err = gauntlet("board", "attacks", "--results", results, "--attack", "casing")
    assert code == 5
    assert "casing" in out
    assert "deepwordbug-ii" not in out


def test_a_filter_that_nothing_passes_says_so(gauntlet, results):
    code, out, err = gauntlet("board", "attacks", "--results", results, "--victim", "nobody")
    assert (code, out) == (0, "")
    assert "nothing for this board among 0 finished runs" in err


def test_an_unknown_board_and_a_missing_folder_are_bad_input(gauntlet, results):
    code, _, err = gauntlet("board", "atacks", "--results", results)
    assert code == 2
    assert "did you mean attacks" in err
    code, _, err = gauntlet("board", "attacks", "--results", "nowhere")
    assert code == 2
    assert "no results folder nowhere" in err


@pytest.mark.parametrize("width", [80, 160])
def test_columns_that_do_not_fit_are_named_and_no_line_is_too_long(results, width):
    from io import StringIO

    from rich.console import Console

    from benchmark.cli.tables import print_tables
    from leaderboard.boards.attacks import attacks_board

    console = Console(file=StringIO(), width=width)
    tables = attacks_board(read_runs(results))
    print_tables(tables, console)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text  # nothing is cut
    assert ("For want of room not shown: " in text) is (width == 80)
    assert all(part in text for part in ("casing", "deepwordbug-ii", "Attack"))


def test_a_run_just_made_is_read_as_anybodys_is(results):
    folder = folder_of(results, "casing")
    assert own_run(folder) == read_run(folder.path)


def test_a_filter_wants_all_of_what_it_does_not_name(results):
    runs = read_runs(results).runs
    assert len(runs) == 3
    assert {run.spec.attack for run in read_runs(results, Filter(attacks=("casing", "identity"))).runs} == {
        "casing",
        "identity",
    }
    assert len(read_runs(results, Filter(datasets=("made-up",), victims=("minilm/made-up",))).runs) == 3
    assert not read_runs(results, Filter(datasets=("other",))).runs


def test_results_and_the_attacks_board_print_the_same(gauntlet, results):
    assert gauntlet("results", "--results", results) == gauntlet("board", "attacks", "--results", results)


def test_json_is_the_board_and_nothing_else(gauntlet, results):
    code, out, err = gauntlet("board", "attacks", "--results", results, "--json")
    assert (code, err) == (0, "")
    tables = json.loads(out)
    assert {row["attack"] for table in tables for row in table["rows"]} == set(ATTACKS)


# The ledger.

DAY = "2026-11-22"


def trust_of(gauntlet, results):
    code, out, _ = gauntlet("board", "attacks", "--results", results, "--json")
    return {row["attack"]: row.get("trust") for table in json.loads(out) for row in table["rows"]}, code


def test_badges_of_the_ledger_are_a_column(gauntlet, results):
    assert trust_of(gauntlet, results) == (dict.fromkeys(ATTACKS), 0)
    for attack in ATTACKS:
        ledger.add(results, folder_of(results, attack).run_id, "submitted by its author", DAY)
    casing = folder_of(results, "casing").run_id
    figures = {"seed": 0, "sentences": 8, "sampled": 5, "sampled_agree": 5, "texts": 9, "texts_agree": 9}
    ledger.record_replay(results, casing, RE_EXECUTED, figures, "five sentences agree", DAY)
    found, _ = trust_of(gauntlet, results)
    assert found == {**dict.fromkeys(ATTACKS, SELF_REPORTED), "casing": RE_EXECUTED}


@pytest.mark.parametrize("verb", ["retract", "supersede"])
def test_what_no_longer_counts_is_left_out_and_said_to_be(gauntlet, results, verb):
    casing, other = (folder_of(results, attack).run_id for attack in ("casing", "deepwordbug-ii"))
    for run_id in (casing, other):
        ledger.add(results, run_id, "submitted by its author", DAY)
    if verb == "retract":
        ledger.retract(results, casing, "made with another model", DAY)
    else:
        ledger.supersede(results, casing, other, "a better one", DAY)
    code, out, err = gauntlet("board", "attacks", "--results", results)
    assert code == 0
    assert "casing" not in out
    assert "deepwordbug-ii" in out
    assert "superseded or retracted runs left out: 1" in err
    rows = json.loads(gauntlet("status", "--results", results, "--json")[1])
    states = {row["run"]: row["state"] for row in rows}
    assert states == dict.fromkeys(states, "finished") | {casing: verb.rstrip("e") + "ed"}
    assert f"runs finished: {len(states) - 1} of {len(states) - 1}" in gauntlet("status", "--results", results)[1]
    ledger.add(results, casing, "after all", DAY)
    assert "casing" in gauntlet("board", "attacks", "--results", results)[1]


def test_an_altered_ledger_is_told_and_hides_no_run(gauntlet, results):
    ledger.add(results, folder_of(results, "casing").run_id, "submitted by its author", DAY)
    path = ledger.ledger_file(results)
    path.write_text(path.read_text(encoding="utf-8").replace("author", "friend"), encoding="utf-8")
    code, out, err = gauntlet("board", "attacks", "--results", results)
    assert code == 5
    assert "LEDGER.jsonl" in err
    assert all(attack in out for attack in ATTACKS)
