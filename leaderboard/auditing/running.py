"""The runs of an audit: ordinary runs of the frozen ensemble, so what was interrupted goes on and nothing is lost."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmark.api import CallableVictim
from benchmark.contracts import Victim
from benchmark.datasets import Dataset, find_dataset
from benchmark.datasets.conll import read_conll
from benchmark.datasets.jsonl import read_jsonl
from benchmark.errors import BadInput, GauntletError, first_line
from benchmark.metrics import Value
from benchmark.metrics.span_f1 import span_counts
from benchmark.plan import EngineOptions, Plan
from benchmark.progress import Progress, silent
from benchmark.runner import run
from benchmark.statistics.intervals import bootstrap
from benchmark.statistics.totals import micro_f1
from benchmark.suites import load_suite
from benchmark.threat import Access
from benchmark.types import Prediction, Sentence
from benchmark.victims import LabelMap, VictimOptions, find_victim, require_same_types
from benchmark.victims.finding import TRAINED, parse_name
from benchmark.victims.label_map import RelabelledVictim
from benchmark.victims.recipe import CARD
from benchmark.workshop import PreparedAttack, Workshop
from leaderboard.auditing.callables import callable_named, is_callable_name, settled
from leaderboard.auditing.comparing import Comparison, compare_types, require_mentions, restricted, with_all_types
from leaderboard.rows import Run, own_run

__all__ = ["EMBEDDED", "MOST_READ", "Audit", "Request", "audit"]

EMBEDDED = "newsroom"
# The frozen ensembles, by what a model gives away.
WITH_SCORES, LABELS_ONLY = "gauntlet-v1", "gauntlet-v1-labels"
# Sentences on which the clean F1 is measured, at most, and how many are read at a time.
MOST_READ = 500
_CHUNK = 64


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        model: a victim's name, or MODULE:FUNCTION.
        data: a data set's name, a folder, or a file in columns or JSONL.
        train: file with what the model was trained on; None where it is not known.
        split: of a data set.
        scheme: tag scheme of files in columns.
        label_map: from the model's labels to the data's; None for none.
        limit: sentences attacked, at most; None for as many as the suite says.
        options: how the model is loaded.
    """

    model: str
    data: str = EMBEDDED
    train: Path | None = None
    split: str = "test"
    scheme: str = "IOB2"
    label_map: LabelMap | None = None
    limit: int | None = None
    options: VictimOptions = field(default_factory=VictimOptions)


@dataclass(frozen=True)
class Audit:
    """What an audit has found, before it is counted.

    Attributes:
        suite: name of the ensemble.
        data: what the data are called: a file by its name, a data set with the split.
        victim: as it was attacked.
        dataset: as it was attacked.
        split: of it.
        comparison: which types are compared.
        clean: F1 on clean sentences of the split, whether the model is good at them or not.
        trained_on: what "seen" means; None where it is not known what the model was trained on.
        runs: one for each attack of the ensemble.
    """

    suite: str
    data: str
    victim: Victim
    dataset: Dataset
    split: str
    comparison: Comparison
    clean: Value
    trained_on: str | None
    runs: tuple[Run, ...]

    @property
    def texts(self) -> Mapping[str, Sentence]:
        """The sentences of the split by id."""
        return {sentence.id: sentence for sentence in self.dataset.split(self.split)}


class _OneModel(Workshop):
    """A workshop in which model and data are there already, whatever they are called."""

    def __init__(self, victim: Victim, dataset: Dataset, report: Progress) -> None:
        super().__init__(report)
        self._victim = victim
        self._dataset = dataset

    def dataset(self, plan: Plan) -> Dataset:  # noqa: ARG002 - there is one
        """Return the data."""
        return self._dataset

    def victim(self, plan: Plan) -> Victim:  # noqa: ARG002 - there is one
        """Return the model."""
        return self._victim


def audit(
    request: Request, results: Path, report: Progress = silent, engine_options: EngineOptions | None = None
) -> Audit:
    """Run the frozen ensemble on a model, or as much of it as is not done yet.

    Args:
        request: what is asked for.
        results: the results folder; the runs are ordinary ones.
        report: told how far the work is.
        engine_options: how the work is cut.

    Raises:
        GauntletError: bad input, or something is missing; said before anything is attacked wherever it can be known.
    """
    dataset = _data(request)
    require_mentions(dataset)
    file = Path(request.data)
    called = file.name if file.is_file() else f"{dataset.name}, {request.split}"
    report("loading the model", 0, 1)
    victim = _model(request, report)
    report("loading the model", 1, 1)
    trained_on = _trained_on(request, dataset)
    read, answers = _read(victim, dataset.split(request.split), report)
    function = victim if isinstance(victim, CallableVictim) else None
    if function is not None:
        victim = settled(function, answers)
        if request.label_map is not None:
            victim, answers = _relabelled(victim, answers, request.label_map)
    comparison = compare_types(victim, dataset, request.label_map)
    if function is not None and not function.labels and request.label_map is None:
        comparison = with_all_types(comparison)
        victim = settled(function, answers, comparison.never_said)
    if comparison.label_map is not None and request.label_map is None:
        victim, answers = _relabelled(victim, answers, comparison.label_map)
    dataset = restricted(dataset, comparison.types)
    require_same_types(victim, dataset.types, dataset.name)
    clean = _clean_f1([sentence for sentence in dataset.split(request.split) if sentence.id in read], answers)
    if not clean.value:
        raise BadInput(
            f"{victim.name} finds none of the {', '.join(comparison.types)} of {dataset.name} as they are marked, so "
            "there is nothing to break; do both mean the same by these names? (--label-map)"
        )
    suite = LABELS_ONLY if victim.access is Access.LABELS else WITH_SCORES
    wanted = {"victims": [victim.name], "datasets": [dataset.name], "split": request.split}
    plans = load_suite(suite, wanted if request.limit is None else {**wanted, "limit": request.limit}).plans
    workshop = _OneModel(victim, dataset, report)
    on_device = [replace(plan, options=replace(plan.options, device=request.options.device)) for plan in plans]
    for plan in on_device:
        PreparedAttack(plan, workshop)  # what an attack lacks is told before any other has begun
    runs = []
    for number, plan in enumerate(on_device, 1):
        workshop.report = _numbered(report, number, len(plans))
        runs.append(own_run(run(plan, results, workshop, engine_options).folder))
    return Audit(suite, called, victim, dataset, request.split, comparison, clean, trained_on, tuple(runs))


def _data(request: Request) -> Dataset:
    """Read the data; a file may have any name, and is in columns unless it ends in .jsonl."""
    path = Path(request.data)
    if path.is_file():
        dataset = Dataset(path.stem, {request.split: _file(path, request.split, request.scheme)}, str(path))
    else:
        dataset = find_dataset(request.data, request.options.data_dir, request.scheme)
    if request.train is not None:
        train = _file(request.train, "train", request.scheme)
        dataset = Dataset(dataset.name, {**dataset.splits, "train": train}, dataset.source)
    dataset.split(request.split)  # told now if there is none
    return dataset


def _file(path: Path, split: str, scheme: str) -> tuple[Sentence, ...]:
    return read_jsonl(path, split) if path.suffix == ".jsonl" else read_conll(path, split, scheme)


def _model(request: Request, report: Progress) -> Victim:
    if is_callable_name(request.model):
        return callable_named(request.model)
    return find_victim(request.model, replace(request.options, label_map=request.label_map, report=report))


def _relabelled(victim: Victim, answers: Sequence[Prediction], label_map: LabelMap) -> tuple[Victim, list[Prediction]]:
    """Rename the labels of a model, and those of what it has answered already."""
    renamed = [replace(answer, tags=tuple(map(label_map, answer.tags)), probabilities=None) for answer in answers]
    return RelabelledVictim(victim, label_map), renamed


def _read(victim: Victim, sentences: Sequence[Sentence], report: Progress) -> tuple[set[str], list[Prediction]]:
    """Let the model tag clean sentences of the split, in its order.

    Returns:
        Ids of all sentences, or of a seeded sample, that it can read, and its answers.

    Raises:
        BadInput: the model breaks off.
    """
    places = range(len(sentences))
    drawn = sorted(random.Random(0).sample(places, min(MOST_READ, len(places))))  # noqa: S311 - reproducible on purpose
    answers: list[Prediction] = []
    try:
        chosen = [sentences[k] for k in drawn if victim.fits(sentences[k].tokens)]
        for start in range(0, len(chosen), _CHUNK):
            report("reading clean sentences", start, len(chosen))
            answers += victim.predict([sentence.tokens for sentence in chosen[start : start + _CHUNK]])
    except GauntletError:
        raise
    except Exception as error:  # whatever a stranger's model does
        raise BadInput(
            f"{victim.name} broke off on clean sentences: {type(error).__name__}: {first_line(error)}"
        ) from error
    report("reading clean sentences", len(chosen), len(chosen))
    return {sentence.id for sentence in chosen}, answers


def _clean_f1(sentences: Sequence[Sentence], answers: Sequence[Prediction]) -> Value:
    """Return strict F1 with its bootstrap interval."""
    if not sentences:
        return Value(None, reason="no sentence that the model can read")
    pairs = zip(sentences, answers, strict=True)
    counts = np.array([span_counts(sentence.tags, answer.tags) for sentence, answer in pairs], dtype=np.float64)
    clusters = [sentence.document or ("sentence", sentence.id) for sentence in sentences]
    value = float(micro_f1(counts.sum(axis=0, keepdims=True))[0])
    return Value(value, *bootstrap(counts, micro_f1, clusters), len(counts))


def _trained_on(request: Request, dataset: Dataset) -> str | None:
    """Say what the model was trained on, where it is known and at hand; nothing is presumed."""
    if request.train is not None:
        return request.train.name
    if "train" not in dataset.splits or request.split == "train":
        return None
    own = False
    if not is_callable_name(request.model):
        parts = parse_name(request.model)
        own = parts.family in TRAINED and parts.rest == request.data
        own = own or (parts.family == "path" and _train_hash(Path(parts.rest)) == dataset.hash("train"))
    return f"the train split of {dataset.name}" if own else None


def _train_hash(folder: Path) -> str | None:
    """Return the hash of what a folder that `gauntlet train` left was trained on."""
    try:
        return str(json.loads((folder / CARD).read_text(encoding="utf-8"))["train_hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _numbered(report: Progress, number: int, total: int) -> Progress:
    return lambda stage, done, of: report(f"attack {number} of {total}: {stage}", done, of)
