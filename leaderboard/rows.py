"""Finished runs of a results folder, read without trust: what every board is made of.

Form and hashes are checked, as `gauntlet verify` checks them, so that a board never trips over what a stranger sent;
whether the numbers are true is for verification to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmark.datasets import Dataset
from benchmark.errors import BadInput, CorruptResult, GauntletError
from benchmark.metrics import Example, Value
from benchmark.spec import RunSpec
from benchmark.store import RunFolder, stored_runs
from benchmark.types import Sentence
from leaderboard.human_audit import read_audit
from leaderboard.ledger import badges, ledger_file, uncounted
from leaderboard.strict_json import loads
from leaderboard.verifying.audits import audit_faults
from leaderboard.verifying.files import opened
from leaderboard.verifying.finding import Finding
from leaderboard.verifying.hashes import hash_faults
from leaderboard.verifying.records import SpecRecord, form_faults
from leaderboard.verifying.stored_run import StoredRun
from leaderboard.verifying.stored_run import read_run as read_stored_run
from leaderboard.victim_names import as_recorded

__all__ = ["Filter", "Reading", "Run", "own_run", "provenance", "read_run", "read_runs", "sound_spec"]


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        run_id: its name.
        spec: what was asked for.
        examples: what became of each sentence, by id, in the order of the specification.
        judges: names and versions by what they judge.
        metrics: by name.
        per_type: F1 before and after the attack, by entity type and name.
        examples_sha256: hash of the examples' file.
        victim_cost: what it took to make the victim, where the run's provenance tells; numbers by name.
        soundness: of `benchmark.soundness`, where the run's provenance tells; numbers by name.
        clean: what its victim gets right of all sentences that were looked at in choosing those to attack, where the
            run's provenance tells; `benchmark.selection` has the names.
        audit: what people said of its examples, as `human_audit.audit_record` has it; None where nobody was asked.
        trust: the badge that the ledger gives it; None where there is no ledger.
    """

    run_id: str
    spec: RunSpec
    examples: Mapping[str, Example]
    judges: Mapping[str, str]
    metrics: Mapping[str, Value]
    per_type: Mapping[str, Mapping[str, Value]]
    examples_sha256: str
    victim_cost: Mapping[str, float]
    soundness: Mapping[str, float]
    clean: Mapping[str, float]
    audit: Mapping[str, Any] | None = None
    trust: str | None = None

    def sentences_of(self, dataset: Dataset) -> dict[str, Sentence]:
        """Return the sentences of the run's split, by id.

        Args:
            dataset: by whatever name.

        Raises:
            BadInput: it is another version of the data set that the run was made on.
        """
        spec = self.spec
        if dataset.hash(spec.split) != spec.dataset_hash:
            raise BadInput(
                f"run {self.run_id} was made on another version of {spec.dataset} ({spec.split}) than the one in "
                f"{dataset.source}; point --data-dir to that one"
            )
        return {sentence.id: sentence for sentence in dataset.split(spec.split)}


@dataclass(frozen=True)
class Filter:
    """Which runs are wanted; an empty part wants all. A filter goes before any ranking.

    Attributes:
        datasets: names.
        victims: names, however they are spelled.
        attacks: names.
    """

    datasets: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()

    def wants(self, spec: RunSpec) -> bool:
        """Tell whether a run is wanted."""
        victims = set(map(as_recorded, self.victims))
        parts = ((self.datasets, spec.dataset), (victims, as_recorded(spec.victim)), (self.attacks, spec.attack))
        return all(not names or name in names for names, name in parts)


@dataclass(frozen=True)
class Reading:
    """What a results folder holds.

    Attributes:
        results: the folder.
        runs: finished runs that are wanted and count, by run id.
        wanted: which runs were asked for.
        unfinished: how many runs have no result.
        damage: what could not be read, one error a run; readers of other files add theirs.
        remarks: what a board has to say besides its tables.
    """

    results: Path
    runs: tuple[Run, ...]
    wanted: Filter = field(default_factory=Filter)
    unfinished: int = 0
    damage: list[GauntletError] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_runs(results: Path, wanted: Filter | None = None) -> Reading:
    """Read the finished runs of a results folder that count; a damaged one is noted and does not hide the others.

    What the ledger says is superseded or retracted does not count.
    """
    wanted = wanted or Filter()
    reading = Reading(results, (), wanted)
    gone, trusted = _ledger(reading)
    runs: list[Run] = []
    unfinished = left_out = 0
    for folder in stored_runs(results):
        if not folder.result_file.is_file():
            unfinished += 1
            continue
        try:
            run = read_run(folder.path)
        except GauntletError as error:
            reading.damage.append(error)
            continue
        if wanted.wants(run.spec):
            left_out += run.run_id in gone
            runs += [] if run.run_id in gone else [replace(run, trust=trusted.get(run.run_id))]
    if left_out:
        reading.remarks.append(f"superseded or retracted runs left out: {left_out} (gauntlet ledger show)")
    return replace(reading, runs=tuple(runs), unfinished=unfinished)


def _ledger(reading: Reading) -> tuple[Collection[str], Mapping[str, str]]:
    """Return the runs that no longer count, and the badges of those that do; a ledger that was altered is damage."""
    if not ledger_file(reading.results).is_file():
        return set(), {}
    try:
        gone = uncounted(reading.results)
    except GauntletError as error:
        reading.damage.append(error)
        return set(), {}
    try:
        trusted = badges(reading.results)
    except GauntletError:  # a run is damaged, which is told where it is read
        trusted = {}
    return gone, trusted


def read_run(folder: Path) -> Run:
    """Read a finished run of anybody's.

    Args:
        folder: RESULTS/runs/RUN_ID.

    Raises:
        CorruptResult: a file cannot be read, or a field is not what it should be; names both.
    """
    stored = read_stored_run(folder, f"{folder}/")
    faults = [
        *(fault for fault in stored.findings if not fault.file.endswith("provenance.json")),
        *hash_faults(stored),
        *_mismatches(stored),
        *audit_faults(stored),
    ]
    if faults:
        more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        raise CorruptResult(f"{faults[0].line}{more}; gauntlet verify {folder} tells all")
    if stored.spec is None or stored.examples is None or stored.result is None:
        raise CorruptResult(f"{folder} holds a file that is none, or too large; gauntlet verify {folder} tells which")
    return _run(folder, stored.spec, stored.examples, stored.result)


def sound_spec(folder: RunFolder) -> RunSpec:
    """Read the specification of anybody's run, finished or not.

    Raises:
        CorruptResult: it cannot be read, or a field is not what it should be.
    """
    spec = folder.read_spec()
    for fault in form_faults(SpecRecord, spec.to_json(), str(folder.spec_file)):
        raise CorruptResult(f"{fault.line}; gauntlet verify {folder.path} tells all")
    return spec


def own_run(folder: RunFolder) -> Run:
    """Read a run that this process has finished or found finished."""
    return _run(folder.path, folder.read_spec(), folder.read_examples()[0], folder.read_result())


def _run(folder: Path, spec: RunSpec, examples: Iterable[Example], result: Mapping[str, Any]) -> Run:
    told = provenance(folder)
    return Run(
        folder.name,
        spec,
        {example.outcome.sentence_id: example for example in examples},
        result["judges"],
        _values(result["metrics"]),
        {name: _values(metrics) for name, metrics in result["per_type"].items()},
        result["examples_sha256"],
        _numbers(told.get("victim_cost")),
        _numbers(told.get("soundness")),
        _numbers(told.get("clean")),
        read_audit(RunFolder(folder.parent.parent, folder.name)),
    )


def _values(records: Mapping[str, Mapping[str, Any]]) -> dict[str, Value]:
    return {name: Value(**record) for name, record in records.items()}


def provenance(folder: Path) -> dict[str, Any]:
    """Return a run's provenance; it decides no rank, so what is odd there counts as nothing."""
    content, _ = opened(folder, "provenance.json", "provenance.json")
    try:
        record = loads(content)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _numbers(record: Any) -> dict[str, float]:
    return {k: v for k, v in record.items() if type(v) in {int, float}} if isinstance(record, dict) else {}


def _mismatches(stored: StoredRun) -> Iterator[Finding]:
    """Yield sentences that are not the specification's, and tags that are not one a token."""
    if stored.spec is None or stored.examples is None:
        return
    ids = tuple(example.outcome.sentence_id for example in stored.examples)
    if ids != stored.spec.sentence_ids:
        yield stored.finding("examples.parquet", "sentence_id", "other sentences", "those of spec.json, in their order")
    for number, example in enumerate(stored.examples):
        outcome = example.outcome
        lengths = {outcome.length, len(outcome.gold), len(outcome.clean) or outcome.length}
        texts = {len(outcome.adversarial_gold), len(outcome.adversarial_prediction)}
        if len(lengths) > 1 or (outcome.clean and len(texts) > 1):
            yield stored.finding("examples.parquet", f"row {number}", "too few or too many tags", "one a token")
