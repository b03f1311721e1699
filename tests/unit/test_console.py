"""Tables of the command line."""

from __future__ import annotations

import pytest
from rich.console import Console

from benchmark.cli import console

NAME = "minilm/wnut17(epochs=2,seed=1)+spell-check"


@pytest.fixture
def shown(monkeypatch, capsys):
    def show(width, **row):
        monkeypatch.setattr(console, "output", Console(width=width))
        console.print_rows([row], json=False)
        return capsys.readouterr().out

    return show


def test_a_name_that_is_too_long_for_its_column_goes_on_in_the_next_line(shown):
    out = shown(40, run="0123456789abcdef", victim=NAME)
    assert "".join(line.split("│")[2].strip() for line in out.splitlines() if "│" in line) == NAME
    assert "0123456789abcdef" in out


def test_a_first_column_without_room_shows_that_it_was_cut(shown):
    out = shown(20, run=NAME, victim=None)
    assert "…" in out
    assert "None" not in out
