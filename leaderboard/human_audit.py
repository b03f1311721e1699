"""People read adversarial examples: are the gold labels still right, and how natural is the text?

`sample` draws successes of each run and clean sentences beside them; `write_sheet` makes a CSV file of them, shuffled,
that tells nobody which is which; `Audit.of` puts the answers together. Which item is which follows from the runs and
the seed, so no key has to be kept. What is stored beside a run holds answers and ids, no text.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.alignment import adversarial_sentence
from benchmark.errors import BadInput
from benchmark.metrics import Example
from benchmark.probe import rng_for
from benchmark.statistics.intervals import wilson
from benchmark.store import RunFolder, write_atomically
from benchmark.types import Sentence, Status
from leaderboard.plain_text import harmless_cell, shown

__all__ = [
    "AUDIT_FILE",
    "NATURAL",
    "SCHEMA",
    "Answer",
    "Item",
    "audit_record",
    "read_audit",
    "read_sheet",
    "right_of",
    "sample",
    "sheet",
    "store_audit",
]

AUDIT_FILE = "human_audit.json"
SCHEMA = 1
COLUMNS = ("item", "text", "labels_right", "natural")
_YES_NO = {"yes": True, "y": True, "1": True, "true": True, "no": False, "n": False, "0": False, "false": False}
NATURAL = range(1, 6)
_DIGITS = 6


class Item(NamedTuple):
    """One text to be read.

    Attributes:
        code: its name on the sheet.
        run_id: of which run.
        sentence_id: which sentence.
        adversarial: changed by the attack, or the original.
    """

    code: str
    run_id: str
    sentence_id: str
    adversarial: bool


class Answer(NamedTuple):
    """What one person says of one text."""

    labels_right: bool
    natural: int


def sample(run_id: str, examples: Sequence[Example], successes: int, clean: int, seed: int) -> list[Item]:
    """Draw what is to be read of one run: successes, and originals of other sentences where there are enough.

    Args:
        run_id: the run.
        examples: of the run.
        successes: how many, or all where there are fewer.
        clean: how many originals, or as many as there are sentences.
        seed: of the draw.
    """
    won = [e.outcome.sentence_id for e in examples if e.outcome.status is Status.SUCCESS]
    rng = rng_for(seed, "human audit", run_id)
    drawn = rng.sample(won, min(successes, len(won)))
    left = [e.outcome.sentence_id for e in examples if e.outcome.sentence_id not in set(drawn)]
    originals = rng.sample(left, min(clean, len(left)))
    originals += rng.sample(drawn, min(clean - len(originals), len(drawn)))
    kinds = [*((name, True) for name in drawn), *((name, False) for name in originals)]
    return [Item(_code(seed, run_id, name, adversarial), run_id, name, adversarial) for name, adversarial in kinds]


def sheet(
    items: Sequence[Item],
    examples: Mapping[str, Sequence[Example]],
    sentences: Mapping[str, Mapping[str, Sentence]],
    seed: int,
) -> str:
    """Return the CSV file for the annotators; mentions are marked as `[PER Ana Ruiz]`.

    Args:
        items: of all runs.
        examples: by run id.
        sentences: by run id and sentence id.
        seed: of the order.
    """
    shuffled = list(items)
    rng_for(seed, "human audit", "order").shuffle(shuffled)
    outcomes = {(run_id, e.outcome.sentence_id): e.outcome for run_id, rows in examples.items() for e in rows}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for item in shuffled:
        text = sentences[item.run_id][item.sentence_id]
        if item.adversarial:
            outcome = outcomes[item.run_id, item.sentence_id]
            text = adversarial_sentence(text, outcome.edits, outcome.adversarial_gold)
        writer.writerow([item.code, _harmless(_marked(text)), "", ""])
    return out.getvalue()


def read_sheet(path: Path, items: Sequence[Item]) -> dict[str, Answer]:
    """Return one person's answers, by code.

    Raises:
        BadInput: not a filled-in sheet of these items; file, line and column are named.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read ({error}); save the sheet as CSV in UTF-8") from None
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if text.partition("\n")[0].count(";") else ",")
    known = {item.code for item in items}
    answers: dict[str, Answer] = {}
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise BadInput(f"{path}, line 1: no column {', '.join(missing)}; keep the header of the exported sheet")
        for row in reader:
            if not any(str(cell or "").strip() for cell in row.values()):
                continue  # spreadsheets leave such rows at the end
            code, answer = _answer(row, f"{path}, line {reader.line_num}", known)
            if code in answers:
                raise BadInput(f"{path}, line {reader.line_num}: item {code} is answered twice")
            answers[code] = answer
    except csv.Error as error:
        raise BadInput(f"{path}, line {reader.line_num}: {error}; save the sheet as CSV in UTF-8") from None
    if left := known - {*answers}:
        told = f"{len(left)} of {len(known)} items have no row, {min(left)} among them"
        raise BadInput(f"{path}: {told}; keep all rows of the exported sheet")
    return answers


def _answer(row: Mapping[str, Any], where: str, known: set[str]) -> tuple[str, Answer]:
    code, right, natural = (str(row.get(name) or "").strip() for name in ("item", "labels_right", "natural"))
    if code not in known:
        raise BadInput(
            f"{where}: item: {shown(code)} is none of these runs, this seed and these numbers; import with the same as "
            "the sheet was exported with"
        )
    if right.lower() not in _YES_NO:
        raise BadInput(f"{where}: labels_right: {shown(right)}, expected yes or no")
    if natural not in {str(k) for k in NATURAL}:
        raise BadInput(f"{where}: natural: {shown(natural)}, expected a whole number from 1 to 5")
    return code, Answer(_YES_NO[right.lower()], int(natural))


def audit_record(
    run_id: str, examples_sha256: str, attack_rate: float | None, rows: Sequence[Mapping[str, Any]], seed: int
) -> dict[str, Any]:
    """Return what is stored beside a run, all of it computed from the answers.

    Args:
        run_id: the run.
        examples_sha256: of the examples that were read.
        attack_rate: of the run.
        rows: `{"sentence_id", "adversarial", "answers": [[labels right, natural], ...]}`, an answer a person.
        seed: of the draw.
    """
    read = [row for row in rows if row["adversarial"]]
    control = [row for row in rows if not row["adversarial"]]
    preserved = _share(read)
    rate = preserved["value"]
    valid = None if rate is None or attack_rate is None else _rounded(attack_rate * rate)
    return {
        "schema": SCHEMA,
        "run_id": run_id,
        "examples_sha256": examples_sha256,
        "seed": seed,
        "annotators": len(rows[0]["answers"]) if rows else 0,
        "label_preservation": preserved,
        "label_preservation.clean": _share(control),
        "natural": _mean(read),
        "natural.clean": _mean(control),
        "attack_rate.audited": valid,
        "agreement": {
            "labels_right": _kappa([[right for right, _ in row["answers"]] for row in rows], None),
            "natural": _kappa([[natural for _, natural in row["answers"]] for row in rows], "quadratic"),
        },
        "answers": [dict(row) for row in rows],
    }


def store_audit(
    folder: RunFolder, items: Sequence[Item], sheets: Sequence[Mapping[str, Answer]], seed: int
) -> dict[str, Any]:
    """Put the answers about one run together and store them beside it.

    Raises:
        CorruptResult: the run was altered.
        CannotSave: the disk is full, say.
    """
    result = folder.read_result()
    rows = [
        {
            "sentence_id": item.sentence_id,
            "adversarial": item.adversarial,
            "answers": [list(answers[item.code]) for answers in sheets],
        }
        for item in sorted(items, key=lambda item: (not item.adversarial, item.sentence_id))
        if item.run_id == folder.run_id
    ]
    attack_rate = result["metrics"]["attack_rate"]["value"]
    record = audit_record(folder.run_id, result["examples_sha256"], attack_rate, rows, seed)
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(folder.path / AUDIT_FILE, text)
    return record


def read_audit(folder: RunFolder) -> dict[str, Any] | None:
    """Return what people said of a run; None where nobody was asked, or about examples that are others now."""
    path = folder.path / AUDIT_FILE
    if not path.is_file():
        return None
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"{path} is not JSON ({error}); import the sheets again") from None
    return record if record.get("examples_sha256") == folder.read_result()["examples_sha256"] else None


def right_of(audits: Sequence[Mapping[str, Any]], *, adversarial: bool) -> tuple[int, int]:
    """Count over audits the texts whose labels most people find right, and all that were read; a tie is not right.

    Args:
        audits: as `audit_record` returns them.
        adversarial: of adversarial texts, or of originals.
    """
    rows = [row for audit in audits for row in audit["answers"] if row["adversarial"] is adversarial]
    return _right(rows), len(rows)


def _right(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(2 * sum(bool(answer[0]) for answer in row["answers"]) > len(row["answers"]) for row in rows)


def _share(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the share of texts whose labels most people find right, with Wilson's interval."""
    right = _right(rows)
    interval = wilson(right, len(rows))
    value = right / len(rows) if rows else None
    return {"value": _rounded(value), "low": _rounded(interval.low), "high": _rounded(interval.high), "n": len(rows)}


def _mean(rows: Sequence[Mapping[str, Any]]) -> float | None:
    answers = [answer[1] for row in rows for answer in row["answers"]]
    return _rounded(sum(answers) / len(answers)) if answers else None


def _kappa(answers: Sequence[Sequence[int]], weights: str | None) -> float | None:
    """Return Cohen's kappa (1960), averaged over pairs of people; None for one person, or where all say the same."""
    from sklearn.metrics import cohen_kappa_score

    people = list(zip(*answers, strict=True))
    values = [
        float(cohen_kappa_score(one, other, weights=weights))
        for one, other in itertools.combinations(people, 2)
        if len({*one, *other}) > 1
    ]
    return _rounded(sum(values) / len(values)) if values else None


def _rounded(number: float | None) -> float | None:
    return None if number is None or math.isnan(number) else round(number, _DIGITS)


def _code(seed: int, run_id: str, sentence_id: str, adversarial: bool) -> str:
    # The letter keeps spreadsheets from taking digits, or digits around an e, for a number and writing it otherwise.
    return "t" + hashlib.sha256(repr((seed, run_id, sentence_id, adversarial)).encode()).hexdigest()[:11]


def _marked(sentence: Sentence) -> str:
    return " ".join(_words(sentence))


def _words(sentence: Sentence) -> Iterator[str]:
    starts = {span.start: span for span in sentence.spans}
    inside = {k for span in sentence.spans for k in range(span.start, span.end)}
    for i, token in enumerate(sentence.tokens):
        if i in starts:
            span = starts[i]
            yield f"[{span.type} {' '.join(sentence.tokens[span.start : span.end])}]"
        elif i not in inside:
            yield token


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from reading a text as a formula, and a terminal from reading it as commands."""
    plain = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cell)
    return harmless_cell(plain)
