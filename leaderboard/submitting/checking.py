"""`gauntlet check`: does an installed component keep its contract? This executes it.

An attack is tried on a small victim and a handful of sentences. A defense trains a small victim on a handful of
sentences, twice, or is put in front of one; what comes out is checked as a victim.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from benchmark.datasets import find_dataset
from benchmark.defending import DEFENSES
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
from leaderboard.submitting.defense_contract import DEFENSE_CHECKS, DefenseTrial, defense_trial
from leaderboard.submitting.trial_sentences import trial_sentences
from leaderboard.submitting.victim_contract import VICTIM_CHECKS, VictimTrial

__all__ = ["check"]

_FROM_CORPUS = 8


def check(name: str, victim: str = "minilm/newsroom", options: VictimOptions | None = None) -> Iterator[Checked]:
    """Put an installed attack, defense or victim to its contract's checks, one after the other.

    Args:
        name: of an attack (`shout`, `family:member`), a defense (`mine`, `mine(share=0.5)`; `+mine` where an attack has
            the same name) or a victim (`mine:v1`).
        victim: what an attack is tried on.
        options: how victims are loaded.

    Raises:
        BadInput: nothing is called so, or the attack needs another victim.
        MissingResource: it cannot be imported, or something it leans on is not there.
    """
    options = options or VictimOptions()
    if name in ATTACKS or name.partition(":")[0] in ATTACK_FAMILIES:
        return run_checks(ATTACK_CHECKS, _attack_trial(name, victim, options))
    if name.removeprefix("+").partition("(")[0] in DEFENSES:
        return _checked_defense(defense_trial(name.removeprefix("+"), options))
    if ":" in name or "/" in name:
        split_name(name)
        return run_checks(VICTIM_CHECKS, VictimTrial(name, lambda: find_victim(name, options)))
    if name in VICTIMS:
        raise BadInput(f"{name} is a family of victims; name one of them, such as {name}:v1")
    near = did_you_mean(name, [*ATTACKS, *DEFENSES, *VICTIMS])
    raise BadInput(
        f"no attack, defense or victim is called {name!r}; {near} (a new one: pip install --editable its folder)"
    )


def _checked_defense(trial: DefenseTrial) -> Iterator[Checked]:
    yield from run_checks(DEFENSE_CHECKS, trial)
    yield from run_checks(VICTIM_CHECKS, trial.as_victim)
    with contextlib.suppress(Exception):  # where nothing could be trained there is nothing to let go of
        trial.discard()


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
