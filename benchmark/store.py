"""Where a run lives on disk.

    RESULTS/runs/RUN_ID/
        spec.json         what was asked for; written first
        journal.jsonl     finished sentences, while the run goes on
        examples.parquet  all sentences, in the order of the specification
        provenance.json   machine, versions, times, costs: what may differ between two runs of the same thing
        errors.log        full tracebacks, if any; may quote the data, so it is not for publishing
        result.json       the metrics and the hash of the examples; written last, so its presence means "done"

    RESULTS/victims/NAME/  weights and card of a trained victim that runs were made on, as `gauntlet train --out` leaves
                           them; a victim of that recipe is not trained anew

Examples hold no text of the data set: ids, edits, tags and numbers only, so results on restricted corpora can be
published. Every file but the journal is written aside, synced and moved into place.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from benchmark.errors import BadInput, Busy, CannotSave, CorruptResult
from benchmark.journal import outcome_from_json, outcome_to_json
from benchmark.metrics import Example
from benchmark.resources.grammar import CATEGORIES
from benchmark.spec import SCHEMA, RunSpec, canonical_json, spec_id

__all__ = [
    "EXAMPLES",
    "MIGRATIONS",
    "RunFolder",
    "example_of",
    "kept_victims",
    "migrate",
    "open_results",
    "stored_runs",
    "write_atomically",
]

_STRINGS = pa.list_(pa.string())
_EDIT = pa.struct(
    [
        ("op", pa.string()),
        ("at", pa.int32()),
        ("covers", pa.int32()),
        ("words", _STRINGS),
        ("sources", pa.list_(pa.list_(pa.int32()))),
    ]
)
EXAMPLES = pa.schema(
    [
        ("sentence_id", pa.string()),
        ("document", pa.string()),
        ("length", pa.int32()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("gold", _STRINGS),
        ("clean", _STRINGS),
        ("unseen", pa.list_(pa.bool_())),
        ("edits", pa.list_(_EDIT)),
        ("adversarial_gold", _STRINGS),
        ("adversarial_prediction", _STRINGS),
        ("score", pa.float64()),
        ("search_queries", pa.int32()),
        ("constraint_queries", pa.int32()),
        ("gradient_queries", pa.int32()),
        ("queries_to_success", pa.int32()),
        ("forwards", pa.int32()),
        ("trajectory", pa.list_(pa.struct([("queries", pa.int32()), ("confidence", pa.float64())]))),
        ("rejected", pa.list_(pa.struct([("reason", pa.string()), ("count", pa.int32())]))),
        ("attributions", pa.list_(pa.float64())),
        ("chosen", pa.list_(pa.int32())),
        ("similarity", pa.float64()),
        ("grammar_errors", pa.struct([(category, pa.int32()) for category in CATEGORIES])),
        ("fluency", pa.float64()),
        ("label_risk", _STRINGS),
    ]
)


def _with_resources(record: dict[str, Any]) -> dict[str, Any]:
    """Schema 2: a specification names constraint profile and resources; the attacks of schema 1 had none."""
    if isinstance(record.get("spec"), dict):
        return {**record, "spec": {**_with_resources(record["spec"]), "schema": 2}}
    return {**record, "constraints": None, "resources": {}} if "attack" in record else record


# From schema version N to N + 1.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _with_resources}


def example_of(row: Mapping[str, Any]) -> Example:
    """Read a row of `EXAMPLES`; of older versions it may lack columns, or have nothing there."""
    judged = ("similarity", "grammar_errors", "fluency", "label_risk")
    record = {name: value for name, value in row.items() if name not in judged}
    record["trajectory"] = [(step["queries"], step["confidence"]) for step in row["trajectory"]]
    record["rejected"] = {entry["reason"]: entry["count"] for entry in row["rejected"]}
    similarity, errors, fluency, risk = map(row.get, judged)
    return Example(outcome_from_json(record), similarity, errors, fluency, None if risk is None else tuple(risk))


class RunFolder:
    """One run's files.

    Args:
        results: the results folder.
        run_id: the run's name.
    """

    def __init__(self, results: Path, run_id: str) -> None:
        self.run_id = run_id
        self.path = results / "runs" / run_id
        self.spec_file = self.path / "spec.json"
        self.journal_file = self.path / "journal.jsonl"
        self.examples_file = self.path / "examples.parquet"
        self.provenance_file = self.path / "provenance.json"
        self.errors_file = self.path / "errors.log"
        self.result_file = self.path / "result.json"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process.

        Raises:
            Busy: another process holds it.
            CannotSave: the folder cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / ".lock", timeout=0)
            lock.acquire()
        except Timeout:
            raise Busy(
                f"another process is writing run {self.run_id} ({self.path}); wait for it, or stop it first"
            ) from None
        except OSError as error:
            raise CannotSave(f"cannot write to {self.path}: {error.strerror}") from error
        try:
            yield
        finally:
            lock.release()

    def write_spec(self, spec: RunSpec) -> None:
        """Store the specification."""
        write_atomically(self.spec_file, _pretty(spec.to_json()))

    def read_spec(self) -> RunSpec:
        """Return the specification.

        Raises:
            CorruptResult: it is damaged or belongs to another run.
        """
        record, run_id = _read_json(self.spec_file, spec_id)
        migrated = migrate(record)
        if run_id != self.run_id:  # as stored: a run keeps its name when the schema changes
            raise CorruptResult(f"{self.spec_file} was altered: it describes run {run_id}, not {self.run_id}")
        try:
            return RunSpec.from_json(migrated)
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptResult(f"{self.spec_file} cannot be read ({error}); delete the run's folder") from error

    def write_examples(self, examples: Sequence[Example], judges: Mapping[str, str]) -> None:
        """Store the examples with the names of the judges in the file's metadata."""
        columns: list[dict[str, Any]] = []
        for example in examples:
            row = outcome_to_json(example.outcome)
            row["trajectory"] = [{"queries": q, "confidence": c} for q, c in row["trajectory"]]
            row["rejected"] = [{"reason": r, "count": c} for r, c in sorted(row["rejected"].items())]
            row["similarity"] = example.similarity
            errors = example.grammar_errors
            row["grammar_errors"] = None if errors is None else {c: errors.get(c, 0) for c in CATEGORIES}
            row["fluency"] = example.fluency
            row["label_risk"] = None if example.label_risk is None else list(example.label_risk)
            columns.append(row)
        metadata = {"schema": str(SCHEMA), "run_id": self.run_id, "judges": json.dumps(dict(judges), sort_keys=True)}
        table = pa.Table.from_pylist(columns, schema=EXAMPLES.with_metadata(metadata))
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        write_atomically(self.examples_file, sink.getvalue().to_pybytes())

    def read_examples(self) -> tuple[list[Example], dict[str, str]]:
        """Return the examples and the names of their judges.

        Raises:
            CorruptResult: the file is damaged or belongs to another run.
        """
        try:
            table = pq.read_table(self.examples_file)
            metadata = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
            if metadata.get("run_id") != self.run_id:
                raise CorruptResult(f"{self.examples_file} belongs to run {metadata.get('run_id')}, not {self.run_id}")
            return [example_of(row) for row in table.to_pylist()], json.loads(metadata["judges"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptResult(
                f"{self.examples_file} cannot be read ({error!r}); "
                "put the original back, or delete the run's folder to attack again"
            ) from error

    def examples_hash(self) -> str:
        """Return the sha256 of the examples file."""
        return hashlib.sha256(self.examples_file.read_bytes()).hexdigest()

    def write_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Store machine, versions, times and costs."""
        write_atomically(self.provenance_file, _pretty(provenance))

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Store the result; the run is done when this returns."""
        write_atomically(self.result_file, _pretty({**result, "sha256": _checksum(result)}))

    def read_result(self) -> dict[str, Any]:
        """Return the result after checking that it belongs to the examples beside it.

        Raises:
            CorruptResult: one of the two was altered.
        """
        record, checksum = _read_json(self.result_file, _checksum)
        stored_checksum = record.pop("sha256", None)
        migrated = migrate(record)
        if stored_checksum != checksum or record.get("run_id") != self.run_id:
            raise CorruptResult(
                f"{self.result_file} was altered or belongs to another run; delete it, and `gauntlet results` computes "
                "it from the examples again"
            )
        if not self.examples_file.is_file() or self.examples_hash() != record.get("examples_sha256"):
            raise CorruptResult(
                f"{self.examples_file} was altered or is gone: its hash is not the one in result.json; "
                "put the original back, or delete the run's folder to attack again"
            )
        return migrated


def open_results(path: Path) -> Path:
    """Return a results folder that can be written to, made if need be.

    Raises:
        CannotSave: it is a file, or cannot be written to. Said before anything is attacked.
    """
    if path.exists() and not path.is_dir():
        raise CannotSave(f"the results folder {path} is a file; pass another one with --results")
    try:
        (path / "runs").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise CannotSave(f"cannot write to the results folder {path}: {error.strerror}") from error
    return path


def kept_victims(results: Path) -> Path:
    """Return the folder of the victims that are kept with results, there or not."""
    return results.resolve() / "victims"


def stored_runs(results: Path) -> Iterator[RunFolder]:
    """Yield the runs in a results folder, finished or not, by run id."""
    for path in sorted((results / "runs").glob("*/spec.json")):
        yield RunFolder(results, path.parent.name)


def migrate(
    record: dict[str, Any], migrations: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] | None = None
) -> dict[str, Any]:
    """Bring a stored record up to the current schema.

    Raises:
        BadInput: it was written by a newer version, or is too old to be read.
        CorruptResult: it does not say which schema it has.
    """
    steps = MIGRATIONS if migrations is None else migrations
    newest = max([SCHEMA, *(version + 1 for version in steps)])
    version = record.get("schema")
    if not isinstance(version, int):
        raise CorruptResult("a stored record names no schema; delete the run's folder and run again")
    if version > newest:
        raise BadInput(f"a stored record has schema {version}, this version reads up to {newest}; upgrade ner-gauntlet")
    while version < newest:
        if version not in steps:
            raise BadInput(f"a stored record has schema {version}, which is too old to be read; run it again")
        record = {**steps[version](record), "schema": version + 1}
        version += 1
    return record


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that it is either there as a whole or not at all, even after a crash.

    Raises:
        CannotSave: the disk is full, say; an older file of that name stays as it was.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    scratch = path.with_name(f".{path.name}.partial")
    try:
        with scratch.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)  # noqa: PTH105 - atomic on every platform
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise CannotSave(f"cannot write {path}: {error.strerror}; make room and run the same command again") from error


def _checksum(record: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in record.items() if key != "sha256"}
    return hashlib.sha256(canonical_json(rest).encode()).hexdigest()


def _read_json(path: Path, hashed: Callable[[dict[str, Any]], str]) -> tuple[dict[str, Any], str]:
    """Return a record and its hash."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(record, dict) and isinstance(record.get("schema"), int):
            return record, hashed(record)  # NaN and half a character are JSON to Python, but have no hash
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptResult(f"{path} cannot be read ({error}); delete it and run again") from error
    raise CorruptResult(f"{path} is not a JSON object with a schema; delete it and run again")


def _pretty(record: Mapping[str, Any]) -> str:
    return json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
