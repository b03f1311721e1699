"""`gauntlet audit` from the command to the page: one file, no script, nothing loaded, whatever the words are."""

from __future__ import annotations

import dataclasses
import html.parser
import json
import re
import shutil

import pytest
from browsing import HOSTILE, WIDE, serious

from benchmark.metrics import Example
from benchmark.store import RunFolder
from benchmark.types import Status
from leaderboard import human_audit
from leaderboard.auditing import findings as numbers
from leaderboard.auditing import report as pages
from leaderboard.auditing.findings import Findings
from leaderboard.auditing.running import Request, audit
from leaderboard.rows import own_run

NARROW = 360


class Tags(html.parser.HTMLParser):
    """Collects tags, attributes and where links lead."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.links += [value for name, value in attrs if name in {"href", "src", "action", "srcset", "data"}]


@pytest.fixture(scope="module")
def page(findings, folder):
    """The page of the function."""
    path = folder / "page.html"
    path.write_text(pages.report(findings, folder / "results", "gauntlet audit tagger:tag"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def hostile_page(hostile_findings, folder):
    """The page of hostile words."""
    path = folder / "hostile.html"
    path.write_text(pages.report(hostile_findings, folder / "results", f"gauntlet audit '{HOSTILE}'"), encoding="utf-8")
    return path


def run_it(gauntlet, bench, *more):
    return gauntlet("audit", "tagger:tag", "--data", bench / "mine.conll", "--results", bench / "results", *more)


def test_the_command_writes_the_page_and_the_numbers(gauntlet, bench, findings, tmp_path):
    code, out, told = run_it(gauntlet, bench, "--out", tmp_path / "my page.html", "--json")
    assert code == 0
    assert "my page.html" in told
    record = json.loads(out)
    assert record["headline"] == pages.headline(findings)
    assert record["robust_f1"]["value"] == pytest.approx(findings.robust.value, abs=1e-6)
    assert [table["title"] for table in record["tables"]] == [table.title for table in findings.tables.values()]
    text = (tmp_path / "my page.html").read_text(encoding="utf-8")
    assert record["command"].startswith(f"gauntlet audit tagger:tag --data {bench / 'mine.conll'} --results ")
    assert record["command"] in text
    code, out, _ = run_it(gauntlet, bench, "--limit", "3")
    assert code == 0
    assert "Of 3 sentences" in out
    (made,) = tmp_path.glob("audit-tagger-tag*.html")
    assert "--limit 3" in made.read_text(encoding="utf-8")


def test_a_killed_audit_goes_on_and_ends_in_the_same_bytes(bench, findings, tmp_path):
    def killed(stage, done, total):
        if stage.startswith("attack 2") and "deepwordbug" in stage and done == 7:
            raise KeyboardInterrupt

    request = Request("tagger:tag", str(bench / "mine.conll"))
    with pytest.raises(KeyboardInterrupt):
        audit(request, tmp_path, killed)
    at = []
    again = audit(request, tmp_path, lambda stage, done, total: at.append((stage, done)))
    assert not any(stage.startswith("attack 1") and "casing" in stage for stage, _ in at)
    assert min(done for stage, done in at if stage.startswith("attack 2") and "deepwordbug" in stage) >= 7
    for one, other in zip(again.runs, findings.audit.runs, strict=True):
        files = [folder / "runs" / one.run_id / "examples.parquet" for folder in (tmp_path, bench / "results")]
        assert one.run_id == other.run_id
        assert files[0].read_bytes() == files[1].read_bytes()


def test_the_headline_begins_with_how_good_the_model_is_on_all_the_data(findings):
    clean = findings.audit.clean.value
    assert f"{clean:.3f}" != f"{findings.clean_f1:.3f}"
    said = pages.headline(findings)
    assert said.startswith(f"Clean F1 on mine.conll is {100 * clean:.1f}. Of 20 sentences in which tagger:tag misses ")
    assert "reads right" not in said
    assert findings.f1.frame["text"][0] == "clean: all sentences, or a sample of 500"


def test_the_headline_claims_no_more_than_was_checked(gauntlet, bench, findings, page):
    assert "edits that show no sign of changing the right answer break " in pages.headline(findings)
    caution = "An edit inside a mention is taken to keep its type; nobody has read these texts."
    assert pages.caution(findings) == caution
    assert caution in page.read_text(encoding="utf-8")
    assert caution in run_it(gauntlet, bench)[1].splitlines()


def test_attacks_that_broke_off_are_told_on_the_terminal(gauntlet, bench, tmp_path, monkeypatch):
    import tagger

    def fragile(texts):
        if any("acme" in text for text in texts):
            raise RuntimeError("out of order")
        return tagger.tag(texts)

    monkeypatch.setattr(tagger, "fragile", fragile, raising=False)
    command = ("audit", "tagger:fragile", "--data", bench / "mine.conll", "--results", tmp_path, "--out", "page.html")
    code, out, told = gauntlet(*command)
    assert code == 1
    (line,) = [line for line in told.splitlines() if "broke off" in line]
    assert re.fullmatch(r"\d+ attacks on a sentence .* count as held.*errors.log.* --retry-errors tries them .*", line)
    assert line not in out
    assert line in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_one_attack_that_broke_off_is_one(findings):
    first, *others = findings.audit.runs
    name = findings.sentences[0]
    outcome = dataclasses.replace(first.examples[name].outcome, status=Status.ERROR)
    first = dataclasses.replace(first, examples={**first.examples, name: Example(outcome)})
    one = Findings(dataclasses.replace(findings.audit, runs=(first, *others)))
    assert pages.broken_off(one).startswith("1 attack on a sentence broke off with an error and counts as held. ")
    assert pages.broken_off(findings) == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no_such_module:tag"], "no module 'no_such_module'"),
        (["tagger:nothing"], "no function 'nothing'"),
        (["tagger:some_number"], "no function 'some_number'"),
        (["tagger:breaks"], "tagger:breaks broke off on clean sentences: RuntimeError: out of order"),
        (["broken_module:tag"], "cannot be imported: SyntaxError"),
        (["nothing at all"], "unknown victim"),
        (["tagger:tag", "--data", "nowhere.conll"], "no such file: nowhere.conll"),
        (["tagger:tag", "--data", "nowhere"], "unknown data set 'nowhere'"),
        (["tagger:tag", "--label-map", "PER"], "is not OLD=NEW"),
        (["tagger:tag", "--out", "nowhere/page.html"], "--out names a file"),
        (["tagger:tag", "--limit", "0"], "'--limit'"),
        (["no_such_module:tag", "--data", "unmarked.txt"], "marks no mention"),
        (["tagger.py:tag"], "write tagger:tag, without .py"),
        (["wrong_functions:without_marks"], "return B-PERSON, I-PERSON or O"),
        (["wrong_functions:nothing"], "return one list of tags"),
        (["tagger:tag", "--data", "pairs.jsonl"], 'line 1: a span is {"start": …'),
        (["tagger:tag", "--data", "unmarked.txt"], "marks no mention"),
        (["tagger:tag", "--data", "strange.txt"], "--label-map"),
        (["tagger:tag", "--data", "never-right.txt"], "finds none of the PER"),
        (["tagger:tag", "--train", "nowhere.conll"], "no such file: nowhere.conll"),
    ],
)
def test_bad_input_gets_one_plain_line(gauntlet, bench, tmp_path, arguments, says):
    (tmp_path / "broken_module.py").write_text("def tag(:\n")
    (tmp_path / "wrong_functions.py").write_text(
        "def nothing(texts):\n    pass\n\n\n"
        "def without_marks(texts):\n    return [['PERSON' for _ in text] for text in texts]\n"
    )
    (tmp_path / "pairs.jsonl").write_text('{"text": "Ana left", "spans": [[0, 3, "PER"]]}\n')
    (tmp_path / "unmarked.txt").write_text("Ana O\n")
    (tmp_path / "strange.txt").write_text("Ana B-human\n")
    (tmp_path / "never-right.txt").write_text("Zoe B-PER\nAna O\n")
    data = [] if "--data" in arguments else ["--data", bench / "mine.conll"]
    code, _, told = gauntlet("audit", *arguments, *data)
    assert code == 2
    assert says in told
    assert told.strip().splitlines()[-1].lower().startswith("error: ")
    assert "Traceback" not in told


def test_the_page_is_one_file_that_loads_and_runs_nothing(page, findings):
    read = Tags(page.read_text(encoding="utf-8"))
    assert not {"script", "img", "iframe", "object", "form", "base"} & {*read.tags}
    assert read.tags.count("style") == 1
    assert all(link.startswith(("#", "data:")) for link in read.links)
    assert not [name for name in read.attributes if name.startswith("on")]
    text = page.read_text(encoding="utf-8")
    assert "@import" not in text
    assert "url(" not in text
    assert read.tags.count("article") == len(pages.chosen(findings))


def test_hostile_words_stay_words(hostile_page):
    text = hostile_page.read_text(encoding="utf-8")
    read = Tags(text)
    assert not {"script", "img", "b"} & {*read.tags}
    assert read.tags.count("style") == 1
    assert not [name for name in read.attributes if name.startswith("on")]
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "&lt;img/src=x" in text


def test_long_names_break_after_their_marks_and_a_file_is_called_by_its_name(page, hostile_page, bench):
    text = page.read_text(encoding="utf-8")
    assert "<h1>tagger:<wbr>tag under attack</h1>" in text
    assert f"<dt>Data</dt><dd>mine.conll ({bench / 'mine.conll'})</dd>" in text
    assert "<h1>hostile_<wbr>tagger:<wbr>tag under attack</h1>" in hostile_page.read_text(encoding="utf-8")
    assert pages.environment().from_string("{{ n|breakable }}").render(n="<b>a/b=\u202e") == (
        "&lt;b&gt;a/<wbr>b=<wbr>\\u202e"
    )


def test_the_page_says_what_is_not_known(page, hostile_page):
    text = page.read_text(encoding="utf-8")
    assert "the audit does not know what this model was trained on" in text
    assert "No results of defended models are at hand" in text
    assert "By seen and unseen mentions" in hostile_page.read_text(encoding="utf-8")
    assert "Seen: in hostile.conll" in hostile_page.read_text(encoding="utf-8")


def test_the_page_names_no_weakest_type_of_few_mentions(findings, bench, monkeypatch):
    assert f"<dd>{findings.weakest_type['type']} (" in pages.report(findings, bench / "results", "gauntlet audit")
    monkeypatch.setattr(numbers, "ENOUGH_MENTIONS", 1000)
    assert "<dd>too few mentions to say</dd>" in pages.report(findings, bench / "results", "gauntlet audit")


def test_the_facts_speak_plainly(page, findings, bench, monkeypatch):
    text = page.read_text(encoding="utf-8")
    assert "<dt>F1 in the worst case, all texts</dt>" in text
    assert f"<dt>Kind of edit that breaks most</dt><dd>{findings.easiest_kind['kind']} (" in text
    monkeypatch.setattr(Findings, "easiest_kind", {"kind": "casing", "valid": 0.0})
    assert "Kind of edit that" not in pages.report(findings, bench / "results", "gauntlet audit")


def test_defended_models_that_are_there_are_told(findings, one_seed):
    text = pages.report(findings, one_seed.results, "gauntlet audit tagger:tag")
    assert "minilm/made-up+mat" in text
    assert "No results of defended models" not in text


def test_what_people_read_is_told(findings, bench, tmp_path):
    shutil.copytree(bench / "results", tmp_path / "results")
    folder = RunFolder(tmp_path / "results", findings.audit.runs[0].run_id)
    items = human_audit.sample(folder.run_id, folder.read_examples()[0], 4, 2, 0)
    said = {item.code: human_audit.Answer(True, 4) for item in items}
    human_audit.store_audit(folder, items, [said], 0)
    read_again = dataclasses.replace(findings.audit, runs=(own_run(folder), *findings.audit.runs[1:]))
    read = Findings(read_again)
    text = pages.report(read, tmp_path / "results", "gauntlet audit tagger:tag")
    assert pages.caution(read) == "An edit inside a mention is taken to keep its type."
    assert "1 person read 4 of its texts and found the labels of 100 % right" in text


@pytest.mark.parametrize("scripts", [True, False])
def test_the_page_opens_and_reads_with_and_without_scripts(tab, page, findings, scripts):
    asked = []
    opened = tab(java_script_enabled=scripts)
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(page.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
    assert opened.locator("h1").inner_text().startswith("tagger:tag")
    assert opened.locator("#t2 tbody tr:visible").count() == len(findings.audit.runs)
    assert opened.locator(".ci:visible").count() > 5
    assert opened.locator("article:visible").count() == len(pages.chosen(findings))


def test_hostile_words_do_nothing_in_a_browser(tab, hostile_page):
    opened = tab(hostile_page)
    assert opened.locator("img").count() == 0
    assert opened.locator("article").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(tab, page, scheme):
    assert not serious(tab(page, color_scheme=scheme), colours_only=scheme == "dark")


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_page_is_no_wider_than_its_window(tab, page, width, tmp_path_factory):
    opened = tab()
    opened.set_viewport_size({"width": width, "height": 800})
    opened.goto(page.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    shadows = opened.evaluate("getComputedStyle(document.querySelector('.scroll')).backgroundAttachment")
    assert shadows == "local, local, scroll, scroll"  # a wide table shows that it scrolls
    opened.screenshot(path=tmp_path_factory.mktemp("screenshots", numbered=True) / f"audit-{width}.png", full_page=True)
