"""A small results folder for the tests of the site: real runs of stub victims, one on a corpus that is at hand."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import shutil

import pytest
from board_runs import Reader, attack_all, changed, made_up, read
from browsing import browser, tab
from stubs import StubVictim

from benchmark.datasets import find_dataset
from benchmark.statistics import intervals
from leaderboard import human_audit, ledger
from leaderboard.site.building import build_site
from leaderboard.site.texts import Texts
from leaderboard.transferring import transfer

__all__ = ["browser", "tab"]  # fixtures of another module

HOSTILE = "</script><img src=x onerror=alert(1)>[link](javascript:alert(1))\x1b[31m\u202e"


class ByHeart(StubVictim):
    """Knows the tags of a corpus's words by heart, letter for letter."""

    def __init__(self, name, sentences):
        known = {token: tag for s in sentences for token, tag in zip(s.tokens, s.tags, strict=True) if tag != "O"}
        super().__init__(lambda tokens: _valid([known.get(token, "O") for token in tokens]))
        self.name = name
        self.fingerprint = hashlib.sha256(name.encode()).hexdigest()


def _valid(tags):
    """Open mentions that an I- would continue from nowhere."""
    return [
        f"B-{tag[2:]}" if tag.startswith("I-") and before[2:] != tag[2:] else tag
        for before, tag in zip(["O", *tags], tags, strict=False)
    ]


@pytest.fixture(scope="session")
def site_reading(one_seed, tmp_path_factory):
    """Two victims, one of them defended, on a corpus that is not at hand; one victim on one that is; a ledger."""
    results = tmp_path_factory.mktemp("site") / "results"
    shutil.copytree(one_seed.results, results)
    newsroom = find_dataset("newsroom")
    victim = ByHeart("minilm/newsroom", newsroom.split("test"))
    attacks = ["deepwordbug-ii", "deepwordbug-i", "casing", "identity"]
    folders = attack_all(results, [victim], attacks, dataset=newsroom, limit=12)
    ledger.add(results, folders[0].run_id, "the first one", dt.date(2026, 11, 22).isoformat())
    other = Reader("minilm/other", letters=3, leans=())
    for run in read(results).runs:
        if run.spec.victim == "minilm/made-up" and run.spec.attack in {"casing", "deepwordbug-ii"}:
            transfer(results, run, other, made_up())
    people_read(folders[1])
    return read(results)


def people_read(folder):
    """Let two people read a run's texts: of the adversarial ones they find every other one wrong."""
    examples, _ = folder.read_examples()
    items = human_audit.sample(folder.run_id, examples, 6, 2, 0)
    wrong = {item.code for item in [item for item in items if item.adversarial][::2]}
    said = [{item.code: human_audit.Answer(item.code not in wrong, k) for item in items} for k in (3, 4)]
    human_audit.store_audit(folder, items, said, 0)


def built(reading, folder):
    """Build a site; with few resamples, for intervals have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "RESAMPLES", 200)
        build_site(reading, folder / "site", Texts())
    return folder / "site"


@pytest.fixture(scope="session")
def site(site_reading, tmp_path_factory):
    """The site of those results."""
    return built(site_reading, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def hostile_site(site_reading, tmp_path_factory):
    """A site of results in which every name is hostile; no such run would be read, so the reading is changed."""

    def renamed(spec):
        names = {name: f"{getattr(spec, name)}{HOSTILE}" for name in ("attack", "victim", "goal", "dataset")}
        return dataclasses.replace(spec, **names)

    return built(changed(site_reading, renamed), tmp_path_factory.mktemp("hostile"))
