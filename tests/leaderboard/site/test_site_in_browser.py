"""The site in Chromium, from the disk: it runs, it reads without scripts, it can be used by keyboard and by readers."""

from __future__ import annotations

import csv
import threading
from functools import partial

import pytest
from browsing import WIDE, serious

from benchmark.alignment import adversarial_sentence
from benchmark.datasets.conll import read_conll
from benchmark.types import Status
from leaderboard.boards import BOARDS
from leaderboard.site.contests import contests
from leaderboard.site.material import Material
from leaderboard.site.pages import Page, environment, rendered
from leaderboard.site.texts import Texts
from leaderboard.tables import Column, table

NARROW = 360


def pages(folder):
    return sorted(folder.rglob("*.html"))


def one_of_each_kind(folder, reading):
    run = next(r for r in reading.runs if r.spec.dataset == "newsroom" and r.spec.attack == "deepwordbug-i")
    names = ["index", "boards/attacks", "boards/curves", "boards/defenses", "boards/pareto", "boards/transfer"]
    names += [
        "attacks/index",
        "attacks/deepwordbug-i",
        "defenses/augment",
        "data/newsroom",
        f"examples/{run.run_id}",
        "examples/index",
        "compare/index",
    ]
    names += ["ledger", "method", "submit"]
    first = min((folder / "compare").glob("minilm*.html"))
    return [*(folder / f"{name}.html" for name in names), first]


def rows(page, number=1, column="attack"):
    return page.eval_on_selector_all(
        f"#t{number} tbody tr",
        "(rows, key) => rows.map(r => r.cells[[...r.closest('table').tHead.rows[0].cells]"
        ".findIndex(h => h.dataset.key === key)].dataset.v)",
        column,
    )


def test_every_page_opens_without_complaint(tab, site):
    page = tab()
    for path in pages(site):
        page.goto(path.as_uri())
        assert page.title().endswith("Gauntlet")


def test_hostile_names_do_nothing(tab, hostile_site):
    page = tab()
    # Of each kind of page some, those with lists and the largest of the others.
    for folder in (hostile_site, *(path for path in sorted(hostile_site.iterdir()) if path.is_dir())):
        largest = sorted(folder.glob("*.html"), key=lambda path: (path.name != "index.html", -path.stat().st_size))
        for path in largest[:3]:
            page.goto(path.as_uri())
            assert page.locator("img").count() == 0


def test_sorting_searching_and_the_address(tab, site, site_reading):
    frame = BOARDS["attacks"].tables(site_reading)[0].frame
    ranked = frame[~frame["control"]]
    page = tab(site / "boards" / "attacks.html")
    as_built = rows(page)
    assert as_built == list(frame["attack"])
    sort = page.locator("#t1 th[data-key='queries'] button")
    sort.focus()
    page.keyboard.press("Enter")
    by_queries = list(ranked.sort_values("queries", ascending=False, kind="stable")["attack"])
    assert rows(page)[: len(by_queries)] == by_queries
    assert page.locator("#t1 th[data-key='queries']").get_attribute("aria-sort") == "descending"
    sort.click()
    assert rows(page)[: len(by_queries)] == list(ranked.sort_values("queries", kind="stable")["attack"])
    page.fill("#search", "deepwordbug-i")
    found = rows(page)
    assert found == [
        name for name in list(ranked.sort_values("queries", kind="stable")["attack"]) if "deepwordbug-i" in name
    ]
    page.check("#show-extra")
    other = tab()
    other.goto(page.url)
    assert rows(other) == found
    assert other.input_value("#search") == "deepwordbug-i"
    assert other.locator("#t1 th[data-key='access']").is_visible()
    sort.click()
    page.fill("#search", "")
    assert rows(page) == as_built


def test_a_search_finds_tables_by_their_title_and_hides_the_others(tab, site, site_reading):
    tables = BOARDS["attacks"].tables(site_reading)
    page = tab(site / "boards" / "attacks.html")
    page.fill("#search", "casing made-up+mat")
    fitting = [
        f"t{k}" for k, t in enumerate(tables, 1) if "made-up+mat" in t.title and "casing" in set(t.frame["attack"])
    ]
    assert 0 < len(fitting) < len(tables)
    shown = page.eval_on_selector_all("section.sheet", "all => all.filter(one => !one.hidden).map(one => one.id)")
    assert shown == fitting
    assert rows(page, fitting[0][1:]) == ["casing"]


def test_a_menu_filters_and_the_rows_shown_can_be_taken_away(tab, site, site_reading, tmp_path):
    page = tab(site / "examples" / "index.html", accept_downloads=True)
    menu = page.locator(".tools[data-for='t1'] select").nth(1)
    menu.select_option("minilm/made-up+mat")
    expected = [r.run_id for r in site_reading.runs if r.spec.victim == "minilm/made-up+mat"]
    assert sorted(rows(page, column="runs")) == sorted(expected)
    with page.expect_download() as event:
        page.get_by_role("button", name="CSV of the rows shown").click()
    event.value.save_as(tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        taken = list(csv.DictReader(file))
    assert [row["runs"] for row in taken] == rows(page, column="runs")
    assert {row["victim"] for row in taken} == {"minilm/made-up+mat"}


def test_the_export_is_downloaded(tab, site, tmp_path):
    page = tab(site / "boards" / "attacks.html", accept_downloads=True)
    with page.expect_download() as event:
        page.get_by_role("link", name="CSV", exact=True).click()
    event.value.save_as(tmp_path / "board.csv")
    assert (tmp_path / "board.csv").read_bytes() == (site / "exports" / "attacks.csv").read_bytes()


def test_comparing_two_rows(tab, site, site_reading):
    made = Material(site_reading, Texts())
    contest, path = next(
        (c, p)
        for c, p in zip(made.contests, made.contest_paths, strict=True)
        if c.title.startswith("minilm/newsroom on") and len(c.rows) > 2
    )
    pair = next(p for p in contest.pairs if p.second == 2)
    page = tab(site / path)
    page.select_option("select[name=a]", str(pair.second))
    page.select_option("select[name=b]", str(pair.first))
    told = page.inner_text("#pair")
    assert f"{-100 * pair.difference:.1f} points".replace("-", "−") in told
    assert f"{pair.p:.4f}, {contest.test}" in told
    assert f"({pair.only_second})" in told
    assert f"({pair.only_first})" in told
    other = tab()
    other.goto(page.url)
    assert other.inner_text("#pair") == told
    link = other.locator(".ids a").first
    name = link.inner_text()
    link.click()
    assert other.locator(".example.here h3").inner_text() == name


def test_examples_that_one_attack_breaks_and_another_does_not(tab, site, site_reading, tmp_path):
    runs = {r.spec.attack: r for r in site_reading.runs if r.spec.dataset == "newsroom"}
    own, other = runs["deepwordbug-i"], runs["deepwordbug-ii"]

    def won(run):
        return {name for name, e in run.examples.items() if e.outcome.status is Status.SUCCESS}

    page = tab(site / "examples" / f"{own.run_id}.html", accept_downloads=True)
    shown = page.locator(".example:visible h3")
    assert set(shown.all_text_contents()) == won(own)
    page.select_option("select[name=other]", other.run_id)
    assert set(shown.all_text_contents()) == won(own) - won(other)
    page.select_option("select[name=that]", "1")
    assert set(shown.all_text_contents()) == won(own) & won(other)
    page.select_option("select[name=other]", "")
    page.get_by_role("button", name="Pick all shown").click()
    with page.expect_download() as event:
        page.get_by_role("button", name="Download picked").click()
    event.value.save_as(tmp_path / "taken.conll")
    texts = Texts().sentences(own.spec)
    expected = [
        adversarial_sentence(texts[name], e.outcome.edits, e.outcome.adversarial_gold)
        for name, e in own.examples.items()
        if name in won(own)
    ]
    taken = read_conll(tmp_path / "taken.conll", "train")
    assert [(s.tokens, s.tags) for s in taken] == [(s.tokens, s.tags) for s in expected]


def test_a_link_to_one_example_shows_it_whatever_is_filtered(tab, site, site_reading):
    own = next(r for r in site_reading.runs if r.spec.dataset == "newsroom" and r.spec.attack == "identity")
    page = tab()
    name = next(iter(own.examples))
    page.goto((site / "examples" / f"{own.run_id}.html").as_uri() + f"#{name}")
    assert page.locator(".example:visible h3").all_text_contents() == [name]
    page.locator(".example:visible h3 a").click()
    assert f"at={name}" in page.url


def test_without_scripts_everything_can_be_read(tab, site, site_reading):
    page = tab(site / "boards" / "attacks.html", java_script_enabled=False)
    frame = BOARDS["attacks"].tables(site_reading)[0].frame
    assert page.locator("#t1 tbody tr:visible").count() == len(frame)
    assert not page.locator("#search").is_visible()
    own = next(r for r in site_reading.runs if r.spec.dataset == "newsroom" and r.spec.attack == "deepwordbug-i")
    page.goto((site / "examples" / f"{own.run_id}.html").as_uri())
    assert page.locator(".example:visible").count() == len(own.examples)
    made = next(iter(contests(site_reading)))
    page.goto((site / Material(site_reading, Texts()).contest_paths[0]).as_uri())
    assert page.locator("#t1 tbody tr:visible").count() == len(made.pairs)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_readers_of_all_kinds_are_served(tab, site, site_reading, scheme):
    page = tab(color_scheme=scheme)
    found = {}
    # In the dark nothing but the colours is another.
    for path in one_of_each_kind(site, site_reading)[:: 2 if scheme == "dark" else 1]:
        page.goto(path.as_uri())
        bad = serious(page, colours_only=scheme == "dark")
        found |= {path.name: bad} if bad else {}
    assert not found


def test_the_button_changes_the_colours_and_paper_stays_white(tab, site):
    page = tab(site / "index.html")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("button.theme").click()
    assert page.evaluate(ground) != light
    page.goto((site / "ledger.html").as_uri())  # the choice is kept
    assert page.evaluate(ground) != light
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.top nav')).display") == "none"


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_no_page_is_wider_than_its_window(tab, site, site_reading, width, tmp_path_factory):
    shots = tmp_path_factory.mktemp("screenshots", numbered=True)
    page = tab()
    page.set_viewport_size({"width": width, "height": 800})
    for path in one_of_each_kind(site, site_reading):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.screenshot(path=shots / f"{path.parent.name}-{path.stem[:40]}-{width}.png")


def test_five_thousand_rows_are_sorted_by_one_change_a_body(tab, site, site_reading):
    columns = [Column("attack", "Attack", "name"), Column("rate", "Rate", "a rate", 100, 1, "high")]
    records = [{"attack": f"attack {k}", "rate": (k * 7919 % 5000) / 5000} for k in range(5000)]
    shown = Material(site_reading, Texts()).shown([table("Many: rows", columns, records)])
    path = site / "many.html"
    page = Page("many.html", "runs.html", "Many", "examples", {"tables": shown}, ("tables.js",))
    path.write_text(rendered(page, environment()), encoding="utf-8")
    try:
        many = tab(path)
        assert many.locator("#t1 tbody tr").count() == 100
        many.evaluate(
            "window.changes = 0; new MutationObserver(records => { window.changes += records.length; })"
            ".observe(document.querySelector('#t1 tbody'), { childList: true })"
        )
        many.locator("#t1 th[data-key='rate'] button").click()
        assert many.evaluate("window.changes") == 1
        best = sorted(records, key=lambda record: -record["rate"])
        assert rows(many) == [record["attack"] for record in best[:100]]
        many.get_by_role("button", name="Next").click()
        assert rows(many) == [record["attack"] for record in best[100:200]]
        many.fill("#search", "attack 4321")
        assert rows(many) == ["attack 4321"]
        assert many.evaluate("window.changes") <= 2 + len("attack 4321")
    finally:
        path.unlink()


def test_the_served_site_needs_nothing_from_elsewhere(tab, site):
    from benchmark.cli.site import _server

    with _server(site, 0) as server:
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05))
        thread.start()
        try:
            page = tab()
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/boards/attacks.html")
            page.locator("#t1 th[data-key='queries'] button").click()
            assert "sort=-queries" in page.url
        finally:
            server.shutdown()
            thread.join()
