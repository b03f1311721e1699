"""What people said of a run: does it follow from their answers, and is it about these examples?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from benchmark.types import Status
from leaderboard.human_audit import AUDIT_FILE, NATURAL, SCHEMA, audit_record, sample
from leaderboard.plain_text import shown
from leaderboard.strict_json import loads
from leaderboard.verifying.files import opened
from leaderboard.verifying.finding import Finding
from leaderboard.verifying.metrics import LAST_DIGIT
from leaderboard.verifying.records import Count, Id, Record, RunId, Sha256, ValueRecord, form_faults, refusing
from leaderboard.verifying.stored_run import StoredRun

__all__ = ["audit_faults"]


def _fault_in_answers(answers: list[list[Any]]) -> str | None:
    """JSON has no pairs, so the form cannot tell."""
    for answer in answers:
        if len(answer) != 2 or type(answer[0]) is not bool or type(answer[1]) is not int or answer[1] not in NATURAL:  # noqa: PLR2004 - a pair
            return "pairs of a truth value and a whole number from 1 to 5"
    return None if answers else "at least one"


class _AnswersRecord(Record):
    sentence_id: Id
    adversarial: bool
    answers: Annotated[list[list[Any]], refusing(_fault_in_answers)]


class _AgreementRecord(Record):
    labels_right: Annotated[float, Field(ge=-1, le=1)] | None
    natural: Annotated[float, Field(ge=-1, le=1)] | None


class _AuditRecord(Record):
    schema_: Annotated[int, Field(ge=1, le=SCHEMA, alias="schema")]
    run_id: RunId
    examples_sha256: Sha256
    seed: int
    annotators: Count
    label_preservation: ValueRecord
    label_preservation_clean: Annotated[ValueRecord, Field(alias="label_preservation.clean")]
    natural: float | None
    natural_clean: Annotated[float | None, Field(alias="natural.clean")]
    attack_rate_audited: Annotated[float | None, Field(alias="attack_rate.audited")]
    agreement: _AgreementRecord
    answers: list[_AnswersRecord]


def audit_faults(run: StoredRun) -> Iterator[Finding]:
    """Yield what is wrong with the audit of a run, if there is one."""
    if not (run.folder / AUDIT_FILE).is_file() or (run.folder / AUDIT_FILE).is_symlink():
        return
    content, findings = opened(run.folder, AUDIT_FILE, run.shown_as + AUDIT_FILE)
    yield from findings
    try:
        record = loads(content)
    except ValueError as error:
        yield run.finding(AUDIT_FILE, "file", f"not JSON: {error}", "a JSON object")
        return
    if not isinstance(record, dict):
        yield run.finding(AUDIT_FILE, "file", shown(record), "a JSON object")
        return
    faults = list(form_faults(_AuditRecord, record, run.shown_as + AUDIT_FILE))
    yield from faults
    if not faults:
        yield from _content_faults(run, record)


def _content_faults(run: StoredRun, record: Mapping[str, Any]) -> Iterator[Finding]:
    rows = record["answers"]
    if len({len(row["answers"]) for row in rows}) > 1:
        yield run.finding(AUDIT_FILE, "answers", "different numbers of people", "the same people for all texts")
        return
    if len({(row["sentence_id"], row["adversarial"]) for row in rows}) != len(rows):
        yield run.finding(AUDIT_FILE, "answers.sentence_id", "a text stands there twice", "each text once")
    if run.examples is not None:
        status = {example.outcome.sentence_id: example.outcome.status for example in run.examples}
        for row in rows:
            found = status.get(row["sentence_id"])
            if found is None or (row["adversarial"] and found is not Status.SUCCESS):
                told = "a success of this run" if row["adversarial"] else "a sentence of this run"
                yield run.finding(AUDIT_FILE, "answers.sentence_id", shown(row["sentence_id"]), told)
        drawn = sample(run.folder.name, run.examples, *_numbers(rows), record["seed"])
        if {(item.sentence_id, item.adversarial) for item in drawn} != {
            (row["sentence_id"], row["adversarial"]) for row in rows
        }:
            told = f"the {len(drawn)} that the seed {record['seed']} draws"
            yield run.finding(AUDIT_FILE, "answers.sentence_id", "other texts", told)
    if run.result is None:
        return
    digest, rate = run.result["examples_sha256"], run.result["metrics"].get("attack_rate", {}).get("value")
    expected = audit_record(run.folder.name, digest, rate, rows, record["seed"])
    for field in sorted(expected):
        if not _same(record[field], expected[field]):
            yield run.finding(AUDIT_FILE, field, shown(record[field]), shown(expected[field]))


def _numbers(rows: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Return how many successes and how many originals were read."""
    successes = sum(row["adversarial"] for row in rows)
    return successes, len(rows) - successes


def _same(found: Any, expected: Any) -> bool:
    if isinstance(found, dict) and isinstance(expected, dict):
        return {*found} == {*expected} and all(_same(found[name], expected[name]) for name in expected)
    if isinstance(found, float) and isinstance(expected, float):
        return abs(found - expected) <= LAST_DIGIT
    return bool(found == expected)
