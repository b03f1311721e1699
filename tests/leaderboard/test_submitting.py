"""From a scaffold that keeps its contract to files in the leaderboard's repository; faults are told in plain words."""

from __future__ import annotations

import importlib
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from submissions import copied, lines, reuse_models, run_of
from touchy_victim import FEW, Touchy

from benchmark.cli.main import app
from benchmark.contracts import Attack, attack
from benchmark.defending import DEFENSES, defense_named
from benchmark.errors import BadInput
from benchmark.finding import ATTACKS
from benchmark.threat import Access, Touch
from benchmark.victims import VictimOptions
from benchmark.victims.finding import VICTIMS
from leaderboard.cards import card_faults, read_card
from leaderboard.ledger import badges, read_ledger
from leaderboard.submitting.attack_contract import ATTACK_CHECKS, AttackTrial
from leaderboard.submitting.checks import card_faults as card_faults_of
from leaderboard.submitting.checks import parameter_faults, run_checks
from leaderboard.submitting.scaffolding import TEMPLATES, scaffold
from leaderboard.submitting.victim_contract import VICTIM_CHECKS, VictimTrial

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.usefixtures("quick")


# --- the scaffold -----------------------------------------------------------------------------------------------------


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Write a scaffold and put it where an installation would."""

    def install(kind, name):
        scaffold(kind, name, tmp_path)
        module = f"gauntlet_{name.replace('-', '_')}"
        monkeypatch.syspath_prepend(str(tmp_path / name))
        monkeypatch.delitem(sys.modules, module, raising=False)
        project = tomllib.loads((tmp_path / name / "pyproject.toml").read_text())["project"]
        ((group, points),) = project["entry-points"].items()
        point = EntryPoint(name, points[name], group)
        registry = {"attack": ATTACKS, "defense": DEFENSES, "victim": VICTIMS}[kind]
        monkeypatch.setitem(registry._targets, name, point)
        return importlib.import_module(module)

    return install


def test_a_scaffolded_attack_keeps_the_contract_and_its_card_fits(installed, tmp_path):
    module = installed("attack", "letter-swap")
    found = ATTACKS.get("letter-swap")
    assert found is module.LetterSwap
    trial = AttackTrial(found(), "letter-swap", Touchy(), FEW)
    assert [fault for checked in run_checks(ATTACK_CHECKS, trial) for fault in checked.faults] == []
    assert any(outcome.edits for outcome in trial.outcomes())
    card = read_card(tmp_path / "letter-swap" / "card.toml")
    assert (card["name"], card["kind"], card["version"]) == (found.card.name, "attack", found.card.version)


def test_a_scaffolded_victim_keeps_the_contract(installed, tmp_path):
    installed("victim", "capitals")
    load = VICTIMS.get("capitals")
    trial = VictimTrial("capitals:v1", lambda: load("v1", VictimOptions()))
    assert [fault for checked in run_checks(VICTIM_CHECKS, trial) for fault in checked.faults] == []
    assert read_card(tmp_path / "capitals" / "card.toml")["kind"] == "victim"


def test_a_scaffolded_defense_trains_on_what_there_is_and_more(installed, tmp_path):
    installed("defense", "small-letters")
    found = defense_named("small-letters(share=0.4)")
    assert list(card_faults_of(found, "small-letters")) == []
    assert list(parameter_faults(found)) == []
    sentences = found.regimen(SimpleNamespace(sentences=FEW)).sentences
    assert sentences[: len(FEW)] == FEW
    assert [s.text for s in sentences[len(FEW) :]] == [s.text.lower() for s in FEW[:2]]
    assert [s.tags for s in sentences[len(FEW) :]] == [s.tags for s in FEW[:2]]
    assert read_card(tmp_path / "small-letters" / "card.toml")["kind"] == "defense"


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_scaffold_is_a_package_with_readme_card_and_test(tmp_path, kind, gauntlet):
    code, out, _ = gauntlet("new", kind, "my-own", "--into", tmp_path)
    assert code == 0
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("my-own/**/*") if path.is_file()}
    assert files == {
        "my-own/pyproject.toml",
        "my-own/README.md",
        "my-own/card.toml",
        "my-own/gauntlet_my_own/__init__.py",
        "my-own/tests/test_gauntlet_my_own.py",
    }
    assert all("$" not in (tmp_path / name).read_text() for name in files)
    for name in files:
        if name.endswith(".py"):
            compile((tmp_path / name).read_text(), name, "exec")
    assert "gauntlet check my-own" in out
    verbs = {command.name or command.callback.__name__ for command in app.registered_commands}
    for line in (tmp_path / "my-own" / "README.md").read_text().splitlines():
        if line.strip().startswith("gauntlet "):
            assert line.split()[1] in verbs


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("attack", "../evil", "small letters, digits and single hyphens"),
        ("attack", "/etc/evil", "small letters"),
        ("attack", "Shout", "small letters"),
        ("attack", "x" * 41, "40 at most"),
        ("attack", "</script>", "small letters"),
        ("attack", "\x1b[31m", "'\\x1b[31m'"),
        ("attack", "a--b", "single hyphens"),
        ("attack", "", "small letters"),
        ("attack", "deepwordbug-i", "exists already"),
        ("victim", "spacy", "exists already"),
        ("victim", "minilm", "exists already"),
        ("defense", "spell-check", "exists already"),
        ("planet", "mars", "unknown kind 'planet'; known: attack, defense, victim"),
    ],
)
def test_a_name_that_will_not_do_is_refused_and_nothing_is_written(tmp_path, gauntlet, kind, name, told):
    code, out, err = gauntlet("new", kind, "--into", tmp_path / "here", "--", name)
    assert (code, out) == (2, "")
    assert told in err
    assert not (tmp_path / "here").exists()


def test_a_folder_that_is_there_is_not_written_to(tmp_path, gauntlet):
    (tmp_path / "mine").mkdir()
    code, _, err = gauntlet("new", "attack", "mine", "--into", tmp_path)
    assert code == 2
    assert "is there already" in err
    assert list((tmp_path / "mine").iterdir()) == []


# --- gauntlet check ---------------------------------------------------------------------------------------------------


@pytest.fixture
def on_stubs(monkeypatch):
    """`check` on a stub and five sentences."""
    monkeypatch.setattr("leaderboard.submitting.checking.find_victim", lambda *_: Touchy())
    monkeypatch.setattr("leaderboard.submitting.checking.trial_sentences", lambda: FEW)
    monkeypatch.setattr("leaderboard.submitting.checking._FROM_CORPUS", 0)


def test_the_command_says_ok_for_each_promise_and_ends_with_0(installed, gauntlet, on_stubs):
    installed("attack", "inner-swap")
    code, out, _ = gauntlet("check", "inner-swap")
    assert code == 0
    assert [line[:3] for line in out.splitlines()] == ["ok "] * len(ATTACK_CHECKS)


@attack("faulty", access=Access.LABELS, touch=Touch.CONTEXT)
class EditsAnything(Attack):
    """Say context and edit everything."""

    async def run(self, sentence, probe):
        for i in range(len(sentence)):
            await probe([sentence.replace(i, "other")])


def test_the_command_says_what_is_wrong_and_ends_with_1(monkeypatch, gauntlet, on_stubs):
    monkeypatch.setitem(ATTACKS._targets, "faulty", EditsAnything)
    code, out, _ = gauntlet("check", "faulty")
    assert code == 1
    assert "NO  touches only what its card says\n    it proposed " in out


def test_the_command_checks_victims_by_their_full_name(gauntlet, on_stubs, monkeypatch):
    monkeypatch.setitem(VICTIMS._targets, "touchy", lambda *_: Touchy())
    code, out, _ = gauntlet("check", "touchy:v1")
    assert code == 0
    assert len(out.splitlines()) == len(VICTIM_CHECKS)
    code, _, err = gauntlet("check", "touchy")
    assert code == 2
    assert "name one of them, such as touchy:v1" in err
    code, _, err = gauntlet("check", "nonesuch")
    assert code == 2
    assert "pip install --editable" in err


# --- submitting -------------------------------------------------------------------------------------------------------

CARD = """
name = "deepwordbug-i"
kind = "attack"
version = 1
summary = "misspells words"
authors = "us"
licence = "Apache-2.0"
"""


@pytest.fixture
def card(tiny, tmp_path, monkeypatch):
    reuse_models(monkeypatch)
    (tmp_path / "card.toml").write_text(CARD)
    return tmp_path / "card.toml"


@pytest.fixture
def handed_in(tiny, tmp_path, card, gauntlet):
    """Submit into an empty results folder; return the folder and what was printed."""
    into = tmp_path / "board"
    code, out, err = gauntlet("submit", card, "--results", tiny, "--into", into, "--date", "2026-11-22", "--yes")
    assert code == 0, err
    return into, out


def test_without_yes_the_plan_is_printed_and_nothing_is_changed(tiny, tmp_path, card, gauntlet):
    into = tmp_path / "board"
    code, out, err = gauntlet("submit", card, "--results", tiny, "--into", into, "--date", "2026-11-22")
    run_id = run_of(tiny, "deepwordbug-i").run_id
    assert code == 0
    assert "nothing was changed; --yes does it" in err
    assert not into.exists()
    told = [f"runs/{run_id}/{name}" for name in ("spec.json", "examples.parquet", "provenance.json", "result.json")]
    for file in (*told, "cards/deepwordbug-i-v1.toml"):
        assert f" to {into / file}" in out
    assert f"ledger {into / 'LEDGER.jsonl'}: add {run_id}, 2026-11-22, submitted" in out
    assert len(out.splitlines()) == 6  # nothing of the other runs


def test_with_yes_it_is_done_and_verifies(handed_in, tiny):
    into, _ = handed_in
    run_id = run_of(tiny, "deepwordbug-i").run_id
    assert [path.name for path in (into / "runs").iterdir()] == [run_id]
    assert [(entry.verb, entry.run_id, entry.date) for entry in read_ledger(into)] == [("add", run_id, "2026-11-22")]
    assert badges(into) == {run_id: "self-reported"}
    assert lines(into) == []


def test_submitted_again_all_of_it_is_there(handed_in, tiny, card, gauntlet):
    into, _ = handed_in
    code, out, err = gauntlet("submit", card, "--results", tiny, "--into", into, "--yes")
    assert (code, out) == (0, "")
    assert "all of it is there already" in err
    assert len(read_ledger(into)) == 1


def test_an_interrupted_submission_is_finished_by_the_same_command(handed_in, tiny, card, gauntlet):
    into, _ = handed_in
    (into / "LEDGER.jsonl").unlink()
    run_of(into, "deepwordbug-i").result_file.unlink()
    assert gauntlet("submit", card, "--results", tiny, "--into", into, "--yes")[0] == 0
    assert lines(into) == []
    assert len(read_ledger(into)) == 1


def test_what_was_handed_in_by_others_is_never_overwritten(handed_in, tiny, card, gauntlet):
    into, _ = handed_in
    card.write_text(CARD.replace("misspells words", "something else"))
    code, out, err = gauntlet("submit", card, "--results", tiny, "--into", into, "--yes")
    assert (code, out) == (2, "")
    assert "cards/deepwordbug-i-v1.toml is there and is another file" in " ".join(err.split())


@pytest.fixture
def clone(tiny, tmp_path):
    """A repository that ignores what this one ignores, with tries of its own, some not finished."""
    root = tmp_path / "clone"
    copied(tiny, root)
    run_of(root / "results", "identity").result_file.unlink()
    shutil.copy(ROOT / ".gitignore", root)
    git(root, "init", "--quiet", "-b", "main")
    git(root, "add", ".")
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "before")
    return root


def git(root, *arguments):
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_runs_made_in_a_clone_are_in_git_once_they_are_submitted_and_no_sooner(clone, card, gauntlet):
    results = clone / "results"
    assert git(clone, "ls-files") == ".gitignore\n"
    code, out, err = gauntlet("submit", card, "--results", results, "--into", results, "--yes")
    assert code == 0, err
    run_id = run_of(results, "deepwordbug-i").run_id
    assert all(line.startswith((f"copy {card} to ", "ledger ")) for line in out.splitlines())
    assert [(entry.verb, entry.run_id) for entry in read_ledger(results)] == [("add", run_id)]
    (told,) = [line for line in err.splitlines() if line.startswith("git ")]
    subprocess.run(shlex.split(told), check=True)
    files = [f"runs/{run_id}/{name}" for name in ("spec.json", "examples.parquet", "provenance.json", "result.json")]
    added = {f"results/{name}" for name in ("LEDGER.jsonl", "cards/deepwordbug-i-v1.toml", *files)}
    assert set(git(clone, "diff", "--cached", "--name-only").split()) == added
    assert git(clone, "status", "--porcelain", "--untracked-files=all").count("??") == 0  # other tries stay ignored


def test_a_run_that_does_not_hold_is_not_submitted(tiny, tmp_path, card, gauntlet):
    results = copied(tiny, tmp_path)
    folder = run_of(results, "deepwordbug-i")
    (folder.path / "model.pkl").write_bytes(b"x")
    code, _, err = gauntlet("submit", card, "--results", results, "--into", tmp_path / "board", "--yes")
    assert code == 5
    assert "model.pkl: file: does not belong here" in err
    assert not (tmp_path / "board").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("deepwordbug-i", "nobodys-attack"), "no finished run of attack nobodys-attack version 1"),
        (("version = 1", "version = 9"), "no finished run of attack deepwordbug-i version 9"),
        (("version = 1", "version = 0"), "version: 0"),
        (('kind = "attack"', 'kind = "planet"'), "kind: 'planet', expected one of attack, defense, victim"),
        (("misspells words", "</script><img src=x>"), "summary: '</script><img src=x>', expected no angle brackets"),
        (("misspells words", "[x](y)"), "summary: '[x](y)', expected plain words"),
        (("misspells words", "\\u001b[31m"), "summary: '\\x1b[31m'"),
        (("misspells words", ""), "summary: '', expected a few words"),
        (("deepwordbug-i", "../../evil"), "name: '../../evil'"),
        (('authors = "us"', ""), "authors: None, expected a text"),
        (('authors = "us"', 'authors = "us"\nluck = 3'), "'luck': unknown field"),
        (("version", "version ="), "is not valid TOML"),
        (("misspells words", "x" * 70_000), "a card is a few lines"),
    ],
)
def test_a_card_that_will_not_do_is_refused_with_file_and_field(tiny, tmp_path, card, gauntlet, change, told):
    card.write_text(CARD.replace(*change))
    code, out, err = gauntlet("submit", card, "--results", tiny, "--into", tmp_path / "board", "--yes")
    assert (code, out) == (2, "")
    assert told in err
    assert "\x1b" not in err
    assert not (tmp_path / "board").exists()


def test_all_that_is_wrong_with_a_card_is_told():
    assert {field for field, _, _ in card_faults({})} == {"name", "kind", "version", "summary", "authors", "licence"}


def test_a_card_that_is_not_there_is_refused(tiny, tmp_path):
    with pytest.raises(BadInput, match="no card"):
        read_card(tmp_path / "nowhere.toml")


# --- the workflow -----------------------------------------------------------------------------------------------------


def test_the_workflow_uses_commands_and_options_that_there_are():
    import typer

    text = (ROOT / ".github" / "workflows" / "submission.yml").read_text()
    workflow = yaml.safe_load(text)
    commands = typer.main.get_command(app).commands
    runs = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    calls = [line.split() for run in runs for line in run.replace("\\\n", " ").splitlines() if "bin/gauntlet " in line]
    assert {call[call.index(next(w for w in call if w.endswith("bin/gauntlet"))) + 1] for call in calls} >= {
        "verify",
        "check",
        "replay",
    }
    for call in calls:
        start = call.index(next(word for word in call if word.endswith("bin/gauntlet")))
        command = commands[call[start + 1]]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in call[start + 2 :] if word.startswith("--")} <= options, call


def test_the_workflow_gives_submitted_code_no_rights():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "submission.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request" in workflow[True]  # YAML reads `on` as true
    assert "pull_request_target" not in workflow[True]
    verifying = next(job for name, job in workflow["jobs"].items() if name == "verify")
    steps = " ".join(step.get("run", "") for step in verifying["steps"])
    assert "submission/" in steps
    assert "--editable submission" not in steps  # verification installs nothing that was submitted
    assert all(job.get("needs") == "verify" for name, job in workflow["jobs"].items() if name != "verify")
