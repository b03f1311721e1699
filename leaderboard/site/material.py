"""What all pages of a site stand on: the results read once, their boards, and where things are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from benchmark.defending.finding import DEFENSES
from benchmark.errors import GauntletError
from benchmark.finding import ATTACKS
from leaderboard.boards import BOARDS
from leaderboard.ledger import badges, read_ledger
from leaderboard.ledger_lines import Entry as LedgerEntry
from leaderboard.rows import Reading, Run
from leaderboard.site.addresses import Addresses, slug
from leaderboard.site.charts import CHARTS, Chart
from leaderboard.site.contests import Contest, contests
from leaderboard.site.readers import Readers, readers_of
from leaderboard.site.shown_tables import ShownTable, shown_table
from leaderboard.site.texts import Texts
from leaderboard.tables import Table
from leaderboard.victim_names import defense_names

__all__ = ["Board", "Material"]


class Board(NamedTuple):
    """A board as it came out.

    Attributes:
        tables: of the board.
        remarks: what it has to say besides.
        needs: what to do where there is none.
    """

    tables: list[Table]
    remarks: tuple[str, ...]
    needs: str


@dataclass(frozen=True)
class Material:
    """Results, and what follows from them.

    Attributes:
        reading: the runs.
        texts: of data sets at hand.
    """

    reading: Reading
    texts: Texts

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The runs in the order of data set, victim, attack and seed."""
        return tuple(
            sorted(
                self.reading.runs,
                key=lambda run: (run.spec.dataset, run.spec.victim, run.spec.attack, run.spec.seed, run.run_id),
            )
        )

    @cached_property
    def boards(self) -> Mapping[str, Board]:
        """Each board; damage it met goes to the reading."""
        found = {}
        for name, board in BOARDS.items():
            own = replace(self.reading, damage=[], remarks=[])
            found[name] = Board(board.tables(own), tuple(own.remarks), board.needs)
            self.reading.damage.extend(own.damage)
        return found

    @cached_property
    def contests(self) -> tuple[Contest, ...]:
        """Tables whose rows can be compared."""
        return tuple(contests(replace(self.reading, damage=[], remarks=[])))

    @cached_property
    def contest_paths(self) -> tuple[str, ...]:
        """The page of each contest."""
        return tuple(f"compare/{slug(contest.title)}.html" for contest in self.contests)

    @cached_property
    def charts(self) -> Mapping[str, list[Chart | None]]:
        """For each board that is drawn a chart a table; None where there is too little to draw."""
        return {name: [draw(table) for table in self.boards[name].tables] for name, draw in CHARTS.items()}

    @cached_property
    def ledger(self) -> tuple[LedgerEntry, ...]:
        """The ledger; one that was tampered with is noted as damage."""
        try:
            return read_ledger(self.reading.results)
        except GauntletError as error:
            self.reading.damage.append(error)
            return ()

    @cached_property
    def badges(self) -> Mapping[str, str]:
        """How far each run can be trusted; nothing where the ledger cannot be read."""
        try:
            return badges(self.reading.results)
        except GauntletError:
            return {}

    @cached_property
    def readers(self) -> Mapping[str, Readers]:
        """What people said of a run's texts, by run id."""
        said = {run.run_id: readers_of(run) for run in self.runs}
        return {run_id: readers for run_id, readers in said.items() if readers is not None}

    @cached_property
    def addresses(self) -> Addresses:
        """Which things have pages: what results speak of, and all installed attacks and defenses."""
        specs = [run.spec for run in self.runs]
        victims = sorted({spec.victim for spec in specs})
        return Addresses(
            tuple(sorted({*ATTACKS, *(spec.attack for spec in specs)})),
            tuple(victims),
            tuple(sorted({spec.dataset for spec in specs})),
            tuple(sorted({*DEFENSES, *(name for victim in victims for name in defense_names(victim))})),
            tuple(run.run_id for run in self.runs),
        )

    def shown(self, tables: Sequence[Table]) -> list[ShownTable]:
        """Return tables of one page ready to be printed."""
        return [shown_table(table, number, self.addresses) for number, table in enumerate(tables, 1)]
