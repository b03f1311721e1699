"""From a plan to a result: one sentence's way through the house, once.

`run` is idempotent: a finished run is read back, an interrupted one goes on, examples without a result are scored
again. It always ends in the same bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmark.error_log import errors_kept_by
from benchmark.errors import VictimLacks
from benchmark.executors import Executor
from benchmark.executors.local import LocalExecutor
from benchmark.journal import Journal
from benchmark.metrics import METRICS, per_type, rejections
from benchmark.plan import EngineOptions, Plan
from benchmark.provenance import Stopwatch, machine, versions
from benchmark.spec import SCHEMA
from benchmark.store import RunFolder, open_results
from benchmark.threat import Access
from benchmark.types import Status
from benchmark.victims.recipe import training_cost
from benchmark.workshop import PreparedRun, Workshop

__all__ = ["RunReport", "run", "run_grid", "score"]


class RunReport(NamedTuple):
    """A run's result and what this call had to do for it.

    Attributes:
        result: the content of result.json.
        folder: where it is.
        attacked: sentences attacked by this call; 0 if all were finished before.
    """

    result: dict[str, Any]
    folder: RunFolder
    attacked: int


def run(
    plan: Plan,
    results: Path,
    workshop: Workshop | None = None,
    engine_options: EngineOptions | None = None,
    executor: Executor | None = None,
) -> RunReport:
    """Run a plan, or as much of it as is not done yet.

    Args:
        plan: what is asked for.
        results: the results folder.
        workshop: what is loaded already; None for nothing.
        engine_options: how the work is cut.
        executor: where the sentences are attacked; None for this process.

    Raises:
        GauntletError: bad input, a missing resource, damaged results, a folder that cannot be written; said before
            anything is attacked wherever it can be known.
    """
    workshop = workshop or Workshop()
    open_results(results)
    prepared = PreparedRun(plan, workshop)
    folder = RunFolder(results, prepared.spec.run_id)
    options = engine_options or EngineOptions()
    asked_for_judges = any(name is not None for name in (plan.encoder, plan.grammar, plan.fluency))
    if folder.result_file.is_file():
        result = folder.read_result()
        if options.retry_errors and result["metrics"]["error.count"]["value"]:
            with folder.locked():
                _reopen(folder)
        elif not asked_for_judges or result["judges"] == prepared.judges.identity:
            return RunReport(result, folder, 0)
    with folder.locked():
        folder.write_spec(prepared.spec)
        attacked = 0
        if not folder.examples_file.is_file():
            _ = prepared.judges  # one that is not there is told before anything is attacked
            attacked = _attack(prepared, folder, options, executor or LocalExecutor())
        elif asked_for_judges:
            _judge_again(prepared, folder)
        result = score(folder)
        folder.write_result(result)
        folder.journal_file.unlink(missing_ok=True)
    return RunReport(result, folder, attacked)


def run_grid(
    plans: Sequence[Plan], results: Path, workshop: Workshop, engine_options: EngineOptions, executor: Executor
) -> tuple[list[tuple[Plan, RunReport]], list[VictimLacks]]:
    """Run plans of a grid, one after the other; see `run`.

    Returns:
        Reports of the runs, and why plans were passed over: their attacks need more than their victims give.

    Raises:
        GauntletError: see `run`; for what victims lack only if no plan is left.
    """
    done: list[tuple[Plan, RunReport]] = []
    lacking: list[VictimLacks] = []
    for plan in plans:
        try:
            done.append((plan, run(plan, results, workshop, engine_options, executor)))
        except VictimLacks as error:
            lacking.append(error)
    if lacking and not done:
        raise lacking[0]
    return done, lacking


def score(folder: RunFolder) -> dict[str, Any]:
    """Compute the result of a run from its examples alone."""
    spec = folder.read_spec()
    examples, judges = folder.read_examples()
    return {
        "schema": SCHEMA,
        "run_id": folder.run_id,
        "spec": spec.to_json(),
        "examples_sha256": folder.examples_hash(),
        "judges": judges,
        "metrics": {metric.name: metric.value(examples, spec.queries).to_json() for metric in METRICS},
        "per_type": per_type(examples),
        "rejected": rejections(examples),
    }


def _attack(prepared: PreparedRun, folder: RunFolder, options: EngineOptions, executor: Executor) -> int:
    """Attack what the journal does not hold yet, judge, write the examples; return how many were attacked."""
    report, spec, sentences = prepared.workshop.report, prepared.spec, prepared.sentences
    stopwatch = Stopwatch()
    error_file = logging.FileHandler(folder.errors_file, delay=True, encoding="utf-8")
    with errors_kept_by(error_file), Journal(folder.journal_file, folder.run_id) as journal:
        done_before = len(journal.finished)
        todo = [sentences[name] for name in spec.sentence_ids if name not in journal.finished]
        report(spec.attack, done_before, len(sentences))
        for outcome in executor.outcomes(prepared, todo[::-1] if options.reverse else todo, options):
            journal.append(outcome)
            report(spec.attack, len(journal.finished), len(sentences))
        outcomes = [journal.finished[name] for name in spec.sentence_ids]
    attack_seconds = stopwatch.seconds()
    report("judging texts", 0, 1)
    examples = prepared.judges.judge(outcomes, sentences, prepared.known_types)
    folder.write_examples(examples, prepared.judges.identity)
    report("judging texts", 1, 1)
    victim, access = prepared.assault.victim, prepared.assault.attack.card.access
    folder.write_provenance(
        stopwatch.record(
            attack_seconds=attack_seconds,
            sentences_attacked=len(todo),
            sentences_resumed=done_before,
            concurrency=options.concurrency,
            batch_size=options.batch_size,
            **executor.record(),
            victim_cost=training_cost(str(victim.settings.get("recipe", "")), prepared.plan.options.kept),
            clean=dict(prepared.clean),
            soundness=dict(prepared.workshop.soundness(prepared.plan, gradients=access is Access.GRADIENTS)),
            machine=machine(str(victim.settings.get("backend", "python"))),
            versions=versions(),
        )
    )
    return len(todo)


def _reopen(folder: RunFolder) -> None:
    """Turn a finished run back into an unfinished one that lacks the sentences with errors."""
    examples, _ = folder.read_examples()
    folder.result_file.unlink()
    with Journal(folder.journal_file, folder.run_id) as journal:
        for example in examples:
            if example.outcome.status is not Status.ERROR:
                journal.append(example.outcome)
    folder.examples_file.unlink()


def _judge_again(prepared: PreparedRun, folder: RunFolder) -> None:
    """Let other judges read the texts of a finished run; nothing is attacked."""
    examples, _ = folder.read_examples()
    folder.result_file.unlink(missing_ok=True)  # it no longer belongs to the examples
    outcomes = [example.outcome for example in examples]
    again = prepared.judges.judge(outcomes, prepared.sentences, prepared.known_types)
    folder.write_examples(again, prepared.judges.identity)
