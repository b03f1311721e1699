"""What a stranger may send: refused with file and field named, in one line that can be printed anywhere."""

from __future__ import annotations

import json
import os
import pickle

import pyarrow.parquet as pq
import pytest
from submissions import lines, run_of

from leaderboard.ledger import ledger_file
from leaderboard.verifying.files import LARGEST

SCRIPT = "</script><img src=x onerror=alert(1)>"
MARKDOWN = "[click](javascript:alert(1)) ![x](http://x/y.png) | a | `b`"
ANSI = "\x1b[2J\x1b[31mred\x07"
LONG = "x" * (10 * 2**20)
TRAVERSAL = "../../../etc/passwd"
HOSTILE = {"script": SCRIPT, "markdown": MARKDOWN, "ANSI": ANSI, "10 MB": LONG, "traversal": TRAVERSAL}


pytestmark = pytest.mark.usefixtures("quick")


def told(path, part):
    """The findings, each a short printable line, one of which begins so."""
    found = lines(path)
    assert all(line.isprintable() and len(line) < 2000 for line in found)
    assert any(line.startswith(part) for line in found), found
    return found


# --- names, notes, tokens ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("field", ["attack", "victim", "dataset", "split"])
def test_a_hostile_name_is_refused(forgery, field, text):
    forgery.spec[field] = text
    folder = forgery.sealed(scored=False)
    told(folder.path, "spec.json: file" if text is LONG else f"spec.json: {field}:")


@pytest.mark.parametrize("text", [SCRIPT, ANSI, "x" * 2000], ids=["script", "ANSI", "2000 characters"])
@pytest.mark.parametrize("place", ["parameters", "victim_settings", "resources", "judges", "versions", "rejected"])
def test_a_hostile_note_is_refused(forgery, place, text):
    folder = forgery.folder
    if place == "versions":
        record = json.loads(folder.provenance_file.read_text())
        record["versions"]["torch"] = text
        folder.provenance_file.write_text(json.dumps(record))
        told(folder.path, "provenance.json: versions.torch:")
    elif place == "judges":
        forgery.result["judges"]["similarity"] = text
        forgery.write_result()
        told(folder.path, "result.json: judges.similarity:")
    elif place == "rejected":
        forgery.success()["rejected"] = [{"reason": text, "count": 1}]
        told(forgery.sealed(scored=False).path, "examples.parquet: row")
    else:
        forgery.spec[place]["encoder"] = text
        told(forgery.sealed(scored=False).path, f"spec.json: {place}")


@pytest.mark.parametrize(
    "word",
    [SCRIPT.replace(" ", "/"), ANSI, "two words", "x" * 300, "", "a\u202eb", "[MASK]"],
    ids=["script", "ANSI", "space", "300 characters", "empty", "right to left", "debris"],
)
def test_a_hostile_token_is_refused(forgery, word):
    row = forgery.success()
    row["edits"][0] = {"op": "replace", "at": row["edits"][0]["at"], "covers": 1, "words": [word], "sources": None}
    told(forgery.sealed(scored=False).path, "examples.parquet: row")


@pytest.mark.parametrize("text", [SCRIPT, ANSI, TRAVERSAL, "/etc/passwd"], ids=["script", "ANSI", "traversal", "root"])
@pytest.mark.parametrize("field", ["sentence_id", "document"])
def test_a_hostile_id_is_refused(forgery, field, text):
    forgery.rows[0][field] = text
    if field == "sentence_id":
        forgery.spec["sentence_ids"][0] = text
    folder = forgery.sealed(scored=False)
    told(folder.path, "examples.parquet: row 0")
    if field == "sentence_id":
        told(folder.path, "spec.json: sentence_ids.0")


@pytest.mark.parametrize(
    ("field", "name", "expected"),
    [
        ("attack", "d\u0435epwordbug-i", "letters of one script"),  # a Cyrillic letter among Latin ones
        ("attack", "\u0440\u0430\u0441\u0435", "a name in ASCII"),  # none but Cyrillic letters
        ("attack", "casin\u0261", "a name in ASCII"),  # a Latin letter that looks like another
        ("attack", "DeepWordBug-I", "a name that is not that of deepwordbug-i"),
        ("victim", "minilm/n\u0435wsroom", "letters of one script"),
        ("dataset", "n\u03bfwsr\u03bfom", "letters of one script"),  # Greek ones
        ("victim", "\uff4dinilm/newsroom", "NFKC"),  # of full width
        ("split", "te\ufb06", "NFKC"),  # a ligature
    ],
)
def test_a_name_that_looks_like_another_is_refused(forgery, field, name, expected):
    forgery.spec[field] = name
    found = told(forgery.sealed(scored=False).path, f"spec.json: {field}:")
    assert any(expected in line for line in found), found


def test_names_in_other_scripts_are_names(forgery):
    for field, name in (("dataset", "новости"), ("split", "テスト"), ("victim", "path:./modèle")):
        forgery.spec[field] = name
    assert not any(line.startswith("spec.json") for line in lines(forgery.sealed(scored=False).path))


def test_a_traceback_with_control_characters_is_refused(forgery):
    forgery.success()["reason"] = f"Traceback\n{ANSI}"
    assert "reason" in told(forgery.sealed(scored=False).path, "examples.parquet: row")[0]


# --- numbers ----------------------------------------------------------------------------------------------------------


def in_the_file(name, old, new):
    def tamper(folder):
        path = folder.path / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return tamper


@pytest.mark.parametrize(
    ("tamper", "part"),
    [
        (in_the_file("result.json", '"n":', '"n": NaN, "m":'), "result.json: file: not JSON: NaN is no finite number"),
        (in_the_file("provenance.json", '"seconds":', '"seconds": Infinity, "x":'), "provenance.json: file: not JSON"),
        (in_the_file("spec.json", '"seed":', '"seed": 1e999, "x":'), "spec.json: file: not JSON: 1e999 is no finite"),
        (
            in_the_file("spec.json", '"seed":', '"seed": 1, "seed":'),
            "spec.json: file: not JSON: 'seed' stands there twice",
        ),
        (in_the_file("spec.json", '"queries": 24', '"queries": -24'), "spec.json: queries: -24"),
        (in_the_file("spec.json", '"queries": 24', '"queries": true'), "spec.json: queries: True"),
        (in_the_file("spec.json", '"queries": 24', '"queries": "24"'), "spec.json: queries: '24'"),
        (in_the_file("spec.json", '"queries": 24', '"queries": 24.5'), "spec.json: queries: 24.5"),
        (
            in_the_file("spec.json", '"no mention": ', '"no mention": -'),
            "spec.json: selection.passed_over.no mention: -",
        ),
        (in_the_file("spec.json", '"goal":', '"luck": 1, "goal":'), "spec.json: luck: unknown field"),
        (in_the_file("spec.json", '"goal":', '"gaol":'), "spec.json: goal: missing"),
        (in_the_file("spec.json", "untargeted-strict", "anything"), "spec.json: goal: 'anything'"),
        (in_the_file("spec.json", '"schema": 2', '"schema": 99'), "spec.json: schema: 99"),
        (in_the_file("spec.json", "{", '["'), "spec.json: file: not JSON"),
        (in_the_file("result.json", '"n":', '"n": -1, "m":'), "result.json: metrics"),
        (in_the_file("provenance.json", '"seconds": ', '"seconds": -'), "provenance.json: seconds: -"),
        (
            in_the_file("provenance.json", '"victim_cost": {', '"victim_cost": {"training_seconds": -9'),
            "provenance.json: victim_cost: {'training_seconds': -9}",
        ),
        (
            in_the_file("spec.json", '"seed":', f'"luck": {"[" * 150}{"]" * 150}, "seed":'),
            "spec.json: file: not JSON: nested too deeply",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_number_or_field_that_is_none_is_refused(results, tamper, part):
    folder = run_of(results, "deepwordbug-i")
    tamper(folder)
    told(folder.path, part)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("score", float("nan")),
        ("similarity", float("inf")),
        ("search_queries", -3),
        ("forwards", -1),
        ("queries_to_success", 0),
        ("length", 0),
        ("status", "victory"),
        ("gold", None),
        ("gold", ["PERSON"]),
        ("label_risk", ["harmless"]),
        ("chosen", [-1]),
        ("attributions", [float("nan")]),
        ("trajectory", [{"queries": 1, "confidence": float("nan")}]),
        ("rejected", [{"reason": "x", "count": -4}]),
        ("edits", [{"op": "swap", "at": 0, "covers": 1, "words": ["x"], "sources": None}]),
        ("edits", [{"op": "replace", "at": -1, "covers": 1, "words": ["x"], "sources": None}]),
    ],
)
def test_a_row_with_a_value_that_is_none_is_refused(forgery, field, value):
    row = forgery.success()
    row[field] = value
    number = forgery.rows.index(row)
    told(forgery.sealed(scored=False).path, f"examples.parquet: row {number} ('{row['sentence_id']}').{field}")


def test_an_id_that_stands_there_twice_is_refused(forgery):
    forgery.rows[1] = dict(forgery.rows[0])
    forgery.spec["sentence_ids"][1] = forgery.spec["sentence_ids"][0]
    folder = forgery.sealed(scored=False)
    told(folder.path, "examples.parquet: sentence_id:")
    told(folder.path, "spec.json: sentence_ids:")


def test_a_metric_off_by_a_thousandth_is_refused(forgery):
    forgery.result["metrics"]["modification_rate"]["value"] += 0.001
    forgery.write_result()
    told(forgery.folder.path, "result.json: metrics.modification_rate.value:")


# --- files ------------------------------------------------------------------------------------------------------------


def pickled(folder):
    (folder.path / "model.pkl").write_bytes(pickle.dumps({"a": 1}))


def script(folder):
    (folder.path / "conftest.py").write_text("raise SystemExit(1)\n")


def link_to_a_file(folder):
    folder.provenance_file.unlink()
    folder.provenance_file.symlink_to("/etc/hostname")


def link_to_nowhere(folder):
    (folder.path / "human_audit.json").symlink_to("/nowhere")


def folder_inside(folder):
    (folder.path / "more").mkdir()


def pipe(folder):
    os.mkfifo(folder.path / "pipe")


def too_large(folder):
    with folder.provenance_file.open("r+b") as file:
        file.truncate(LARGEST + 1)


def error_log(folder):
    folder.errors_file.write_text("Ana Ruiz\n")


def journal(folder):
    folder.journal_file.write_text("")


def pickle_for_parquet(folder):
    folder.examples_file.write_bytes(pickle.dumps([1, 2]))


def other_columns(folder):
    table = pq.read_table(folder.examples_file)
    pq.write_table(table.drop_columns("unseen").append_column("text", [["x"] * len(table)]), folder.examples_file)


def not_utf8(folder):
    folder.spec_file.write_bytes(b'{"attack": "\xff"}')


def lone_surrogate(folder):
    folder.spec_file.write_text('{"attack": "\\ud800"}')


def bottomless(folder):
    folder.spec_file.write_text("[" * 200_000)


def of_schema_1_and_nonsense(folder):
    folder.spec_file.write_text('{"schema": 1, "spec": 5}')


def emptied(name):
    return lambda folder: (folder.path / name).write_bytes(b"")


def a_list(folder):
    folder.spec_file.write_text("[1]")


@pytest.mark.parametrize(
    ("tamper", "part"),
    [
        (pickled, "model.pkl: file: does not belong here"),
        (script, "conftest.py: file: does not belong here"),
        (link_to_a_file, "provenance.json: file: a symbolic link"),
        (link_to_nowhere, "human_audit.json: file: a symbolic link"),
        (folder_inside, "more: file: does not belong here"),
        (pipe, "pipe: file: neither file nor folder"),
        (too_large, "provenance.json: file: 10485761 bytes"),
        (error_log, "errors.log: file: may quote the data set"),
        (journal, "journal.jsonl: file: the run is not finished"),
        (pickle_for_parquet, "examples.parquet: file: no Parquet"),
        (other_columns, "examples.parquet: unseen: missing"),
        (not_utf8, "spec.json: file: not JSON: not UTF-8"),
        (lone_surrogate, "spec.json: file: not JSON: not UTF-8"),
        (bottomless, "spec.json: file: not JSON: nested too deeply"),
        (a_list, "spec.json: file: [1]; expected a JSON object"),
        (of_schema_1_and_nonsense, "spec.json: attack: missing"),
        (emptied("spec.json"), "spec.json: file: empty"),
        (emptied("examples.parquet"), "examples.parquet: file: empty"),
        (emptied("provenance.json"), "provenance.json: file: empty"),
        (emptied("result.json"), "result.json: file: empty"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_file_that_has_no_business_there_is_refused_and_never_opened(results, tamper, part):
    folder = run_of(results, "deepwordbug-i")
    tamper(folder)
    told(folder.path, part)


@pytest.mark.parametrize(("limit", "at_most"), [("_LARGEST_TABLE", 100), ("_MOST_VALUES", 1000)])
def test_a_table_that_is_too_large_when_unpacked_is_not_unpacked(results, monkeypatch, limit, at_most):
    folder = run_of(results, "deepwordbug-i")
    monkeypatch.setattr(f"leaderboard.verifying.stored_run.{limit}", at_most)
    monkeypatch.setattr("pyarrow.parquet.ParquetFile.iter_batches", lambda *_: pytest.fail("unpacked"))
    assert any(f"expected at most {at_most}" in line for line in told(folder.path, "examples.parquet: file: "))


def test_a_text_that_is_stored_once_and_read_many_times_is_not_unpacked(forgery, monkeypatch):
    """A table of few bytes, decompressed too, whose rows need a hundred times as many."""
    forgery.rows = [{**forgery.rows[0], "reason": "x" * 10_000} for _ in range(1000)]
    folder = forgery.sealed(scored=False)
    monkeypatch.setattr("leaderboard.verifying.stored_run._LARGEST_TABLE", 2**20)
    groups = pq.ParquetFile(folder.examples_file).metadata
    assert sum(groups.row_group(k).total_byte_size for k in range(groups.num_row_groups)) < 2**20
    monkeypatch.setattr("leaderboard.verifying.stored_run._row_faults", lambda *_: pytest.fail("read"))
    largest, batches = [], pq.ParquetFile.iter_batches
    monkeypatch.setattr(
        "pyarrow.parquet.ParquetFile.iter_batches",
        lambda *given: (largest.append(batch.nbytes) or batch for batch in batches(*given)),
    )
    assert any("when unpacked; expected at most" in line for line in told(folder.path, "examples.parquet: file: "))
    assert 0 < max(largest) < 2**20 / 4


@pytest.mark.parametrize(("kind", "share"), [("", 0.5), ("a type", 0.5), ("PER", 1.5), ("PER", -0.1)])
def test_f1_of_a_type_is_a_share_and_the_type_one_that_tags_can_name(forgery, kind, share):
    folder = forgery.sealed()
    forgery.result["per_type"][kind] = {"f1.strict.after": {"value": share, "low": None, "high": None, "n": 1}}
    forgery.write_result(folder)
    told(folder.path, "result.json: per_type")


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (
            lambda results: (results / "runs" / "0123456789abcdef").symlink_to("/etc"),
            "runs/0123456789abcdef: file: a symb",
        ),
        (lambda results: (results / "runs" / "mine").mkdir(), "runs/mine/: folder: 'mine'"),
        (lambda results: (results / "runs" / "notes.txt").write_text("x"), "runs/notes.txt: file: does not belong"),
        (lambda results: (results / "setup.py").write_text("x"), "setup.py: file: does not belong here"),
        (lambda results: (results / "page.svg").write_text(SCRIPT), "page.svg: file: does not belong here"),
        (lambda results: ledger_file(results).write_text(f'{{"reason": "{SCRIPT}"}}\n'), "LEDGER.jsonl: line 1.reason"),
        (lambda results: ledger_file(results).symlink_to("/etc/hostname"), "LEDGER.jsonl: file: a symbolic link"),
        (lambda results: _card(results, SCRIPT), "cards/mine-v1.toml: card: summary"),
        (lambda results: _card(results, MARKDOWN), "cards/mine-v1.toml: card: summary"),
        (lambda results: _card(results, "fine", name=TRAVERSAL), "cards/mine-v1.toml: card: name"),
        (lambda results: _card(results, "fine", name="other"), "cards/mine-v1.toml: name"),
        (lambda results: _published(results, "[paper]"), "published: file: "),
        (lambda results: _victim(results, "model.bin"), "victims/mine/model.bin: file: does not belong here"),
        (lambda results: _victim(results, "vocabulary.json"), "victims/mine/vocabulary.json: file: does not belong"),
        (lambda results: _victim(results, "model.py"), "victims/mine/model.py: file: does not belong here"),
        (lambda results: _victim(results, "x/model.safetensors"), "victims/mine/x: file: does not belong here"),
        (
            lambda results: (results / "victims" / ".mine.training").mkdir(parents=True),
            "victims/.mine.training: file: does not belong here",
        ),
        (lambda results: _victim(results, "recipe.json"), "victims/mine/adapter_model.safetensors: file: missing"),
        (lambda results: (results / "victims").symlink_to("/etc"), "victims: file: a symbolic link"),
    ],
)
def test_what_has_no_business_in_a_results_folder_is_refused(tmp_path, make, part):
    (tmp_path / "runs").mkdir()
    make(tmp_path)
    told(tmp_path, part)


def _published(results, text):
    (results / "published").mkdir()
    (results / "published" / "doe.toml").write_text(text)


def _victim(results, file):
    path = results / "victims" / "mine" / file
    path.parent.mkdir(parents=True)
    path.write_text("x")


def _card(results, summary, name="mine"):
    (results / "cards").mkdir()
    lines = [f'name = "{name}"', 'kind = "attack"', "version = 1", 'authors = "me"', 'licence = "CC0"']
    (results / "cards" / "mine-v1.toml").write_text("\n".join([*lines, f'summary = "{summary}"']))


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_prints_a_line_a_finding_and_ends_with_5(forgery, gauntlet):
    forgery.spec["attack"] = ANSI + SCRIPT
    forgery.spec["queries"] = -1
    path = forgery.sealed(scored=False).path
    code, out, err = gauntlet("verify", path)
    assert code == 5
    assert {line.partition("; expected")[0] for line in out.splitlines()} >= {"spec.json: queries: -1"}
    assert any(line.startswith("spec.json: attack: '\\x1b[2J") for line in out.splitlines())
    assert "\x1b" not in out + err
    assert "findings: " in err
    code, out, _ = gauntlet("verify", path, "--json")
    record = json.loads(out)
    assert code == 5
    assert record["runs"] == 1
    assert {finding["field"] for finding in record["findings"]} >= {"attack", "queries"}
    assert set(record["findings"][0]) == {"file", "field", "wrong", "expected"}


def test_the_command_is_0_where_all_holds_and_says_what_it_could_not_check(forgery, gauntlet):
    forgery.spec["dataset"] = "not-here"
    code, out, err = gauntlet("verify", forgery.sealed().path)
    assert code == 0
    assert all(": not checked: text not here" in line for line in out.splitlines())
    assert "findings: 0" in err


@pytest.mark.parametrize("kind", ["runs", "victims"])
def test_the_name_of_a_folder_is_printed_harmlessly(gauntlet, tmp_path, kind):
    results, before = tmp_path / "results", tmp_path / "before"
    (results / "runs").mkdir(parents=True)
    before.mkdir()
    (results / kind / "a\x1b[31m\nb: file: fine" / "c").mkdir(parents=True)
    _, out, _ = gauntlet("verify", results, "--base", before)
    assert f"{kind}/a\\x1b[31m\\nb: file: fine" in out
    assert "\x1b" not in out
    assert all(line.startswith(kind) for line in out.splitlines())


def test_a_link_in_place_of_the_results_is_bad_input(gauntlet, results, tmp_path):
    """Else what is verified need not be what is merged."""
    (tmp_path / "submitted").symlink_to(results)
    for path in (tmp_path / "submitted", f"{tmp_path}/submitted/"):
        code, out, err = gauntlet("verify", path)
        assert (code, out) == (2, "")
        assert "is a symbolic link; pass the folder itself" in " ".join(err.split())


def test_a_path_that_is_nothing_is_bad_input(gauntlet, tmp_path):
    code, out, err = gauntlet("verify", tmp_path / "nowhere")
    assert (code, out) == (2, "")
    assert err.startswith("error: no folder")
