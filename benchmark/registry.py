"""Registries: names to components, found through entry points, imported only when asked for."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from benchmark.errors import BadInput, MissingResource

__all__ = ["Registry", "did_you_mean"]

T = TypeVar("T")


def did_you_mean(name: str, known: list[str]) -> str:
    """Return " Did you mean: …?" for near names, else the list of known ones."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(known))}"


class Registry(Generic[T]):
    """Names to components of one kind.

    A component is an object, a lazy target "module:attribute" or an entry point; the last two are imported at the first
    `get`. Our own components come through the same entry-point group as everybody's, so a plug-in is not second class.

    Args:
        kind: what the components are, for messages ("attack").
        group: entry-point group to read; None for a registry that is filled by hand.
    """

    def __init__(self, kind: str, group: str | None = None) -> None:
        self._kind = kind
        self._targets: dict[str, T | str | EntryPoint] = {}
        self._frozen = False
        for point in sorted(entry_points(group=group), key=lambda p: (p.name, p.value)) if group else ():
            self.register(point.name, point)

    def __contains__(self, name: str) -> bool:
        return name in self._targets

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._targets))

    def register(self, name: str, target: T | str | EntryPoint) -> None:
        """Add a component.

        Raises:
            BadInput: the name is taken by something else, or the registry is frozen.
        """
        if self._frozen:
            raise BadInput(f"the registry of {self._kind}s is frozen; register {name!r} before the run starts")
        taken = self._targets.get(name)
        if taken is not None and (type(taken) is not type(target) or taken != target):
            raise BadInput(
                f"two {self._kind}s are called {name!r}: {_where(taken)} and {_where(target)}; uninstall or rename one"
            )
        self._targets[name] = target

    def get(self, name: str) -> T:
        """Return a component, importing it if need be.

        Raises:
            BadInput: no such name.
            MissingResource: it is there but cannot be imported.
        """
        if name not in self._targets:
            raise BadInput(f"unknown {self._kind} {name!r}; {did_you_mean(name, list(self._targets))}")
        target = self._targets[name]
        if isinstance(target, str | EntryPoint):
            try:
                loaded = cast("T", _load(target))
            except Exception as error:  # a plug-in may fail in any way
                reason = f"{type(error).__name__}: {error}"
                raise MissingResource(
                    f"{self._kind} {name!r} ({_where(target)}) cannot be imported: {reason}"
                ) from error
            return loaded
        return target

    def origin(self, name: str) -> str:
        """Return where a component is defined, as "file:line"."""
        component = inspect.unwrap(cast("type", self.get(name)))
        try:
            _, line = inspect.getsourcelines(component)
            return f"{inspect.getsourcefile(component)}:{line}"
        except (TypeError, OSError):
            return _where(self._targets[name])

    def freeze(self) -> None:
        """Allow no further registration."""
        self._frozen = True


def _load(target: str | EntryPoint) -> object:
    if isinstance(target, EntryPoint):
        return target.load()
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _where(target: object) -> str:
    if isinstance(target, EntryPoint):
        distribution = target.dist.name if target.dist else "?"
        return f"{target.value} of {distribution}"
    return str(target)
