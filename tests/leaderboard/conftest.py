"""Runs that tests of the leaderboard share; they read them only."""

from __future__ import annotations

import pytest
from board_runs import Reader, attack_all, made_up, read
from submissions import Forgery, copied, quick_intervals, run_of, tiny_results

BASE = Reader("minilm/made-up")
DEFENDED = Reader("minilm/made-up+mat", letters=3, leans=())
EDITS_2 = ("deepwordbug-i", {"max_edit_distance": 2})
ATTACKS = ("identity", "random-edit", "casing", "deepwordbug-i", EDITS_2, "deepwordbug-ii")
AT_RANDOM = ("deepwordbug-i", {"order": "random"})


@pytest.fixture(scope="session")
def one_seed(tmp_path_factory):
    """Six attacks on a victim and on its defended self, one seed, no documents."""
    results = tmp_path_factory.mktemp("one-seed")
    attack_all(results, [BASE, DEFENDED], ATTACKS)
    return read(results)


@pytest.fixture(scope="session")
def three_seeds(tmp_path_factory):
    """Attacks on one victim with so few queries that seeds differ, three seeds."""
    results = tmp_path_factory.mktemp("three-seeds")
    attack_all(results, [BASE], ["random-edit", "casing", AT_RANDOM, "deepwordbug-i"], seeds=(0, 1, 2), queries=10)
    return read(results)


@pytest.fixture(scope="session")
def in_documents(tmp_path_factory):
    """Two attacks on one victim, on sentences that come in documents."""
    results = tmp_path_factory.mktemp("in-documents")
    attack_all(results, [BASE], ["deepwordbug-i", "casing"], dataset=made_up(documents=True))
    return read(results)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A tiny real run of each of three attacks, made once; not to be changed."""
    return tiny_results(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def results(tiny, tmp_path):
    """A copy that may be tampered with."""
    return copied(tiny, tmp_path)


@pytest.fixture
def forgery(results):
    """The records of one of its runs, to be tampered with."""
    return Forgery(run_of(results, "deepwordbug-i"))


@pytest.fixture
def quick():
    """Fewer resamples."""
    with quick_intervals():
        yield
