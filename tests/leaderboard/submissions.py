"""A tiny real run of each of two attacks, and what it takes to tamper with a copy so that its hashes fit again."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmark.judging import Judges
from benchmark.plan import Plan
from benchmark.runner import run, score
from benchmark.selection import SelectionRule
from benchmark.spec import canonical_json, spec_id
from benchmark.statistics import intervals
from benchmark.store import EXAMPLES, RunFolder
from benchmark.workshop import Workshop
from leaderboard.verifying.judgements import Panel
from leaderboard.verifying.sentences import Library
from leaderboard.verifying.verification import verify

SENTENCES = 10
QUERIES = 24
# The first may touch mentions, the second may not, the third reaches nothing.
ATTACKS = ("deepwordbug-i", "deepwordbug-ii", "identity")


@functools.cache
def workshop():
    """What the runs share."""
    return Workshop()


@functools.cache
def library():
    """The data sets at hand."""
    return Library()


@functools.cache
def panel():
    """The judges, loaded once."""
    return Panel()


def plan_of(attack, **more):
    return Plan(attack, queries=QUERIES, selection=SelectionRule(limit=SENTENCES), **more)


def tiny_results(results):
    """Put a finished run of each attack into a results folder."""
    with quick_intervals():
        for attack in ATTACKS:
            run(plan_of(attack), results, workshop())
    return results


JUDGES = functools.cache(Judges.named)


def reuse_models(monkeypatch):
    """Let commands take the models that are loaded already."""
    victim = workshop().victim(plan_of("identity"))
    monkeypatch.setattr("benchmark.workshop.find_victim", lambda *_: victim)
    monkeypatch.setattr(Judges, "named", staticmethod(JUDGES))


@contextmanager
def quick_intervals():
    """Fewer resamples, the same ones for who computes and who verifies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "RESAMPLES", 100)
        yield


def run_of(results, attack):
    """The folder of an attack's run."""
    for path in sorted((results / "runs").iterdir()):
        if json.loads((path / "spec.json").read_text())["attack"] == attack:
            return RunFolder(results, path.name)
    raise LookupError(attack)


def copied(results, into):
    """A results folder that may be changed."""
    return Path(shutil.copytree(results, into / "results"))


def verified(path, **more):
    """What verification says, with everything at hand."""
    return verify(path, library=more.pop("library", library()), panel=panel(), **more)


def lines(path, **more):
    """The findings, one line each."""
    return [finding.line for finding in verified(path, **more).findings]


class Forgery:
    """A run's records, to be changed and written back so that all hashes fit.

    Attributes:
        spec: of spec.json.
        rows: of examples.parquet.
        metadata: of the same.
        result: of result.json; computed anew when sealed, unless `score` is off.
    """

    def __init__(self, folder):
        self.folder = folder
        self.spec = json.loads(folder.spec_file.read_text(encoding="utf-8"))
        table = pq.read_table(folder.examples_file)
        self.rows = table.to_pylist()
        self.metadata = dict(table.schema.metadata)
        self.result = json.loads(folder.result_file.read_text(encoding="utf-8"))

    def success(self, wanted=lambda row: True):
        """The first row that is a success, and more if asked."""
        return next(row for row in self.rows if row["status"] == "success" and wanted(row))

    def sealed(self, scored=True):
        """Write all of it; return the folder, renamed if the specification changed."""
        name = spec_id(self.spec)
        folder = RunFolder(self.folder.path.parent.parent, name)
        if name != self.folder.run_id:
            self.folder.path.rename(folder.path)
        folder.spec_file.write_text(canonical_json(self.spec), encoding="utf-8")
        schema = EXAMPLES.with_metadata({**self.metadata, b"run_id": name.encode()})
        pq.write_table(pa.Table.from_pylist(self.rows, schema=schema), folder.examples_file)
        if scored:
            self.result = score(folder)
        else:
            self.result |= {"run_id": name, "spec": self.spec, "examples_sha256": folder.examples_hash()}
        self.write_result(folder)
        return folder

    def write_result(self, folder=None):
        """Write the result alone, with a checksum that fits."""
        rest = {name: value for name, value in self.result.items() if name != "sha256"}
        checksum = hashlib.sha256(canonical_json(rest).encode()).hexdigest()
        text = canonical_json({**rest, "sha256": checksum})
        (folder or self.folder).result_file.write_text(text, encoding="utf-8")
