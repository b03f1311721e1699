"""What a reader is told of how far a row can be trusted: badges, what people said, signs that labels changed."""

from __future__ import annotations

import dataclasses

import pytest
from board_runs import only

from benchmark.label_risk import FLAGS
from leaderboard.boards import BOARDS
from leaderboard.site.addresses import Addresses
from leaderboard.site.readers import readers_of
from leaderboard.site.shown_tables import shown_table
from leaderboard.tables import Column, table

NOWHERE = Addresses((), (), (), (), ())


def newsroom_run(reading, attack):
    return next(r for r in reading.runs if (r.spec.dataset, r.spec.attack) == ("newsroom", attack))


def page_of(site, run):
    return (site / "examples" / f"{run.run_id}.html").read_text(encoding="utf-8")


def test_what_people_said_stands_beside_the_valid_rate(site, site_reading):
    run = newsroom_run(site_reading, "deepwordbug-i")
    readers = readers_of(run)
    assert [r.run_id for r in site_reading.runs if readers_of(r)] == [run.run_id]
    assert (readers.people, readers.right.value, readers.right.n) == (2, 0.5, 6)
    assert readers.rate == pytest.approx(run.metrics["attack_rate"].value / 2)
    assert "Labels right by 2 readers" in page_of(site, run)
    assert "2 people read 6 of the adversarial texts among 2 originals" in page_of(site, run)
    assert "Labels right by" not in page_of(site, newsroom_run(site_reading, "casing"))
    board = (site / "boards" / "attacks.html").read_text(encoding="utf-8")
    assert f'data-v="{readers.rate!r}"' in board


def test_the_audited_rate_is_a_column_where_somebody_read(site_reading):
    (own,) = BOARDS["attacks"].tables(only(site_reading, dataset="newsroom", touch="any"))
    keys = [column.key for column in own.columns]
    assert keys[keys.index("valid_attack_rate") + 1] == "attack_rate.audited"
    for other in BOARDS["attacks"].tables(only(site_reading, dataset="made-up")):
        assert "attack_rate.audited" not in {column.key for column in other.columns}


def test_badges_are_those_of_the_ledger(site, site_reading):
    columns = [Column("trust", "Trust", "", extra=True), Column("attack", "Attack", "")]
    names = ["self-reported", "verified", "retracted", "<b>verified</b>", None]
    shown = shown_table(table("t", columns, [{"trust": name, "attack": "a"} for name in names]), 1, NOWHERE)
    assert [row.cells[0].badge for row in shown.rows] == ["self-reported", "verified", "retracted", "", ""]
    assert not shown.columns[0].extra
    assert 'class="badge self-reported"' in page_of(site, site_reading.runs[0])
    assert 'class="badge self-reported"' in (site / "boards" / "attacks.html").read_text(encoding="utf-8")


def test_pages_tell_the_share_of_each_flag(site, site_reading):
    run = newsroom_run(site_reading, "deepwordbug-i")
    shares = {name: run.metrics[f"label_risk.{name}"].value for name in FLAGS}
    assert shares["mention-edited"]
    text = page_of(site, run)
    for name, share in shares.items():
        beside = ", not valid" if FLAGS[name].invalidates else ""
        assert (f">{name} {100 * share:.0f}{beside}</span>" in text) == bool(share)
    about = (site / "attacks" / "deepwordbug-i.html").read_text(encoding="utf-8")
    assert "Signs that labels are no longer right" in about
    assert all(f'data-key="label_risk.{name}"' in about for name in FLAGS)


def test_a_defense_tells_its_parameters(site):
    from benchmark.defending.finding import DEFENSES

    augment = (site / "defenses" / "augment.html").read_text(encoding="utf-8")
    fields = dataclasses.fields(DEFENSES.get("augment"))
    assert fields
    for field in fields:
        told = "(to be given)" if field.default == "" else field.default
        assert f"{field.name} = {told}" in augment
