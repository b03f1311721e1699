"""What others have handed in is neither changed nor removed, and the ledger only grows."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess

import pytest
from stubs import StubVictim
from submissions import Forgery, copied, lines, run_of, verified

from benchmark.datasets import find_dataset
from benchmark.errors import BadInput
from benchmark.spec import canonical_json
from leaderboard.ledger import add, ledger_file, record_replay, retract
from leaderboard.ledger_lines import RE_EXECUTED
from leaderboard.rows import read_run
from leaderboard.transferring import transfer
from leaderboard.verifying.entries import base_named, entry_faults, ledger_gaps, victim_gaps

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def listed(results):
    """A results folder with a ledger."""
    for attack in ("deepwordbug-i", "deepwordbug-ii"):
        add(results, run_of(results, attack).run_id, "first results", "2026-11-22")
    return results


def an_entry_removed(results):
    an_entry_removed_from(results, "identity")


def an_entry_removed_from(results, attack):
    shutil.rmtree(run_of(results, attack).path)


def an_entry_changed(results):
    forgery = Forgery(run_of(results, "identity"))
    provenance = json.loads(forgery.folder.provenance_file.read_text())
    forgery.folder.provenance_file.write_text(json.dumps({**provenance, "seconds": 1.0}))


def a_line_removed(results):
    *kept, _ = ledger_file(results).read_bytes().splitlines(keepends=True)
    ledger_file(results).write_bytes(b"".join(kept))


def the_ledger_removed(results):
    ledger_file(results).unlink()


ENTRIES = [
    (an_entry_removed, "entry: removed"),
    (an_entry_changed, "provenance.json: entry: changed"),
    (a_line_removed, "LEDGER.jsonl: entry: changed before its end"),
    (the_ledger_removed, "LEDGER.jsonl: entry: removed"),
]


@pytest.mark.parametrize(("tamper", "told"), ENTRIES, ids=lambda value: getattr(value, "__name__", None))
@pytest.mark.parametrize("kind", ["folder", "git ref"])
def test_what_others_have_handed_in_is_neither_changed_nor_removed(listed, tmp_path, tamper, told, kind):
    base = committed(listed) if kind == "git ref" else str(copied(listed, tmp_path / "before"))
    assert list(entry_faults(listed, base_named(base, listed))) == []
    tamper(listed)
    found = [finding.line for finding in entry_faults(listed, base_named(base, listed))]
    assert any(told in line for line in found), found


@pytest.mark.parametrize("kind", ["folder", "git ref"])
def test_new_entries_and_new_lines_are_welcome(listed, tmp_path, kind):
    base = committed(listed) if kind == "git ref" else str(copied(listed, tmp_path / "before"))
    forgery = Forgery(run_of(listed, "identity"))
    retract(listed, run_of(listed, "deepwordbug-ii").run_id, "a mistake", "2026-11-23")
    add(listed, forgery.folder.run_id, "more", "2026-11-23")
    assert list(entry_faults(listed, base_named(base, listed))) == []


def test_verifying_a_folder_looks_at_its_ledger_and_at_its_base(listed, tmp_path):
    base = str(copied(listed, tmp_path / "before"))
    assert lines(listed, base=base) == []
    ledger_file(listed).write_bytes(ledger_file(listed).read_bytes().replace(b"first", b"worst"))
    found = lines(listed, base=base)
    assert any("LEDGER.jsonl: line 1.sha256" in line for line in found)
    assert any("LEDGER.jsonl: entry: changed before its end" in line for line in found)


def test_the_ledger_speaks_of_runs_that_are_there(listed):
    an_entry_removed_from(listed, "deepwordbug-i")
    assert any("LEDGER.jsonl: run_id" in line and "there is no run" in line for line in lines(listed))


def test_a_base_that_is_nothing_is_refused(results):
    for base in ("nonesuch", "--all"):
        with pytest.raises(BadInput, match="neither a folder nor a commit"):
            verified(results, base=base)


def test_a_folder_that_is_called_like_a_branch_is_not_taken_for_it(listed, tmp_path, monkeypatch):
    """Else a submission could bring along a base of its own."""
    branch = committed(listed)
    monkeypatch.chdir(listed.parent)
    copied(listed, listed.parent / "aside")
    (listed.parent / "aside" / "results").rename(listed.parent / branch)
    an_entry_removed(listed)
    an_entry_removed(listed.parent / branch)
    with pytest.raises(BadInput, match=r"is a folder and a branch, tag or commit; write \./trunk for the folder"):
        base_named(branch, listed)
    assert list(entry_faults(listed, base_named(f"./{branch}", listed))) == []
    assert list(entry_faults(listed, base_named(f"refs/heads/{branch}", listed))) != []


def test_a_folder_is_no_base_of_itself(listed):
    with pytest.raises(BadInput, match="is the folder that is verified"):
        base_named(str(listed), listed)


@pytest.mark.parametrize("kind", ["folder", "git ref"])
def test_badges_and_withdrawals_that_a_submission_writes_are_named(listed, tmp_path, kind):
    """Anybody can write a line whose checksums fit."""
    base = base_named(committed(listed) if kind == "git ref" else str(copied(listed, tmp_path / "before")), listed)
    assert list(ledger_gaps(listed, base)) == []
    one, other = (run_of(listed, attack).run_id for attack in ("deepwordbug-i", "deepwordbug-ii"))
    figures = {"seed": 0, "sentences": 10, "sampled": 3, "sampled_agree": 3, "texts": 9, "texts_agree": 9}
    record_replay(listed, one, RE_EXECUTED, figures, "trust me", "2026-11-23")
    add(listed, run_of(listed, "identity").run_id, "more", "2026-11-23")
    retract(listed, other, "a rival", "2026-11-23")
    assert [(gap.file, gap.field) for gap in ledger_gaps(listed, base)] == [
        ("LEDGER.jsonl", "line 3"),
        ("LEDGER.jsonl", "line 5"),
    ]
    replayed, retracted = (gap.why for gap in ledger_gaps(listed, base))
    assert f"calls run {one} re-executed" in replayed
    assert f"takes run {other} out of the tables (retract)" in retracted


@pytest.mark.parametrize("kind", ["folder", "git ref"])
def test_weights_that_a_submission_brings_are_named(listed, tmp_path, kind):
    """Whoever runs that recipe would ask them from then on."""
    (listed / "victims" / "old").mkdir(parents=True)
    for name in ("recipe.json", "adapter_config.json", "adapter_model.safetensors"):
        (listed / "victims" / "old" / name).write_text("{}")
    base = base_named(committed(listed) if kind == "git ref" else str(copied(listed, tmp_path / "before")), listed)
    assert list(victim_gaps(listed, base)) == []
    shutil.copytree(listed / "victims" / "old", listed / "victims" / "new")
    (gap,) = victim_gaps(listed, base)
    assert (gap.file, gap.field) == ("victims/new", "weights")
    assert (
        gap in verified(listed, base=str(tmp_path / "before" / "results") if kind == "folder" else "trunk").not_checked
    )
    assert lines(listed) == []
    (listed / "victims" / "old" / "word_masks.safetensors").write_text("x")
    assert {gap.file for gap in victim_gaps(listed, base)} == {"victims/new", "victims/old"}
    (listed / "victims" / "old" / "recipe.json").write_text("{ }")
    assert [finding.line.split(";")[0] for finding in entry_faults(listed, base)] == [
        "victims/old/recipe.json: entry: changed"
    ]


def committed(results):
    """Commit the results in a repository of their own; return the branch's name."""
    git = ["git", "-C", str(results.parent), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "--quiet", "-b", "trunk"], ["add", "results"], ["commit", "--quiet", "-m", "before"]):
        subprocess.run([*git, *command], check=True)
    return "trunk"


# --- transfers --------------------------------------------------------------------------------------------------------


@pytest.fixture
def transferred(results):
    """The tiny run's examples, put to a stub that knows nothing, and what was stored."""
    library = find_dataset("newsroom")
    labels = ("O", *(f"{mark}-{kind}" for kind in ("LOC", "MISC", "ORG", "PER") for mark in "BI"))
    victim = StubVictim(lambda tokens: ["O"] * len(tokens), labels=labels)
    victim.name, victim.fingerprint = "ignorant:v1", "0" * 64
    path = transfer(results, read_run(run_of(results, "deepwordbug-i").path), victim, library)
    return results, path


def test_stored_transfers_hold(transferred):
    results, path = transferred
    assert json.loads(path.read_text())["answers"]
    assert lines(results) == []


def sealed(path, change):
    record = json.loads(path.read_text())
    change(record)
    del record["sha256"]
    record["sha256"] = hashlib.sha256(canonical_json(record).encode()).hexdigest()
    path.write_text(canonical_json(record))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: r["answers"][0].update(score=0.5), "score: 0.5"),
        (lambda r: r["answers"][0].update(missed=0.0), "missed: 0.0"),
        (lambda r: r["answers"][0]["adversarial"].pop(), "tags; expected"),
        (lambda r: r["answers"].pop(), "answers.sentence_id"),
        (lambda r: r["answers"].append(r["answers"][0]), "answers.sentence_id"),
        (lambda r: r.update(examples_sha256="1" * 64), "examples_sha256"),
        (lambda r: r.update(victim="</script>"), "victim: '</script>'"),
        (lambda r: r.update(victim="another:v1"), "file:"),
        (lambda r: r.update(luck=1), "luck: unknown field"),
        (lambda r: r["answers"][0].update(missed=-1), "missed: -1"),
    ],
)
def test_a_changed_transfer_is_caught(transferred, change, told):
    results, path = transferred
    sealed(path, change)
    found = [line for line in lines(results) if line.startswith(f"transfers/{path.name}")]
    assert any(told in line for line in found), found


def test_a_transfer_to_the_victim_that_was_attacked_is_none(transferred):
    results, path = transferred
    spec = run_of(results, "deepwordbug-i").read_spec()
    sealed(path, lambda r: r.update(victim=spec.victim, victim_fingerprint=spec.victim_fingerprint))
    assert any("expected another victim than the run's own" in line for line in lines(results))


def test_a_transfer_without_its_run_or_its_checksum_is_caught(transferred):
    results, path = transferred
    path.write_text(path.read_text().replace('"too_long": []', '"too_long": [ ]').replace("ignorant", "omniscient"))
    assert any(": sha256: " in line for line in lines(results))
    an_entry_removed_from(results, "deepwordbug-i")
    assert any("expected a run in runs/" in line for line in lines(results))
