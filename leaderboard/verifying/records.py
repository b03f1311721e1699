"""The form of every stored record: names, types and ranges of all fields. Nothing here knows what the numbers mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from benchmark.attacking import Mode
from benchmark.errors import BadInput
from benchmark.goals import goal_named
from benchmark.label_risk import FLAGS
from benchmark.resources.grammar import CATEGORIES
from benchmark.resources.loading import KINDS
from benchmark.spec import PROTOCOL, SCHEMA
from benchmark.threat import Access, Touch
from benchmark.types import Operation, Status
from leaderboard.plain_text import fault_in_line, fault_in_name, fault_in_text, fault_in_word, shown
from leaderboard.verifying.finding import Finding

__all__ = [
    "Count",
    "ExampleRecord",
    "Id",
    "Name",
    "ProvenanceRecord",
    "Record",
    "ResultRecord",
    "RunId",
    "Settings",
    "Sha256",
    "SpecRecord",
    "Tag",
    "ValueRecord",
    "fault_in_settings",
    "form_faults",
    "refusing",
]

_DEEPEST = 6
_MOST = 2**31 - 1


def refusing(fault_in: Callable[[Any], str | None]) -> AfterValidator:
    """Return a validator that refuses values by what a function says is wrong with them."""

    def validate(value: Any) -> Any:
        if fault := fault_in(value):
            raise ValueError(fault)
        return value

    return AfterValidator(validate)


def _one_of(values: Iterable[str]) -> AfterValidator:
    known = tuple(values)
    return refusing(lambda value: None if value in known else f"one of {', '.join(known)}")


def _fault_in_id(text: str) -> str | None:
    """Sentence ids and documents may be file names some day."""
    parts = text.replace("\\", "/").split("/")
    return fault_in_line(text) or ("no path that leads out of a folder" if ".." in parts or not parts[0] else None)


def _fault_in_repeats(names: list[str]) -> str | None:
    return None if len(set(names)) == len(names) else "each sentence once"


def _fault_in_attack(name: str) -> str | None:
    """Attacks stand beside one another, so no name may look like another's."""
    return fault_in_name(name) or (None if name.isascii() else "a name in ASCII")


def _fault_in_costs(costs: dict[str, Any]) -> str | None:
    below = next((name for name, value in costs.items() if isinstance(value, int | float) and value < 0), None)
    return None if below is None else f"no number below 0 ({shown(below)})"


def _fault_in_goal(name: str) -> str | None:
    try:
        goal_named(name)
    except BadInput as error:
        return str(error)
    return None


def fault_in_settings(value: Any, depth: int = 0) -> str | None:
    """Return what is wrong with a free record of texts, numbers, lists and records."""
    if depth > _DEEPEST:
        return f"at most {_DEEPEST} levels of nesting"
    if isinstance(value, str):
        return fault_in_line(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "finite numbers"
    if isinstance(value, Mapping):
        parts = [*value, *value.values()]
    elif isinstance(value, list):
        parts = value
    else:
        return None if value is None or isinstance(value, bool | int | float) else "texts, numbers, lists and records"
    return next((fault for part in parts if (fault := fault_in_settings(part, depth + 1))), None)


Name = Annotated[str, refusing(fault_in_name)]
Line = Annotated[str, refusing(fault_in_line)]
Id = Annotated[str, refusing(_fault_in_id)]
Text = Annotated[str, refusing(fault_in_text)]
Word = Annotated[str, refusing(fault_in_word)]
_TYPE = r"[\w.+/&-]{1,60}"
EntityType = Annotated[str, Field(pattern=f"^{_TYPE}$")]
Tag = Annotated[str, Field(pattern=f"^(O|[BI]-{_TYPE})$")]
Settings = Annotated[dict[str, Any], refusing(fault_in_settings)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=_MOST)]
Positive = Annotated[int, Field(ge=1, le=_MOST)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RunId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Costs = Annotated[dict[str, Any], refusing(_fault_in_costs)]


class Record(BaseModel):
    """A record whose fields are known, each of its exact type."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


class SelectionRecord(Record):
    """The rule that chose the sentences, and how many it passed over."""

    rule: Annotated[str, _one_of(["at-least-one-mention, few-missed"])]
    limit: Positive | None
    max_missed: Annotated[float, Field(ge=0, le=1)]
    seed: int
    passed_over: dict[Line, Count]


class SpecRecord(Record):
    """spec.json."""

    attack: Annotated[str, refusing(_fault_in_attack)]
    attack_version: Positive
    parameters: Settings
    constraints: Name | None
    resources: dict[Annotated[str, _one_of(KINDS)], Line]
    victim: Name
    victim_fingerprint: Sha256
    victim_settings: Settings
    dataset: Name
    dataset_hash: Sha256
    split: Name
    train_hash: Sha256 | None
    selection: SelectionRecord
    sentence_ids: Annotated[list[Id], Field(min_length=1), refusing(_fault_in_repeats)]
    touch: Annotated[str, _one_of(touch.value for touch in Touch)]
    access: Annotated[str, _one_of(access.name.lower() for access in Access)]
    goal: Annotated[str, refusing(_fault_in_goal), refusing(fault_in_name)]
    mode: Annotated[str, _one_of(mode.value for mode in Mode)]
    queries: Positive
    seed: int
    protocol: Annotated[int, Field(ge=1, le=PROTOCOL)]
    schema_: Annotated[int, Field(ge=1, le=SCHEMA, alias="schema")]


class ValueRecord(Record):
    """One metric's value."""

    value: float | None
    low: float | None
    high: float | None
    n: Count
    reason: Line | None = None


class ShareRecord(ValueRecord):
    """One metric's value that is a share, such as F1."""

    value: Share | None
    low: Share | None
    high: Share | None


class ResultRecord(Record):
    """result.json."""

    run_id: RunId
    spec: dict[str, Any]
    examples_sha256: Sha256
    judges: dict[Line, Line]
    metrics: dict[Line, ValueRecord]
    per_type: dict[EntityType, dict[Line, ShareRecord]]
    rejected: dict[Line, Count]
    sha256: Sha256
    schema_: Annotated[int, Field(ge=1, le=SCHEMA, alias="schema")]


class ProvenanceRecord(BaseModel):
    """provenance.json; executors may tell more."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False, frozen=True)

    began: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    seconds: Annotated[float, Field(ge=0)]
    attack_seconds: Annotated[float, Field(ge=0)]
    sentences_attacked: Count
    sentences_resumed: Count
    concurrency: Positive
    batch_size: Positive
    executor: Line | None = None
    workers: Positive | None = None
    texts_asked: Annotated[int, Field(ge=0)]
    texts_forwarded: Annotated[int, Field(ge=0)]
    victim_cost: Costs | None = None
    soundness: Costs | None = None
    clean: Costs | None = None
    machine: Settings
    versions: dict[Line, Line]


class EditRecord(Record):
    """One edit."""

    op: Annotated[str, _one_of(operation.value for operation in Operation)]
    at: Count
    covers: Count
    words: list[Word] | None
    sources: list[list[Count]] | None


class StepRecord(Record):
    """One step of a trajectory."""

    queries: Positive
    confidence: float


class RejectionRecord(Record):
    """How many candidates were turned away for one reason."""

    reason: Line
    count: Positive


class GrammarRecord(Record):
    """Errors after minus errors before, by category."""

    typos: int
    grammar: int
    casing: int
    other: int


assert set(GrammarRecord.model_fields) == set(CATEGORIES)


class ExampleRecord(Record):
    """One row of examples.parquet."""

    sentence_id: Id
    document: Id | None
    length: Positive
    status: Annotated[str, _one_of(status.value for status in Status)]
    reason: Text | None
    gold: list[Tag]
    clean: list[Tag]
    unseen: list[bool] | None
    edits: list[EditRecord]
    adversarial_gold: list[Tag]
    adversarial_prediction: list[Tag]
    score: Annotated[float, Field(ge=0)]
    search_queries: Count
    constraint_queries: Count
    gradient_queries: Count
    queries_to_success: Positive | None
    forwards: Count
    trajectory: list[StepRecord]
    rejected: list[RejectionRecord]
    attributions: list[float] | None
    chosen: list[Count] | None
    similarity: Annotated[float, Field(ge=-1, le=1)] | None
    grammar_errors: GrammarRecord | None
    fluency: float | None
    label_risk: list[Annotated[str, _one_of(FLAGS)]] | None


def form_faults(model: type[BaseModel], record: Any, file: str, where: str = "") -> Iterator[Finding]:
    """Yield all that is wrong with a record's form.

    Args:
        model: the form.
        record: as read.
        file: named in the findings.
        where: stands before each field's name.
    """
    try:
        model.model_validate(record)
    except ValidationError as error:
        for fault in error.errors():
            field = where + ".".join(str(part)[:80] for part in fault["loc"])
            if fault["type"] == "missing":
                yield Finding(file, field, "missing", "one")
            elif fault["type"] == "extra_forbidden":
                yield Finding(file, field, "unknown field", "none of that name")
            else:
                told = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
                yield Finding(file, field, shown(fault["input"]), told)
