"""Suites: grids in TOML, checked before anything runs."""

from __future__ import annotations

import pytest

from benchmark.attacking import Mode
from benchmark.defending import defense_named
from benchmark.errors import BadInput
from benchmark.finding import ATTACKS
from benchmark.goals import goal_named
from benchmark.suites import Suite, load_suite, suite_names
from benchmark.victims import VictimOptions
from benchmark.victims.finding import parse_name


@pytest.fixture
def suite(tmp_path):
    """Write a suite file and load it."""

    def load(text: str | bytes, overrides=None, options=None):
        path = tmp_path / "mine.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return load_suite(str(path), overrides, options)

    return load


@pytest.mark.parametrize("name", suite_names())
def test_packaged_suite_names_only_what_there_is(name):
    loaded = load_suite(name)
    assert loaded.name == name
    assert loaded.description
    assert loaded.plans
    for plan in loaded.plans:
        assert ATTACKS.get(plan.attack).configured(plan.parameters)
        assert goal_named(plan.goal)
    for victim in {plan.victim for plan in loaded.plans}:
        defense = parse_name(victim).defense
        assert not defense or defense_named(defense)


def test_quick_has_the_controls():
    assert {"identity", "random-edit"} <= {plan.attack for plan in load_suite("quick").plans}


def test_grid_is_every_attack_on_every_victim_data_set_and_seed(suite):
    loaded = suite(
        'attacks = ["identity", {name = "deepwordbug-i", parameters = {max_edit_distance = 5}}]\n'
        'victims = ["a/1", "a/2"]\ndatasets = ["d"]\nseeds = [1, 2, 3]\n'
        'goals = ["entity-miss"]\nmode = "escalate"\nqueries = 7\nlimit = 9\nmax_missed = 0.5\nselection_seed = 4\n'
        'split = "dev"\npooling = "characters"\nscheme = "IOB1"\nlabel_map = "PERSON=PER"\n'
    )
    assert loaded.name == "mine"
    assert len(loaded.plans) == 2 * 2 * 3
    assert len({(p.attack, p.victim, p.dataset, p.seed) for p in loaded.plans}) == 12
    plan = next(p for p in loaded.plans if p.attack == "deepwordbug-i")
    assert plan.parameters == {"max_edit_distance": 5}
    assert (plan.goal, plan.mode, plan.queries, plan.split, plan.options.scheme) == (
        "entity-miss",
        Mode.ESCALATE,
        7,
        "dev",
        "IOB1",
    )
    assert (plan.selection.limit, plan.selection.max_missed, plan.selection.seed) == (9, 0.5, 4)
    assert plan.options.pooling == "characters"
    assert plan.options.label_map("B-PERSON") == "B-PER"


def test_overrides_replace_fields_and_options_are_kept(suite, tmp_path):
    loaded = suite(
        'attacks = ["identity"]\nlimit = 9\n', {"limit": 3, "seeds": [5]}, VictimOptions("cpu", data_dir=tmp_path)
    )
    (plan,) = loaded.plans
    assert (plan.selection.limit, plan.seed, plan.options.device, plan.options.data_dir) == (3, 5, "cpu", tmp_path)


OWN_SIZE = (
    'attacks = ["identity", {name = "clare", limit = 4, seeds = [7]}]\n'
    'victims = ["a/1", "a/2"]\nlimit = 9\nseeds = [1, 2]\n'
)


def sizes(loaded: Suite) -> list[tuple[str, int, int]]:
    return [(plan.attack, plan.selection.limit, plan.seed) for plan in loaded.plans if plan.victim == "a/1"]


def test_a_costly_attack_has_its_own_size(suite):
    assert sizes(suite(OWN_SIZE)) == [("identity", 9, 1), ("identity", 9, 2), ("clare", 4, 7)]


def test_overrides_go_before_an_attacks_own_size(suite):
    assert sizes(suite(OWN_SIZE, {"limit": 3})) == [("identity", 3, 1), ("identity", 3, 2), ("clare", 3, 7)]
    assert sizes(suite(OWN_SIZE, {"seeds": [5]})) == [("identity", 9, 5), ("clare", 4, 5)]


def test_all_attacks_are_all_that_run_on_word_pieces():
    named = {plan.attack for plan in load_suite("all-attacks").plans}
    assert named == set(ATTACKS) - {"hotflip-char"}


def test_unknown_suite_is_told_with_the_known_ones():
    with pytest.raises(BadInput, match="unknown suite 'quik'; did you mean quick"):
        load_suite("quik")
    with pytest.raises(BadInput, match=r"unknown suite 'zzz'; known: .*quick"):
        load_suite("zzz")


def test_missing_suite_file(tmp_path):
    with pytest.raises(BadInput, match=r"no such suite file: .*gone\.toml"):
        load_suite(str(tmp_path / "gone.toml"))


def test_unknown_field_lists_the_known_ones(suite):
    with pytest.raises(BadInput, match=r"unknown fields budget; known: .*queries"):
        suite('attacks = ["identity"]\nbudget = 3\n')


@pytest.mark.parametrize("text", ["", 'description = "x"\n'])
def test_suite_without_attacks(suite, text):
    with pytest.raises(BadInput, match="names no attacks"):
        suite(text)


@pytest.mark.parametrize(
    "text",
    [
        "attacks = [",
        'attacks = ["identity"]\nlimit = 0\n',
        'attacks = ["identity"]\nmode = "first"\n',
        'attacks = ["identity"]\nlabel_map = "PERSON"\n',
        # Values of the wrong type.
        'attacks = "identity"\n',
        'attacks = ["identity"]\nvictims = "minilm/newsroom"\n',
        'attacks = ["identity"]\nseeds = 3\n',
        'attacks = ["identity"]\nlimit = "many"\n',
        'attacks = ["identity"]\nlimit = 2.5\n',
        'attacks = ["identity"]\nqueries = "many"\n',
        'attacks = ["identity"]\nqueries = 2.5\n',
        'attacks = ["identity"]\nmode = 3\n',
        'attacks = ["identity"]\nmax_missed = "few"\n',
        'attacks = ["identity"]\nlabel_map = {PERSON = "PER"}\n',
        'attacks = [{parameters = {order = "random"}}]\n',
        'attacks = [{name = "identity", params = {order = "random"}}]\n',
        'attacks = [{name = "identity", version = "1"}]\n',
        "attacks = [3]\n",
        'attacks = [{name = "identity", limit = "many"}]\n',
        'attacks = [{name = "identity", seeds = 3}]\n',
        "# Zo\xeb\nattacks = ['identity']\n".encode("latin-1"),
    ],
)
def test_wrong_value_is_refused_as_bad_input(suite, text):
    with pytest.raises(BadInput):
        suite(text)
