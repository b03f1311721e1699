"""Resources and constraint profiles on a run's way: in its name, on disk, on the command line, before it starts."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from stubs import StubVictim, lexicon, sentence, stub_resources

from benchmark import runner
from benchmark.api import attack
from benchmark.contracts import Attack, ConstraintProfile
from benchmark.contracts import attack as decorate
from benchmark.errors import BadInput, CorruptResult, MissingResource
from benchmark.finding import ATTACKS, CONSTRAINTS, attack_named, profile_named, resources_wanted
from benchmark.metrics import Example
from benchmark.plan import Plan
from benchmark.resources import loading
from benchmark.selection import SelectionRule
from benchmark.spec import SCHEMA, RunSpec, canonical_json, spec_id
from benchmark.store import RunFolder, migrate, open_results, stored_runs
from benchmark.threat import Access, Touch
from benchmark.types import Edit, Operation, Outcome, Status
from benchmark.workshop import PreparedRun, Workshop

FEW = SelectionRule(limit=2)


@pytest.fixture
def victim(monkeypatch, newsroom):
    """A victim that knows the corpus by heart stands where the bundled one is."""
    gold = {s.tokens: s.tags for split in newsroom.splits.values() for s in split}
    found = StubVictim(lambda tokens: gold.get(tokens, ["O"] * len(tokens)))
    found.name = "minilm/newsroom"
    monkeypatch.setattr("benchmark.workshop.find_victim", lambda name, options=None: found)
    return found


@pytest.fixture
def kinds(monkeypatch):
    """Stub resources instead of models; what was loaded, by kind, with its name."""
    loaded = []

    def load(kind, name, device):
        loaded.append((kind, name))
        return stub_resources()._loaded[kind]

    for kind in loading.KINDS:
        if kind in stub_resources()._loaded:
            monkeypatch.setitem(loading.KINDS, kind, functools.partial(load, kind))
    return loaded


def spec_of(attack="bert-attack", workshop=None, **changes):
    return PreparedRun(Plan(attack, selection=FEW, **changes), workshop or Workshop()).spec


# --- names of runs ----------------------------------------------------------------------------------------------------


def test_a_specification_names_the_resources_of_attack_and_profile(victim, kinds):
    assert spec_of("identity").resources == {}
    assert spec_of("identity").constraints is None
    assert spec_of().resources == {"encoder": "stub encoder", "language_model": "stub language model"}
    strict = spec_of(constraints="adjusted")
    assert strict.constraints == "adjusted 1"
    assert strict.resources == {**spec_of().resources, "grammar": "stub grammar"}
    assert list(strict.resources) == sorted(strict.resources)


def test_another_resource_is_another_run(victim, kinds, monkeypatch):
    before = spec_of()
    assert spec_of().run_id == before.run_id
    other = stub_resources()._loaded["language_model"]
    other.identity = "stub language model, trained longer"
    monkeypatch.setitem(loading.KINDS, "language_model", lambda name, device: other)
    after = spec_of()
    assert after.run_id != before.run_id
    assert dataclasses.replace(after, resources=before.resources) == before


def test_a_profile_is_another_run_and_so_is_a_new_version_of_it(victim, kinds, monkeypatch):
    names = {spec_of().run_id, spec_of(constraints="adjusted").run_id}
    monkeypatch.setattr(CONSTRAINTS.get("adjusted"), "version", 2)
    assert spec_of(constraints="adjusted").constraints == "adjusted 2"
    names.add(spec_of(constraints="adjusted").run_id)
    assert len(names) == 3


@pytest.mark.parametrize("name", ["identity", "deepwordbug-i"])
def test_a_profile_brings_its_resources_to_attacks_that_have_none(name, victim, kinds):
    assert set(spec_of(name, constraints="adjusted").resources) == {"encoder", "grammar"}
    assert kinds == [("encoder", "all-MiniLM-L6-v2"), ("grammar", "lingotweaker")]


def test_a_workshop_loads_what_two_runs_share_once(victim, kinds):
    workshop = Workshop()
    for seed in (0, 1):
        spec_of(seed=seed, workshop=workshop)
    assert sorted(kinds) == [("encoder", "all-MiniLM-L6-v2"), ("language_model", "minilm-mlm")]


def test_profiles_are_found_by_name():
    assert profile_named(None) is None
    found: ConstraintProfile = profile_named("adjusted")
    assert (found.name, found.version) == ("adjusted", 1)
    with pytest.raises(BadInput, match="unknown constraint profile 'adjustd'; did you mean adjusted"):
        profile_named("adjustd")


def test_every_registered_profile_is_one():
    for name in CONSTRAINTS:
        found = profile_named(name)
        assert found.name == name
        assert isinstance(found.version, int)
        assert set(found.resources) <= set(loading.KINDS)


# --- what is missing is told first ------------------------------------------------------------------------------------


def missing(name, device):
    raise MissingResource(f"{name} is not here; gauntlet setup installs it")


@pytest.mark.parametrize(
    ("attack", "kind", "constraints"),
    [
        ("bert-attack", "language_model", None),
        ("bae", "tagger", None),
        ("textfooler", "word_vectors", None),
        ("random-word", "encoder", None),
        ("identity", "grammar", "adjusted"),
    ],
)
def test_a_missing_resource_is_told_before_any_sentence_is_attacked(
    attack, kind, constraints, victim, kinds, judges, monkeypatch, tmp_path, gauntlet
):
    monkeypatch.setitem(loading.KINDS, kind, missing)
    with pytest.raises(MissingResource, match="gauntlet setup"):
        runner.run(Plan(attack, constraints=constraints, selection=FEW), tmp_path / "results")
    more = ("--constraints", constraints) if constraints else ()
    code, out, err = gauntlet("run", "--attack", attack, "--limit", "2", *more)
    assert (code, out) == (3, "")
    assert err.splitlines()[-1].startswith("error: ")
    assert victim.asked == []
    assert list((tmp_path / "results" / "runs").iterdir()) == []


def test_inflections_that_are_not_installed_are_told_first(victim, kinds, monkeypatch):
    def absent(name, device):
        raise MissingResource("inflections need lemminflect: pip install 'ner-gauntlet[words]'")

    monkeypatch.setitem(loading.KINDS, "inflector", absent)
    with pytest.raises(MissingResource, match="lemminflect"):
        spec_of("morpheus")
    assert victim.asked == []


def test_resources_are_loaded_by_kind_and_an_unnamed_one_is_a_fault_of_the_attack(kinds):
    found = loading.Resources.load({"tagger": "a", "encoder": "b"}, loading.Circumstances(None))
    assert found.identities == {"encoder": "stub encoder", "tagger": "stub tagger"}
    assert list(found.identities) == ["encoder", "tagger"]
    with pytest.raises(LookupError, match="language_model that its `resources` do not name"):
        _ = found.language_model


def test_constraints_take_no_grammar_checker_that_needs_a_server():
    with pytest.raises(BadInput, match="lingotweaker only"):
        loading.KINDS["grammar"]("languagetool", None)


# --- command line -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_an_unknown_profile_is_one_line_and_2(gauntlet, dry, victim):
    code, out, err = gauntlet("run", "--attack", "bert-attack", "--constraints", "nonsense", *dry)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("error: unknown constraint profile 'nonsense'")
    assert "adjusted" in line
    assert victim.asked == []


def test_a_dry_run_with_constraints_says_so_and_loads_nothing(gauntlet, kinds, victim):
    code, out, _ = gauntlet("run", "--attack", "bert-attack", "--constraints", "adjusted", "--dry-run", "--json")
    assert code == 0
    (row,) = json.loads(out)
    assert row["attack"] == "bert-attack"
    assert row["constraints"] == "adjusted"
    assert kinds == victim.asked == []


@pytest.mark.parametrize(
    ("parameter", "told"), [("k=0", "at least 1"), ("like=bae", "no parameter"), ("order=up", "order")]
)
def test_a_dry_run_checks_the_parameters_of_word_attacks(gauntlet, parameter, told):
    code, _, err = gauntlet("run", "--attack", "bert-attack", "--param", parameter, "--dry-run")
    assert code == 2
    assert told in err


@pytest.mark.parametrize("like", ["identity", "nonsense"])
def test_random_word_beside_what_is_no_word_attack_is_one_line_and_2(gauntlet, like):
    code, _, err = gauntlet("run", "--attack", "random-word", "--param", f"like={like}", "--dry-run")
    assert code == 2
    (line,) = err.splitlines()
    assert like in line


def test_a_run_with_constraints_ends_in_a_result_and_a_row_that_tell_of_them(gauntlet, victim, kinds, judges):
    run = ("run", "--attack", "bert-attack", "--limit", "2", "--queries", "20")
    code, free, err = gauntlet(*run)
    assert code == 0, err
    code, strict, _ = gauntlet(*run, "--constraints", "adjusted")
    assert code == 0
    assert "+ adjusted 1" not in free
    assert "adjusted" in " ".join(strict.split())
    code, out, _ = gauntlet(*run, "--constraints", "adjusted", "--json")
    (row,) = json.loads(out)
    found = {folder.run_id: folder for folder in stored_runs(Path("results"))}
    assert len(found) == 2
    result = found[row["run_id"]].read_result()
    assert result["spec"]["constraints"] == "adjusted 1"
    assert set(result["spec"]["resources"]) == {"encoder", "grammar", "language_model"}
    # By the stub encoder no changed word is similar enough.
    assert result["rejected"]["not similar enough"] > 0
    assert "not similar enough" not in next(f for n, f in found.items() if n != row["run_id"]).read_result()["rejected"]
    code, _, err = gauntlet(*run, "--constraints", "adjusted")
    assert "0 sentences attacked" in err


def test_a_row_of_json_tells_the_constraints(gauntlet, victim, kinds, judges):
    _, out, _ = gauntlet(
        "run", "--attack", "bert-attack", "--limit", "2", "--queries", "5", "--constraints", "adjusted", "--json"
    )
    assert json.loads(out)[0]["constraints"] == "adjusted 1"


# --- schema 1 ---------------------------------------------------------------------------------------------------------

# As version 0.1 before resources wrote it.
OLD_SPEC = {
    "attack": "deepwordbug-i",
    "attack_version": 1,
    "parameters": {"max_edit_distance": 30, "order": "importance"},
    "victim": "minilm/newsroom",
    "victim_fingerprint": "ab" * 32,
    "victim_settings": {"backend": "torch-cpu", "pooling": "first-piece"},
    "dataset": "newsroom",
    "dataset_hash": "de" * 32,
    "split": "test",
    "train_hash": None,
    "selection": {
        "rule": "at-least-one-mention, few-missed",
        "limit": 2,
        "max_missed": 0.1,
        "seed": 0,
        "passed_over": {"no mention": 3},
    },
    "sentence_ids": ["test/1", "test/2"],
    "touch": "any",
    "access": "scores",
    "goal": "untargeted-strict",
    "mode": "first-success",
    "queries": 512,
    "seed": 0,
    "protocol": 1,
    "schema": 1,
}
OLD_EXAMPLES = [
    Example(
        Outcome(
            "test/1",
            None,
            2,
            Status.SUCCESS,
            ("B-PER", "O"),
            ("B-PER", "O"),
            edits=(Edit(Operation.REPLACE, 1, ("lfet",)),),
            adversarial_gold=("B-PER", "O"),
            adversarial_prediction=("O", "O"),
            score=1.0,
            search_queries=3,
            queries_to_success=3,
            forwards=4,
            trajectory=((1, 0.2), (3, 1.0)),
            rejected={"too many characters changed": 1},
        ),
        0.9,
        {"typos": 1, "grammar": 0, "casing": 0, "other": 0},
    ),
    Example(Outcome("test/2", None, 1, Status.FAILED, ("B-PER",), ("B-PER",), search_queries=5, forwards=6)),
]


def checksum(record):
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()


@pytest.fixture
def old_run(tmp_path):
    """A finished run of schema 1: specification, examples, result."""
    folder = RunFolder(open_results(tmp_path / "results"), spec_id(OLD_SPEC))
    folder.path.mkdir()
    folder.spec_file.write_text(json.dumps(OLD_SPEC), encoding="utf-8")
    folder.write_examples(OLD_EXAMPLES, {"similarity": "encoder", "grammar_errors": "checker"})
    table = pq.read_table(folder.examples_file)
    kept = [name for name in table.schema.names if name not in {"fluency", "label_risk"}]
    table = table.select(kept).replace_schema_metadata({**table.schema.metadata, b"schema": b"1"})
    pq.write_table(table, folder.examples_file)
    from benchmark.metrics import METRICS

    new = {"valid_attack_rate", "fluency"}
    record = {
        "schema": 1,
        "run_id": folder.run_id,
        "spec": OLD_SPEC,
        "examples_sha256": folder.examples_hash(),
        "judges": {"similarity": "encoder", "grammar_errors": "checker"},
        "metrics": {
            metric.name: metric.value(OLD_EXAMPLES, 512).to_json()
            for metric in METRICS
            if metric.name not in new and not metric.name.startswith("label_risk")
        },
        "per_type": {},
        "rejected": {"too many characters changed": 1},
    }
    folder.result_file.write_text(json.dumps({**record, "sha256": checksum(record)}), encoding="utf-8")
    return folder


def test_an_old_record_gets_no_constraints_and_no_resources():
    assert SCHEMA == 2
    assert migrate(dict(OLD_SPEC)) == {**OLD_SPEC, "constraints": None, "resources": {}, "schema": 2}
    result = {"schema": 1, "spec": OLD_SPEC, "metrics": {}}
    migrated = migrate(result)
    assert migrated == {
        "schema": 2,
        "spec": {**OLD_SPEC, "constraints": None, "resources": {}, "schema": 2},
        "metrics": {},
    }
    # What was given stays as it was: its checksum is still to be compared.
    assert result == {"schema": 1, "spec": OLD_SPEC, "metrics": {}}
    assert "constraints" not in OLD_SPEC


def test_a_record_of_today_is_not_touched():
    record = {**OLD_SPEC, "schema": 2, "constraints": "adjusted 1", "resources": {"encoder": "e"}}
    assert migrate(record) == record


def test_an_old_record_that_is_no_specification_only_gets_the_schema():
    assert migrate({"schema": 1, "examples": 3}) == {"schema": 2, "examples": 3}


def test_an_old_run_is_read_under_its_old_name(old_run):
    spec = old_run.read_spec()
    assert spec == RunSpec.from_json({**OLD_SPEC, "constraints": None, "resources": {}, "schema": 2})
    assert (spec.constraints, spec.resources, spec.attack) == (None, {}, "deepwordbug-i")
    assert old_run.run_id == spec_id(OLD_SPEC) != spec.run_id
    assert [folder.run_id for folder in stored_runs(old_run.path.parent.parent)] == [old_run.run_id]
    examples, judges = old_run.read_examples()
    assert examples == OLD_EXAMPLES
    assert judges == {"similarity": "encoder", "grammar_errors": "checker"}


def test_an_old_result_is_read_and_its_specification_brought_up_to_date(old_run):
    result = old_run.read_result()
    assert result["schema"] == result["spec"]["schema"] == 2
    assert result["spec"]["constraints"] is None
    assert result["spec"]["resources"] == {}
    assert result["run_id"] == old_run.run_id
    assert result["metrics"]["attack_rate"]["value"] == 0.5


@pytest.mark.parametrize(("field", "value"), [("seed", 1), ("schema", 2)])
def test_an_old_specification_that_was_altered_is_found_out(old_run, field, value):
    old_run.spec_file.write_text(json.dumps({**OLD_SPEC, field: value}), encoding="utf-8")
    with pytest.raises(CorruptResult):
        old_run.read_spec()


def test_an_old_result_that_was_altered_is_found_out(old_run):
    record = json.loads(old_run.result_file.read_text(encoding="utf-8"))
    record["spec"]["seed"] = 1
    old_run.result_file.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(CorruptResult, match="altered"):
        old_run.read_result()


def test_an_old_result_that_is_gone_is_computed_again(old_run):
    old_run.result_file.unlink()
    result = runner.score(old_run)
    assert result["run_id"] == old_run.run_id
    assert result["metrics"]["attack_rate"]["value"] == 0.5
    assert result["spec"]["resources"] == {}
    old_run.write_result(result)
    assert old_run.read_result() == result


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_old_runs_stand_in_the_tables(gauntlet, old_run, form):
    code, out, err = gauntlet("results", *form)
    assert code == 0, err
    assert "deepwordbug-i" in out
    code, out, err = gauntlet("status", *form)
    assert code == 0, err
    assert old_run.run_id in out
    assert "finished" in out


# --- attacks of others ------------------------------------------------------------------------------------------------


@decorate("shy", access=Access.LABELS, touch=Touch.CONTEXT)
class Shy(Attack):
    """Asks for a resource that it does not name."""

    async def run(self, sentence, probe):
        await probe.resources.language_model.fill(sentence.tokens, [0], 1)


def test_a_resource_that_is_not_named_is_an_error_row(monkeypatch):
    from benchmark.api import attack

    monkeypatch.setitem(ATTACKS._targets, "shy", Shy)
    (outcome,) = attack(StubVictim(lambda tokens: ["B-PER"]), [sentence("Ana", "B-PER")], "shy")
    assert outcome.status is Status.ERROR
    assert "LookupError" in outcome.reason


def test_attack_named_makes_word_attacks_with_parameters():
    assert attack_named("bert-attack", {"k": 3, "similarity": 0}).parameters["k"] == 3
    with pytest.raises(BadInput, match="k must be int"):
        attack_named("bert-attack", {"k": 3.5})


def test_a_profile_keeps_its_thresholds_to_its_own_encoder():
    with pytest.raises(BadInput, match="constraints adjusted are made for the encoder all-MiniLM-L6-v2, not another"):
        resources_wanted(attack_named("bert-attack", {"encoder": "another"}), profile_named("adjusted"))
    wanted = resources_wanted(attack_named("deepwordbug-i", {}), profile_named("adjusted"))
    assert wanted == {"encoder": "all-MiniLM-L6-v2", "grammar": "lingotweaker"}


def test_a_control_whose_constraints_turn_everything_away_ends(monkeypatch):
    monkeypatch.setattr("attacks.random_word.TRIES", 5)
    text = sentence("Ana saw twelve big ships on Friday .", "B-PER O O O O O O O")
    (outcome,) = attack(
        StubVictim(lexicon({"Ana": "B-PER"})),
        [text],
        "random-word",
        parameters={"words": 4},
        constraints="adjusted",
        resources=stub_resources(),
    )
    assert outcome.status is Status.FAILED
    assert outcome.queries == 0
