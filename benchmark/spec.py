"""The specification of a run, and its name.

A run is one attack on one victim over chosen sentences of one data set. Everything that decides its outcome is in the
specification; machine, batch size and times are not. The run's name is a hash of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["PROTOCOL", "SCHEMA", "RunSpec", "canonical_json", "spec_id"]

# Version of everything stored: specification, journal, examples, results. `store.migrate` reads older ones.
SCHEMA = 2

# Raised when a change of goals, probe, threat model, alignment or selection can change an outcome: older results are
# then no longer taken for what would come out today.
PROTOCOL = 2


def canonical_json(value: Any) -> str:
    """Return JSON that is the same for equal values: sorted keys, no spare space, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def spec_id(record: Mapping[str, Any]) -> str:
    """Return the sixteen hexadecimal digits that name a specification in its JSON form."""
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class RunSpec:
    """All that decides a run's outcome.

    Attributes:
        attack: name.
        attack_version: behaviour of that name.
        parameters: of the attack.
        constraints: name and version of the profile on top of the attack's own constraints; None for none.
        resources: identity by kind of what attack and profile lean on besides the victim.
        victim: name.
        victim_fingerprint: hash of weights, tokenizer, configuration.
        victim_settings: back end, precision, pooling, shapes, label map.
        dataset: name.
        dataset_hash: content of the split.
        split: which one.
        train_hash: content of the training split, by which mentions are seen or unseen; None where there is none.
        selection: the rule that chose the sentences.
        sentence_ids: the sentences, in order.
        touch: which tokens may be edited.
        access: what the attack sees of the victim.
        goal: what counts as success.
        mode: first-success or escalate.
        queries: budget a sentence.
        seed: of the attack's random numbers.
        protocol: behaviour of the harness itself (goals, probe, alignment, selection), see `PROTOCOL`.
    """

    attack: str
    attack_version: int
    parameters: Mapping[str, Any]
    constraints: str | None
    resources: Mapping[str, str]
    victim: str
    victim_fingerprint: str
    victim_settings: Mapping[str, Any]
    dataset: str
    dataset_hash: str
    split: str
    train_hash: str | None
    selection: Mapping[str, Any]
    sentence_ids: tuple[str, ...]
    touch: str
    access: str
    goal: str
    mode: str
    queries: int
    seed: int
    protocol: int = PROTOCOL
    schema: int = SCHEMA

    @property
    def run_id(self) -> str:
        """Sixteen hexadecimal digits that name the run."""
        return spec_id(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {**asdict(self), "sentence_ids": list(self.sentence_ids)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> RunSpec:
        """Read what `to_json` wrote."""
        return cls(**{**record, "sentence_ids": tuple(record["sentence_ids"])})
