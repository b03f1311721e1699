"""The command line's promises: exit codes, one error line, JSON, dry runs."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from stubs import StubVictim

from benchmark.cli.main import EXIT_CODES, app
from benchmark.contracts import Attack, attack
from benchmark.errors import BadInput, Busy, CannotSave, CorruptResult, MissingResource
from benchmark.finding import ATTACKS
from benchmark.journal import Journal
from benchmark.judging import Judges
from benchmark.plan import Plan
from benchmark.selection import SelectionRule
from benchmark.threat import Access
from benchmark.types import Outcome, Status
from benchmark.victims import find_victim as load_victim
from benchmark.workshop import PreparedRun, Workshop

QUICK = ("run", "--attack", "identity", "--limit", "2", "--queries", "4")


JUDGES = functools.cache(Judges.named)


@pytest.fixture(autouse=True)
def instant(monkeypatch, newsroom):
    """Put a victim that knows the corpus by heart in the place of the bundled one, and make the judges once."""
    gold = {s.tokens: s.tags for split in newsroom.splits.values() for s in split}
    victim = StubVictim(lambda tokens: gold[tokens])
    victim.name = "minilm/newsroom"

    def find(name, options=None):
        return victim if name == victim.name else load_victim(name, options)

    monkeypatch.setattr("benchmark.workshop.find_victim", find)
    monkeypatch.setattr(Judges, "named", staticmethod(JUDGES))


@pytest.fixture
def run_folder(tmp_path):
    """Make the folder that `QUICK` will write to, before it does."""
    plan = Plan("identity", queries=4, selection=SelectionRule(limit=2))
    folder = tmp_path / "results" / "runs" / PreparedRun(plan, Workshop()).spec.run_id
    folder.mkdir(parents=True)
    return folder


@attack("explode", access=Access.LABELS)
class Explode(Attack):
    """Fail on every sentence."""

    async def run(self, sentence, probe):
        """Fail."""
        raise ZeroDivisionError("boom")


def one_error(err: str) -> str:
    """The one error line on standard error; before it only stages of the work may be named."""
    *stages, line = err.splitlines()
    assert line.startswith("error: ")
    assert set(stages) <= {"choosing sentences", "identity", "judging texts"}
    return line


# Exit codes.


def test_a_suite_passes_over_what_a_victim_cannot_be_asked(gauntlet, tmp_path):
    both = (*QUICK, "--attack", "hotflip-word", "--seed", "0", "--seed", "1", "--results", tmp_path / "results")
    code, out, err = gauntlet(*both, "--json")
    assert code == 0
    assert [row["attack"] for row in json.loads(out)] == ["identity", "identity"]
    assert err.count("passed over: attack hotflip-word needs the victim's gradients") == 1
    alone = ("run", "--attack", "hotflip-word", "--limit", "2", "--results", tmp_path / "results")
    code, _, err = gauntlet(*alone)
    assert (code, one_error(err)[:34]) == (2, "error: attack hotflip-word needs t")


def test_exit_codes_are_the_documented_ones():
    documented = {BadInput: 2, MissingResource: 3, CannotSave: 4, CorruptResult: 5, Busy: 6}
    assert documented == EXIT_CODES
    for code in (0, 1, *EXIT_CODES.values(), 70, 130):
        assert re.search(rf"\b{code} \w", app.info.epilog)


def test_done_is_0_and_the_table_goes_to_standard_output(gauntlet):
    code, out, err = gauntlet(*QUICK)
    assert code == 0
    assert "identity" in out
    assert "minilm/newsroom on newsroom" in out
    assert err.splitlines()[-1] == "2 sentences attacked; runs: 1, in results/runs"


def test_finished_run_is_read_back(gauntlet):
    gauntlet(*QUICK)
    code, _, err = gauntlet(*QUICK)
    assert code == 0
    assert "0 sentences attacked" in err
    assert "all were finished before" in err


def test_done_with_errors_is_1_and_the_errors_are_counted(gauntlet, monkeypatch):
    monkeypatch.setitem(ATTACKS._targets, "explode", Explode)
    code, out, _ = gauntlet("run", "--attack", "explode", "--limit", "2", "--queries", "4", "--json")
    assert code == 1
    assert json.loads(out)[0]["metrics"]["error.count"]["value"] == 2


@pytest.mark.parametrize(
    "arguments",
    [("frobnicate",), ("run", "--nosuch"), ("run", "--limit", "many", "--attack", "identity"), ("list", "planets")],
)
def test_wrong_usage_is_2_without_talk_of_a_fault(gauntlet, arguments):
    code, _, err = gauntlet(*arguments)
    assert code == 2
    assert "fault" not in err
    assert "Traceback" not in err


def test_missing_argument_is_2(gauntlet):
    code, _, err = gauntlet("show")
    assert code == 2
    assert "fault" not in err


@pytest.mark.parametrize("arguments", [(), ("list",)])
def test_without_a_verb_the_help_is_shown_and_nothing_is_called_a_fault(gauntlet, arguments):
    code, out, err = gauntlet(*arguments)
    assert code in {0, 2}
    assert "Usage: gauntlet" in out + err
    assert "fault in gauntlet" not in err


def test_help_is_0_and_tells_the_exit_codes(gauntlet):
    code, out, _ = gauntlet("--help")
    assert code == 0
    assert "130 interrupted" in " ".join(out.split())


def test_missing_resource_is_3(gauntlet):
    code, out, err = gauntlet(*QUICK, "--victim", "hf:nobody/nothing")
    assert (code, out) == (3, "")
    assert "a copy on disk works as path:FOLDER" in one_error(err)


@pytest.mark.parametrize("target", ["taken", "taken/below", "/dev/full"])
def test_results_folder_that_is_a_file_is_4_and_said_before_anything_is_loaded(gauntlet, monkeypatch, target):
    Path("taken").write_text("mine", encoding="utf-8")
    monkeypatch.setattr("benchmark.workshop.find_victim", lambda *_: pytest.fail("loaded a victim"))
    code, out, err = gauntlet(*QUICK, "--results", target)
    assert (code, out) == (4, "")
    assert target in one_error(err)
    assert Path("taken").read_text(encoding="utf-8") == "mine"


def test_full_disk_is_4_and_said_with_the_file(gauntlet, run_folder):
    (run_folder / "journal.jsonl").symlink_to("/dev/full")
    code, out, err = gauntlet(*QUICK)
    assert (code, out) == (4, "")
    line = one_error(err)
    assert "journal.jsonl" in line
    assert "No space left on device" in line
    assert not (run_folder / "result.json").exists()
    assert not (run_folder / "examples.parquet").exists()


def test_journal_on_a_full_disk_says_so_as_cannot_save(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.symlink_to("/dev/full")
    with pytest.raises(CannotSave, match="No space left on device; 0 sentences are safe"), Journal(path) as journal:
        journal.append(Outcome("test-0", None, 1, Status.FAILED, ("O",), ("O",)))


@pytest.mark.parametrize("name", ["spec.json", "examples.parquet", "result.json"])
def test_result_that_cannot_be_written_is_4(gauntlet, run_folder, name):
    (run_folder / f".{name}.partial").symlink_to("/dev/full")
    code, out, err = gauntlet(*QUICK)
    assert (code, out) == (4, "")
    assert name in one_error(err)
    assert not (run_folder / "result.json").exists()
    code, _, _ = gauntlet(*QUICK)
    assert code == 0  # the failed try cleaned up after itself, and the run goes on


@pytest.mark.parametrize("name", ["examples.parquet", "result.json", "spec.json"])
def test_damaged_results_are_5(gauntlet, name):
    gauntlet(*QUICK)
    (path,) = Path("results").glob(f"runs/*/{name}")
    path.write_bytes(path.read_bytes()[:-20])
    verb = "status" if name == "spec.json" else "results"
    code, _, err = gauntlet(verb)
    assert code == 5
    assert name in one_error(err)


@pytest.mark.parametrize("content", ["{}", '{"schema": 1}', "[]", "3"])
def test_specification_that_is_json_but_no_specification_is_5(gauntlet, content):
    gauntlet(*QUICK)
    (path,) = Path("results").glob("runs/*/spec.json")
    path.write_text(content, encoding="utf-8")
    code, _, err = gauntlet("status")
    assert code == 5
    assert "spec.json" in one_error(err)


def test_second_writer_is_6(gauntlet, run_folder):
    with FileLock(run_folder / ".lock"):
        code, out, err = gauntlet(*QUICK)
    assert (code, out) == (6, "")
    assert "another process is writing run" in one_error(err)
    assert [path.name for path in run_folder.iterdir()] == [".lock"]


def test_fault_of_ours_is_70_and_points_to_debug(gauntlet, monkeypatch):
    monkeypatch.setattr("benchmark.runner.run", lambda *_: 1 // 0)
    code, out, err = gauntlet(*QUICK)
    assert (code, out) == (70, "")
    assert one_error(err).startswith("error: a fault in gauntlet: ZeroDivisionError: ")
    assert "--debug" in err


def test_interrupt_is_130_and_tells_how_to_go_on(gauntlet, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.runner.run", interrupted)
    code, _, err = gauntlet(*QUICK)
    assert code == 130
    assert "run the same command again to go on" in err
    assert "fault" not in err


# The traceback.


def test_traceback_only_with_debug_wherever_it_stands(gauntlet):
    wrong = ("run", "--attack", "nonesuch")
    code, _, err = gauntlet(*wrong)
    assert "Traceback" not in err
    for arguments in ((*wrong, "--debug"), ("--debug", *wrong)):
        debug_code, _, debug_err = gauntlet(*arguments)
        assert code == debug_code == 2
        assert "Traceback" in debug_err
        assert debug_err.splitlines()[-1] == err.splitlines()[-1]


# JSON.


def test_run_json_is_rows_of_metrics_with_intervals_and_nothing_else(gauntlet):
    code, out, _ = gauntlet(*QUICK, "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert (row["attack"], row["victim"], row["dataset"]) == ("identity", "minilm/newsroom", "newsroom")
    assert {"attack_rate", "modification_rate", "f1.strict.before", "f1.strict.after", "queries"} <= set(row["metrics"])
    for metric in row["metrics"].values():
        assert {"value", "low", "high", "n"} <= set(metric)
    assert row["metrics"]["attack_rate"]["value"] == 0.0
    assert row["metrics"]["attack_rate"]["n"] == 2


def test_results_json_are_the_rows_that_run_printed(gauntlet):
    _, printed, _ = gauntlet(*QUICK, "--json")
    code, out, err = gauntlet("results", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads(printed)


def test_results_without_a_result_file_are_computed_again(gauntlet):
    _, printed, _ = gauntlet(*QUICK, "--json")
    (path,) = Path("results").glob("runs/*/result.json")
    before = path.read_bytes()
    path.unlink()
    _, out, _ = gauntlet("results", "--json")
    assert json.loads(out) == json.loads(printed)
    assert path.read_bytes() == before


def test_status_json_tells_done_sentences_and_state(gauntlet, run_folder):
    (run_folder / "journal.jsonl").mkdir()  # stops the run after its specification is written
    gauntlet(*QUICK)
    (run_folder / "journal.jsonl").rmdir()
    code, out, _ = gauntlet("status", "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert (row["run"], row["state"], row["done"], row["sentences"]) == (run_folder.name, "unfinished", 0, 2)
    gauntlet(*QUICK)
    (row,) = json.loads(gauntlet("status", "--json")[1])
    assert (row["state"], row["done"], row["sentences"]) == ("finished", 2, 2)
    assert (row["attack"], row["victim"], row["dataset"]) == ("identity", "minilm/newsroom", "newsroom")


@pytest.mark.parametrize("verb", ["status", "results"])
def test_empty_results_folder_is_an_empty_list(gauntlet, tmp_path, verb):
    (tmp_path / "results").mkdir()
    assert gauntlet(verb, "--json") == (0, "[]\n", "")
    code, out, err = gauntlet(verb)
    assert (code, out) == (0, "")
    assert "gauntlet run quick" in err


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("attacks", {"identity", "casing", "random-edit", "deepwordbug-i"}),
        ("victims", {"minilm/newsroom", "hf", "path", "spacy"}),
        ("datasets", {"newsroom", "conll2003", "wnut17"}),
        ("suites", {"quick"}),
    ],
)
def test_list_json_is_rows_with_names(gauntlet, what, names):
    code, out, err = gauntlet("list", what, "--json")
    rows = json.loads(out)
    assert (code, err) == (0, "")
    assert names <= {row["name"] for row in rows}
    assert len(rows) == len({row["name"] for row in rows})
    assert len({tuple(row) for row in rows}) == 1  # the same columns in every row


@pytest.mark.parametrize("what", ["attacks", "victims", "datasets", "suites"])
def test_list_prints_every_name_in_the_table_too(gauntlet, what):
    names = [row["name"] for row in json.loads(gauntlet("list", what, "--json")[1])]
    code, out, _ = gauntlet("list", what)
    assert code == 0
    assert [name for name in names if name not in out] == []


def test_list_datasets_holds_the_local_ones(gauntlet, tmp_path):
    (tmp_path / "data" / "mine").mkdir(parents=True)
    (tmp_path / "data" / "mine" / "test.conll").write_text("Ana B-PER\n", encoding="utf-8")
    rows = json.loads(gauntlet("list", "datasets", "--data-dir", "data", "--json")[1])
    assert [row["where"] for row in rows if row["name"] == "mine"] == ["local, data"]


@pytest.mark.parametrize("name", ["deepwordbug-i", "quick", "newsroom", "minilm/newsroom"])
def test_show_json_is_a_record_with_the_name(gauntlet, name):
    code, out, err = gauntlet("show", name, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["name"] == name
    code, out, _ = gauntlet("show", name)
    assert code == 0
    assert name in out


def test_show_tells_parameters_and_place_of_an_attack(gauntlet):
    record = json.loads(gauntlet("show", "deepwordbug-i", "--json")[1])
    assert record["parameters"] == {"max_edit_distance": 30, "order": "importance"}
    assert re.search(r"attacks/deepwordbug\.py:\d+$", record["defined in"])


def test_show_of_a_run_is_its_result(gauntlet):
    run_id = json.loads(gauntlet(*QUICK, "--json")[1])[0]["run_id"]
    code, out, _ = gauntlet("show", run_id, "--json")
    assert code == 0
    assert json.loads(out)["run_id"] == run_id


# Dry runs.


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_dry_run_attacks_nothing_and_writes_nothing(gauntlet, monkeypatch, tmp_path, form):
    monkeypatch.setattr("benchmark.workshop.find_victim", lambda *_: pytest.fail("loaded a victim"))
    monkeypatch.setattr("benchmark.runner.run", lambda *_: pytest.fail("attacked"))
    code, out, _ = gauntlet("run", "quick", "--limit", "3", "--dry-run", *form)
    assert code == 0
    assert "deepwordbug-i" in out
    assert not (tmp_path / "results").exists()
    if form:
        rows = json.loads(out)
        assert len(rows) == 7
        assert {row["sentences"] for row in rows} == {3}
        assert {row["victim"] for row in rows} == {"minilm/newsroom"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--attack", "nonesuch"), "unknown attack"),
        (("--goal", "nonesuch"), "unknown goal"),
        (("--mode", "nonesuch"), "unknown mode"),
        (("--queries", "0"), "query budget"),
        (("--victim", "nonesuch"), "unknown victim"),
        (("--dataset", "nonesuch"), "unknown data set"),
        (("--victim", "minilm/nonesuch"), "unknown data set"),
        (("--pooling", "nonesuch"), "unknown pooling"),
    ],
)
def test_dry_run_finds_wrong_names_all_the_same(gauntlet, wrong, told):
    code, _, err = gauntlet("run", "--attack", "identity", *wrong, "--dry-run")
    assert code == 2
    assert told in one_error(err)


# As a process of its own.


def test_as_a_process_errors_are_one_line_on_standard_error(tmp_path):
    finished = subprocess.run(
        [sys.executable, "-m", "benchmark.cli", "run", "--attack", "deepwordbug"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "did you mean deepwordbug-i" in one_error(finished.stderr)


def test_as_a_process_json_is_all_that_goes_to_standard_output(tmp_path):
    finished = subprocess.run(
        [sys.executable, "-m", "benchmark.cli", *QUICK, "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert finished.returncode == 0
    assert json.loads(finished.stdout)[0]["metrics"]["attack_rate"]["value"] == 0.0
    assert set(finished.stderr.splitlines()) <= {"choosing sentences", "identity", "judging texts"}
