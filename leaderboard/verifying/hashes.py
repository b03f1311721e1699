"""Do a run's files belong together? Its name, the hash of its examples, the checksum of its result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial

from benchmark.spec import canonical_json, spec_id
from leaderboard.plain_text import shown
from leaderboard.verifying.finding import Finding
from leaderboard.verifying.stored_run import StoredRun

__all__ = ["hash_faults"]


def hash_faults(run: StoredRun) -> Iterator[Finding]:
    """Yield files that do not belong together."""
    name = run.folder.name
    if run.raw_spec is not None and spec_id(run.raw_spec) != name:
        told = f"{name}, the run's name: the specification was changed, or the folder renamed"
        yield run.finding("spec.json", "hash", spec_id(run.raw_spec), told)
    if run.result is None:
        return
    wrong = partial(run.finding, "result.json")
    if run.result["run_id"] != name:
        yield wrong("run_id", shown(run.result["run_id"]), name)
    digest = hashlib.sha256(run.examples_content).hexdigest()
    if run.examples_content and run.result["examples_sha256"] != digest:
        yield wrong("examples_sha256", run.result["examples_sha256"], f"{digest}, the hash of examples.parquet")
    rest = {key: value for key, value in run.result.items() if key != "sha256"}
    checksum = hashlib.sha256(canonical_json(rest).encode()).hexdigest()
    if run.result["sha256"] != checksum:
        yield wrong("sha256", run.result["sha256"], f"{checksum}: something in the file was changed")
    if run.raw_spec is not None:
        yield from _differences(run)
    if run.examples is not None and run.result["judges"] != run.judges:
        yield wrong("judges", shown(run.result["judges"]), f"{shown(run.judges)}, as examples.parquet has it")


def _differences(run: StoredRun) -> Iterator[Finding]:
    """Yield fields in which the specification inside the result is another one."""
    inside, own = run.result["spec"] if run.result else {}, run.raw_spec or {}
    if run.spec is not None and inside == run.spec.to_json():
        return  # the result was computed by a later schema than the specification was written in
    for field in sorted({*inside, *own}):
        if inside.get(field) != own.get(field):
            yield run.finding("result.json", f"spec.{field[:80]}", shown(inside.get(field)), shown(own.get(field)))
