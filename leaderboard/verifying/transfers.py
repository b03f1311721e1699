"""Stored answers of other victims to the adversarial examples of a run, `RESULTS/transfers/RUN_ID-TARGET.json`.

What the other victim says only asking it can tell; that its scores follow from its tags can be computed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from benchmark.alignment import adversarial_sentence
from benchmark.errors import BadInput
from benchmark.goals import Clean, goal_named
from benchmark.spec import canonical_json
from benchmark.tag_schemes import tags_to_spans
from benchmark.types import Outcome, Prediction, Sentence, Status
from leaderboard.plain_text import shown
from leaderboard.strict_json import loads
from leaderboard.transferring import SCHEMA, Answer, Transfer
from leaderboard.verifying.files import opened
from leaderboard.verifying.finding import Finding
from leaderboard.verifying.metrics import LAST_DIGIT
from leaderboard.verifying.outcomes import placeholder
from leaderboard.verifying.records import Id, Name, Record, RunId, Settings, Sha256, Tag, form_faults
from leaderboard.verifying.stored_run import StoredRun

__all__ = ["transfer_faults", "transferred_runs"]


class _AnswerRecord(Record):
    sentence_id: Id
    missed: Annotated[float, Field(ge=0, le=1)]
    score: Annotated[float, Field(ge=0)]
    clean: list[Tag]
    adversarial: list[Tag]


class _TransferRecord(Record):
    schema_: Annotated[int, Field(ge=1, le=SCHEMA, alias="schema")]
    run_id: RunId
    examples_sha256: Sha256
    victim: Name
    victim_fingerprint: Sha256
    victim_settings: Settings
    answers: list[_AnswerRecord]
    too_long: list[Id]
    sha256: Sha256


def transferred_runs(results: Path) -> set[str]:
    """Return the runs whose examples were put to other victims."""
    return {path.name.partition("-")[0] for path in _files(results)}


def transfer_faults(results: Path, runs: Mapping[str, tuple[StoredRun, Mapping[str, Sentence]]]) -> Iterator[Finding]:
    """Yield what is wrong with the transfers of a results folder.

    Args:
        results: the folder.
        runs: those of `transferred_runs` that are there, with their sentences as far as they are at hand.
    """
    for path in _files(results):
        file = f"transfers/{path.name}"
        content, findings = opened(path.parent, path.name, file)
        yield from findings
        try:
            record = loads(content)
        except ValueError as error:
            yield Finding(file, "file", f"not JSON: {error}", "a JSON object")
            continue
        faults = list(form_faults(_TransferRecord, record, file))
        yield from faults
        if not faults:
            yield from _content_faults(path.name, file, record, runs)


def _files(results: Path) -> list[Path]:
    folder = results / "transfers"
    if not folder.is_dir() or folder.is_symlink():
        return []
    return [path for path in sorted(folder.glob("*.json")) if path.is_file() and not path.is_symlink()]


def _content_faults(
    name: str, file: str, record: dict[str, Any], runs: Mapping[str, tuple[StoredRun, Mapping[str, Sentence]]]
) -> Iterator[Finding]:
    wrong = partial(Finding, file)
    rest = {key: value for key, value in record.items() if key != "sha256"}
    checksum = hashlib.sha256(canonical_json(rest).encode()).hexdigest()
    if record["sha256"] != checksum:
        yield wrong("sha256", record["sha256"], f"{checksum}: something in the file was changed")
    target = Transfer(
        record["run_id"],
        record["examples_sha256"],
        record["victim"],
        record["victim_fingerprint"],
        record["victim_settings"],
        (),
        (),
    ).target
    if name != f"{record['run_id']}-{target}.json":
        yield wrong("file", shown(name), f"{record['run_id']}-{target}.json, by what it tells of")
    if record["run_id"] not in runs:
        yield wrong("run_id", shown(record["run_id"]), "a run in runs/")
        return
    run, originals = runs[record["run_id"]]
    asked = (record["victim"], record["victim_fingerprint"])
    if run.spec is not None and asked == (run.spec.victim, run.spec.victim_fingerprint):
        yield wrong("victim", shown(record["victim"]), "another victim than the run's own")
    digest = hashlib.sha256(run.examples_content).hexdigest()
    if record["examples_sha256"] != digest:
        yield wrong("examples_sha256", record["examples_sha256"], f"{digest}, the hash of the run's examples")
    elif run.spec is not None and run.examples is not None:
        won = [e.outcome for e in run.examples if e.outcome.status is Status.SUCCESS]
        told = sorted([*(answer["sentence_id"] for answer in record["answers"]), *record["too_long"]])
        if told != sorted(outcome.sentence_id for outcome in won):
            yield wrong("answers.sentence_id", f"{len(told)} ids", f"the {len(won)} successes of the run, each once")
            return
        by_id = {outcome.sentence_id: outcome for outcome in won}
        for number, answer in enumerate(record["answers"]):
            outcome = by_id[answer["sentence_id"]]
            found = Answer(**{**answer, "clean": tuple(answer["clean"]), "adversarial": tuple(answer["adversarial"])})
            for field, value, expected in _answer_faults(found, outcome, originals, run.spec.goal):
                yield wrong(f"answers.{number} ({found.sentence_id}).{field}", value, expected)


def _answer_faults(
    answer: Answer, outcome: Outcome, originals: Mapping[str, Sentence], goal_name: str
) -> Iterator[tuple[str, str, str]]:
    """Yield field, what stands there and what should."""
    try:
        original = originals.get(outcome.sentence_id) or placeholder(outcome)
        adversarial = adversarial_sentence(original, outcome.edits, outcome.adversarial_gold)
    except (BadInput, LookupError, ValueError):
        return  # told of the run itself
    lengths = {"clean": len(original), "adversarial": len(adversarial)}
    wrong = {name: tags for name in lengths if len(tags := getattr(answer, name)) != lengths[name]}
    for name, tags in wrong.items():
        yield name, f"{len(tags)} tags", f"{lengths[name]}, one a token"
    if wrong:
        return
    goal, before = goal_named(goal_name), Clean(original, Prediction(answer.clean), ())
    found = set(tags_to_spans(answer.clean))
    missed = sum(span not in found for span in original.spans) / max(1, len(original.spans))
    score = 0.0 if goal.unusable(before) else goal.label_score(before, adversarial, answer.adversarial)
    for name, value, expected in (("missed", answer.missed, missed), ("score", answer.score, score)):
        if abs(value - expected) > LAST_DIGIT:
            yield name, shown(value), f"{expected:.6f}, as the tags say"
