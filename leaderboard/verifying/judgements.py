"""What judges said of the texts, asked of the same judges again. Needs the texts; the victim is not asked.

Judges are models and rules that come with the project, never what a submission names: one of another name or version
is told as not checked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from benchmark.device import choose_device
from benchmark.errors import GauntletError
from benchmark.judging import Judges
from benchmark.metrics import Example
from benchmark.resources.encoders import DEFAULT_ENCODER
from benchmark.resources.grammar import DEFAULT_CHECKER
from benchmark.spec import RunSpec
from benchmark.types import Status
from leaderboard.plain_text import shown
from leaderboard.verifying.finding import TEXT_NOT_HERE, Finding, NotChecked
from leaderboard.verifying.sentences import Shelf
from leaderboard.verifying.stored_run import StoredRun

if TYPE_CHECKING:
    from benchmark.contracts import Victim

__all__ = ["Panel"]

JUDGED = ("similarity", "grammar_errors", "label_risk", "fluency")
# Real numbers out of a network, on another machine perhaps; counts and signs must be the same.
_TOLERANCES = {"similarity": 1e-4, "fluency": 1e-2}
# Bundled language models by the beginning of their identity.
_FLUENT = ("smollm2", "minilm-mlm")


@dataclass(frozen=True)
class _NamedVictim:
    """All that the choice of judges looks at: no tagger judges its own answers."""

    name: str
    fingerprint: str


class Panel:
    """The judges, loaded once for the victims that share them.

    Args:
        device: where they run.
    """

    def __init__(self, device: str = "auto") -> None:
        self._device = device
        self._judges: dict[tuple[str, str, str | None], Judges] = {}

    def faults(self, run: StoredRun, shelf: Shelf | None) -> Iterator[Finding | NotChecked]:
        """Yield judgements that do not come out again, and those that cannot be asked for."""
        if run.spec is None or run.examples is None:
            return
        stored = [name for name in JUDGED if name in run.judges]
        won = [example for example in run.examples if example.outcome.status is Status.SUCCESS]
        if not won or not stored:
            return
        if shelf is None:
            yield _gap(run, ", ".join(stored), TEXT_NOT_HERE)
            return
        try:
            judges = self._for(run.spec, run.judges.get("fluency"))
        except GauntletError as error:
            yield _gap(run, ", ".join(stored), str(error))
            return
        same = []
        for name in stored:
            if judges.identity.get(name) == run.judges[name]:
                same.append(name)
            else:
                here = judges.identity.get(name, "no such judge")
                yield _gap(run, name, f"judged by {run.judges[name][:200]}; here is {here}")
        if same:
            yield from _differences(run, won, judges, shelf, same)

    def _for(self, spec: RunSpec, fluency: str | None) -> Judges:
        model = next((name for name in _FLUENT if (fluency or "").lower().startswith(name)), None)
        key = (spec.victim, spec.victim_fingerprint, model)
        if key not in self._judges:
            victim = cast("Victim", _NamedVictim(spec.victim, spec.victim_fingerprint))
            device = choose_device(self._device)
            self._judges[key] = Judges.named(DEFAULT_ENCODER, DEFAULT_CHECKER, model, victim, device)
        return self._judges[key]


def _differences(
    run: StoredRun, won: list[Example], judges: Judges, shelf: Shelf, names: list[str]
) -> Iterator[Finding]:
    outcomes = [example.outcome for example in won]
    again = judges.judge(outcomes, shelf.by_id, shelf.known_types)
    rows = {example.outcome.sentence_id: number for number, example in enumerate(run.examples or ())}
    for example, expected in zip(won, again, strict=True):
        for name in names:
            found, wanted = getattr(example, name), getattr(expected, name)
            if name == "grammar_errors":
                found, wanted = ({k: v for k, v in (errors or {}).items() if v} for errors in (found, wanted))
            if not _same(found, wanted, _TOLERANCES.get(name)):
                sentence_id = example.outcome.sentence_id
                where = f"row {rows[sentence_id]} ({sentence_id}).{name}"
                told = f"{shown(wanted)}, as {run.judges[name][:80]} says"
                yield run.finding("examples.parquet", where, shown(found), told)


def _same(found: Any, wanted: Any, tolerance: float | None) -> bool:
    if tolerance is None or found is None or wanted is None:
        return bool(found == wanted)
    return math.isclose(found, wanted, rel_tol=0, abs_tol=tolerance)


def _gap(run: StoredRun, field: str, why: str) -> NotChecked:
    return NotChecked(run.shown_as + "examples.parquet", field, why)
