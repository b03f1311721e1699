"""From the name on the command line to a victim."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.backends import AUTO, require_backend
from benchmark.errors import BadInput
from benchmark.progress import Progress, silent
from benchmark.registry import Registry, did_you_mean

if TYPE_CHECKING:
    from benchmark.contracts import Victim
    from benchmark.victims.label_map import LabelMap

__all__ = [
    "POOLINGS",
    "TRAINED",
    "VICTIMS",
    "VictimOptions",
    "find_victim",
    "require_own_backend",
    "require_pooling",
    "split_name",
]


# How a word's answer follows from its pieces'; see `transformer.TransformerVictim`.
POOLINGS = ("first-piece", "characters")
# Families that are trained on a data set, named FAMILY/DATASET.
TRAINED = ("minilm", "cnn-lstm-crf")


@dataclass(frozen=True)
class VictimOptions:
    """How to load a victim.

    Attributes:
        device: "auto", "cpu", "cuda", "cuda:1" …
        pooling: "first-piece", or "characters" (SeqAttack's).
        backend: of a transformer; see `benchmark.backends`.
        precision: of a transformer; see `benchmark.backends`.
        label_map: renames the victim's labels; None keeps them.
        data_dir: where victims named FAMILY/DATASET find their training data.
        scheme: tag scheme of local CoNLL files there.
        report: told how far a training is.
    """

    device: str = "auto"
    pooling: str = "first-piece"
    backend: str = AUTO
    precision: str = "float32"
    label_map: LabelMap | None = None
    data_dir: Path | None = None
    scheme: str = "IOB2"
    report: Progress = field(default=silent, repr=False, compare=False)


# The family's loader makes the victim.
VICTIMS: Registry[Callable[[str, VictimOptions], Victim]] = Registry("victim family", "gauntlet.victims")


def require_pooling(name: str) -> None:
    """Refuse an unknown pooling.

    Raises:
        BadInput: no such pooling.
    """
    if name not in POOLINGS:
        raise BadInput(f"unknown pooling {name!r}; known: {', '.join(POOLINGS)}")


def require_own_backend(options: VictimOptions, family: str, own: str) -> None:
    """Refuse a back end or precision for a family that has none to choose.

    Args:
        options: of the victim.
        family: what the message calls it.
        own: the only back end of the family.

    Raises:
        BadInput: another one is asked for.
    """
    if options.backend not in {AUTO, own} or options.precision != "float32":
        raise BadInput(
            f"{family} victims run on {own} in float32 only, not on {options.backend} in {options.precision}; "
            "leave --backend and --precision away"
        )


def split_name(name: str) -> tuple[str, str]:
    """Part a victim's name, FAMILY:REST or, of a trained one, FAMILY/DATASET, into its two parts.

    Raises:
        BadInput: it has no such form.
    """
    match = re.fullmatch(rf"({'|'.join(TRAINED)})/(.+)|([A-Za-z0-9_-]+):(.+)", name)
    family, rest = (match[1] or match[3], match[2] or match[4]) if match else ("", "")
    if family not in VICTIMS:
        near = did_you_mean(name, ["minilm/newsroom", *(f"{family}:NAME" for family in VICTIMS)])
        forms = ", ".join((*(f"{family}/DATASET" for family in TRAINED), "hf:REPO", "path:FOLDER", "spacy:PIPELINE"))
        raise BadInput(f"unknown victim {name!r}; {near} (forms: {forms})")
    return family, rest


def find_victim(name: str, options: VictimOptions | None = None) -> Victim:
    """Return the victim of that name.

    Raises:
        BadInput: no such victim, back end or precision, or its files are not as they should be.
        MissingResource: a package or the hub is needed and not there.
    """
    family, rest = split_name(name)
    options = options or VictimOptions()
    require_backend(options.backend, options.precision)
    victim = VICTIMS.get(family)(rest, options)
    if options.label_map is None:
        return victim
    from benchmark.victims.label_map import RelabelledVictim

    return RelabelledVictim(victim, options.label_map)
