"""A run's name is decided by all that decides its outcome, and by nothing else."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.spec import PROTOCOL, SCHEMA, RunSpec, canonical_json

SPEC = RunSpec(
    attack="deepwordbug-i",
    attack_version=1,
    parameters={"max_edit_distance": 30, "order": "importance", "nested": {"b": [1, 2], "a": None}},
    constraints=None,
    resources={"encoder": "all-MiniLM-L6-v2 0.1", "grammar": "LingoTweaker 0.2"},
    victim="minilm/newsroom",
    victim_fingerprint="abc",
    victim_settings={"backend": "torch-cpu", "pooling": "first"},
    dataset="newsroom",
    dataset_hash="def",
    split="test",
    train_hash="fed",
    selection={"limit": 256, "seed": 0, "passed_over": {"no entity": 3}},
    sentence_ids=("test/1", "test/2 – Zoë"),
    touch="any",
    access="scores",
    goal="untargeted-strict",
    mode="first-success",
    queries=512,
    seed=0,
)
OTHER = {
    "attack": "identity",
    "attack_version": 2,
    "parameters": {**SPEC.parameters, "max_edit_distance": 31},
    "constraints": "adjusted 1",
    "resources": {**SPEC.resources, "encoder": "all-MiniLM-L6-v2 0.2"},
    "victim": "minilm/wnut17",
    "victim_fingerprint": "abd",
    "victim_settings": {"backend": "torch-cuda", "pooling": "first"},
    "dataset": "wnut17",
    "dataset_hash": "dee",
    "split": "train",
    "selection": {**SPEC.selection, "passed_over": {"no entity": 4}},
    "sentence_ids": ("test/1",),
    "touch": "context",
    "access": "labels",
    "goal": "untargeted",
    "mode": "escalate",
    "queries": 511,
    "seed": 1,
    "train_hash": None,
    "protocol": PROTOCOL + 1,
    "schema": SCHEMA + 1,
}
FIELDS = [field.name for field in dataclasses.fields(RunSpec)]


def backwards(value):
    """The same value with every mapping in the opposite order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


def test_equal_specifications_have_the_same_name():
    assert dataclasses.replace(SPEC).run_id == SPEC.run_id
    assert RunSpec(**{name: getattr(SPEC, name) for name in reversed(FIELDS)}).run_id == SPEC.run_id


def test_the_name_is_sixteen_hexadecimal_digits():
    assert len(SPEC.run_id) == 16
    assert set(SPEC.run_id) <= set("0123456789abcdef")


def test_every_field_has_another_value_below():
    assert sorted(OTHER) == sorted(FIELDS)
    assert all(OTHER[name] != getattr(SPEC, name) for name in FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_difference_in_any_single_field_changes_the_name(name):
    assert dataclasses.replace(SPEC, **{name: OTHER[name]}).run_id != SPEC.run_id


def test_all_single_differences_have_different_names():
    names = {dataclasses.replace(SPEC, **{name: OTHER[name]}).run_id for name in FIELDS}
    assert len(names) == len(FIELDS)


def test_the_order_of_the_sentences_changes_the_name():
    turned = dataclasses.replace(SPEC, sentence_ids=SPEC.sentence_ids[::-1])
    assert turned.run_id != SPEC.run_id


def test_the_order_of_mappings_does_not_change_the_name():
    turned = {
        name: backwards(value) for name in FIELDS if isinstance(value := getattr(SPEC, name), dict) and len(value) > 1
    }
    assert [list(turned[name]) for name in turned] != [list(getattr(SPEC, name)) for name in turned]
    assert dataclasses.replace(SPEC, **turned).run_id == SPEC.run_id


def test_a_specification_comes_back_from_json_as_it_was():
    back = RunSpec.from_json(json.loads(json.dumps(SPEC.to_json())))
    assert back == SPEC
    assert back.run_id == SPEC.run_id


def test_a_specification_with_tuples_in_its_parameters_keeps_its_name_through_json():
    spec = dataclasses.replace(SPEC, parameters={"kinds": ("swap", "drop"), "rate": 0.1})
    assert RunSpec.from_json(json.loads(canonical_json(spec.to_json()))).run_id == spec.run_id


def test_the_name_is_the_same_in_another_process_with_another_hash_seed():
    program = (
        "import json, sys; from benchmark.spec import RunSpec; print(RunSpec.from_json(json.load(sys.stdin)).run_id)"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(SPEC.to_json()),
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        )
        assert done.stdout.strip() == SPEC.run_id


def test_a_specification_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SPEC.seed = 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_canonical_json_is_the_same_for_equal_values_and_reads_back(value):
    text = canonical_json(value)
    assert canonical_json(backwards(value)) == text
    assert json.loads(text) == value
    assert "\n" not in text


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=4))
def test_any_parameters_keep_the_name_through_json(parameters):
    spec = dataclasses.replace(SPEC, parameters=parameters)
    again = RunSpec.from_json(json.loads(canonical_json(spec.to_json())))
    assert again == spec
    assert again.run_id == spec.run_id


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_canonical_json_knows_no_nan_and_no_infinity(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": [number]})


def test_canonical_json_keeps_letters_and_spares_spaces():
    assert canonical_json({"b": ["Zoë", 1], "a": None}) == '{"a":null,"b":["Zoë",1]}'
