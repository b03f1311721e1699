"""Are the sentences those of the data set, chosen by the rule that the specification names?"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmark.attacking import mentions_of
from benchmark.datasets import DATASETS
from benchmark.datasets.finding import local_names
from benchmark.datasets.hub import HUB_DATASETS
from benchmark.errors import GauntletError
from benchmark.metrics import Example
from benchmark.plan import Plan
from benchmark.spec import RunSpec
from benchmark.tag_schemes import tags_to_spans
from benchmark.types import Sentence, Tokens
from benchmark.victims import VictimOptions
from benchmark.workshop import Workshop
from leaderboard.plain_text import shown
from leaderboard.verifying.finding import TEXT_NOT_HERE, Finding, NotChecked
from leaderboard.verifying.stored_run import StoredRun

__all__ = ["Library", "Shelf", "sentence_faults"]


class Shelf(NamedTuple):
    """A split at hand.

    Attributes:
        sentences: of the split, in order.
        by_id: the same by id.
        known_types: types of each lower-cased mention of the training split; None where there is none to compare.
        train_hash: content of the training split; None likewise.
    """

    sentences: Sequence[Sentence]
    by_id: Mapping[str, Sentence]
    known_types: Mapping[Tokens, frozenset[str]] | None
    train_hash: str | None


class Library:
    """The data sets at hand, each read once.

    A name out of a submission is looked up among installed data sets, the data folder and the hub's catalogue; it is
    never taken for a path.

    Args:
        data_dir: the data folder; `GAUNTLET_DATA` if None.
        scheme: tag scheme of local files.
    """

    def __init__(self, data_dir: Path | None = None, scheme: str = "IOB2") -> None:
        self._options = VictimOptions(data_dir=data_dir, scheme=scheme)
        self._workshop = Workshop()
        self._told: dict[str, str] = {}
        self._known = {*DATASETS, *local_names(data_dir), *HUB_DATASETS}

    def shelf(self, run: StoredRun, spec: RunSpec) -> Shelf | Finding | NotChecked:
        """Return the split that a run is about, or why there is none."""
        gap = partial(NotChecked, run.shown_as + "spec.json", "dataset")
        if spec.dataset not in self._known:
            return gap(f"{TEXT_NOT_HERE} ({spec.dataset}: pass --data-dir)")
        if spec.dataset in self._told:
            return gap(self._told[spec.dataset])
        plan = Plan("identity", dataset=spec.dataset, split=spec.split, options=self._options)
        try:
            dataset = self._workshop.dataset(plan)
        except GauntletError as error:
            self._told[spec.dataset] = f"{TEXT_NOT_HERE} ({error})"
            return gap(self._told[spec.dataset])
        if spec.split not in dataset.splits:
            return run.finding("spec.json", "split", shown(spec.split), f"one of {', '.join(dataset.splits)}")
        if dataset.hash(spec.split) != spec.dataset_hash:
            told = f"{dataset.hash(spec.split)}, of {spec.dataset} ({spec.split}, {dataset.source}): another version"
            return run.finding("spec.json", "dataset_hash", spec.dataset_hash, told)
        sentences = dataset.split(spec.split)
        known = self._workshop.known_types(plan)
        return Shelf(sentences, {s.id: s for s in sentences}, known, None if known is None else dataset.hash("train"))


def sentence_faults(run: StoredRun, shelf: Shelf) -> Iterator[Finding]:
    """Yield sentences that are not the data set's, or that the rule would not have chosen."""
    if run.spec is None or run.examples is None:
        return
    if run.spec.train_hash != shelf.train_hash:
        yield run.finding("spec.json", "train_hash", shown(run.spec.train_hash), shown(shelf.train_hash))
    strangers = [name for name in run.spec.sentence_ids if name not in shelf.by_id]
    for name in strangers:
        yield run.finding("spec.json", "sentence_ids", shown(name), f"a sentence of {run.spec.dataset}")
    if not strangers:
        yield from _selection_faults(run, run.spec, shelf)
    for number, example in enumerate(run.examples):
        outcome = example.outcome
        sentence = shelf.by_id.get(outcome.sentence_id)
        if sentence is None:
            continue
        wanted = {"length": len(sentence), "gold": sentence.tags, "document": sentence.document}
        if shelf.known_types is not None:
            wanted["unseen"] = tuple(mention not in shelf.known_types for mention in mentions_of(sentence))
        for field, value in wanted.items():
            if getattr(outcome, field) != value:
                told = f"{shown(value)}, as in {run.spec.dataset}"
                where = f"row {number} ({outcome.sentence_id}).{field}"
                yield run.finding("examples.parquet", where, shown(getattr(outcome, field)), told)


def _selection_faults(run: StoredRun, spec: RunSpec, shelf: Shelf) -> Iterator[Finding]:
    """Yield a choice that the rule cannot have made.

    Which sentences the victim misses only the victim can tell (`gauntlet replay` asks it); the seeded order, the
    number of sentences looked at and what was passed over for other reasons follow from the data.
    """
    rule = spec.selection
    wrong = partial(run.finding, "spec.json")
    order = list(shelf.sentences)
    random.Random(rule["seed"]).shuffle(order)  # noqa: S311 - as benchmark.selection does
    place = {sentence.id: k for k, sentence in enumerate(order)}
    places = [place[name] for name in spec.sentence_ids]
    limit = rule["limit"] or len(order)
    if places != sorted(set(places)) or len(places) > limit:
        yield wrong("sentence_ids", "another order or number", f"at most {limit}, in the order of the rule's seed")
        return
    looked_at = order[: places[-1] + 1] if len(places) == limit else order
    chosen = set(spec.sentence_ids)
    counts = rule["passed_over"]
    no_mention = sum(not sentence.spans for sentence in looked_at if sentence.id not in chosen)
    if counts.get("no mention") != no_mention:
        yield wrong("selection.passed_over.no mention", shown(counts.get("no mention")), str(no_mention))
    if sum(counts.values()) != len(looked_at) - len(chosen):
        told = f"{len(looked_at) - len(chosen)}: the rule passes over no other sentence"
        yield wrong("selection.passed_over", f"{sum(counts.values())} sentences", told)
    for example in run.examples or ():
        missed = _missed(example, shelf.by_id)
        if missed is not None and missed > rule["max_missed"]:
            told = f"at most {rule['max_missed']}, by the rule"
            where = f"sentence_ids ({example.outcome.sentence_id})"
            yield wrong(where, f"the victim misses {missed:.3f} of the mentions", told)


def _missed(example: Example, sentences: Mapping[str, Sentence]) -> float | None:
    """Return the share of gold mentions that the stored clean tags miss; None where there are no tags."""
    sentence = sentences.get(example.outcome.sentence_id)
    if sentence is None or len(example.outcome.clean) != len(sentence):
        return None
    if not sentence.spans:
        return 1.0
    found = set(tags_to_spans(example.outcome.clean))
    return sum(span not in found for span in sentence.spans) / len(sentence.spans)
