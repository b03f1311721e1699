"""Charts and heat maps draw what the boards hold today: each reads its keys from a real board's table."""

from __future__ import annotations

import math

import pytest

from leaderboard.boards import BOARDS
from leaderboard.site.charts import CHARTS
from leaderboard.site.heats import HEATS, transfers
from leaderboard.tables import Column, shown_number, table


def filled(row, *keys):
    return all(isinstance(row[key], float) and not math.isnan(row[key]) for key in keys)


def test_curves_end_where_the_board_says(site_reading):
    tables = BOARDS["curves"].tables(site_reading)
    assert len(tables) > 2
    for own in tables[:3]:  # drawing takes time
        chart = CHARTS["curves"](own)
        last = own.columns[-1].key
        for row in own.frame.to_dict(orient="records"):
            assert f"{row['attack']} {100 * row[last]:.0f}" in chart.caption, own.title


def test_trade_offs_name_the_front_of_the_board(site_reading):
    drawn = 0
    for own in BOARDS["pareto"].tables(site_reading):
        rows = [r for r in own.frame.to_dict(orient="records") if filled(r, "attack_rate", "modification_rate")]
        chart = CHARTS["pareto"](own)
        assert (chart is None) == (len(rows) < 2), own.title
        if chart:
            drawn += 1
            front = ", ".join(row["attack"] for row in rows if row["front"] == "yes")
            assert f"(similarity counts too): {front or 'none'}." in chart.caption
    assert drawn > 1


@pytest.mark.parametrize(("board", "prefix"), [("defenses", "rate of "), ("transfer", "to ")])
def test_heat_maps_hold_the_numbers_of_the_board(site_reading, board, prefix):
    tables = BOARDS[board].tables(site_reading)
    assert tables
    for own in tables:
        heat = HEATS[board](own)
        columns = [column for column in own.columns if column.key.startswith(prefix)]
        assert heat.columns == tuple(column.key.removeprefix(prefix) for column in columns)
        assert len(columns) > 0
        for (_, cells), row in zip(heat.rows, own.frame.to_dict(orient="records"), strict=True):
            for cell, column in zip(cells, columns, strict=True):
                assert cell.tint == round(row[column.key], 3)
                assert float(cell.text) == pytest.approx(100 * row[column.key], abs=0.51)


def test_a_victim_has_no_cell_for_its_own_texts():
    columns = [Column("victim", "V", ""), Column("attack", "A", ""), Column("to one", "one", "breaks one", 100, 1)]
    rows = [{"victim": "one", "attack": "casing"}, {"victim": "two", "attack": "casing", "to one": 0.25}]
    heat = transfers(table("t", columns, rows))
    assert heat.rows[0][1] == (None,)
    (cell,) = heat.rows[1][1]
    assert (cell.text, cell.tint) == (shown_number(0.25, columns[2], digits=0), 0.25)
    assert "casing on two: breaks one, 25 %" in cell.told
