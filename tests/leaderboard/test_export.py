"""Exports: what strangers named stays harmless in every format, and the structure holds."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil

import pytest
from board_runs import only

from leaderboard.boards.attacks import attacks_board
from leaderboard.citations import Citation
from leaderboard.export import FORMATS, format_named
from leaderboard.export.to_bibtex import to_bibtex
from leaderboard.export.to_csv import to_csv
from leaderboard.export.to_json import to_json
from leaderboard.export.to_latex import escaped, to_latex
from leaderboard.export.to_markdown import to_markdown
from leaderboard.tables import Column, printable, shown_number, table

HOSTILE = (
    r"\input{/etc/passwd}",
    r"50 % of_a & b # $x^2$ ~ {y}",
    "a | b | `c` [d](javascript:e) *f* <g>",
    "=cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\x1b[31mred\x1b[0m",
    "two\nlines\r\nmore",
    "</script><img src=x onerror=alert(1)>",
    "\u202egnirts",
    "東京 😀 naïve",
)
COLUMNS = (
    Column("name", "Name", "text"),
    Column("rate", "Rate %", "number", 100, 1, "high", headline=True),
    Column("cost", "Cost", "number", 1, 2, "low"),
    Column("hidden", "Hidden", "number", 1, 1, extra=True),
)


def hostile_table():
    rows = [
        {"name": name, "rate": k / 10, "rate.low": k / 20, "rate.high": (k + 1) / 10, "cost": 10.0 - k, "hidden": 1.5}
        for k, name in enumerate(HOSTILE)
    ]
    rows.append({"name": "nothing", "rate": float("nan"), "cost": None, "control": True})
    columns = (*COLUMNS, Column("odd", HOSTILE[4], "a header from a stranger", 1, 0))
    rows[0]["odd"] = 3
    return table(HOSTILE[0], columns, rows, HOSTILE, shared={"victim": HOSTILE[3], "budget": 40})


# What all formats build on.


def test_text_becomes_printable():
    assert printable("\x1b[31m a\nb\u202e\ud800é–") == "\\x1b[31m a\\nb\\u202e\\ud800é–"
    shown = hostile_table()
    assert all(text.isprintable() for text in (shown.title, *shown.notes, *shown.frame["name"]))
    assert all(column.title.isprintable() for column in shown.columns)


def test_a_column_without_anything_is_left_out():
    shown = table(
        "t", COLUMNS, [{"name": "a", "rate": None, "cost": 1.0}, {"name": "b", "rate": float("nan"), "cost": 2.0}]
    )
    assert [column.key for column in shown.columns] == ["name", "cost"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "12.3"), (1, "100.0"), (-0.0001, "0.0"), (float("nan"), "n/a"), (None, "n/a")]
)
def test_numbers_as_they_are_shown(value, text):
    assert shown_number(value, COLUMNS[1]) == text


# CSV.


def test_csv_comes_back_with_formulas_defused():
    shown = hostile_table()
    rows = list(csv.DictReader(io.StringIO(to_csv([shown]))))
    assert len(rows) == len(HOSTILE) + 1
    for row, name in zip(rows, HOSTILE, strict=False):
        assert row["name"].removeprefix("'") == printable(name)
        assert not row["name"].startswith(("=", "+", "-", "@", "\t", "\r"))
        assert row["victim"] == "'" + HOSTILE[3]
        assert row["budget"] == "40"
    assert float(rows[3]["rate"]) == 0.3
    assert (rows[-1]["rate"], rows[-1]["cost"]) == ("", "")


def test_csv_headers_are_defused_too():
    shown = table("t", [Column("=1+1", "x", "x", 1, 1)], [{"=1+1": 1.0}])
    assert to_csv([shown]).splitlines()[0] == "title,'=1+1"


def test_csv_holds_tables_of_different_columns(one_seed):
    tables = attacks_board(one_seed)
    rows = list(csv.DictReader(io.StringIO(to_csv(tables))))
    assert len(rows) == sum(len(shown.frame) for shown in tables)
    (row,) = [r for r in rows if r["attack"] == "casing" and r["victim"] == "minilm/made-up"]
    assert 0 < float(row["attack_rate.low"]) < float(row["attack_rate"]) < float(row["attack_rate.high"]) < 1
    assert row["rank"] == "3"
    assert row["title"] in {shown.title for shown in tables}
    assert "shared words 1" in row["judges"]
    assert (row["dataset"], row["touch"], row["budget"], row["sentences"]) == ("made-up", "any", "40", "30")


# JSON.


def test_json_has_null_for_nan_and_nothing_that_ends_a_script():
    text = to_json([hostile_table()])
    assert "<" not in text
    assert "NaN" not in text
    (record,) = json.loads(text)
    assert [row["name"] for row in record["rows"]] == [*map(printable, HOSTILE), "nothing"]
    assert record["rows"][-1]["rate"] is None
    assert record["rows"][3]["rate"] == 0.3
    assert record["rows"][0]["odd"] == 3
    assert isinstance(record["rows"][0]["odd"], int)
    assert record["shared"] == {"victim": HOSTILE[3], "budget": 40}
    assert [column["key"] for column in record["columns"]] == ["name", "rate", "cost", "hidden", "odd"]


# LaTeX.

_COMMANDS = re.compile(r"\\([A-Za-z]+)")
_KNOWN = """
    usepackage begin end centering caption label footnotesize setlength tabcolsep resizebox ifdim width linewidth else
    fi toprule midrule bottomrule textbf scriptsize shortstack raggedright arraybackslash
    textbackslash textasciitilde textasciicircum textless textgreater textbar Delta
"""


def test_latex_runs_no_command_of_a_stranger():
    text = to_latex([hostile_table()])
    assert set(_COMMANDS.findall(text)) <= set(_KNOWN.split())
    assert r"\textbackslash{}input\{/etc/passwd\}" in text
    body = text.partition("\n")[2]  # the first line is a comment
    assert not re.search(r"(?<!\\)[#$^~]", re.sub(r"\$\\[A-Za-z]+\$", "", body))
    assert not [
        line for line in body.splitlines() if re.search(r"(?<!\\)%", line) and not line.startswith(r"\resizebox")
    ]


def test_latex_has_a_row_a_line_and_a_cell_a_column():
    shown = hostile_table()
    text = to_latex([shown])
    body = text.partition("\\midrule\n")[2].partition("\\bottomrule")[0]
    lines = body.splitlines()
    assert len(lines) == len(shown.frame)
    columns = [column for column in shown.columns if not column.extra]
    for line in lines:
        assert line.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", line)) == len(columns) - 1
    for opened in ("table", "tabular"):
        assert text.count(rf"\begin{{{opened}}}") == text.count(rf"\end{{{opened}}}") == 1
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def test_latex_is_booktabs_with_the_best_in_bold_and_the_interval_of_the_headline():
    text = to_latex([hostile_table()])
    assert all(rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule"))
    assert r"\textbf{90.0 {\scriptsize 45--100}}" in text  # the highest rate
    assert r"\textbf{1.00}" in text  # the lowest cost
    assert text.count(r"\textbf") == 2
    assert "Bold: the best of a column, controls apart." in text


def test_latex_marks_nothing_where_all_are_alike():
    rows = [{"name": "a", "rate": 0.5, "cost": 1.0}, {"name": "b", "rate": 0.5, "cost": 1.0}]
    assert r"\textbf" not in to_latex([table("t", COLUMNS, rows)])


def test_latex_keeps_columns_that_are_called_the_same():
    columns = [Column("a", "Same", "x", 1, 0), Column("b", "Same", "x", 1, 0)]
    assert "Same & Same" in to_latex([table("t", columns, [{"a": 1, "b": 2}])])


@pytest.mark.parametrize(
    ("text", "latex"),
    [("Δ 95 % – é", r"$\Delta$ 95 \% -- é"), ("東", "U+6771"), ("a_b{c}", r"a\_b\{c\}"), ("\\", r"\textbackslash{}")],
)
def test_latex_escapes(text, latex):
    assert escaped(text) == latex


def test_the_caption_states_sentences_seeds_budget_judges_and_ties(one_seed, three_seeds):
    text = to_latex(attacks_board(only(one_seed, victim="minilm/made-up", touch="any")))
    caption = next(line for line in text.splitlines() if line.startswith(r"\caption"))
    for stated in (
        "30 sentences",
        "Seed 0.",
        "40 queries",
        "Similarity: shared words 1.",
        "Grammar: no grammar 1.",
        "Valid: rules ",
        "Rows that share a letter cannot be told apart.",
        "Controls, not ranked: identity, random-edit.",
    ):
        assert stated in caption
    rows = [line.split(" & ") for line in text.splitlines() if re.match(r"\d {\\scriptsize \d--\d} & ", line)]
    assert [row[0][0] for row in rows] == ["1", "1", "3"]
    assert [row[3] for row in rows] == ["a", "a", "b"]


def test_what_the_caption_speaks_of_is_in_the_rows(three_seeds):
    for text, row in (
        (to_latex(attacks_board(three_seeds)), r"^\d \{\\scriptsize \d--\d\} & .* \$\\pm\$\d"),
        (to_markdown(attacks_board(three_seeds)), r"^\| \d \(\d–\d\) \| .* ±\d"),
    ):
        assert "Seeds 0, 1, 2." in text
        assert "the standard deviation" in text
        assert len(re.findall(row, text, re.MULTILINE)) == 3


# Markdown.


def test_markdown_has_a_row_a_line_and_a_cell_a_column():
    shown = hostile_table()
    text = to_markdown([shown])
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(lines) == len(shown.frame) + 2
    columns = [column for column in shown.columns if not column.extra]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(columns) + 1}


def test_markdown_makes_no_element_link_or_code_of_a_strangers_text():
    text = to_markdown([hostile_table()])
    assert not re.search(r"(?<!\\)[<`\[\]]", text)
    assert r"\</script\>\<img src=x onerror=alert(1)\>" in text


def test_markdown_has_the_best_in_bold_and_the_interval_of_the_headline():
    text = to_markdown([hostile_table()])
    assert "| **90.0** (45–100) |" in text
    assert "| **1.00** |" in text


# BibTeX.


def test_bibtex_cites_the_suite_and_the_papers_of_the_attacks_shown(one_seed):
    text = to_bibtex(attacks_board(one_seed))
    assert re.findall(r"@(\w+)\{(\w+),", text) == [("misc", "gauntlet"), ("misc", "gao2018blackbox")]
    assert "author = {Gao and others}" in text
    assert "  note = {Version " in text


def test_bibtex_holds_a_paper_once_in_the_fuller_entry_and_escapes_its_text():
    papers = [
        Citation("misc", ("Doe", "others"), 2020, "A & B {C} \\D", {}),
        Citation("inproceedings", ("Jane } Doe",), 2020, "a & b {c} \\d", {"booktitle": "100 % E"}, "doe}2020,x"),
    ]
    shown = table("t", COLUMNS, [{"name": "a", "cost": 1.0}], citations=papers)
    text = to_bibtex([shown, shown])
    assert text.count("@") == 2
    assert "@inproceedings{doe2020x,\n" in text
    assert r"title = {{a \& b \{c\} \textbackslash{}d}}" in text
    assert r"booktitle = {100 \% E}" in text
    assert r"author = {Jane \} Doe}" in text
    assert "author = {{The Gauntlet developers}}" in text


# The command.


@pytest.mark.parametrize("name", FORMATS)
def test_export_to_a_file_is_what_it_prints(gauntlet, one_seed, tmp_path, name):
    asked = ("export", "attacks", "--format", name, "--results", one_seed.results)
    code, printed, err = gauntlet(*asked)
    assert (code, err) == (0, "")
    assert printed == format_named(name)(attacks_board(one_seed))
    assert gauntlet(*asked, "--out", tmp_path / "board") == (0, "", "")
    assert (tmp_path / "board").read_text(encoding="utf-8") == printed


def test_export_leaves_out_what_a_filter_leaves_out(gauntlet, one_seed):
    asked = ("export", "attacks", "--format", "csv", "--results", one_seed.results)
    _, printed, _ = gauntlet(*asked, "--attack", "casing", "--victim", "minilm/made-up")
    (row,) = csv.DictReader(io.StringIO(printed))
    assert row["attack"] == "casing"


def test_an_unknown_format_is_bad_input_with_a_way_out(gauntlet, one_seed):
    code, out, err = gauntlet("export", "attacks", "--format", "latx", "--results", one_seed.results)
    assert (code, out) == (2, "")
    assert "did you mean latex" in err


def test_a_file_that_cannot_be_written_is_said_to_be(gauntlet, one_seed, tmp_path):
    code, _, err = gauntlet(
        "export", "attacks", "--results", one_seed.results, "--out", tmp_path / "no" / "such" / "folder"
    )
    assert code == 4
    assert "cannot write" in err


def test_damage_is_told_and_the_rest_exported(gauntlet, one_seed, tmp_path):
    shutil.copytree(one_seed.results, tmp_path / "results")
    run = next((tmp_path / "results" / "runs").iterdir())
    (run / "result.json").write_text("{}", encoding="utf-8")
    code, out, err = gauntlet("export", "attacks", "--results", tmp_path / "results")
    assert code == 5
    assert f"{run.name}/result.json" in err
    assert len(list(csv.DictReader(io.StringIO(out)))) > 4


def test_the_same_results_give_the_same_bytes(one_seed):
    for write in FORMATS.values():
        assert write(attacks_board(one_seed)) == write(attacks_board(one_seed))
