"""A function as a model, a file of sentences and a small ensemble: an audit in a second, its page opened by many."""

from __future__ import annotations

import sys
from contextlib import contextmanager

import pytest
from board_runs import NAMES, NoGrammar, SharedWords, made_up
from browsing import HOSTILE, browser, tab
from stubs import StubVictim, lexicon

from benchmark.judging import Judges
from benchmark.statistics import intervals
from leaderboard.auditing import running
from leaderboard.auditing.findings import Findings
from leaderboard.auditing.running import Request, audit

__all__ = ["browser", "tab"]  # fixtures of another module

# Knows names by their first or last letters: ORG by the first alone if they are capital, LOC if the word behind is in
# small letters. A last word "prices" is ORG to it.
TAGGER = f"""
FIRST = {{name[:3].lower(): kind for name, kind in {NAMES!r}.items()}}
LAST = {{name[-2:].lower(): kind for name, kind in {NAMES!r}.items() if kind != "ORG"}}


def tag(texts):
    return [[one(*pair) for pair in zip(text, [*text[1:], ""])] for text in texts]


def one(token, after):
    if (token, after) == ("prices", ""):
        return "B-ORG"
    kind = FIRST.get(token[:3].lower()) or LAST.get(token[-2:].lower())
    lost = (kind == "ORG" and token.islower()) or (kind == "LOC" and after != after.lower())
    return "O" if kind is None or lost else "B-" + kind


def breaks(texts):
    raise RuntimeError("out of order")


some_number = 3
"""
SUITE = """
attacks = ["casing", "deepwordbug-labels"]
limit = 20
queries = 5
"""


def write_conll(path, sentences, instead=None):
    """Write sentences in columns; `instead`: words by words."""
    words = instead or {}
    blocks = (
        "".join(f"{words.get(token, token)} {tag}\n" for token, tag in zip(s.tokens, s.tags, strict=True))
        for s in sentences
    )
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The function's module `tagger`, a file of sentences, and a small ensemble."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "tagger.py").write_text(TAGGER)
    (folder / "hostile_tagger.py").write_text(TAGGER.replace("'Ana'", repr(HOSTILE)))
    write_conll(folder / "mine.conll", made_up().split("test"))
    write_conll(folder / "hostile.conll", made_up().split("test"), {"Ana": HOSTILE, "quietly": "\x1b[31m\u202e<b>"})
    (folder / "small.toml").write_text(SUITE)
    return folder


@contextmanager
def small_audits(folder):
    """Let audits find the function, and run the small ensemble with quick judges."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setattr(running, "WITH_SCORES", str(folder / "small.toml"))
        patch.setattr(running, "LABELS_ONLY", str(folder / "small.toml"))
        judges = Judges(SharedWords(), NoGrammar(), (StubVictim(lexicon({})),))
        patch.setattr(running._OneModel, "judges", lambda self, plan: judges)
        patch.setattr(intervals, "RESAMPLES", 200)
        yield
    for name in ("tagger", "hostile_tagger"):
        sys.modules.pop(name, None)


@pytest.fixture
def bench(folder):
    """The folder, with the small ensemble in force."""
    with small_audits(folder):
        yield folder


def found(folder, request):
    """What an audit finds; patched only meanwhile, for what it finds outlives the tests here."""
    with small_audits(folder):
        return Findings(audit(request, folder / "results"))


@pytest.fixture(scope="session")
def findings(folder):
    """Of the function on the file."""
    return found(folder, Request("tagger:tag", str(folder / "mine.conll")))


@pytest.fixture(scope="session")
def hostile_findings(folder):
    """Of a function and a file whose words are hostile."""
    return found(folder, Request("hostile_tagger:tag", str(folder / "hostile.conll"), train=folder / "hostile.conll"))
