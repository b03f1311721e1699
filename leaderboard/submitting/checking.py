"""`gauntlet check`: does an installed component keep its contract? This executes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmark.datasets import find_dataset
from benchmark.device import choose_device
from benchmark.errors import BadInput
from benchmark.finding import ATTACK_FAMILIES, ATTACKS, attack_named
from benchmark.registry import did_you_mean
from benchmark.resources.loading import Circumstances, Resources
from benchmark.types import Sentence
from benchmark.victims import VictimOptions, find_victim
from benchmark.victims.finding import VICTIMS, split_name
from leaderboard.submitting.attack_contract import ATTACK_CHECKS, AttackTrial
from leaderboard.submitting.checks import Checked, run_checks
from leaderboard.submitting.trial_sentences import trial_sentences
from leaderboard.submitting.victim_contract import VICTIM_CHECKS, VictimTrial

__all__ = ["check"]

_FROM_CORPUS = 8


def check(name: str, victim: str = "minilm/newsroom", options: VictimOptions | None = None) -> Iterator[Checked]:
    """Put an installed attack or victim to its contract's checks, one after the other.

    Args:
        name: of an attack (`shout`, `family:member`) or a victim (`mine:v1`).
        victim: what an attack is tried on.
        options: how victims are loaded.

    Raises:
        BadInput: nothing is called so, or the attack needs another victim.
        MissingResource: it cannot be imported, or something it leans on is not there.
    """
    options = options or VictimOptions()
    if name in ATTACKS or name.partition(":")[0] in ATTACK_FAMILIES:
        return run_checks(ATTACK_CHECKS, _attack_trial(name, victim, options))
    if ":" in name or "/" in name:
        split_name(name)
        return run_checks(VICTIM_CHECKS, VictimTrial(name, lambda: find_victim(name, options)))
    if name in VICTIMS:
        raise BadInput(f"{name} is a family of victims; name one of them, such as {name}:v1")
    near = did_you_mean(name, [*ATTACKS, *VICTIMS])
    raise BadInput(f"no attack or victim is called {name!r}; {near} (a new one: pip install --editable its folder)")


def _attack_trial(name: str, victim: str, options: VictimOptions) -> AttackTrial:
    attack = attack_named(name, {})
    tried_on = find_victim(victim, options)
    attack.require(tried_on)
    corpus = find_dataset("newsroom")
    # Ids are unique, so that faults tell which sentence they are about.
    some = [replace(s, id=f"newsroom {s.id}") for s in corpus.split("test")[:_FROM_CORPUS]]
    sentences: list[Sentence] = [*trial_sentences(), *some]
    circumstances = Circumstances(choose_device(options.device), corpus.split("train"), tried_on)
    resources = Resources.load(attack.resources, circumstances)
    fitting = [sentence for sentence in sentences if tried_on.fits(sentence.tokens)]
    return AttackTrial(attack, name, tried_on, fitting, resources)
