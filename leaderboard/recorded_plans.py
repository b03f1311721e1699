"""From a specification back to the plan that leads to it, so that a run can be executed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from benchmark.attacking import mode_named
from benchmark.backends import AUTO, BACKENDS
from benchmark.errors import BadInput
from benchmark.finding import attack_named
from benchmark.plan import Plan
from benchmark.selection import SelectionRule
from benchmark.spec import RunSpec
from benchmark.victims import LabelMap, VictimOptions

__all__ = ["given_parameters", "recorded_plan"]


def recorded_plan(
    spec: RunSpec,
    device: str = "auto",
    data_dir: Path | None = None,
    scheme: str = "IOB2",
    victim: str | None = None,
    kept: Path | None = None,
) -> Plan:
    """Return the plan of a run.

    Args:
        spec: of the run.
        device: where it is to be executed.
        data_dir: the data folder.
        scheme: tag scheme of local files.
        victim: a name by which the victim is found here, where the recorded one leads nowhere (`path:`).
        kept: folder of the trained victims that are kept with the results.

    Raises:
        BadInput: a parameter or setting that no plan leads to.
    """
    settings = spec.victim_settings
    backend = str(settings.get("backend", "")).rpartition("-")[0]
    label_map = settings.get("label_map")
    if label_map is not None and not (
        isinstance(label_map, Mapping) and all(isinstance(label, str) for label in label_map.values())
    ):
        raise BadInput(f"the label map of victim {spec.victim} in the run's specification is none")
    return Plan(
        attack=spec.attack,
        parameters=given_parameters(spec.attack, spec.parameters),
        victim=victim or spec.victim,
        dataset=spec.dataset,
        split=spec.split,
        constraints=None if spec.constraints is None else spec.constraints.rpartition(" ")[0],
        goal=spec.goal,
        mode=mode_named(spec.mode),
        queries=spec.queries,
        seed=spec.seed,
        selection=SelectionRule(*(spec.selection[name] for name in ("limit", "max_missed", "seed"))),
        options=VictimOptions(
            device=device,
            pooling=settings.get("pooling", VictimOptions.pooling),
            backend=backend if backend in BACKENDS else AUTO,
            precision=settings.get("precision", VictimOptions.precision),
            label_map=None if label_map is None else LabelMap(label_map),
            data_dir=data_dir,
            scheme=scheme,
            kept=kept,
        ),
    )


def given_parameters(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an attack has to be given so that its parameters in force are those of a specification.

    Beside what was given, an attack may record what else decides its outcomes: the parameters of an attack it wraps,
    as a record of their own, or a library's release.

    Raises:
        BadInput: no such attack, or none with these parameters here.
    """
    plain = {key: value for key, value in parameters.items() if not isinstance(value, Mapping)}
    try:
        found = attack_named(name, plain).parameters
    except BadInput:
        known = {field.name for field in fields(attack_named(name, {}))}  # type: ignore[arg-type]  # a dataclass
        plain = {key: value for key, value in plain.items() if key in known}
        found = attack_named(name, plain).parameters
    differing = [key for key in {*found} | {*parameters} if found.get(key) != parameters.get(key)]
    if differing:
        raise BadInput(f"attack {name} has other parameters here: {', '.join(sorted(differing))}")
    return plain
