"""Small real runs for the tests of boards: stub victims and judges, the project's own attacks, engine and store."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
from collections import Counter

import pytest
from stubs import StubVictim, lexicon

from benchmark.datasets import Dataset
from benchmark.judging import Judges
from benchmark.plan import Plan
from benchmark.runner import run
from benchmark.selection import SelectionRule
from benchmark.spec import canonical_json, spec_id
from benchmark.statistics import intervals
from benchmark.store import RunFolder
from benchmark.types import Sentence
from benchmark.workshop import Workshop
from leaderboard.rows import Reading, read_runs

NAMES = {"Ana": "PER", "Bobby": "PER", "Cleo": "PER", "Limassol": "LOC", "Oslo": "LOC", "Rome": "LOC", "Acme": "ORG"}
WORDS = ("said", "told", "left", "near", "traders", "markets", "friday", "quietly", "bought", "prices")
LABELS = ("O", *(f"{mark}-{kind}" for kind in ("LOC", "ORG", "PER") for mark in "BI"))


def made_up(documents=False, sentences=40):
    """Sentences of nine words, two of which are names."""
    rng = random.Random(7)
    made = []
    for number in range(sentences):
        tokens, tags = [rng.choice(WORDS) for _ in range(9)], ["O"] * 9
        for at in rng.sample(range(0, 8, 2), 2):
            tokens[at] = rng.choice(sorted(NAMES))
            tags[at] = f"B-{NAMES[tokens[at]]}"
        document = f"d{number // 2}" if documents else None
        made.append(Sentence(f"test-{number}", tuple(tokens), tuple(tags), document=document))
    return Dataset("made-up", {"test": tuple(made)}, "tests")


class Reader(StubVictim):
    """Knows names by their first letters.

    Args:
        name: of the victim.
        letters: how many it looks at; fewer is sturdier.
        leans: types that it takes for names only before a word it knows.
        cased: types that it takes for names only if they begin with a capital.
        blind: names it does not know.
    """

    def __init__(self, name, letters=4, leans=("LOC",), cased=("ORG",), blind=()):
        super().__init__(self._tags, labels=LABELS)
        self.name = name
        self.fingerprint = hashlib.sha256(repr((name, letters, leans, cased, blind)).encode()).hexdigest()
        self._letters, self._leans, self._cased = letters, leans, cased
        self._known = {word[:letters].lower(): kind for word, kind in NAMES.items() if word not in blind}

    def _tags(self, tokens):
        return [self._tag_of(token, after) for token, after in zip(tokens, (*tokens[1:], ""), strict=True)]

    def _tag_of(self, token, after):
        kind = self._known.get(token[: self._letters].lower())
        unseen = kind in self._leans and after not in WORDS and after not in NAMES
        return "O" if kind is None or unseen or (kind in self._cased and not token[:1].isupper()) else f"B-{kind}"


class NoGrammar:
    """Finds no error."""

    identity = "no grammar 1"

    def count(self, texts):
        return [Counter() for _ in texts]


class SharedWords:
    """Texts are as similar as they share words."""

    identity = "shared words 1"

    def cosines(self, pairs):
        return [len({*a.split()} & {*b.split()}) / len({*a.split()} | {*b.split()}) for a, b in pairs]


class StubWorkshop(Workshop):
    """Has stub victims, stub judges and one made-up data set."""

    def __init__(self, victims, dataset):
        super().__init__()
        self.made_up = dataset
        self.stubs = {victim.name: victim for victim in victims}

    def dataset(self, plan):
        return self.made_up

    def victim(self, plan):
        return self.stubs[plan.victim]

    def judges(self, plan):
        return Judges(SharedWords(), NoGrammar(), (StubVictim(lexicon({})),))


def attack_all(results, victims, attacks, seeds=(0,), dataset=None, **more):
    """Run each attack (a name, or name and parameters) on each victim; return the folders."""
    workshop = StubWorkshop(victims, dataset or made_up())
    plans = [
        Plan(
            attack if isinstance(attack, str) else attack[0],
            victim.name,
            "made-up",
            parameters={} if isinstance(attack, str) else attack[1],
            seed=seed,
            selection=SelectionRule(limit=more.get("limit", 30)),
            queries=more.get("queries", 40),
            goal=more.get("goal", "untargeted-strict"),
        )
        for victim in victims
        for attack in attacks
        for seed in seeds
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "RESAMPLES", 200)  # values do not depend on them, and intervals have their own tests
        return [run(plan, results, workshop).folder for plan in plans]


def tampered(folder, *, spec=None, examples=None, result=None):
    """Change a run in ways that leave its hashes right; return its new folder, the old one is gone.

    Args:
        folder: of a finished run.
        spec: changes the specification's record.
        examples: changes the list of examples.
        result: changes the result's record.
    """
    record = json.loads(folder.spec_file.read_text(encoding="utf-8"))
    found, judges = folder.read_examples()
    outcome = folder.read_result()
    if spec:
        spec(record)
    new = RunFolder(folder.path.parent.parent, spec_id(record))
    folder.path.rename(new.path)
    new.spec_file.write_text(canonical_json(record), encoding="utf-8")
    if examples:
        examples(found)
    new.write_examples(found, judges)
    outcome |= {"run_id": new.run_id, "spec": record, "examples_sha256": new.examples_hash()}
    if result:
        result(outcome)
    new.write_result(outcome)
    return new


def changed(reading, change, which=lambda run: True):
    """A reading in which some runs have another specification."""
    runs = [dataclasses.replace(r, spec=change(r.spec)) if which(r) else r for r in reading.runs]
    return Reading(reading.results, tuple(runs))


def only(reading, **fields):
    """A reading of the runs whose specification has these values."""
    runs = [run for run in reading.runs if all(getattr(run.spec, name) == value for name, value in fields.items())]
    return Reading(reading.results, tuple(runs))


def read(results):
    """All runs of a folder, which must be sound."""
    reading = read_runs(results)
    assert not reading.damage
    return reading
