"""Without the guests' packages one plain line says what to do."""

from __future__ import annotations

import sys

import pytest

from attacks.guests import openattack_attackers, textattack_recipes
from benchmark.errors import BadInput, MissingResource
from benchmark.finding import ATTACK_FAMILIES, attack_named


@pytest.fixture
def without_guests(monkeypatch):
    monkeypatch.setitem(sys.modules, "textattack", None)
    monkeypatch.setitem(sys.modules, "OpenAttack", None)
    for family in (textattack_recipes, openattack_attackers):
        family._built.cache_clear()


@pytest.mark.usefixtures("without_guests")
@pytest.mark.parametrize("name", ["textattack:pwws", "openattack:viper"])
def test_the_command_line_says_what_to_install(gauntlet, name):
    code, _, told = gauntlet("run", "--attack", name)
    assert code == 3
    assert "pip install -c constraints-guests.txt 'ner-gauntlet[guests]' in an environment of its own" in " ".join(
        told.split()
    )
    assert "Traceback" not in told


@pytest.mark.usefixtures("without_guests")
def test_parts_cannot_be_put_together_either():
    with pytest.raises(MissingResource, match="mine needs textattack"):
        textattack_recipes.textattack_attack("mine", None, [], None)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("textattack:pwvs", "did you mean pwws"),
        ("openattack:vipers", "did you mean viper"),
        ("textatack:pwws", "did you mean textattack"),
        ("no such:attack", "unknown attack family"),
    ],
)
def test_unknown_names_get_a_hint(name, hint):
    with pytest.raises(BadInput, match=hint):
        attack_named(name, {})


def test_families_are_found_by_entry_point():
    assert set(ATTACK_FAMILIES) >= {"openattack", "textattack"}
