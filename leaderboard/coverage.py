"""Which runs of a suite a results folder holds, found by names: no data set is read and no victim loaded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.backends import AUTO
from benchmark.defending import FrontEnd, defense_named
from benchmark.errors import GauntletError
from benchmark.finding import attack_named
from benchmark.plan import Plan
from benchmark.spec import PROTOCOL, canonical_json
from benchmark.store import RunFolder, stored_runs
from leaderboard.recorded_plans import recorded_plan
from leaderboard.rows import sound_spec
from leaderboard.victim_names import defenses_of, recorded_victim

__all__ = ["Cell", "cells"]


class Cell(NamedTuple):
    """A plan, and the runs that were made by it.

    Attributes:
        plan: what is asked for.
        runs: mostly one or none; more where data set, weights or resources have changed in between.
        lacking: its attack needs more than a front end of its victim lets through, so that a suite passes over it.
    """

    plan: Plan
    runs: tuple[RunFolder, ...]
    lacking: bool


def cells(plans: Iterable[Plan], results: Path) -> list[Cell]:
    """Find the runs of plans.

    Args:
        plans: of a suite.
        results: an existing results folder. A run whose specification cannot be read, or that nothing leads to any
            more (an attack of an older version, say), is nobody's.

    Raises:
        BadInput: a plan names an unknown attack, defense or family of victims; goals, data sets and constraints are for
            the run to look up.
        MissingResource: an attack of a plan needs a package that is not there.
    """
    found: dict[str, list[tuple[str, Any, RunFolder]]] = defaultdict(list)
    for folder in stored_runs(results):
        try:
            spec = sound_spec(folder)
            plan = recorded_plan(spec)
            if (spec.attack_version, spec.protocol) == (_version(plan), PROTOCOL):
                found[_key(plan)].append((plan.options.backend, spec.victim_settings.get("pooling"), folder))
        except GauntletError:
            continue
    told = []
    for plan in plans:
        options = plan.options
        # A back end may have been chosen by itself, and a victim that pools nothing takes any pooling.
        runs = [
            folder
            for backend, pooling, folder in found[_key(plan)]
            if options.backend in {AUTO, backend} and (pooling is None or pooling == options.pooling)
        ]
        told.append(Cell(plan, tuple(runs), _lacks(plan)))
    return told


def _lacks(plan: Plan) -> bool:
    """Tell whether an attack needs more than any victim behind these front ends gives."""
    needed = attack_named(plan.attack, plan.parameters).card.access
    defenses = map(defense_named, defenses_of(plan.victim))
    return any(isinstance(defense, FrontEnd) and needed > defense.access for defense in defenses)


def _version(plan: Plan) -> int:
    return attack_named(plan.attack, plan.parameters).card.version


def _key(plan: Plan) -> str:
    """Return what a plan and the specification made from it have in common, back end and pooling left out."""
    options = plan.options
    known: dict[str, Any] = {
        "attack": plan.attack,
        "parameters": dict(attack_named(plan.attack, plan.parameters).parameters),
        "victim": recorded_victim(plan.victim),
        "dataset": [plan.dataset, plan.split],
        "constraints": plan.constraints,
        "goal": [plan.goal, plan.mode.value],
        "queries": plan.queries,
        "seed": plan.seed,
        "selection": plan.selection.to_json(),
        "precision": options.precision,
        "label_map": None if options.label_map is None else dict(options.label_map.pairs),
    }
    return canonical_json(known)
