"""Boards: tables made of stored results alone. A board is an entry of `BOARDS`; adding one is adding a value here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmark.errors import BadInput
from benchmark.registry import did_you_mean
from leaderboard.boards.attacks import attacks_board
from leaderboard.boards.curves import curves_board
from leaderboard.boards.defenses import defenses_board
from leaderboard.boards.pareto import pareto_board
from leaderboard.boards.published import published_board
from leaderboard.boards.transfer import transfer_board
from leaderboard.boards.victims import victims_board
from leaderboard.rows import Reading
from leaderboard.tables import Table

__all__ = ["BOARDS", "Board", "board_named"]


class Board(NamedTuple):
    """A board.

    Attributes:
        tables: made of what a results folder holds.
        needs: what to do where there is none, in a few words.
    """

    tables: Callable[[Reading], list[Table]]
    needs: str


_ATTACK = "start with: gauntlet run quick"

BOARDS: dict[str, Board] = {
    "attacks": Board(attacks_board, _ATTACK),
    "curves": Board(curves_board, _ATTACK),
    "defenses": Board(
        defenses_board,
        "it takes a victim and a defended one, attacked alike: gauntlet run quick --victim NAME --victim NAME+DEFENSE",
    ),
    "pareto": Board(pareto_board, _ATTACK),
    "published": Board(published_board, "it takes the papers' rows, published/*.toml in the project's results folder"),
    "transfer": Board(transfer_board, "it takes another victim's answers: gauntlet transfer VICTIM"),
    "victims": Board(
        victims_board, "it takes two victims, attacked alike: gauntlet run quick --victim NAME --victim OTHER"
    ),
}


def board_named(name: str) -> Board:
    """Return a board.

    Raises:
        BadInput: no such board.
    """
    if name not in BOARDS:
        raise BadInput(f"unknown board {name!r}; {did_you_mean(name, list(BOARDS))}")
    return BOARDS[name]
