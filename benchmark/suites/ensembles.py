"""Frozen ensembles of attacks, over which robust F1 is the worst case.

An ensemble is a suite whose attacks all name their version and every parameter, and whose name never changes what it
stands for: where an attack's version rises, a new ensemble is frozen beside the old one. So robust F1 over one ensemble
compares over years. Goal, mode, budget and seeds belong to it: other ones are a weaker or stronger worst case. What
attacks lean on goes by its name; a table compares victims only under the same weights of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from benchmark.suites import suite_fields

__all__ = ["ENSEMBLES", "Ensemble", "Member", "ensembles"]

# The one that asks most comes first.
ENSEMBLES = ("gauntlet-v1", "gauntlet-v1-labels")


class Member(NamedTuple):
    """An attack of an ensemble.

    Attributes:
        attack: name.
        version: that it was frozen at.
        parameters: all of them, so that a default that changes is another attack.
    """

    attack: str
    version: int
    parameters: Mapping[str, Any]


class Ensemble(NamedTuple):
    """A frozen set of attacks.

    Attributes:
        name: of its suite.
        members: the attacks.
        goal: what counts as success.
        mode: when an attack stops.
        queries: budget a sentence.
        seeds: the attacks' seeds; others do not enter.
    """

    name: str
    members: tuple[Member, ...]
    goal: str
    mode: str
    queries: int
    seeds: tuple[int, ...]


@cache
def ensembles() -> tuple[Ensemble, ...]:
    """Return the frozen ensembles, whatever versions of the attacks are installed."""
    return tuple(_ensemble(name, suite_fields(name)) for name in ENSEMBLES)


def _ensemble(name: str, fields: Mapping[str, Any]) -> Ensemble:
    (goal,) = fields["goals"]
    members = tuple(Member(attack["name"], attack["version"], attack["parameters"]) for attack in fields["attacks"])
    return Ensemble(name, members, goal, fields["mode"], fields["queries"], tuple(fields["seeds"]))
