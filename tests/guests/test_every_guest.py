"""Every recipe and every attacker runs, or names in one line what it lacks, before anything is attacked."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import OpenAttack
import pytest
from conftest import DoubtfulVictim, attacked

from attacks.guests import openattack_attackers, textattack_recipes
from attacks.guests.textattack_import import import_textattack
from benchmark.alignment import apply_edits
from benchmark.errors import BadInput, MissingResource
from benchmark.finding import attack_named

TEXTATTACK = [f"textattack:{name}" for name in textattack_recipes.CATALOGUE]
OPENATTACK = [f"openattack:{name}" for name in openattack_attackers.CATALOGUE]
# These need no download.
RUN = {
    "openattack:deepwordbug",
    "openattack:uat",
    "openattack:viper",
    "textattack:deepwordbug",
    "textattack:input-reduction",
    "textattack:pruthi",
}
# These never will.
READ_GRADIENTS = {"openattack:fd", "textattack:a2t", "textattack:hotflip"}


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", [*TEXTATTACK, *OPENATTACK])
def test_it_runs_or_names_what_it_lacks(name, sentences):
    try:
        attack = attack_named(name, {})
    except BadInput as refusal:
        assert name in READ_GRADIENTS
        assert "gradients" in str(refusal)  # noqa: PT017
        return
    except MissingResource as missing:
        assert name not in RUN
        assert str(missing).startswith(f"{name} needs ")  # noqa: PT017
        assert "\n" not in str(missing)  # noqa: PT017
        assert any(way in str(missing) for way in ("fetch it", "install it", "put ", "have "))  # noqa: PT017
        return
    assert name not in READ_GRADIENTS
    assert attack.card.name == name
    victim = DoubtfulVictim(sentences)
    for outcome, original in zip(attacked(attack, victim, sentences, queries=120), sentences, strict=True):
        assert outcome.status in {"success", "failed"}, outcome.reason
        assert 0 < outcome.queries <= 120
        if outcome.status == "success":
            words = apply_edits(original.tokens, outcome.edits)
            assert victim.predict([words])[0].tags == outcome.adversarial_prediction
            assert outcome.adversarial_prediction != outcome.adversarial_gold


def test_the_catalogues_are_complete():
    import_textattack("test")
    from textattack import attack_recipes
    from textattack.attack_args import ATTACK_RECIPE_NAMES

    recipes = {
        name
        for name, value in vars(attack_recipes).items()
        if inspect.isclass(value) and issubclass(value, attack_recipes.AttackRecipe)
    }
    assert {recipe.builder for recipe in textattack_recipes.CATALOGUE.values()} == recipes - {"AttackRecipe"}
    assert {name: path.rpartition(".")[2] for name, path in ATTACK_RECIPE_NAMES.items()}.items() <= {
        name: recipe.builder for name, recipe in textattack_recipes.CATALOGUE.items()
    }.items()
    attackers = {
        name
        for name, value in vars(OpenAttack.attackers).items()
        if inspect.isclass(value) and issubclass(value, OpenAttack.Attacker)
    }
    assert {attacker.name for attacker in openattack_attackers.CATALOGUE.values()} == attackers - {
        "Attacker",
        "ClassificationAttacker",
    }


@pytest.mark.parametrize("name", sorted(RUN))
@pytest.mark.parametrize("mode", ["first-success", "escalate"])
def test_outcomes_do_not_depend_on_concurrency_or_order(name, mode, sentences):
    one, many, backwards = (
        attacked(name, DoubtfulVictim(sentences), sentences, mode=mode, **how)
        for how in ({"concurrency": 1}, {"concurrency": 64}, {"concurrency": 3, "reverse": True})
    )
    assert one == many == backwards
    assert any(outcome.queries for outcome in one)


@pytest.mark.parametrize("name", sorted(RUN - {"openattack:uat"}))
def test_it_breaks_a_victim_that_goes_by_spelling(name, sentences):
    outcomes = attacked(name, DoubtfulVictim(sentences), sentences)
    assert any(outcome.status == "success" for outcome in outcomes)


@pytest.mark.parametrize("name", sorted(RUN))
def test_context_only_leaves_mentions_alone(name, sentences):
    outcomes = attacked(name, DoubtfulVictim(sentences), sentences, parameters={"context_only": True})
    for outcome, original in zip(outcomes, sentences, strict=True):
        assert outcome.status in {"success", "failed"}
        edited = {edit.at for edit in outcome.edits if edit.operation != "insert"}
        assert not any(original.inside(i) for i in edited)
    assert attack_named(name, {"context_only": True}).card.touch == "context"
    assert attack_named(name, {}).card.touch == "any"


def test_parameters_are_checked_and_hold_what_decides_outcomes():
    with pytest.raises(BadInput, match="no parameter 'power'"):
        attack_named("openattack:deepwordbug", {"power": 3})
    with pytest.raises(BadInput, match="context_only must be bool"):
        attack_named("textattack:pruthi", {"context_only": 1})
    assert set(attack_named("textattack:pruthi", {}).parameters) == {"context_only", "textattack", "stop_words"}
    assert set(attack_named("openattack:viper", {}).parameters) == {"context_only", "openattack"}


_PROCESS = """
import sys
from conftest import SENTENCES, DoubtfulVictim, attacked
for name in sys.argv[1:]:
    print(repr(attacked(name, DoubtfulVictim(SENTENCES), SENTENCES)))
"""


def test_outcomes_do_not_depend_on_the_process():
    """Libraries that walk through sets of words would give themselves away here."""
    here = Path(__file__).parent
    told = []
    for seed in ("1", "2"):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)]),
        }
        run = subprocess.run(
            [sys.executable, "-c", _PROCESS, *sorted(RUN)], env=environment, capture_output=True, text=True, check=True
        )
        told.append(run.stdout)
    assert told[0].count("Outcome(") >= len(RUN)
    assert told[0] == told[1]
