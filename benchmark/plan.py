"""What a user asks for, by names, and how the work for it is cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmark.attacking import Mode
from benchmark.engine import BATCH_SIZE, CONCURRENCY
from benchmark.errors import BadInput
from benchmark.selection import SelectionRule
from benchmark.victims import VictimOptions

__all__ = ["EngineOptions", "Plan"]


@dataclass(frozen=True)
class Plan:
    """What a user asks for, by names.

    Attributes:
        attack: name.
        victim: name.
        dataset: name.
        split: of the data set.
        parameters: of the attack, where they differ from the defaults.
        constraints: a profile of constraints on top of the attack's own; None for none.
        goal: what counts as success.
        mode: first-success or escalate.
        queries: budget a sentence.
        seed: of the attack's random numbers.
        selection: which sentences.
        options: how the victim is loaded.
        encoder: sentence encoder that judges similarity; None for the default.
        grammar: checker that judges grammar; None for the default.
        fluency: language model that judges fluency; None for nobody. A finished run is judged again, by all three, only
            if at least one is named.
    """

    attack: str
    victim: str = "minilm/newsroom"
    dataset: str = "newsroom"
    split: str = "test"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    constraints: str | None = None
    goal: str = "untargeted-strict"
    mode: Mode = Mode.FIRST_SUCCESS
    queries: int = 512
    seed: int = 0
    selection: SelectionRule = field(default_factory=SelectionRule)
    options: VictimOptions = field(default_factory=VictimOptions)
    encoder: str | None = None
    grammar: str | None = None
    fluency: str | None = None


@dataclass(frozen=True)
class EngineOptions:
    """How the work is cut; it never changes a result.

    Attributes:
        concurrency: sentences attacked at once.
        batch_size: texts handed to the victim at a time.
        reverse: take the sentences from the last to the first.
        retry_errors: attack sentences again that ended in an error.
    """

    concurrency: int = CONCURRENCY
    batch_size: int = BATCH_SIZE
    reverse: bool = False
    retry_errors: bool = False

    def __post_init__(self) -> None:
        for name in ("concurrency", "batch_size"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} must be at least 1, not {getattr(self, name)}")
