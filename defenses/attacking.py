"""Attacking a victim on its own training set, for the sentences that break it."""

from __future__ import annotations

import json
import logging
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmark.alignment import adversarial_sentence
from benchmark.calls import literal, parsed
from benchmark.error_log import errors_kept_by
from benchmark.errors import BadInput
from benchmark.provenance import Stopwatch
from benchmark.types import Outcome, Prediction, Sentence, Status, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmark.attacking import Assault
    from benchmark.defending import Case
    from benchmark.goals import Goal

__all__ = ["Assailant", "Spoils", "attacked", "attacked_training_set"]

# Sentences attacked before it is asked whether there are enough successes. More fill the engine's batches better; fewer
# attack less in vain.
_CHUNK = 128


class Assailant(NamedTuple):
    """What attacks, and how.

    Attributes:
        attack: name of a registered attack, perhaps with parameters in parentheses.
        goal: what counts as success.
        queries: budget a sentence.
        among: a goal; sentences that offer it nothing to break are left out. None for the attack's own goal.
    """

    attack: str
    goal: str
    queries: int
    among: str | None = None

    @property
    def named(self) -> tuple[str, Mapping[str, Any]]:
        """Name and parameters of the attack.

        Raises:
            BadInput: it is not written as NAME(NAME=VALUE).
        """
        name, unnamed, named = parsed(self.attack)
        if unnamed:
            raise BadInput(f"parameters of an attack are written NAME=VALUE, not {self.attack!r}")
        return name, {key: literal(value) for key, value in named.items()}

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides what it finds, besides victim and sentences.

        Raises:
            BadInput: no such attack, goal or parameter, or a budget that is none.
        """
        from benchmark.finding import attack_named
        from benchmark.goals import goal_named
        from benchmark.spec import PROTOCOL
        from benchmark.threat import Budget

        attack = attack_named(*self.named)
        goal_named(self.goal)  # wrong ones are told before anything is trained
        Budget(self.queries)
        known = {"name": attack.card.name, "version": attack.card.version, "parameters": attack.parameters}
        return {"attack": {**known, "resources": dict(attack.resources)}, "protocol": PROTOCOL}


class Spoils(NamedTuple):
    """What an attack on the training set gave.

    Attributes:
        sentences: adversarial ones with their gold labels, at most one of each training sentence.
        made: how they came about, for the card.
        cost: seconds, and queries of the victim.
    """

    sentences: list[Sentence]
    made: dict[str, Any]
    cost: dict[str, Any]


def attacked_training_set(case: Case, assailant: Assailant, wanted: int) -> Spoils:
    """Attack the base victim on what it was trained on, in a random order, until enough attacks succeeded.

    Finished sentences are journalled, so an interruption costs those in flight only.

    Args:
        case: the training.
        assailant: what attacks.
        wanted: successes; 0 for as many as there are.

    Raises:
        BadInput: no attack succeeded, or the attack does not go with the victim.
    """
    from benchmark.goals import goal_named
    from benchmark.plan import Plan
    from benchmark.workshop import PreparedAttack, Workshop

    name, parameters = assailant.named
    plan = Plan(
        name,
        case.base,
        case.source,
        "train",
        parameters,
        goal=assailant.goal,
        queries=assailant.queries,
        seed=case.plain.seed,
        options=case.options,
    )
    assault = PreparedAttack(plan, Workshop(case.options.report)).assault
    among = goal_named(assailant.among or assailant.goal)
    spoils = attacked(case, assault, case.work, wanted, f"{case.plain.seed} attacked", among)
    if not spoils.sentences:
        raise BadInput(
            f"{name} breaks {case.base} on none of its {len(case.sentences)} training sentences: nothing to train on"
        )
    return spoils._replace(made={**spoils.made, "base_fingerprint": assault.victim.fingerprint})


def attacked(case: Case, assault: Assault, folder: Path, wanted: int, order: str, among: Goal) -> Spoils:
    """Attack a victim on the training set until enough attacks succeeded.

    Args:
        case: the training.
        assault: attack and victim.
        folder: for the journal; sentences that stand in it are not attacked again.
        wanted: successes; 0 for as many as there are.
        order: seed of the sentences' order.
        among: sentences that offer this goal nothing to break are left out.
    """
    from benchmark.engine import Engine
    from benchmark.journal import Journal

    name = assault.attack.card.name
    shuffled = random.Random(order).sample(case.sentences, len(case.sentences))  # noqa: S311 - reproducible on purpose
    found: list[Sentence] = []
    outcomes: list[Outcome] = []
    queries = 0
    engine, spent = Engine(), _Spent(folder / "attacking.json")
    errors = logging.FileHandler(folder / "errors.log", delay=True, encoding="utf-8")
    with errors_kept_by(errors), Journal(folder / "journal.jsonl", case.plain.id) as journal:
        for start in range(0, len(shuffled), _CHUNK):
            chunk, watch = shuffled[start : start + _CHUNK], Stopwatch()
            todo = [sentence for sentence in chunk if sentence.id not in journal.finished]
            for done in engine.run(assault.job(sentence) for sentence in todo):
                journal.append(done.result)
                broken = sum(outcome.status is Status.SUCCESS for outcome in journal.finished.values())
                case.options.report(f"attacking the training set with {name}", broken, wanted or len(shuffled))
            spent.add(watch.seconds())
            ended = [(sentence, journal.finished[sentence.id]) for sentence in chunk]
            queries += sum(outcome.queries for _, outcome in ended)
            ended = [pair for pair in ended if _offers(*pair, among, assault.victim.labels)]
            outcomes += [outcome for _, outcome in ended]
            found += [
                adversarial_sentence(sentence, outcome.edits, outcome.adversarial_gold)
                for sentence, outcome in ended
                if outcome.status is Status.SUCCESS
            ]
            if wanted and len(found) >= wanted:
                break
    taken = found[:wanted] if wanted else found
    made = {
        "added": len(taken),
        "wanted": wanted or "all",
        "attacked": sum(outcome.status is not Status.SKIPPED for outcome in outcomes),
        "successes": len(found),
        "errors": sum(outcome.status is Status.ERROR for outcome in outcomes),
        "victim_queries": queries,
        "resources": assault.resources.identities,
    }
    return Spoils(taken, made, {"preparing_seconds": spent.seconds, "victim_queries": queries})


def _offers(sentence: Sentence, outcome: Outcome, goal: Goal, labels: Tags) -> bool:
    """Tell whether a goal could have been reached on a sentence; nothing is known where the victim gave no answer."""
    from benchmark.goals import Clean

    return not outcome.clean or goal.unusable(Clean(sentence, Prediction(outcome.clean), labels)) is None


class _Spent:
    """Seconds, over all sittings of an interrupted attack."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.seconds = float(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else 0.0

    def add(self, seconds: float) -> None:
        from benchmark.store import write_atomically

        self.seconds = round(self.seconds + seconds, 3)
        write_atomically(self._file, json.dumps(self.seconds))
