"""What a check of a component is, and how its faults are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import Generic, NamedTuple, TypeVar

from benchmark.contracts import Configured
from benchmark.errors import BadInput

__all__ = ["Check", "Checked", "card_faults", "first_few", "parameter_faults", "run_checks"]

T = TypeVar("T")
_MOST_TOLD = 3


class Check(NamedTuple, Generic[T]):
    """One promise.

    Attributes:
        promise: what a component that keeps it does.
        faults: given what the component is tried on, yields what is wrong, one plain line each.
    """

    promise: str
    faults: Callable[[T], Iterator[str]]


class Checked(NamedTuple):
    """A check that was made."""

    promise: str
    faults: list[str]


def run_checks(checks: Sequence[Check[T]], trial: T) -> Iterator[Checked]:
    """Make one check after the other; code that breaks off is a fault of the component, not of ours."""
    for check in checks:
        faults: list[str] = []
        try:
            for fault in check.faults(trial):
                faults.append(fault)  # noqa: PERF402 - what was found before it broke off is kept
        except Exception as error:  # noqa: BLE001 - a stranger's code may fail in any way
            faults.append(f"it breaks off with {type(error).__name__}: {error}")
        yield Checked(check.promise, faults)


def first_few(faults: Iterator[str]) -> Iterator[str]:
    """Yield the first few faults of a kind, and how many more there are."""
    found = list(faults)
    yield from found[:_MOST_TOLD]
    if len(found) > _MOST_TOLD:
        yield f"and {len(found) - _MOST_TOLD} more like these"


def card_faults(component: Configured, name: str) -> Iterator[str]:
    """Yield what is wrong with the card of an attack or a defense that is registered under a name."""
    card = component.card
    if card.name != name:
        yield f"it is registered as {name!r} and its card says {card.name!r}; give both the same name"
    if type(card.version) is not int or card.version < 1:
        yield f"its version is {card.version!r}; versions are whole numbers from 1"
    if not card.summary:
        yield f"the class has no docstring; its first line is the {card.kind}'s summary in tables"


def parameter_faults(component: Configured) -> Iterator[str]:
    """Yield what is wrong with the parameters of an attack or a defense."""
    parameters = fields(component)  # type: ignore[arg-type]  # both are dataclasses
    for parameter in parameters:
        if not isinstance(parameter.default, bool | int | float | str | tuple):
            yield (
                f"parameter {parameter.name} has the default {parameter.default!r}; give it a number, a text or a "
                "truth value, so that its type is known"
            )
    try:
        same = json.loads(json.dumps(component.parameters, allow_nan=False)) == component.parameters
    except (TypeError, ValueError) as error:
        yield f"its parameters cannot be stored as JSON: {error}"
        return
    if not same:
        yield "its parameters come back from JSON as others (tuples become lists); use plain numbers and texts"
    own = {parameter.name for parameter in parameters} & set(component.parameters)
    try:
        if type(component).configured({name: component.parameters[name] for name in own}) != component:
            yield "configured with its own parameters it is another one"
    except BadInput as error:
        yield f"configured with its own parameters it refuses them: {error}"
