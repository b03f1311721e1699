"""The site as files: links, bytes, tables that say what the boards say, comparisons that say what the tests say."""

from __future__ import annotations

import functools
import html.parser
import itertools
import json
import re
from dataclasses import replace

import pandas as pd
import pytest
from board_runs import changed, only
from stubs import sentence

from benchmark.alignment import edit_script
from benchmark.statistics import intervals
from benchmark.statistics.multiplicity import holm
from benchmark.statistics.paired import difference_interval, mcnemar
from benchmark.statistics.totals import rate
from benchmark.types import Outcome, Span, Status
from leaderboard.boards import BOARDS
from leaderboard.export import FORMATS
from leaderboard.site.addresses import Addresses, slug
from leaderboard.site.building import INFO, build_site, site_files
from leaderboard.site.charts import curves, pareto
from leaderboard.site.contests import contests
from leaderboard.site.example_pages import type_hues
from leaderboard.site.marking import lines
from leaderboard.site.shown_tables import shown_table
from leaderboard.site.texts import Texts
from leaderboard.tables import Column, table

NOWHERE = Addresses((), (), (), (), ())


class Reader(html.parser.HTMLParser):
    """Collects links, ids, cells and what would run."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.tags, self.attributes = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.append(name)
            if name in {"href", "src"}:
                self.links.append(value)
            if name == "id":
                self.ids.append(value)


@functools.cache
def parsed(path):
    return Reader(path.read_text(encoding="utf-8"))


def pages(folder):
    return sorted(folder.rglob("*.html"))


def test_every_link_leads_to_a_file_of_the_site(site):
    broken = []
    for page in pages(site):
        for link in parsed(page).links:
            path, _, anchor = link.partition("#")
            if link.startswith("data:"):
                continue
            target = (page.parent / path).resolve() if path else page
            missing = not target.is_file() or site.resolve() not in target.resolve().parents
            nowhere = anchor and "=" not in anchor and target.suffix == ".html" and anchor not in parsed(target).ids
            if missing or nowhere:
                broken.append((page.name, link))
    assert not broken


def test_no_id_is_there_twice(site):
    for page in pages(site):
        ids = parsed(page).ids
        assert len(ids) == len(set(ids)), page


def test_every_kind_of_page_is_there(site, site_reading):
    names = {str(page.relative_to(site)) for page in pages(site)}
    assert {f"boards/{name}.html" for name in BOARDS} <= names
    assert {f"examples/{run.run_id}.html" for run in site_reading.runs} <= names
    assert {f"attacks/{run.spec.attack}.html" for run in site_reading.runs} <= names
    assert {"index.html", "ledger.html", "method.html", "submit.html", "defenses/mat.html"} <= names
    assert {f"victims/{slug('minilm/made-up+mat')}.html", "data/newsroom.html", "data/made-up.html"} <= names


def test_the_same_results_give_the_same_bytes(site, site_reading, tmp_path, monkeypatch):
    monkeypatch.setattr(intervals, "RESAMPLES", 200)  # as the fixture does
    build_site(site_reading, tmp_path / "again", Texts())

    def content(folder):
        files = (file for file in folder.rglob("*") if file.is_file() and file.name != INFO)
        return {str(file.relative_to(folder)): file.read_bytes() for file in files}

    assert content(site) == content(tmp_path / "again")
    assert json.loads((site / INFO).read_text())["runs"] == len(site_reading.runs)


def test_f1_by_entity_type_is_that_of_the_result(one_seed, tmp_path):
    (run,) = only(one_seed, attack="casing", victim="minilm/made-up").runs
    lacking = {**run.per_type, "LACKING": {"f1.strict.after": replace(run.per_type["PER"]["f1.strict.after"], n=77)}}
    reading = replace(one_seed, runs=(replace(run, per_type=lacking),))
    text = dict(site_files(reading, Texts()))["attacks/casing.html"]
    rows = re.findall(r"<tr.*?</tr>", text[text.index("By entity type") :], re.DOTALL)
    cells = [re.sub(r"<[^>]*>", " ", row).split() for row in rows]
    (told,) = [row for row in cells if "PER" in row]
    before, after = (run.per_type["PER"][f"f1.strict.{when}"] for when in ("before", "after"))
    assert [str(before.n), f"{100 * before.value:.1f}"] == told[told.index("PER") + 1 :][:2]
    assert f"{100 * after.value:.1f}" in told
    (told,) = [row for row in cells if "LACKING" in row]
    assert "77" not in told


def test_an_older_site_is_replaced_and_anything_else_is_left_alone(site_reading, tmp_path, gauntlet):
    out = tmp_path / "out"
    arguments = ("site", "build", "--results", site_reading.results, "--out", out, "--attack", "casing")
    assert gauntlet(*arguments)[0] == 0
    (out / "stale.html").write_text("old")
    assert gauntlet(*arguments)[0] == 0
    assert not (out / "stale.html").exists()
    (out / INFO).unlink()
    code, _, told = gauntlet(*arguments)
    assert code == 2
    assert "no site of ours" in told
    assert gauntlet("site", "serve", "--out", tmp_path / "none")[0] == 2


def test_exports_are_those_of_the_command(site, site_reading):
    tables = BOARDS["attacks"].tables(site_reading)
    for ending, name in (("csv", "csv"), ("tex", "latex"), ("bib", "bibtex")):
        assert (site / "exports" / f"attacks.{ending}").read_text(encoding="utf-8") == FORMATS[name](tables)


def test_cells_hold_the_boards_numbers(site_reading):
    for board in BOARDS.values():
        for own in board.tables(site_reading):
            shown = shown_table(own, 1, NOWHERE)
            for k, column in enumerate(own.columns):
                if column.digits is not None:
                    values = own.frame[column.key].astype(float)
                    numbers = ["" if pd.isna(value) else repr(value) for value in values]
                    assert [row.cells[k].sort for row in shown.rows] == numbers


def test_whiskers_only_where_the_scale_fits():
    columns = [Column("gain", "Gain", "", 100, 1, headline=True), Column("rate", "Rate", "", 100, 1, headline=True)]
    rows = [{"gain": 0.1, "gain.low": -0.2, "gain.high": 0.3, "rate": 0.5, "rate.low": 0.25, "rate.high": 0.75}]
    gain, share = shown_table(table("t", columns, rows), 1, NOWHERE).rows[0].cells
    assert gain.whisker is None
    assert share.whisker == (25.0, 50.0, 75.0)


def test_comparisons_are_those_of_the_statistics(site_reading):
    contest = next(c for c in contests(site_reading) if c.title.startswith("minilm/made-up on"))
    runs = {run.run_id: run for run in site_reading.runs}
    won = [
        [runs[run].examples[name].outcome.status is Status.SUCCESS for name in contest.sentences]
        for run in contest.runs
    ]
    ranked = []
    for pair in contest.pairs:
        one, other = won[pair.first], won[pair.second]
        expected = mcnemar(one, other)
        assert (pair.difference, pair.p) == (expected.difference, expected.p)
        assert (pair.only_first, pair.only_second) == (expected.only_first, expected.only_second)
        ranked += [pair] if not contest.controls[pair.first] and not contest.controls[pair.second] else []
    assert len(ranked) > 2
    assert [p.adjusted for p in ranked] == holm([p.p for p in ranked]).tolist()
    first = contest.pairs[0]
    interval = difference_interval(contest.sums[first.first], contest.sums[first.second], rate, contest.clusters)
    assert (first.low, first.high) == interval


def test_what_the_board_tells_apart_the_comparison_tells_apart(site_reading):
    """Ties on the board and p values beside it must not contradict each other."""
    tables = [t for t in BOARDS["attacks"].tables(site_reading) if "ties" in t.frame]
    boards = {t.title: t.frame.set_index("attack")["ties"] for t in tables}
    told = 0
    for contest in contests(site_reading):
        ties = boards.get(contest.title)
        for pair in contest.pairs if ties is not None else ():
            if not (contest.controls[pair.first] or contest.controls[pair.second]):
                one, other = ties[contest.rows[pair.first]], ties[contest.rows[pair.second]]
                assert (pair.adjusted > 0.05) == bool({*one} & {*other}), (contest.title, pair)
                told += 1
    assert told > 5


def test_victims_are_compared_by_robust_f1(site_reading):
    contest = next(c for c in contests(site_reading) if c.measure == "robust F1")
    board = BOARDS["victims"].tables(site_reading)[0].frame.set_index("victim")["robust_f1"]
    assert contest.numbers == tuple(board[name] for name in contest.rows)
    (pair,) = contest.pairs
    assert pair.difference == pytest.approx(contest.numbers[0] - contest.numbers[1])


def test_lines_mark_what_changed(site_reading):
    run = next(r for r in site_reading.runs if (r.spec.attack, r.spec.dataset) == ("deepwordbug-i", "newsroom"))
    sentences = Texts().sentences(run.spec)
    won = [e.outcome for e in run.examples.values() if e.outcome.status is Status.SUCCESS]
    assert won
    for outcome in won:
        original = sentences[outcome.sentence_id]
        before, *_, gold, predicted = lines(outcome, original)
        words = [word for piece in gold.pieces for word in piece.words]
        assert " ".join(w.text for piece in before.pieces for w in piece.words) == original.text
        assert [(w.gone, w.text) for w in words if w.new] == [
            (original.tokens[edit.at], edit.words[0]) for edit in outcome.edits
        ]
        assert any(piece.wrong for piece in predicted.pieces) or len([p for p in predicted.pieces if p.type]) < len(
            original.spans
        )


def test_without_the_text_places_stand_for_words(site_reading):
    run = next(r for r in site_reading.runs if (r.spec.attack, r.spec.dataset) == ("casing", "made-up"))
    assert Texts().sentences(run.spec) is None
    outcome = next(e.outcome for e in run.examples.values() if e.outcome.status is Status.SUCCESS)
    gold = next(line for line in lines(outcome, None) if line.name == "after, gold")
    words = [word for piece in gold.pieces for word in piece.words]
    assert {word.text for word in words if not word.new} <= {str(k + 1) for k in range(outcome.length)}
    assert all(
        word.text == f"{word.gone} in {edit.words[0]}"
        for word, edit in zip([w for w in words if w.new], outcome.edits, strict=True)
    )


def test_another_version_of_a_corpus_is_not_its_text(site_reading):
    import dataclasses

    run = next(r for r in site_reading.runs if r.spec.dataset == "newsroom")
    assert Texts().sentences(run.spec)
    assert Texts().sentences(dataclasses.replace(run.spec, dataset_hash="0" * 64)) is None
    # A name out of results is never taken for a path.
    assert Texts().dataset(str(site_reading.results)) is None


def test_text_is_shown_of_the_folder_that_was_named_and_of_no_other(tmp_path, monkeypatch):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "test.conll").write_text("Ana B-PER\n")
    monkeypatch.setenv("GAUNTLET_DATA", str(tmp_path))
    assert Texts().dataset("secret") is None
    assert Texts(tmp_path).dataset("secret").split("test")[0].tokens == ("Ana",)


def test_hostile_names_stay_text(hostile_site):
    assert len(pages(hostile_site)) > 20
    for page in pages(hostile_site):
        text = page.read_text(encoding="utf-8")
        read = Reader(text)
        assert "img" not in read.tags, page
        assert not [name for name in read.attributes if name.startswith("on")], page
        assert not [link for link in read.links if link.lower().startswith("javascript")], page
        assert "\x1b" not in text, page
        assert "\u202e" not in text, page
        scripts = re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL)
        assert all(not body or json.loads(body) for body in scripts), page
    assert any("&lt;img src=x" in page.read_text(encoding="utf-8") for page in pages(hostile_site))


def test_slugs_are_safe_and_of_one_name_each():
    names = ["a", "A", "a b", "a-b", "../../etc", "</script>\x1b[31m", "ü", "", "x" * 300, "x" * 301]
    assert len({slug(name) for name in names}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]+", slug(name)) for name in names)


def test_a_label_leads_to_the_longest_name_it_begins_with():
    to = Addresses(("clare", "clare-2"), (), (), (), ())
    assert to.attack("clare-2 k=3") == "attacks/clare-2.html"
    assert to.attack("clare") == "attacks/clare.html"
    assert to.attack("clare-3") is None


def test_curves_name_the_best_and_spread_their_names():
    columns = [
        Column("attack", "Attack", ""),
        Column("within 1", "@1", "", 100, 0),
        Column("within 2", "@2", "", 100, 0),
    ]
    rows = [{"attack": f"attack {k}", "within 1": 0.1, "within 2": 0.5, "control": False} for k in range(9)]
    drawn = curves(table("t", columns, rows)).svg["wide"]
    assert "attack 6" in drawn
    assert "attack 7" not in drawn  # the lines behind have no names
    heights = sorted({float(y) for y in re.findall(r'translate\([\d.]+,([\d.]+)\)"[^>]*>attack \d', drawn)})
    assert len(heights) == 7
    assert all(b - a > 12 for a, b in itertools.pairwise(heights))


def test_every_row_has_a_point_among_the_trade_offs():
    keys = ("attack", "attack_rate", "modification_rate", "front")
    columns = [Column(key, key, "") for key in keys]
    rows = [("best", 0.9, 0.1, "yes"), ("worse", 0.5, 0.2, "no"), ("chance", 0.4, 0.3, None)]
    drawn = pareto(table("t", columns, [dict(zip(keys, row, strict=True)) for row in rows]))
    for svg in drawn.svg.values():
        symbols = re.findall(r'<g class="mark-symbol.*?</g>', svg)
        assert sum(group.count("<path") for group in symbols) == 3
        assert all(name in svg for name, *_ in rows)
    assert "on the front (similarity counts too): best." in drawn.caption


def test_an_empty_results_folder_makes_a_site_that_says_what_to_do(tmp_path):
    from leaderboard.rows import read_runs

    (tmp_path / "runs").mkdir()
    files = dict(site_files(read_runs(tmp_path), Texts()))
    assert "gauntlet run quick" in files["boards/attacks.html"]
    assert "No entries yet" in files["ledger.html"]


def test_damage_is_told_on_the_site_and_by_the_command(site_reading, tmp_path, gauntlet):
    import shutil

    results = tmp_path / "results"
    shutil.copytree(site_reading.results, results)
    run = site_reading.runs[0]
    with (results / "runs" / run.run_id / "examples.parquet").open("ab") as file:
        file.write(b"x")
    code, _, told = gauntlet("site", "build", "--results", results, "--out", tmp_path / "out")
    assert code == 5
    assert run.run_id in told
    assert run.run_id in (tmp_path / "out" / "ledger.html").read_text()
    assert not (tmp_path / "out" / "examples" / f"{run.run_id}.html").exists()


def test_the_module_for_charts_is_asked_for_by_name(monkeypatch, site_reading):
    import sys

    from benchmark.errors import MissingResource

    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(MissingResource, match="pip install 'ner-gauntlet"):
        dict(site_files(changed(site_reading, lambda spec: spec), Texts()))


def outcome_of(original, adversarial, **more):
    edits = edit_script(original, adversarial)
    said = {"adversarial_gold": adversarial.tags, "adversarial_prediction": ("O",) * len(adversarial)}
    own = {"gold": original.tags, "clean": original.tags, "edits": edits, **said}
    return Outcome(original.id, None, len(original), Status.SUCCESS, **own, **more)


ANA = sentence("Ana Ruiz left New York on Friday", "B-PER I-PER O B-LOC I-LOC O O")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: s.replace(2, "quit"), [("left", "quit")]),
        (lambda s: s.insert(2, "then"), [("", "then")]),
        (lambda s: s.delete(5), [("on", "Friday")]),
        (lambda s: s.delete(6), [("Friday", "")]),
        (lambda s: s.merge(3, "NewYork"), [("New York", "NewYork")]),
        (lambda s: s.replace_span(s.spans[1], ["Oslo"]), [("New", "Oslo"), ("York", "on")]),
    ],
)
@pytest.mark.parametrize("text", [True, False])
def test_lines_show_each_kind_of_edit(change, expected, text):
    outcome = outcome_of(ANA, change(ANA))
    gold = next(line for line in lines(outcome, ANA if text else None) if line.name == "after, gold")
    shown = [(w.gone, w.text) for piece in gold.pieces for w in piece.words if w.gone or w.new]
    if not text:
        numbers = {token: str(k) for k, token in enumerate(ANA.tokens, 1)}
        expected = [tuple(" ".join(numbers.get(w, w) for w in part.split()) for part in pair) for pair in expected]
    assert shown == expected


def test_lines_show_attributions_as_shares_of_the_greatest():
    outcome = outcome_of(ANA, ANA.replace(0, "Eva"), attributions=(0.4, -0.1, 0.2, 0, 0, 0, 0), chosen=(0,))
    before, *_ = lines(outcome, ANA)
    words = [word for piece in before.pieces for word in piece.words]
    assert [word.weight for word in words] == [1, 0, 0.5, 0, 0, 0, 0]
    assert [word.chosen for word in words] == [True, *[False] * 6]


def test_a_paraphrase_is_marked_where_it_is_new():
    words = ["On", "Friday", "New", "York", "was", "left", "by", "Ana", "Ruiz"]
    spans = [Span(7, 9, "PER"), Span(2, 4, "LOC")]
    gold = next(m for m in lines(outcome_of(ANA, ANA.paraphrase(words, spans)), ANA) if m.name == "after, gold")
    assert [w.text for piece in gold.pieces for w in piece.words if w.new] == ["On", "was", "by"]


def test_types_keep_their_hues_and_share_none_where_there_are_enough():
    hues = type_hues(["product", "LOC", "PER", "event"])
    assert (hues["PER"], hues["LOC"]) == (type_hues(["PER"])["PER"], type_hues(["LOC"])["LOC"])
    assert len(set(hues.values())) == 4
