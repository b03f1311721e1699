"""The ledger only grows, tells what it knows, and shows any line that was changed, moved or taken out."""

from __future__ import annotations

import itertools
import json

import pytest

from benchmark.errors import BadInput, CannotSave, CorruptResult
from benchmark.spec import SCHEMA, canonical_json
from benchmark.store import RunFolder
from leaderboard.ledger import add, badges, ledger_file, read_ledger, record_replay, retract, supersede
from leaderboard.ledger_lines import RE_EXECUTED, RETRACTED, SELF_REPORTED, SUPERSEDED, VERIFIED, read_entries

ONE, TWO, THREE = "1" * 16, "2" * 16, "3" * 16
DAY = "2026-11-22"
FIGURES = {"seed": 0, "sentences": 5, "sampled": 3, "sampled_agree": 3, "texts": 8, "texts_agree": 8}
WHOLE = {**FIGURES, "sampled": 5, "sampled_agree": 5}


def finished(results, run_id, reads=""):
    """A run with a result, as far as the ledger looks at it."""
    folder = RunFolder(results, run_id)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.spec_file.write_text("{}")
    folder.write_examples([], {"similarity": reads})
    result = {"schema": SCHEMA, "run_id": run_id, "examples_sha256": folder.examples_hash()}
    folder.write_result(result)
    return folder


@pytest.fixture
def results(tmp_path):
    for run_id in (ONE, TWO, THREE):
        finished(tmp_path, run_id)
    return tmp_path


@pytest.fixture
def listed(results):
    for run_id in (ONE, TWO, THREE):
        add(results, run_id, "first results", DAY)
    return results


# --- what is recorded -------------------------------------------------------------------------------------------------


def test_without_a_ledger_all_runs_are_self_reported(results):
    assert read_ledger(results) == ()
    assert set(badges(results).values()) == {SELF_REPORTED}
    assert sorted(badges(results)) == [ONE, TWO, THREE]


def test_lines_come_back_in_their_order_with_verb_date_and_reason(listed):
    retract(listed, TWO, "a mistake in the attack", "2026-11-23")
    supersede(listed, ONE, THREE, "a new version", "2026-11-24")
    told = [(entry.verb, entry.run_id, entry.date, entry.reason, entry.by) for entry in read_ledger(listed)]
    assert told == [
        ("add", ONE, DAY, "first results", None),
        ("add", TWO, DAY, "first results", None),
        ("add", THREE, DAY, "first results", None),
        ("retract", TWO, "2026-11-23", "a mistake in the attack", None),
        ("supersede", ONE, "2026-11-24", "a new version", THREE),
    ]
    assert badges(listed) == {ONE: SUPERSEDED, TWO: RETRACTED, THREE: SELF_REPORTED}


def test_the_file_only_grows(listed):
    before = ledger_file(listed).read_bytes()
    retract(listed, ONE, "a mistake", DAY)
    assert ledger_file(listed).read_bytes().startswith(before)
    assert len(ledger_file(listed).read_bytes()) > len(before)


def test_a_badge_rises_with_replays_and_does_not_fall(listed):
    record_replay(listed, ONE, RE_EXECUTED, FIGURES, "replayed", DAY)
    assert badges(listed)[ONE] == RE_EXECUTED
    record_replay(listed, ONE, VERIFIED, WHOLE, "replayed", DAY)
    record_replay(listed, ONE, RE_EXECUTED, FIGURES, "replayed", DAY)
    assert badges(listed) == {ONE: VERIFIED, TWO: SELF_REPORTED, THREE: SELF_REPORTED}


def test_a_badge_holds_for_the_examples_it_was_given_for(listed):
    record_replay(listed, ONE, VERIFIED, WHOLE, "replayed", DAY)
    finished(listed, ONE, reads="another judge")
    assert badges(listed)[ONE] == SELF_REPORTED
    with pytest.raises(BadInput, match="not in the ledger; first: gauntlet ledger add"):
        record_replay(listed, ONE, VERIFIED, WHOLE, "replayed", DAY)
    add(listed, ONE, "judged again", DAY)
    record_replay(listed, ONE, RE_EXECUTED, FIGURES, "replayed", DAY)
    assert badges(listed)[ONE] == RE_EXECUTED


def test_a_retracted_run_may_be_added_again(listed):
    retract(listed, ONE, "too early", DAY)
    add(listed, ONE, "it was right after all", DAY)
    assert badges(listed)[ONE] == SELF_REPORTED


def test_an_altered_run_has_no_badge_but_an_error(listed):
    folder = RunFolder(listed, ONE)
    folder.examples_file.write_bytes(RunFolder(listed, TWO).examples_file.read_bytes() + b"x")
    with pytest.raises(CorruptResult, match=r"examples\.parquet was altered"):
        badges(listed)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda r: add(r, ONE, "again", DAY), "in the ledger already"),
        (lambda r: add(r, "4" * 16, "x", DAY), "no finished run '4444444444444444'"),
        (lambda r: add(r, "../runs/" + ONE, "x", DAY), "no finished run '../runs/"),
        (lambda r: retract(r, "4" * 16, "x", DAY), "is not in the ledger"),
        (lambda r: supersede(r, ONE, ONE, "x", DAY), "cannot supersede itself"),
        (lambda r: supersede(r, ONE, "4" * 16, "x", DAY), "is not in the ledger"),
        (lambda r: [retract(r, ONE, "x", DAY), retract(r, ONE, "x", DAY)], "is retracted"),
        (lambda r: [retract(r, ONE, "x", DAY), supersede(r, TWO, ONE, "x", DAY)], "is retracted"),
        (lambda r: record_replay(r, ONE, "splendid", FIGURES, "x", DAY), "badge: 'splendid'"),
        (lambda r: record_replay(r, ONE, VERIFIED, {"sampled": -1}, "x", DAY), "figures"),
        (lambda r: record_replay(r, ONE, VERIFIED, {"seed": 1}, "x", DAY), "{'seed': 1}, expected counts: seed, sent"),
        (lambda r: record_replay(r, ONE, VERIFIED, FIGURES, "x", DAY), "3 of 5 sentences earn re-executed"),
        (lambda r: record_replay(r, ONE, VERIFIED, {**WHOLE, "sampled_agree": 4}, "x", DAY), "replayed to agree"),
        (lambda r: record_replay(r, ONE, VERIFIED, {**WHOLE, "texts_agree": 7}, "x", DAY), "replayed to agree"),
        (lambda r: retract(r, ONE, "", DAY), "reason: ''"),
        (lambda r: retract(r, ONE, "<script>alert(1)</script>", DAY), "no angle brackets"),
        (lambda r: retract(r, ONE, "[x](javascript:alert(1))", DAY), "plain words"),
        (lambda r: retract(r, ONE, "\x1b[31mred", DAY), "only characters that can be seen"),
        (lambda r: retract(r, ONE, "two\nlines", DAY), "a single line"),
        (lambda r: retract(r, ONE, "x" * 10**7, DAY), "at most 1000 characters"),
        (lambda r: retract(r, ONE, "x", "22.11.2026"), "a date such as 2026-11-22"),
        (lambda r: retract(r, ONE, "x", "2026-02-30"), "a date such as 2026-11-22"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_printable_line(listed, act, told):
    before = len(read_ledger(listed))
    with pytest.raises(BadInput) as refused:
        act(listed)
    assert told in str(refused.value)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 500
    assert len(read_ledger(listed)) - before <= 1  # what came before the refused act


def test_a_full_disk_leaves_the_ledger_as_it_was(listed):
    before = ledger_file(listed).read_bytes()
    (listed / ".LEDGER.jsonl.partial").symlink_to("/dev/full")
    with pytest.raises(CannotSave, match=r"LEDGER\.jsonl"):
        retract(listed, ONE, "x", DAY)
    assert ledger_file(listed).read_bytes() == before


# --- tampering --------------------------------------------------------------------------------------------------------


def reason_changed(lines):
    lines[1] = lines[1].replace("first", "worst")


def line_removed(lines):
    del lines[1]


def first_line_removed(lines):
    del lines[0]


def lines_swapped(lines):
    lines[1], lines[2] = lines[2], lines[1]


def line_repeated(lines):
    lines.insert(1, lines[1])


def line_sealed_anew(lines):
    """Even a checksum that fits does not help: the next line holds the old one."""
    import hashlib

    record = {**json.loads(lines[1]), "reason": "other words"}
    del record["sha256"]
    lines[1] = canonical_json({**record, "sha256": hashlib.sha256(canonical_json(record).encode()).hexdigest()})


def half_a_line(lines):
    lines[-1] = lines[-1][:40]


def no_json(lines):
    lines[1] = "add"


def nan(lines):
    lines[1] = lines[1].replace('"number":2', '"number":NaN')


def empty_line(lines):
    lines.insert(1, "")


TAMPERED = (
    reason_changed,
    line_removed,
    first_line_removed,
    lines_swapped,
    line_repeated,
    line_sealed_anew,
    half_a_line,
    no_json,
    nan,
    empty_line,
)


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda value: value.__name__)
def test_a_changed_ledger_is_found_out_and_never_added_to(listed, tamper):
    lines = ledger_file(listed).read_text().splitlines()
    tamper(lines)
    ledger_file(listed).write_text("\n".join(lines) + "\n")
    for act in (
        lambda: read_ledger(listed),
        lambda: badges(listed),
        lambda: retract(listed, ONE, "x", DAY),
    ):
        with pytest.raises(CorruptResult, match=r"LEDGER\.jsonl, line \d+"):
            act()
    assert len(ledger_file(listed).read_text().splitlines()) == len(lines)


def test_a_torn_last_line_is_found_out(listed):
    ledger_file(listed).write_bytes(ledger_file(listed).read_bytes()[:-10])
    with pytest.raises(CorruptResult, match="line 3"):
        read_ledger(listed)


def test_all_faults_are_told_with_their_lines(listed):
    lines = ledger_file(listed).read_text().splitlines()
    lines[0] = lines[0].replace("first", "worst")
    lines[2] = lines[2].replace(DAY, "2026-99-99")
    _, faults = read_entries(("\n".join(lines) + "\n").encode())
    assert {(fault.line, fault.field) for fault in faults} == {(1, "sha256"), (3, "sha256"), (3, "date")}


def test_a_forged_ledger_whose_chain_fits_must_still_make_sense(results):
    """Who writes a whole new chain can make it fit; what it says is still looked at."""
    import hashlib

    previous, lines = "0" * 64, []
    facts = [
        {"verb": "retract", "run_id": ONE},
        {"verb": "supersede", "run_id": ONE, "by": TWO},
        {"verb": "replay", "run_id": ONE, "badge": VERIFIED, "figures": WHOLE, "examples_sha256": "0" * 64},
    ]
    for number, fact in enumerate(facts, 1):
        record = {"number": number, "previous": previous, "date": DAY, "reason": "x", **fact}
        previous = hashlib.sha256(canonical_json(record).encode()).hexdigest()
        lines.append(canonical_json({**record, "sha256": previous}))
    _, faults = read_entries(("\n".join(lines) + "\n").encode())
    assert {(fault.line, fault.field) for fault in faults} >= {(1, "run_id"), (2, "run_id"), (2, "by"), (3, "run_id")}


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_shows_lines_and_badges(listed, gauntlet):
    record_replay(listed, ONE, RE_EXECUTED, FIGURES, "replayed by us", DAY)
    code, out, _ = gauntlet("ledger", "show", "--results", listed)
    assert code == 0
    assert "replayed by us" in out
    code, out, _ = gauntlet("ledger", "show", "--results", listed, "--json")
    record = json.loads(out)
    assert [entry["verb"] for entry in record["entries"]] == ["add", "add", "add", "replay"]
    assert record["badges"][ONE] == RE_EXECUTED


def test_the_command_supersedes_and_retracts_with_the_date_that_is_given(listed, gauntlet):
    given = ("--reason", "a mistake", "--date", "2026-12-01", "--results", listed)
    assert gauntlet("ledger", "retract", ONE, *given)[0] == 0
    assert gauntlet("ledger", "supersede", TWO, "--by", THREE, *given)[0] == 0
    *_, one, two = read_ledger(listed)
    assert (one.verb, one.date, two.verb, two.by) == ("retract", "2026-12-01", "supersede", THREE)
    code, out, err = gauntlet("ledger", "retract", ONE, *given)
    assert (code, out) == (2, "")
    assert err.startswith("error: run 1111111111111111 is retracted")


def test_a_reason_is_asked_for(listed, gauntlet):
    code, _, err = gauntlet("ledger", "retract", ONE, "--results", listed)
    assert code == 2
    assert "--reason" in err


def test_the_command_adds_only_what_holds(results, gauntlet):
    code, out, _ = gauntlet("ledger", "add", ONE, "--reason", "x", "--results", results)
    assert code == 5
    assert "spec.json" in out
    assert read_ledger(results) == ()


def test_dates_may_come_in_any_order(listed):
    """Branches are merged when they are merged."""
    dates = itertools.cycle(["2026-12-24", "2026-11-30"])
    for run_id in (ONE, TWO, THREE):
        retract(listed, run_id, "x", next(dates))
    assert len(read_ledger(listed)) == 6
