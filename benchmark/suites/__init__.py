"""Suites: named grids of runs, written in TOML.

In a victim's name `{dataset}` stands for each data set: `minilm/{dataset}+mat`. An attack that names its `version` is
run at that version or not at all; suites that do so for all attacks can be frozen (`benchmark.suites.ensembles`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

from benchmark.attacking import mode_named
from benchmark.errors import BadInput
from benchmark.finding import attack_named
from benchmark.plan import Plan
from benchmark.registry import did_you_mean
from benchmark.selection import SelectionRule
from benchmark.victims import LabelMap, VictimOptions

__all__ = ["Suite", "load_suite", "make_suite", "suite_fields", "suite_names"]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list(value: Any, each: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and bool(value) and all(each(item) for item in value)


def _is_seeds(value: Any) -> bool:
    return _is_list(value, _is_whole)


def _is_attack(value: Any) -> bool:
    if not isinstance(value, dict):
        return _is_text(value)
    return (
        _is_text(value.get("name"))
        and set(value) <= {"name", "version", "parameters", "limit", "seeds"}
        and isinstance(value.get("parameters", {}), dict)
        and _is_whole(value.get("version", 0))
        and _is_whole(value.get("limit", 0))
        and _is_seeds(value.get("seeds", [0]))
    )


# Field names and what their values must be.
_FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "description": ("a text", lambda v: isinstance(v, str)),
    # An attack's own limit and seeds go before the suite's.
    "attacks": (
        "a list, not empty, of names or of tables with name and, if wanted, version, parameters, limit, seeds",
        lambda v: _is_list(v, _is_attack),
    ),
    "victims": ("a list of names, not empty", lambda v: _is_list(v, _is_text)),
    "datasets": ("a list of names, not empty", lambda v: _is_list(v, _is_text)),
    "seeds": ("a list of whole numbers, not empty", _is_seeds),
    "split": ("a name", _is_text),
    "goals": ("a list of names, not empty", lambda v: _is_list(v, _is_text)),
    "constraints": ("a name", _is_text),
    "mode": ("a name", _is_text),
    "queries": ("a whole number", _is_whole),
    "limit": ("a whole number", _is_whole),
    "max_missed": ("a number", lambda v: isinstance(v, float) or _is_whole(v)),
    "selection_seed": ("a whole number", _is_whole),
    "pooling": ("a name", _is_text),
    "backend": ("a name", _is_text),
    "precision": ("a name", _is_text),
    "label_map": ("a text such as PERSON=PER,DATE=O", _is_text),
    "scheme": ("a name", _is_text),
}


@dataclass(frozen=True)
class Suite:
    """A grid: every attack on every victim and data set, for every goal and seed.

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
    fields, overrides = suite_fields(name), overrides or {}
    if isinstance(fields.get("attacks"), list):
        fields["attacks"] = [_yielding(attack, overrides) for attack in fields["attacks"]]
    return make_suite(Path(name).stem, {**fields, **overrides}, options)


def suite_fields(name: str) -> dict[str, Any]:
    """Return what the file of a suite says; see `load_suite`."""
    try:
        return tomllib.loads(_text(name))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"suite {name} is not valid TOML: {error}") from None


def make_suite(name: str, fields: Mapping[str, Any], options: VictimOptions | None = None) -> Suite:
    """Make a suite of fields; see `load_suite`."""
    unknown = set(fields) - set(_FIELDS)
    if unknown:
        raise BadInput(
            f"suite {name} has unknown fields {', '.join(sorted(unknown))}; known: {', '.join(sorted(_FIELDS))}"
        )
    for field_name, value in fields.items():
        wanted, fits = _FIELDS[field_name]
        if not fits(value):
            raise BadInput(f"suite {name}: {field_name} must be {wanted}, not {value!r}")
    if "attacks" not in fields:
        raise BadInput(f"suite {name} names no attacks")
    for attack in fields["attacks"]:
        _require_version(name, attack)
    plans = tuple(_plans(fields, options or VictimOptions()))
    return Suite(name, str(fields.get("description", "")), plans)


def _require_version(suite: str, attack: Any) -> None:
    """Refuse an attack of another version than a suite was frozen with."""
    wanted = attack.get("version") if isinstance(attack, dict) else None
    if wanted is None:
        return
    here = attack_named(attack["name"], {}).card.version
    if here != wanted:
        raise BadInput(
            f"suite {suite} was frozen with version {wanted} of {attack['name']}, here is version {here}, which is not "
            f"what {suite} stands for; take a newer suite (gauntlet list suites), or freeze one"
        )


def _yielding(attack: Any, overrides: Mapping[str, Any]) -> Any:
    """Take from an attack's table what the user decides for all attacks."""
    if not isinstance(attack, dict):
        return attack
    return {name: value for name, value in attack.items() if name not in {"limit", "seeds"} & set(overrides)}


def _text(name: str) -> str:
    path = Path(name)
    if path.suffix == ".toml":
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise BadInput(f"no such suite file: {path}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"suite {path} cannot be read: {error}") from None
    if name not in suite_names():
        raise BadInput(f"unknown suite {name!r}; {did_you_mean(name, suite_names())}")
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def _plans(fields: Mapping[str, Any], options: VictimOptions) -> Iterator[Plan]:
    label_map = LabelMap.parse(fields["label_map"]) if "label_map" in fields else None
    victim_options = replace(
        options,
        pooling=fields.get("pooling", options.pooling),
        backend=fields.get("backend", options.backend),
        precision=fields.get("precision", options.precision),
        label_map=label_map,
        scheme=fields.get("scheme", options.scheme),
    )
    selection = SelectionRule(
        limit=fields.get("limit", SelectionRule.limit),
        max_missed=fields.get("max_missed", SelectionRule.max_missed),
        seed=fields.get("selection_seed", SelectionRule.seed),
    )
    attacks = [{"name": attack} if isinstance(attack, str) else attack for attack in fields["attacks"]]
    grid = product(
        fields.get("datasets", [Plan.dataset]),
        fields.get("victims", [Plan.victim]),
        fields.get("goals", [Plan.goal]),
        [(attack, seed) for attack in attacks for seed in attack.get("seeds", fields.get("seeds", [0]))],
    )
    for dataset, victim, goal, (attack, seed) in grid:
        yield Plan(
            attack=attack["name"],
            parameters=attack.get("parameters", {}),
            victim=victim.replace("{dataset}", dataset),
            dataset=dataset,
            split=fields.get("split", Plan.split),
            constraints=fields.get("constraints"),
            goal=goal,
            mode=mode_named(fields.get("mode", Plan.mode.value)),
            queries=fields.get("queries", Plan.queries),
            seed=seed,
            selection=replace(selection, limit=attack.get("limit", selection.limit)),
            options=victim_options,
        )
