"""The training loop."""

from __future__ import annotations

import json
import math
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmark.errors import BadInput
from benchmark.progress import Progress, silent
from benchmark.provenance import Stopwatch, machine, versions
from benchmark.training.checkpoint import Checkpoint, Course, held
from benchmark.training.hooks import Hooks
from benchmark.training.schedules import Moment
from benchmark.training.sentences import strict_f1
from benchmark.training.storing import save_whole
from benchmark.types import Sentence
from benchmark.victims.recipe import CARD, COST, TrainingRecipe

if TYPE_CHECKING:
    import torch

    from benchmark.training.trainee import Trainee

__all__ = ["Regimen", "Training", "train"]

# Learning rates that are tried, each half the last and longer in rising.
_RATES = 4


@dataclass(frozen=True)
class Regimen:
    """What a network is trained on, and how otherwise than plainly.

    Attributes:
        sentences: of the training.
        hooks: of a defense.
        start: folder of a victim whose weights training begins with; None for fresh ones.
        made: how the sentences came about, for the card.
        cost: what that took, such as seconds.
    """

    sentences: Sequence[Sentence]
    hooks: Hooks = field(default_factory=Hooks)
    start: Path | None = None
    made: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)


class Training(NamedTuple):
    """A training.

    Attributes:
        name: of the victim that comes out, for progress and messages.
        recipe: all that decides how it comes out.
        dev: the sentences by whose F1 the best epoch is chosen.
        card: what the card holds besides the recipe.
        prepare: makes the regimen; given the folder for what it must keep in case it is interrupted, and called again
            where a training goes on.
        trainee: makes a fresh network for a regimen, seeded by the recipe.
    """

    name: str
    recipe: TrainingRecipe
    dev: Sequence[Sentence]
    card: Mapping[str, Any]
    prepare: Callable[[Path], Regimen]
    trainee: Callable[[Regimen], Trainee]


def train(training: Training, folder: Path, report: Progress = silent) -> None:
    """Train, and store weights, card and cost in `folder`, which appears only when all is done.

    The epoch with the best dev F1 is kept. `report` is told the steps and the dev F1 of each epoch. A network that died
    (a peak learning rate that suits most data is too high, or reached too soon, for some) is trained again with half
    the rate and a longer rise to it; the card tells which rate it was in the end. Until the end a work folder lies
    beside `folder`, and the same call goes on from it after the last finished epoch. Where another process trains the
    same, it is waited for.

    Raises:
        BadInput: every rate was too high, or the loss is no longer a number; the last good state is kept.
        CannotSave: the folder cannot be written.
        CorruptResult: the checkpoint is damaged or of another recipe.
    """
    with held(folder, report) as work:
        if folder.is_dir():
            return  # by another process, meanwhile
        watch = Stopwatch()
        regimen = training.prepare(work)
        prepared = watch.seconds()
        trainee, course = _first_that_lives(training, regimen, Checkpoint(work, training.recipe.id), report)
        made = {**regimen.made, **regimen.hooks.made()}
        card = {**training.recipe.to_json(), **training.card, "name": training.name, "made": made}
        card |= {"rate_used": course.rate, "dev_f1": [round(f1, 4) for f1 in course.history]}
        cost = {"preparing_seconds": prepared, "training_seconds": round(course.seconds, 3), **regimen.cost}
        cost |= {**regimen.hooks.cost(), "machine": machine(str(trainee.device)), "versions": versions()}

        def write(scratch: Path) -> None:
            trainee.save_whole(course.best, scratch)
            for name, content in ((CARD, card), (COST, cost)):
                (scratch / name).write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")

        save_whole(folder, write)
        shutil.rmtree(work, ignore_errors=True)


def _first_that_lives(
    training: Training, regimen: Regimen, checkpoint: Checkpoint, report: Progress
) -> tuple[Trainee, Course]:
    """Train with one rate after the other until a network survives."""
    recipe, stored = training.recipe, checkpoint.rate()
    for halvings in range(_RATES):
        rate = recipe.learning_rate / 2**halvings
        if stored is not None and rate > stored:
            continue  # dead before training was interrupted
        trainee = training.trainee(regimen)
        regimen.hooks.equip(trainee)
        optimizer = trainee.optimizer(rate)
        course = checkpoint.restore(trainee, optimizer) if rate == stored else Course(rate, (), {}, 0.0)
        lived = _train(training, regimen, _State(trainee, optimizer, course), checkpoint, report)
        if lived is not None:
            return trainee, lived
    raise BadInput(
        f"{training.name} learns nothing, with {_RATES} learning rates from {recipe.learning_rate:g} down: are there "
        "mentions in its training split?"
    )


class _State(NamedTuple):
    trainee: Trainee
    optimizer: torch.optim.Optimizer
    course: Course


def _train(
    training: Training, regimen: Regimen, state: _State, checkpoint: Checkpoint, report: Progress
) -> Course | None:
    """Train to the end at one rate; return None as soon as the network is dead."""
    trainee, optimizer, course = state
    recipe, first = training.recipe, regimen.hooks.chosen_from
    stage = f"training {training.name}"
    if course.rate != recipe.learning_rate:
        stage += f", rate {course.rate:g}"
    told = stage
    while not course.ended(recipe.epochs, trainee.patience, first):
        watch = Stopwatch()
        steps = 0
        for moment in _steps(training, regimen, _State(trainee, optimizer, course), checkpoint):
            report(told, moment.step, moment.steps)
            steps = moment.steps
        trainee.network.eval()
        if trainee.is_dead(training.dev):
            return None
        f1 = strict_f1(trainee.victim, training.dev)
        better = len(course.history) >= first and f1 > max(course.history[first:], default=-1.0)
        best = trainee.whole_state() if better else course.best
        course = Course(course.rate, (*course.history, f1), best, course.seconds + watch.seconds())
        checkpoint.write(trainee, optimizer, course)
        told = f"{stage}, epoch {len(course.history)}: dev F1 {f1:.3f}"
        report(told, len(course.history) * steps // recipe.epochs, steps)
    return course


def _steps(training: Training, regimen: Regimen, state: _State, checkpoint: Checkpoint) -> Iterator[Moment]:
    """Go through the next epoch; yield before each step which one it is."""
    import torch

    trainee, optimizer, course = state
    recipe, hooks, epoch = training.recipe, regimen.hooks, len(course.history)
    order = random.Random(f"{recipe.seed} {epoch}")  # noqa: S311 - reproducible on purpose
    drawn = random.Random(f"{recipe.seed} {epoch} defense")  # noqa: S311
    devices = [trainee.device] if trainee.device.type == "cuda" else []
    with torch.random.fork_rng(devices):  # what a defense draws here must not move dropout
        sentences = hooks.sentences(trainee, epoch, regimen.sentences, drawn)
    trainee.begin_epoch(order)
    batches = list(hooks.batches(sentences, recipe.batch_size, order))
    trainee.network.train()
    schedule = hooks.schedule or trainee.schedule
    deaths = round(math.log2(recipe.learning_rate / course.rate))
    for k, batch in enumerate(batches):
        moment = Moment(epoch * len(batches) + k, recipe.epochs * len(batches), epoch, recipe.epochs, deaths)
        yield moment
        for group in optimizer.param_groups:
            group["lr"] = course.rate * schedule(moment)
        loss = hooks.loss(trainee, batch, drawn)
        loss.backward()  # type: ignore[no-untyped-call]
        length = torch.nn.utils.clip_grad_norm_(trainee.trained.values(), trainee.longest_gradient)
        if not (torch.isfinite(loss) and torch.isfinite(length)):
            raise _diverged(training, moment, course, checkpoint)
        optimizer.step()
        optimizer.zero_grad()


def _diverged(training: Training, moment: Moment, course: Course, checkpoint: Checkpoint) -> BadInput:
    kept = (
        f"the state after epoch {moment.epoch} (dev F1 {course.history[-1]:.3f}) is kept in {checkpoint.file}"
        if course.history
        else "no epoch was finished"
    )
    return BadInput(
        f"the loss of {training.name} is no longer a number, in step {moment.step + 1} of {moment.steps} at the peak "
        f"rate {course.rate:g}; {kept}; train with a lower learning_rate, or weaken the defense's parameters"
    )
