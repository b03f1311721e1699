"""From names on the command line to an attack and what it leans on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmark.contracts import Attack, ConstraintProfile
from benchmark.errors import BadInput
from benchmark.registry import Registry

__all__ = [
    "ATTACKS",
    "ATTACK_FAMILIES",
    "CONSTRAINTS",
    "attack_named",
    "profile_named",
    "resources_wanted",
]

ATTACKS: Registry[type[Attack]] = Registry("attack", "gauntlet.attacks")
# FAMILY:REST names an attack of a family; the family's component makes it from the rest and the parameters.
ATTACK_FAMILIES: Registry[Callable[[str, Mapping[str, Any]], Attack]] = Registry(
    "attack family", "gauntlet.attack_families"
)
CONSTRAINTS: Registry[type[ConstraintProfile]] = Registry("constraint profile", "gauntlet.constraints")


def attack_named(name: str, parameters: Mapping[str, Any]) -> Attack:
    """Return a configured attack.

    Args:
        name: a registered name, or FAMILY:REST.
        parameters: where they differ from the defaults.

    Raises:
        BadInput: no such attack, unknown parameters, or a class that carries another attack's card: results go by the
            card's name and version, so a subclass needs its own `@attack`.
        MissingResource: an attack of a family needs something that is not there.
    """
    family, colon, rest = name.partition(":")
    member = ATTACK_FAMILIES.get(family)(rest, parameters) if colon else None
    found = type(member) if member else ATTACKS.get(name)
    if "card" not in vars(found) or found.card.name != name:
        raise BadInput(
            f"the class registered as {name!r} has no card of its own; decorate it with @attack({name!r}, ...)"
        )
    return member or found.configured(parameters)


def profile_named(name: str | None) -> ConstraintProfile | None:
    """Return a profile of constraints; None for none.

    Raises:
        BadInput: no such profile.
    """
    return None if name is None else CONSTRAINTS.get(name)()


def resources_wanted(attack: Attack, profile: ConstraintProfile | None) -> dict[str, str]:
    """Return by kind the names of what an attack and a profile of constraints lean on.

    Raises:
        BadInput: they want different ones of a kind; a profile's thresholds hold for its own only.
    """
    wanted = dict(attack.resources)
    if profile is None:
        return wanted
    for kind, name in profile.resources.items():
        if wanted.setdefault(kind, name) != name:
            raise BadInput(f"constraints {profile.name} are made for the {kind} {name}, not {wanted[kind]}")
    return wanted
