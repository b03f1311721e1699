"""Registries: names to components, imported late."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

from attacks.identity import Identity
from benchmark.errors import BadInput, MissingResource
from benchmark.finding import ATTACKS
from benchmark.registry import Registry, did_you_mean


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A module on the path that nobody has imported."""
    (tmp_path / "gauntlet_test_plugin.py").write_text("\n\nclass Thing:\n    pass\n")
    (tmp_path / "gauntlet_test_broken.py").write_text("import no_such_module_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "gauntlet_test_plugin"
    sys.modules.pop("gauntlet_test_plugin", None)


def point(value, name="thing"):
    return EntryPoint(name, value, "gauntlet.tests")


@pytest.fixture
def things():
    return Registry("thing")


def test_an_object_is_found_by_its_name(things):
    thing = object()
    things.register("thing", thing)
    assert things.get("thing") is thing
    assert "thing" in things
    assert "other" not in things


def test_names_come_in_order(things):
    for name in ("b", "c", "a"):
        things.register(name, object())
    assert list(things) == ["a", "b", "c"]


@pytest.mark.parametrize("wrap", [str, point])
def test_a_target_is_imported_only_when_it_is_asked_for(things, plugin, wrap):
    things.register("thing", wrap(f"{plugin}:Thing"))
    assert list(things) == ["thing"]
    assert plugin not in sys.modules
    assert things.get("thing").__name__ == "Thing"
    assert things.get("thing") is things.get("thing")


@pytest.mark.parametrize("wrap", [str, point])
@pytest.mark.parametrize(
    "target", ["no_such_module_at_all:Thing", "gauntlet_test_plugin:Nothing", "gauntlet_test_broken:Thing"]
)
def test_a_target_that_cannot_be_imported_is_named_with_its_reason(things, plugin, wrap, target):
    things.register("thing", wrap(target))
    with pytest.raises(MissingResource, match=f"'thing'.*{target}.*cannot be imported"):
        things.get("thing")


def test_an_unknown_name_is_answered_with_near_ones(things):
    for name in ("deepwordbug-i", "deepwordbug-ii", "casing"):
        things.register(name, object())
    with pytest.raises(BadInput, match=r"unknown thing 'deepwordbugi'; did you mean .*deepwordbug-i"):
        things.get("deepwordbugi")
    with pytest.raises(BadInput) as error:
        things.get("casng")
    assert "did you mean casing?" in str(error.value)


def test_a_name_that_is_near_to_none_is_answered_with_all():
    assert did_you_mean("xyzzy", ["b", "a"]) == "known: a, b"


def test_two_components_of_one_name_are_refused_and_both_are_named(things):
    things.register("thing", "one.module:Thing")
    with pytest.raises(BadInput, match=r"one\.module:Thing and other\.module:Thing"):
        things.register("thing", "other.module:Thing")
    with pytest.raises(BadInput, match="two things"):
        things.register("thing", point("other.module:Thing"))


def test_the_same_component_may_be_registered_twice(things):
    things.register("thing", "one.module:Thing")
    things.register("thing", "one.module:Thing")
    assert list(things) == ["thing"]


def test_a_frozen_registry_takes_nothing_more(things):
    things.register("thing", object())
    things.freeze()
    with pytest.raises(BadInput, match="frozen"):
        things.register("late", object())
    assert list(things) == ["thing"]
    assert things.get("thing")


def test_origin_names_file_and_line(things, plugin, tmp_path):
    things.register("thing", f"{plugin}:Thing")
    assert things.origin("thing") == f"{tmp_path / 'gauntlet_test_plugin.py'}:3"


def test_origin_of_something_without_source_is_its_target(things):
    things.register("number", "math:pi")
    assert things.origin("number") == "math:pi"


def test_entry_points_fill_a_registry(monkeypatch):
    points = [point("m:B", "b"), point("m:A", "a")]
    monkeypatch.setattr("benchmark.registry.entry_points", lambda group: points if group == "mine" else [])
    assert list(Registry("thing", "mine")) == ["a", "b"]
    assert list(Registry("thing", "other")) == []


def test_two_packages_that_bring_the_same_name_are_told_apart_at_once(monkeypatch):
    points = [point("m:A", "a"), point("n:A", "a")]
    monkeypatch.setattr("benchmark.registry.entry_points", lambda group: points)
    with pytest.raises(BadInput, match=r"m:A.*n:A"):
        Registry("thing", "mine")


def test_our_own_attacks_come_through_entry_points_and_carry_their_names():
    assert ATTACKS.get("identity") is Identity
    for name in ATTACKS:
        if ATTACKS.get(name).__module__.startswith("attacks."):
            assert ATTACKS.get(name).card.name == name
