"""What every defense promises, as checks that say in plain words what is wrong.

Checking a defense executes its code.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from benchmark.defending import Defense, FrontEnd, defense_named, fitted
from benchmark.defending.finding import name_of
from benchmark.victims import VictimOptions, find_victim
from benchmark.victims.finding import parse_name
from leaderboard.submitting.checks import Check, card_faults, parameter_faults
from leaderboard.submitting.victim_contract import VictimTrial

if TYPE_CHECKING:
    from benchmark.contracts import Victim

__all__ = ["DEFENSE_CHECKS", "DefenseTrial", "defense_trial"]

# What a defense that trains is tried on: enough to see that it trains, and trains the same again.
SMALL = "minilm/newsroom(epochs=1,sentences=64)"
# What a defense that stands in front of a victim is tried on.
READY = "minilm/newsroom"


@dataclass
class DefenseTrial:
    """A defense with what it is tried on.

    Attributes:
        defense: with its parameters.
        name: under which it is registered.
        base: name of the victim without it.
        make: makes the defended victim anew.
        load: loads it as it was made last.
        undefended: loads a victim without it.
        discard: lets go of what was trained for the trial.
    """

    defense: Defense
    name: str
    base: str
    make: Callable[[], Victim]
    load: Callable[[], Victim]
    undefended: Callable[[], Victim]
    discard: Callable[[], None]

    @cached_property
    def victim(self) -> Victim:
        """The defended victim, made once."""
        return self.make()

    @property
    def as_victim(self) -> VictimTrial:
        """The defended victim, to be checked like any other."""
        return VictimTrial(f"{self.base}+{name_of(self.defense)}", self.load)


def defense_trial(text: str, options: VictimOptions) -> DefenseTrial:
    """Return a trial of a defense.

    Args:
        text: NAME or NAME(PARAMETERS).
        options: how victims are loaded.

    Raises:
        BadInput: no such defense, or parameters that do not fit.
    """
    defense = defense_named(text)
    base = READY if isinstance(defense, FrontEnd) else SMALL
    whole = f"{base}+{name_of(defense)}"

    def discard() -> None:
        if not isinstance(defense, FrontEnd):
            shutil.rmtree(fitted(parse_name(whole), options).folder)

    def make() -> Victim:
        discard()  # what an earlier check left must not pass for what is trained now
        return find_victim(whole, options)

    name = text.partition("(")[0].strip()
    return DefenseTrial(
        defense, name, base, make, lambda: find_victim(whole, options), lambda: find_victim(READY, options), discard
    )


def _is_another(trial: DefenseTrial) -> Iterator[str]:
    plain = trial.undefended()
    if trial.victim.fingerprint == plain.fingerprint:
        yield "the victim with it has the fingerprint of one without it; the defense must be part of what is hashed"
    if set(trial.victim.labels) != set(plain.labels):
        yield f"the victim with it has other labels than the data set: {', '.join(trial.victim.labels)}"


def _gives_what_it_says(trial: DefenseTrial) -> Iterator[str]:
    if isinstance(trial.defense, FrontEnd) and (given := trial.victim.access) > trial.defense.access:
        least, most = given.name.lower(), trial.defense.access.name.lower()
        yield f"its class says that victims behind it give {most} at most, but the victim gives {least}"


def _is_made_again(trial: DefenseTrial) -> Iterator[str]:
    first, again = trial.as_victim, trial.make()
    if again.fingerprint != trial.victim.fingerprint:
        yield (
            "made twice it is two victims (other weights, or another card); draw random numbers from the generators "
            "that training hands over, and keep nothing from one training to the next"
        )
    answers = [answer.tags for answer in again.predict(first.texts)]
    differing = sum(tags != answer.tags for tags, answer in zip(answers, first.answers, strict=True))
    if differing:
        yield f"made twice it answers {differing} of {len(answers)} texts otherwise"


DEFENSE_CHECKS: tuple[Check[DefenseTrial], ...] = (
    Check("has a card", lambda trial: card_faults(trial.defense, trial.name)),
    Check("has typed parameters", lambda trial: parameter_faults(trial.defense)),
    Check("makes a victim of its own", _is_another),
    Check("gives no more than it says", _gives_what_it_says),
    Check("makes the same victim again", _is_made_again),
)
