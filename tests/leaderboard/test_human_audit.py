"""What people are shown tells them nothing they should not know, and what they say is counted right."""

from __future__ import annotations

import csv
import io
import json

import pytest
from statsmodels.stats.proportion import proportion_confint
from submissions import Forgery, copied, lines, run_of

from benchmark.errors import BadInput
from benchmark.metrics import Example
from benchmark.types import Edit, Operation, Outcome, Sentence, Status
from leaderboard.boards.attacks import attacks_board
from leaderboard.human_audit import AUDIT_FILE, Item, audit_record, read_audit, read_sheet, sample, sheet
from leaderboard.rows import read_runs

RUN = "0123456789abcdef"


pytestmark = pytest.mark.usefixtures("quick")


def example(number, success, word="Anna"):
    gold = ("B-PER", "O", "O")
    outcome = Outcome(f"s{number}", None, 3, Status.SUCCESS if success else Status.FAILED, gold, gold)
    if success:
        edits = (Edit(Operation.REPLACE, 0, (word,)),)
        outcome = Outcome(
            f"s{number}", None, 3, Status.SUCCESS, gold, gold, None, None, edits, gold, ("O", "O", "O"), 1.0
        )
    return Example(outcome)


EXAMPLES = [example(k, k % 3 == 0) for k in range(60)]
SENTENCES = {f"s{k}": Sentence(f"s{k}", ("Ana", f"left{k}", "."), ("B-PER", "O", "O")) for k in range(60)}


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_successes_and_originals_are_drawn_by_the_seed():
    items = sample(RUN, EXAMPLES, 12, 8, 0)
    assert [item.adversarial for item in items] == [True] * 12 + [False] * 8
    won = {e.outcome.sentence_id for e in EXAMPLES if e.outcome.status is Status.SUCCESS}
    assert all((item.sentence_id in won) for item in items if item.adversarial)
    assert len({(item.sentence_id, item.adversarial) for item in items}) == 20
    assert (
        len({item.sentence_id for item in items}) == 20
    )  # nobody reads a sentence in both forms while there are others
    assert sample(RUN, EXAMPLES, 12, 8, 0) == items
    assert sample(RUN, EXAMPLES, 12, 8, 1) != items


def test_where_there_are_fewer_all_are_taken():
    items = sample(RUN, EXAMPLES, 50, 1000, 0)
    assert sum(item.adversarial for item in items) == 20
    assert sum(not item.adversarial for item in items) == 60


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_sheet_is_shuffled_and_tells_nobody_which_is_which():
    items = sample(RUN, EXAMPLES, 20, 20, 0)
    rows = read(sheet(items, {RUN: EXAMPLES}, {RUN: SENTENCES}, 0))
    assert list(rows[0]) == ["item", "text", "labels_right", "natural"]
    kinds = [next(item.adversarial for item in items if item.code == row["item"]) for row in rows]
    assert kinds != sorted(kinds, reverse=True)
    assert all(row["text"].startswith("[PER An") for row in rows)
    assert all(RUN not in row["item"] and "s" + row["item"] not in row["text"] for row in rows)
    assert {len(row["item"]) for row in rows} == {12}
    assert sheet(items, {RUN: EXAMPLES}, {RUN: SENTENCES}, 0) == sheet(items, {RUN: EXAMPLES}, {RUN: SENTENCES}, 0)


def test_no_spreadsheet_takes_an_item_for_a_number():
    """It would write 12345678e901 or 123456789012 back as something else."""
    codes = [item.code for seed in range(40) for item in sample(RUN, EXAMPLES, 20, 40, seed)]
    assert len(set(codes)) == len(codes) == 40 * 60
    assert all(code[0] == "t" for code in codes)


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        (("=cmd|' /C calc'!A0", "x", "y"), "'=cmd|' /C calc'!A0 x y"),
        (("+1", "x", "y"), "'+1 x y"),
        (("-", "x", "y"), "'- x y"),
        (("@SUM(A1)", "x", "y"), "'@SUM(A1) x y"),
        (("\x1b[31m", "x", "y"), "\N{REPLACEMENT CHARACTER}[31m x y"),
        (('say"', "a,b", "y"), 'say" a,b y'),
    ],
)
def test_no_cell_is_a_formula_or_a_command(tokens, shown):
    outcome = Outcome("s0", None, 3, Status.FAILED, ("O",) * 3, ("O",) * 3)
    item = Item("c0de", RUN, "s0", adversarial=False)
    text = sheet([item], {RUN: [Example(outcome)]}, {RUN: {"s0": Sentence("s0", tokens, ("O",) * 3)}}, 0)
    assert read(text)[0]["text"] == shown


# --- what is answered -------------------------------------------------------------------------------------------------


ITEMS = [Item(f"code{k}", RUN, f"s{k}", adversarial=k < 3) for k in range(4)]
HEADER = "item,text,labels_right,natural\n"
ANSWERS = HEADER + "code0,a,yes,5\ncode1,b,No,1\ncode2,c,y,3\ncode3,d,1,4\n"


def test_answers_are_read_in_any_order_and_spelling(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(ANSWERS, encoding="utf-8-sig")
    found = read_sheet(path, ITEMS)
    assert [found[item.code] for item in ITEMS] == [(True, 5), (False, 1), (True, 3), (True, 4)]
    path.write_text(ANSWERS.replace(",", ";"))  # as spreadsheets of other countries write it
    assert read_sheet(path, ITEMS) == found
    path.write_text(ANSWERS.replace("\n", "\r\n") + ",,,\r\n\r\n , ,,\r\n")  # and what they leave at the end
    assert read_sheet(path, ITEMS) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ANSWERS.replace("yes", "maybe"), "line 2: labels_right: 'maybe', expected yes or no"),
        (ANSWERS.replace(",5", ",6"), "line 2: natural: '6', expected a whole number from 1 to 5"),
        (ANSWERS.replace(",5", ",4.5"), "line 2: natural: '4.5'"),
        (ANSWERS.replace("yes", ""), "line 2: labels_right: ''"),
        (ANSWERS.replace("code3", "codeX"), "line 5: item: 'codeX'"),
        (ANSWERS.replace("code3", "code2"), "line 5: item code2 is answered twice"),
        (ANSWERS.replace("code3,d,1,4\n", ""), "1 of 4 items have no row, code3 among them"),
        (ANSWERS.replace(",5", ",5.0"), "line 2: natural: '5.0', expected a whole number"),
        (ANSWERS.replace("code1", "1.23E+11"), "line 3: item: '1.23E+11' is none of these runs"),
        (ANSWERS.replace(",", "\t"), "line 1: no column item, text"),
        ("x" * 200_000, "field larger than field limit"),
        (ANSWERS.replace("natural", "nature"), "line 1: no column natural"),
        (ANSWERS.replace("code0", "\x1b[31m=1+1"), "line 2: item: '\\x1b[31m=1+1'"),
        ("", "no column item, text, labels_right, natural"),
        (HEADER + '"' + "x" * 200_000, "field larger than field limit"),
    ],
)
def test_a_sheet_that_is_filled_in_wrongly_is_refused_with_line_and_column(tmp_path, text, told):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        read_sheet(path, ITEMS)
    assert told in str(refused.value)
    assert str(path) in str(refused.value)
    assert str(refused.value).isprintable()


def test_a_sheet_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe")
    for name in ("a.csv", "nowhere.csv"):
        with pytest.raises(BadInput, match="save the sheet as CSV in UTF-8"):
            read_sheet(tmp_path / name, ITEMS)


# --- what follows -----------------------------------------------------------------------------------------------------


def rows(*answers, adversarial=True):
    return [
        {"sentence_id": f"{adversarial}{k}", "adversarial": adversarial, "answers": [list(a) for a in given]}
        for k, given in enumerate(answers)
    ]


def test_the_label_preservation_rate_is_that_of_the_majority_with_wilsons_interval():
    three = [
        [(True, 5), (True, 4), (False, 3)],
        [(True, 1), (False, 1), (False, 1)],
        [(True, 2), (True, 2), (True, 2)],
        [(True, 3), (True, 3), (False, 3)],
    ]
    record = audit_record(RUN, "0" * 64, 0.8, rows(*three) + rows([(True, 5)] * 3, adversarial=False), 0)
    low, high = proportion_confint(3, 4, method="wilson")
    assert record["label_preservation"] == {"value": 0.75, "low": round(low, 6), "high": round(high, 6), "n": 4}
    assert record["label_preservation.clean"]["value"] == 1.0
    assert record["attack_rate.audited"] == pytest.approx(0.6)
    assert record["natural"] == pytest.approx(30 / 12)
    assert record["natural.clean"] == 5.0
    assert record["annotators"] == 3


def test_a_tie_is_no_yes():
    record = audit_record(RUN, "0" * 64, 0.5, rows([(True, 3), (False, 3)]), 0)
    assert record["label_preservation"]["value"] == 0.0


def test_agreement_is_cohens_kappa():
    """Two raters, fifty grants, 20 yes-yes, 15 no-no, 5 and 10 apart: the textbook's kappa is 0.4."""
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    record = audit_record(RUN, "0" * 64, 1.0, rows(*[[(a, 3), (b, 3)] for a, b in pairs]), 0)
    assert record["agreement"]["labels_right"] == pytest.approx(0.4)
    assert record["agreement"]["natural"] is None  # all said the same: chance cannot be told from agreement


def test_naturalness_weighs_how_far_two_people_are_apart():
    near = [[(True, a), (True, b)] for a, b in [(1, 2), (2, 1), (3, 4), (4, 5), (5, 5), (1, 1)]]
    far = [[(True, a), (True, b)] for a, b in [(1, 5), (5, 1), (3, 4), (4, 5), (5, 5), (1, 1)]]
    close, distant = (audit_record(RUN, "0" * 64, 1.0, rows(*some), 0)["agreement"]["natural"] for some in (near, far))
    assert close > 0.8
    assert distant < 0.3


def test_one_person_agrees_with_nobody():
    record = audit_record(RUN, "0" * 64, 0.5, rows([(True, 3)], [(False, 4)]), 0)
    assert record["agreement"] == {"labels_right": None, "natural": None}
    assert record["label_preservation"]["value"] == 0.5


def test_nothing_read_is_no_rate():
    record = audit_record(RUN, "0" * 64, 0.5, rows([(True, 3)], adversarial=False), 0)
    assert record["label_preservation"] == {"value": None, "low": None, "high": None, "n": 0}
    assert record["attack_rate.audited"] is None


# --- the command ------------------------------------------------------------------------------------------------------


def filled(text, labels="yes", natural="4"):
    found = read(text)
    return HEADER + "".join(f"{row['item']},x,{labels},{natural}\n" for row in found)


@pytest.fixture
def audited(tiny, tmp_path, gauntlet):
    """A results folder in which two readers were asked about one run, and that run."""
    results = copied(tiny, tmp_path)
    folder = run_of(results, "deepwordbug-i")
    common = (folder.run_id, "--results", results, "--successes", 3, "--clean", 2, "--seed", 5)
    code, _, err = gauntlet("human-audit", "export", *common, "--out", tmp_path / "sheet.csv")
    assert code == 0, err
    text = (tmp_path / "sheet.csv").read_text()
    (tmp_path / "one.csv").write_text(filled(text))
    (tmp_path / "two.csv").write_text(filled(text).replace("yes", "no", 1))
    sheets = ("--sheet", tmp_path / "one.csv", "--sheet", tmp_path / "two.csv")
    code, out, err = gauntlet("human-audit", "import", *common, *sheets, "--json")
    assert code == 0, err
    (record,) = json.loads(out)
    return results, folder, record


def test_export_and_import_leave_a_record_beside_the_run_that_verifies(audited):
    results, folder, record = audited
    assert (record["annotators"], record["label_preservation"]["n"]) == (2, 3)
    assert read_audit(folder) == record
    text = (folder.path / AUDIT_FILE).read_text()
    sentences = [row["sentence_id"] for row in Forgery(folder).rows]
    assert all(row["sentence_id"] in sentences for row in json.loads(text)["answers"])
    assert lines(results / "runs" / folder.run_id) == []


def test_who_reads_chooses_no_texts(audited):
    """The draw follows from the run and the seed, so a kinder choice is found out."""
    _, folder, record = audited
    read_ones = {row["sentence_id"] for row in record["answers"]}
    other = next(row["sentence_id"] for row in Forgery(folder).rows if row["sentence_id"] not in read_ones)
    next(row for row in record["answers"] if not row["adversarial"])["sentence_id"] = other
    (folder.path / AUDIT_FILE).write_text(json.dumps(record))
    assert lines(folder.path) == [
        "human_audit.json: answers.sentence_id: other texts; expected the 5 that the seed 5 draws"
    ]


def test_a_board_tells_what_people_said_beside_the_rates(audited):
    results, folder, record = audited
    reading = read_runs(results)
    assert reading.damage == []
    boards = attacks_board(reading)
    (board,) = [table for table in boards if "attack_rate.audited" in [column.key for column in table.columns]]
    (row,) = board.frame[board.frame["attack_rate.audited"].notna()].to_dict("records")
    rate = folder.read_result()["metrics"]["attack_rate"]["value"]
    right, clean = record["label_preservation"], record["label_preservation.clean"]
    assert row["attack_rate.audited"] == pytest.approx(rate * right["value"])
    keys = [column.key for column in board.columns]
    assert keys[keys.index("valid_attack_rate") + 1] == "attack_rate.audited"
    counts = [f"{round(share['value'] * share['n'])} of {share['n']}" for share in (right, clean)]
    told = f"Texts whose labels most readers found right: deepwordbug-i {counts[0]} and {counts[1]} originals."
    assert told in board.notes


def test_a_board_leaves_out_a_run_whose_audit_does_not_hold(audited):
    results, folder, record = audited
    record["label_preservation"]["value"] = 0.999
    (folder.path / AUDIT_FILE).write_text(json.dumps(record))
    reading = read_runs(results)
    assert folder.run_id not in {run.run_id for run in reading.runs}
    assert any("human_audit.json: label_preservation" in str(error) for error in reading.damage)


@pytest.mark.parametrize("twice", ["run", "sheet"])
def test_what_is_given_twice_does_not_count_twice(audited, gauntlet, tmp_path, twice):
    results, folder, _ = audited
    runs = [folder.run_id] * (2 if twice == "run" else 1)
    sheets = ["--sheet", tmp_path / "one.csv"] * (2 if twice == "sheet" else 1)
    common = ("--results", results, "--successes", 3, "--clean", 2, "--seed", 5)
    code, out, err = gauntlet("human-audit", "import", *runs, *common, *sheets)
    assert (code, out) == (2, "")
    assert f"{twice} " in err
    assert "is given twice" in err


def test_an_audit_of_other_examples_counts_no_longer(audited):
    results, folder, record = audited
    record["examples_sha256"] = "0" * 64
    (folder.path / AUDIT_FILE).write_text(json.dumps(record))
    assert read_audit(folder) is None
    assert any("human_audit.json: examples_sha256" in line for line in lines(folder.path))
    assert results


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: r["label_preservation"].update(value=0.999), "label_preservation:"),
        (lambda r: r.update({"attack_rate.audited": 0.99}), "attack_rate.audited"),
        (lambda r: r.update(annotators=7), "annotators: 7"),
        (lambda r: r.update(annotators=-1), "annotators: -1"),
        (lambda r: r["agreement"].update(labels_right=1.0), "agreement"),
        (lambda r: r["answers"][0].update(sentence_id="test-99999"), "answers.sentence_id: 'test-99999'"),
        (lambda r: r["answers"][0].update(answers=[[True, 6], [True, 1]]), "answers.0.answers"),
        (lambda r: r["answers"][0].update(answers=[[True, 5]]), "answers: different numbers of people"),
        (lambda r: r["answers"].append(r["answers"][0]), "a text stands there twice"),
        (lambda r: r.update(note="</script>"), "note: unknown field"),
        (lambda r: r.update(run_id="0" * 16), "run_id"),
    ],
)
def test_a_changed_audit_is_caught(audited, change, told):
    _, folder, record = audited
    change(record)
    (folder.path / AUDIT_FILE).write_text(json.dumps(record))
    found = lines(folder.path)
    assert any(line.startswith("human_audit.json: ") and told in line for line in found), found


def test_import_with_other_numbers_than_the_export_is_refused(audited, gauntlet, tmp_path):
    results, folder, _ = audited
    common = (folder.run_id, "--results", results, "--successes", 3, "--clean", 2, "--seed", 6)
    code, out, err = gauntlet("human-audit", "import", *common, "--sheet", tmp_path / "one.csv")
    assert (code, out) == (2, "")
    assert "import with the same as the sheet was exported with" in err


def test_a_run_that_is_not_there_is_bad_input(tiny, gauntlet, tmp_path):
    code, _, err = gauntlet("human-audit", "export", "../../x", "--results", tiny, "--out", tmp_path / "x.csv")
    assert code == 2
    assert "no finished run" in err
