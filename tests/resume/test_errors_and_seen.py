"""Error rows: the same bytes however the work was cut, kept apart from scores, and attacked again on request."""

from __future__ import annotations

import json

import pytest
from stubs import StubVictim, lexicon, sentence

from benchmark.datasets.dataset import Dataset
from benchmark.plan import EngineOptions, Plan
from benchmark.runner import run
from benchmark.selection import SelectionRule
from benchmark.workshop import Workshop

NAMES = ["Ana", "Bea", "Cleo", "Dan", "Eva", "Finn"]


class Failing(StubVictim):
    """Cannot read one misspelling-free text once it is attacked, as long as it is broken."""

    broken = False

    def predict(self, batch):
        if self.broken and any("Cleo" in tokens for tokens in batch):
            raise ValueError("no room for Cleo")
        return super().predict(batch)


@pytest.fixture
def workshop(monkeypatch):
    sentences = tuple(sentence(f"{name} left .", "B-PER O O", f"test-{k}") for k, name in enumerate(NAMES))
    victim = Failing(lexicon(dict.fromkeys(NAMES, "B-PER")), labels=("O", "B-PER", "I-PER"))
    monkeypatch.setattr("benchmark.workshop.find_dataset", lambda *_: Dataset("six", {"test": sentences}, "test"))
    monkeypatch.setattr("benchmark.workshop.find_victim", lambda *_: victim)
    workshop = Workshop()
    plan = Plan("identity", dataset="six", selection=SelectionRule(limit=None))
    workshop.selection(plan)  # chosen while the victim still worked
    victim.broken = True
    return workshop, plan, victim


def test_error_rows_are_the_same_however_the_work_is_cut(workshop, tmp_path):
    shop, plan, _ = workshop
    found = set()
    for k, options in enumerate([EngineOptions(1, 1), EngineOptions(16, 128), EngineOptions(4, 2, reverse=True)]):
        folder = run(plan, tmp_path / str(k), shop, options).folder
        found.add((folder.examples_file.read_bytes(), folder.result_file.read_bytes()))
        assert "no room for Cleo" in folder.errors_file.read_text()
        assert b"Cleo" not in folder.examples_file.read_bytes()
    assert len(found) == 1


def test_a_sentence_the_victim_failed_on_is_an_error_and_no_missed_mention(workshop, tmp_path):
    shop, plan, _ = workshop
    metrics = run(plan, tmp_path, shop).result["metrics"]
    assert metrics["error.count"]["value"] == 1
    assert metrics["attack_rate"]["n"] == 6
    assert metrics["f1.strict.before"]["value"] == 1.0
    assert metrics["f1.strict.before"]["n"] == 5


def test_errors_are_attacked_again_on_request_only(workshop, tmp_path):
    shop, plan, victim = workshop
    run(plan, tmp_path, shop)
    victim.broken = False
    assert run(plan, tmp_path, shop).attacked == 0
    again = run(plan, tmp_path, shop, EngineOptions(retry_errors=True))
    assert again.attacked == 1
    assert again.result["metrics"]["error.count"]["value"] == 0
    untroubled = run(plan, tmp_path / "untroubled", shop)
    assert again.folder.examples_file.read_bytes() == untroubled.folder.examples_file.read_bytes()
    assert json.loads(again.folder.spec_file.read_text()) == json.loads(untroubled.folder.spec_file.read_text())


def test_an_attack_rate_beyond_the_budget_is_not_claimed(workshop, tmp_path):
    shop, plan, _ = workshop
    metrics = run(Plan(**{**vars(plan), "queries": 32}), tmp_path, shop).result["metrics"]
    assert metrics["attack_rate@32"]["value"] == 0.0
    assert metrics["attack_rate@128"]["value"] is None
    assert "budget" in metrics["attack_rate@128"]["reason"]


def test_the_training_split_is_part_of_the_run(workshop, tmp_path, monkeypatch):
    shop, plan, _ = workshop
    first = run(plan, tmp_path, shop).folder.run_id
    data = shop.dataset(plan)
    grown = Dataset("six", {**data.splits, "train": (sentence("Ana .", "B-PER O", "train-0"),)}, "test")
    shop._datasets = dict.fromkeys(shop._datasets, grown)
    report = run(plan, tmp_path, shop)
    assert report.folder.run_id != first
    assert report.result["metrics"]["recall.unseen.before"]["value"] == 1.0
