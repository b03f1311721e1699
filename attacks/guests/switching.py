"""Letting code that knows nothing of coroutines wait for the probe.

A guest's search calls its model and expects the answer. Here it runs in a greenlet: what it calls hands an awaitable to
the coroutine of the attack, which awaits it and switches back with the result, as SQLAlchemy does for its drivers. No
thread is involved, so many guests run at once in the order the engine decides.

Guests draw from the generators of the process (`random`, NumPy, PyTorch). Each guest has states of its own, put in
place whenever it runs and taken away when it waits, so that no guest sees what another one drew.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import torch
from greenlet import getcurrent, greenlet

__all__ = ["OwnRandomness", "host", "wait_for"]

T = TypeVar("T")


def wait_for(awaitable: Awaitable[T]) -> T:
    """Return what an awaitable yields; called inside a guest.

    Raises:
        RuntimeError: not inside a guest.
    """
    parent = getcurrent().parent
    if parent is None:
        raise RuntimeError("only a guest can wait here; run it with `await host(...)`")
    return cast("T", parent.switch(awaitable))


async def host(guest: Callable[[], object], rng: random.Random) -> None:
    """Run a guest until it returns; await what it waits for.

    Whatever an awaited answer raises (the goal is reached, the budget is spent) ends the guest as well: it is unwound,
    with its `finally` clauses, and the exception goes on from here. What the guest itself raises goes on, too.

    Args:
        guest: called without arguments; its result is not looked at.
        rng: seeds the guest's own states of the process's generators.
    """
    randomness = OwnRandomness(rng)
    body = greenlet(guest)

    def resume(*answer: Any) -> Any:
        body.parent = getcurrent()
        with randomness:
            return body.switch(*answer)

    request = resume()
    try:
        while not body.dead:
            request = resume(await request)
    finally:
        if not body.dead:
            body.parent = getcurrent()
            with randomness:
                # GreenletExit: no `except Exception` of the guest can swallow it.
                body.throw()


class _States(NamedTuple):
    """States of the process's random generators; of PyTorch's the one of the CPU."""

    python: Any
    numpy: Any
    torch: torch.Tensor

    @classmethod
    def now(cls) -> _States:
        return cls(random.getstate(), np.random.get_state(), torch.default_generator.get_state())  # noqa: NPY002 - theirs

    def put_in_place(self) -> None:
        random.setstate(self.python)
        np.random.set_state(self.numpy)  # noqa: NPY002 - what guests draw from
        torch.default_generator.set_state(self.torch)


class OwnRandomness:
    """`with` it, the process's random generators are in states of their own; afterwards they are as they were.

    Args:
        rng: three numbers are drawn from it as seeds.
    """

    def __init__(self, rng: random.Random) -> None:
        theirs = _States.now()
        random.seed(rng.getrandbits(64))
        np.random.seed(rng.getrandbits(32))  # noqa: NPY002 - what guests draw from
        torch.default_generator.manual_seed(rng.getrandbits(63))
        self._own = _States.now()
        theirs.put_in_place()
        self._theirs = theirs

    def __enter__(self) -> None:
        self._theirs = _States.now()
        self._own.put_in_place()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._own = _States.now()
        self._theirs.put_in_place()
