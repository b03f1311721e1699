"""A guest waits for coroutines, in its own random states, and ends with the attack."""

from __future__ import annotations

import asyncio
import random

import numpy as np
import pytest
import torch

from attacks.guests.switching import OwnRandomness, host, wait_for
from benchmark.probe import GoalReached


async def doubled(number):
    await asyncio.sleep(0)
    return 2 * number


def drawn():
    return random.random(), np.random.random(), torch.rand(()).item()  # noqa: NPY002


def test_a_guest_gets_what_it_waits_for():
    got = []
    asyncio.run(host(lambda: got.extend(wait_for(doubled(k)) for k in (1, 2, 3)), random.Random(0)))
    assert got == [2, 4, 6]


def test_a_guest_that_asks_nothing_just_runs():
    got = []
    asyncio.run(host(lambda: got.append(1), random.Random(0)))
    assert got == [1]


def test_what_the_answer_raises_unwinds_the_guest_and_goes_on():
    happened = []

    async def reached():
        raise GoalReached

    def guest():
        try:
            wait_for(reached())
        except Exception:  # noqa: BLE001 - what a careless guest does
            happened.append("swallowed")
        finally:
            happened.append("unwound")

    with pytest.raises(GoalReached):
        asyncio.run(host(guest, random.Random(0)))
    assert happened == ["unwound"]


def test_what_the_guest_raises_goes_on():
    def guest():
        wait_for(doubled(1))
        raise KeyError("guest")

    with pytest.raises(KeyError, match="guest"):
        asyncio.run(host(guest, random.Random(0)))


def test_nobody_waits_outside_a_guest():
    answer = doubled(1)
    with pytest.raises(RuntimeError, match="only a guest"):
        wait_for(answer)
    answer.close()


def test_guests_draw_from_states_of_their_own():
    async def several(*seeds):
        rows = {seed: [] for seed in seeds}

        def guest(seed):
            for _ in range(3):
                rows[seed].append(drawn())
                wait_for(doubled(1))

        await asyncio.gather(*(host(lambda seed=seed: guest(seed), random.Random(seed)) for seed in seeds))
        return rows

    together = asyncio.run(several(1, 2, 3))
    alone = {seed: asyncio.run(several(seed))[seed] for seed in (3, 1, 2)}
    assert together == alone
    assert together[1] != together[2]


def test_the_process_keeps_its_random_states():
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    wanted = drawn()
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    with OwnRandomness(random.Random(5)):
        drawn()
    assert drawn() == wanted
