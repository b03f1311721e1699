"""What a check of a component is, and how its faults are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Check", "Checked", "first_few", "run_checks"]

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
