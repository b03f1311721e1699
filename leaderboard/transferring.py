"""Putting stored adversarial examples to another victim: the one step of the leaderboard that asks a model.

What is stored is tags and numbers beside the run's id, no text:

    RESULTS/transfers/RUN_ID-TARGET.json
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.alignment import adversarial_sentence
from benchmark.contracts import Victim
from benchmark.datasets import Dataset
from benchmark.errors import BadInput, CannotSave, CorruptResult, GauntletError
from benchmark.goals import Clean, goal_named
from benchmark.plan import Plan
from benchmark.spec import canonical_json
from benchmark.store import write_atomically
from benchmark.tag_schemes import tags_to_spans
from benchmark.types import Sentence, Status
from benchmark.victims.label_map import require_same_types
from benchmark.workshop import Workshop
from leaderboard.entries import CONTROLS
from leaderboard.rows import Reading, Run
from leaderboard.victim_names import base_of, victim_details

__all__ = ["Answer", "Transfer", "read_transfers", "target_of", "transfer", "transfer_to_defended"]

SCHEMA = 1


@dataclass(frozen=True)
class Answer:
    """What the other victim makes of one adversarial example.

    Attributes:
        sentence_id: which sentence.
        missed: share of the gold mentions that it misses on the clean text.
        score: label score of the run's goal, measured against its own clean prediction; above 0 it is broken.
        clean: its tags of the clean text.
        adversarial: its tags of the adversarial text.
    """

    sentence_id: str
    missed: float
    score: float
    clean: tuple[str, ...]
    adversarial: tuple[str, ...]


@dataclass(frozen=True)
class Transfer:
    """All answers of one victim to the adversarial examples of a run made against another.

    Attributes:
        run_id: the run.
        examples_sha256: of the examples it was asked about.
        victim: the other victim's name.
        victim_fingerprint: hash of its weights, tokenizer, configuration.
        victim_settings: what else its answers depend on.
        answers: one for each success that it can read.
        too_long: the successes that it cannot read as a whole.
    """

    run_id: str
    examples_sha256: str
    victim: str
    victim_fingerprint: str
    victim_settings: Mapping[str, Any]
    answers: tuple[Answer, ...]
    too_long: tuple[str, ...]

    @property
    def details(self) -> dict[str, Any]:
        """What tells two victims of one name apart."""
        return victim_details(self.victim_fingerprint, self.victim_settings)

    @property
    def target(self) -> str:
        """Eight hexadecimal digits that name the victim asked."""
        return target_of(self.victim, self.victim_fingerprint, self.victim_settings)


def transfer(results: Path, run: Run, victim: Victim, dataset: Dataset) -> Path:
    """Put the successes of a run to another victim, and store its answers; what is stored already is not asked again.

    Args:
        results: the results folder.
        run: a finished run against another victim.
        victim: to ask.
        dataset: the run's, for the text.

    Returns:
        The file.

    Raises:
        BadInput: the victim is the run's own, it knows other types, or the data set is another version of the run's.
        CannotSave: the file cannot be written.
    """
    spec = run.spec
    if (victim.name, victim.fingerprint) == (spec.victim, spec.victim_fingerprint):
        raise BadInput(f"run {run.run_id} was made against {victim.name} itself; name another victim")
    sentences = run.sentences_of(dataset)
    require_same_types(victim, dataset.types, dataset.name)
    settings = json.loads(canonical_json(dict(victim.settings)))
    target = target_of(victim.name, victim.fingerprint, settings)
    path = results / "transfers" / f"{run.run_id}-{target}.json"
    if path.is_file() and _read(path).examples_sha256 == run.examples_sha256:
        return path
    answers, too_long = _ask(run, victim, sentences)
    record = {
        "schema": SCHEMA,
        "run_id": run.run_id,
        "examples_sha256": run.examples_sha256,
        "victim": victim.name,
        "victim_fingerprint": victim.fingerprint,
        "victim_settings": settings,
        "answers": [
            {"sentence_id": a.sentence_id, "missed": a.missed, "score": a.score}
            | {"clean": list(a.clean), "adversarial": list(a.adversarial)}
            for a in answers
        ],
        "too_long": too_long,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotSave(f"cannot write to {path.parent}: {error.strerror}") from error
    write_atomically(path, json.dumps({**record, "sha256": _checksum(record)}, indent=1, sort_keys=True) + "\n")
    return path


def transfer_to_defended(results: Path, made: Sequence[tuple[Run, Plan]], workshop: Workshop) -> int:
    """Put the successes against base victims to their defended ones, where both stand in the same suite.

    Args:
        results: the results folder.
        made: finished runs, each with the plan that led to it.
        workshop: where the victims are loaded.

    Returns:
        How many runs were put to how many defended victims, all in all.

    Raises:
        GauntletError: as `transfer`.
    """
    defended = {
        (plan.victim, plan.dataset, plan.split): plan
        for run, plan in made
        if base_of(run.spec.victim) != run.spec.victim
    }
    asked = [
        (run, plan)
        for (_, *data), plan in defended.items()
        for run, own in made
        if base_of(workshop.victim(plan).name) == run.spec.victim
        and run.spec.attack not in CONTROLS
        and [own.dataset, own.split] == data
    ]
    for number, (run, plan) in enumerate(asked, 1):
        transfer(results, run, workshop.victim(plan), workshop.dataset(plan))
        workshop.report("asking defended victims about what broke their base", number, len(asked))
    return len(asked)


def target_of(victim: str, fingerprint: str, settings: Mapping[str, Any]) -> str:
    """Return eight hexadecimal digits that name a victim by what its answers follow from."""
    return hashlib.sha256(canonical_json([victim, fingerprint, settings]).encode()).hexdigest()[:8]


def read_transfers(reading: Reading) -> list[Transfer]:
    """Read what is stored of transfers from the runs of a reading; damage is noted there."""
    wanted = {run.run_id: run for run in reading.runs}
    found = []
    for path in sorted((reading.results / "transfers").glob("*.json")):
        if path.name.partition("-")[0] not in wanted:
            continue
        try:
            stored = _read(path)
            if stored.examples_sha256 != wanted[stored.run_id].examples_sha256:
                raise CorruptResult(f"{path}: examples_sha256 is not that of the run; ask again: gauntlet transfer")
            found.append(stored)
        except GauntletError as error:
            if str(error) not in map(str, reading.damage):  # another board may have told it
                reading.damage.append(error)
    return found


def _ask(run: Run, victim: Victim, sentences: Mapping[str, Sentence]) -> tuple[list[Answer], list[str]]:
    pairs = []
    for name, example in run.examples.items():
        outcome = example.outcome
        if outcome.status is Status.SUCCESS:
            original = sentences[name]
            pairs.append((original, adversarial_sentence(original, outcome.edits, outcome.adversarial_gold)))
    readable = [pair for pair in pairs if all(victim.fits(text.tokens) for text in pair)]
    said = iter(victim.predict([text.tokens for pair in readable for text in pair]))
    goal = goal_named(run.spec.goal)
    answers = []
    for original, adversarial in readable:
        clean, tags = next(said), next(said).tags
        found = set(tags_to_spans(clean.tags))
        missed = sum(span not in found for span in original.spans) / max(1, len(original.spans))
        before = Clean(original, clean, victim.labels)
        score = 0.0 if goal.unusable(before) else goal.label_score(before, adversarial, tags)
        answers.append(Answer(original.id, round(missed, 6), round(score, 6), tuple(clean.tags), tuple(tags)))
    kept = {pair[0].id for pair in readable}
    return answers, [original.id for original, _ in pairs if original.id not in kept]


def _read(path: Path) -> Transfer:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        checksum = record.pop("sha256", None)
        if checksum != _checksum(record) or record.pop("schema") != SCHEMA:
            raise ValueError("its checksum does not fit")
        answers = [
            Answer(a["sentence_id"], float(a["missed"]), float(a["score"]), tuple(a["clean"]), tuple(a["adversarial"]))
            for a in record["answers"]
        ]
        found = Transfer(**{**record, "answers": tuple(answers), "too_long": tuple(record["too_long"])})
        if path.name != f"{found.run_id}-{found.target}.json":
            raise ValueError(f"it tells of {found.run_id}-{found.target}")
        return found
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CorruptResult(f"{path} cannot be read ({error}); delete it and ask again: gauntlet transfer") from error


def _checksum(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()
