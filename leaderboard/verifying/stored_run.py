"""A run as it is stored, read without trust: what cannot be read becomes findings, what can is handed to the checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.errors import GauntletError
from benchmark.metrics import Example
from benchmark.spec import RunSpec
from benchmark.store import EXAMPLES, example_of, migrate
from leaderboard.plain_text import shown
from leaderboard.strict_json import loads
from leaderboard.verifying.files import opened
from leaderboard.verifying.finding import Finding
from leaderboard.verifying.records import (
    ExampleRecord,
    ProvenanceRecord,
    ResultRecord,
    SpecRecord,
    fault_in_settings,
    form_faults,
)

__all__ = ["StoredRun", "read_run"]

# Columns that came without a new schema: what has none of them was written before.
_YOUNGER = {"attributions", "chosen"}
# Decompressed; thousands of sentences need a hundredth of it.
_LARGEST_TABLE = 256 * 2**20
# What is repeated takes no room in the file, decompressed or not, but does when it is read: so not too many values, and
# a few rows at a time.
_MOST_VALUES = 20_000_000
_ROWS_AT_A_TIME = 8


@dataclass
class StoredRun:
    """What could be read of a run.

    Attributes:
        folder: where it is; its name is the run's id.
        shown_as: the folder's name in findings, with a slash at the end where there is one.
        raw_spec: spec.json as stored; None if it cannot be read.
        spec: the same, understood; None if its form is wrong.
        examples_content: bytes of examples.parquet.
        examples: its rows; None if their form is wrong.
        judges: named in its metadata.
        result: result.json; None if its form is wrong.
        findings: all that was wrong in reading.
    """

    folder: Path
    shown_as: str
    raw_spec: dict[str, Any] | None = None
    spec: RunSpec | None = None
    examples_content: bytes = b""
    examples: list[Example] | None = None
    judges: dict[str, str] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    findings: list[Finding] = field(default_factory=list)

    def finding(self, name: str, where: str, wrong: str, expected: str) -> Finding:
        """Return a finding in one of the run's files."""
        return Finding(self.shown_as + name, where, wrong, expected)

    def findings_in(self, name: str) -> list[Finding]:
        """Return what is wrong in one of the run's files."""
        return [finding for finding in self.findings if finding.file == self.shown_as + name]


def read_run(folder: Path, shown_as: str) -> StoredRun:
    """Read a run's files, as far as that goes."""
    run = StoredRun(folder, shown_as)
    run.raw_spec = _json(run, "spec.json")
    if run.raw_spec is not None and (migrated := _migrated(run, "spec.json", run.raw_spec)) is not None:
        faults = list(form_faults(SpecRecord, migrated, shown_as + "spec.json"))
        run.findings += faults
        run.spec = None if faults else RunSpec.from_json(migrated)
    result = _json(run, "result.json")
    if result is not None:
        faults = list(form_faults(ResultRecord, result, shown_as + "result.json"))
        run.findings += faults
        run.result = None if faults else result
    provenance = _json(run, "provenance.json")
    if provenance is not None:
        run.findings += form_faults(ProvenanceRecord, provenance, shown_as + "provenance.json")
        if fault := fault_in_settings(provenance):
            run.findings.append(run.finding("provenance.json", "values", "something else", fault))
    _read_examples(run)
    return run


def _json(run: StoredRun, name: str) -> dict[str, Any] | None:
    content, findings = opened(run.folder, name, run.shown_as + name)
    run.findings += findings
    if not content:
        if not findings and (run.folder / name).is_file() and not (run.folder / name).is_symlink():
            run.findings.append(run.finding(name, "file", "too large", "a JSON object"))
        return None
    try:
        record = loads(content)
    except ValueError as error:
        run.findings.append(run.finding(name, "file", f"not JSON: {error}", "a JSON object"))
        return None
    if not isinstance(record, dict):
        run.findings.append(run.finding(name, "file", shown(record), "a JSON object"))
        return None
    return record


def _migrated(run: StoredRun, name: str, record: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return migrate(record)
    except GauntletError as error:
        run.findings.append(run.finding(name, "schema", shown(record.get("schema")), str(error)))
        return None


def _read_examples(run: StoredRun) -> None:
    name = "examples.parquet"
    run.examples_content, findings = opened(run.folder, name, run.shown_as + name)
    run.findings += findings
    if not run.examples_content:
        return
    told = partial(run.finding, name)
    try:
        file = pq.ParquetFile(pa.BufferReader(run.examples_content))
        size = sum(file.metadata.row_group(k).total_byte_size for k in range(file.metadata.num_row_groups))
        if size > _LARGEST_TABLE:
            run.findings.append(told("file", f"{size} bytes when unpacked", f"at most {_LARGEST_TABLE}"))
            return
        if (values := _values(file.metadata)) > _MOST_VALUES:
            run.findings.append(told("file", f"{values} values", f"at most {_MOST_VALUES}"))
            return
        schema = file.schema_arrow
    except Exception as error:  # noqa: BLE001 - whatever a broken file makes the library say
        run.findings.append(told("file", f"no Parquet that can be read ({type(error).__name__})", "a Parquet file"))
        return
    metadata = {k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in (schema.metadata or {}).items()}
    run.findings += _metadata_faults(run, metadata)
    column_faults = list(_column_faults(run, schema, metadata.get("schema", "")))
    run.findings += column_faults
    if column_faults:
        return
    rows = _rows(run, file)
    if rows is None:
        return
    run.findings += _row_faults(run, rows)
    if not run.findings_in(name):
        run.examples = list(map(example_of, rows))


def _rows(run: StoredRun, file: pq.ParquetFile) -> list[dict[str, Any]] | None:
    """Return the rows, with nothing where the file lacks a column; None if they cannot be read or are too large."""
    told = partial(run.finding, "examples.parquet", "file")
    absent = dict.fromkeys({*EXAMPLES.names} - {*file.schema_arrow.names})
    rows: list[dict[str, Any]] = []
    unpacked = 0
    try:
        for batch in file.iter_batches(_ROWS_AT_A_TIME):
            unpacked += batch.nbytes
            if unpacked > _LARGEST_TABLE:
                run.findings.append(told(f"{unpacked} bytes when unpacked", f"at most {_LARGEST_TABLE}"))
                return None
            rows += ({**absent, **row} for row in batch.to_pylist())
    except Exception as error:  # noqa: BLE001 - whatever a broken file makes the library say
        run.findings.append(told(f"rows cannot be read ({type(error).__name__})", "rows"))
        return None
    return rows


def _values(metadata: pq.FileMetaData) -> int:
    """Return how many values a file says to hold in all columns; no more than that are ever read."""
    groups = (metadata.row_group(k) for k in range(metadata.num_row_groups))
    return sum(group.column(k).num_values for group in groups for k in range(group.num_columns))


def _metadata_faults(run: StoredRun, metadata: Mapping[str, str]) -> Iterator[Finding]:
    told = partial(run.finding, "examples.parquet")
    for name in sorted({"schema", "run_id", "judges"} ^ {*metadata}):
        known = name not in metadata
        yield told(f"metadata.{name[:80]}", "missing" if known else "unknown field", "one" if known else "none")
    if metadata.get("run_id", run.folder.name) != run.folder.name:
        yield told("metadata.run_id", shown(metadata["run_id"]), run.folder.name)
    try:
        judges = loads(metadata.get("judges", "{}").encode())
    except ValueError as error:
        yield told("metadata.judges", f"not JSON: {error}", "names by what is judged")
        return
    if not isinstance(judges, dict) or not all(isinstance(name, str) for name in judges.values()):
        yield told("metadata.judges", shown(judges), "names by what is judged")
    elif fault := fault_in_settings(judges):
        yield told("metadata.judges", shown(judges), fault)
    else:
        run.judges = judges


def _column_faults(run: StoredRun, schema: pa.Schema, version: str) -> Iterator[Finding]:
    """Yield columns that differ from those this version writes; older versions had fewer."""
    younger = {*_YOUNGER, "fluency", "label_risk"} if version == "1" else _YOUNGER
    for column in EXAMPLES:
        if column.name not in schema.names:
            if column.name not in younger:
                yield run.finding("examples.parquet", column.name, "missing", f"a column of {column.type}")
        elif schema.names.count(column.name) > 1:
            yield run.finding("examples.parquet", column.name, "stands there twice", "one column")
        elif not schema.field(column.name).type.equals(column.type):
            found = shown(str(schema.field(column.name).type))
            yield run.finding("examples.parquet", column.name, found, f"a column of {column.type}")
    for name in sorted({*schema.names} - {*EXAMPLES.names}):
        yield run.finding("examples.parquet", name[:80], "unknown column", "none of that name")


def _row_faults(run: StoredRun, rows: list[dict[str, Any]]) -> Iterator[Finding]:
    file = run.shown_as + "examples.parquet"
    for number, row in enumerate(rows):
        yield from form_faults(ExampleRecord, row, file, f"row {number} ({shown(row.get('sentence_id'))}).")
    for name, count in Counter(row.get("sentence_id") for row in rows).items():
        if count > 1:
            yield Finding(file, "sentence_id", f"{shown(name)} stands there {count} times", "each sentence once")
