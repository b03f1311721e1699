"""Frozen ensembles of attacks, over which robust F1 is the worst case.

An ensemble is a suite whose attacks all name their version, and whose name never changes what it stands for: where an
attack's version rises, a new ensemble is frozen beside the old one. So robust F1 over one ensemble compares over years.
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
        parameters: where they differ from the defaults.
    """

    attack: str
    version: int
    parameters: Mapping[str, Any]


class Ensemble(NamedTuple):
    """A frozen set of attacks.

    Attributes:
        name: of its suite.
        members: the attacks.
    """

    name: str
    members: tuple[Member, ...]


@cache
def ensembles() -> tuple[Ensemble, ...]:
    """Return the frozen ensembles, whatever versions of the attacks are installed."""
    return tuple(
        Ensemble(
            name,
            tuple(Member(a["name"], a["version"], a.get("parameters", {})) for a in suite_fields(name)["attacks"]),
        )
        for name in ENSEMBLES
    )
