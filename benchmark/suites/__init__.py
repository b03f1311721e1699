"""Suites: named grids of runs, written in TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

from benchmark.attacking import mode_named
from benchmark.errors import BadInput
from benchmark.registry import did_you_mean
from benchmark.runner import Plan
from benchmark.selection import SelectionRule
from benchmark.victims import LabelMap, VictimOptions

__all__ = ["Suite", "load_suite", "suite_names"]

_FIELDS = {
    "description", "attacks", "victims", "datasets", "seeds", "split", "goal", "mode", "queries", "limit",
    "max_missed", "selection_seed", "pooling", "label_map", "scheme",
}  # fmt: skip


@dataclass(frozen=True)
class Suite:
    """A grid: every attack on every victim, data set and seed.

    Attributes:
        name: file name without its ending.
        description: one line.
        plans: the runs, in order.
    """

    name: str
    description: str
    plans: tuple[Plan, ...]


def suite_names() -> list[str]:
    """Return the names of the suites that come with the package."""
    return sorted(path.name.removesuffix(".toml") for path in files(__name__).iterdir() if path.name.endswith(".toml"))


def load_suite(name: str, overrides: Mapping[str, Any] | None = None, options: VictimOptions | None = None) -> Suite:
    """Load a suite by name, or from a TOML file.

    Args:
        name: of a packaged suite, or a path that ends in .toml.
        overrides: fields that replace the file's.
        options: device and data folder for the victims.

    Raises:
        BadInput: no such suite, malformed TOML, unknown fields or wrong values.
    """
    path = Path(name)
    if path.suffix == ".toml":
        if not path.is_file():
            raise BadInput(f"no such suite file: {path}")
        text = path.read_text(encoding="utf-8")
    elif name in suite_names():
        text = files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    else:
        raise BadInput(f"unknown suite {name!r}; {did_you_mean(name, suite_names())}")
    try:
        fields = {**tomllib.loads(text), **(overrides or {})}
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"suite {name} is not valid TOML: {error}") from None
    unknown = set(fields) - _FIELDS
    if unknown:
        raise BadInput(
            f"suite {name} has unknown fields {', '.join(sorted(unknown))}; known: {', '.join(sorted(_FIELDS))}"
        )
    if not fields.get("attacks"):
        raise BadInput(f"suite {name} names no attacks")
    plans = tuple(_plans(fields, options or VictimOptions()))
    return Suite(path.stem, str(fields.get("description", "")), plans)


def _plans(fields: Mapping[str, Any], options: VictimOptions) -> Iterator[Plan]:
    label_map = LabelMap.parse(fields["label_map"]) if "label_map" in fields else options.label_map
    victim_options = VictimOptions(
        options.device, fields.get("pooling", options.pooling), label_map, options.data_dir, options.revision
    )
    selection = SelectionRule(
        limit=fields.get("limit", SelectionRule.limit),
        max_missed=fields.get("max_missed", SelectionRule.max_missed),
        seed=fields.get("selection_seed", SelectionRule.seed),
    )
    grid = product(
        fields.get("datasets", [Plan.dataset]),
        fields.get("victims", [Plan.victim]),
        fields["attacks"],
        fields.get("seeds", [0]),
    )
    for dataset, victim, attack, seed in grid:
        name, parameters = (attack, {}) if isinstance(attack, str) else (attack["name"], attack.get("parameters", {}))
        yield Plan(
            attack=name,
            parameters=parameters,
            victim=victim,
            dataset=dataset,
            split=fields.get("split", Plan.split),
            goal=fields.get("goal", Plan.goal),
            mode=mode_named(fields.get("mode", Plan.mode.value)),
            queries=fields.get("queries", Plan.queries),
            seed=seed,
            selection=selection,
            options=victim_options,
            scheme=fields.get("scheme", Plan.scheme),
        )
