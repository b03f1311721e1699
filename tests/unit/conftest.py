"""Fixtures shared by the unit tests."""

from __future__ import annotations

import pytest

from benchmark.probe import Probe


@pytest.fixture
def candidates(monkeypatch):
    """The candidates that reach the victim, in order, those that are only measured left out."""
    found, judge = [], Probe._judge

    def spy(probe, candidate, prediction):
        found.append(candidate)
        return judge(probe, candidate, prediction)

    monkeypatch.setattr(Probe, "_judge", spy)
    return found
