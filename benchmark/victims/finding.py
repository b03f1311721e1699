"""From the name on the command line to a victim."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from benchmark.backends import AUTO, require_backend
from benchmark.calls import is_call, literal, parsed, spelled
from benchmark.errors import BadInput
from benchmark.progress import Progress, silent
from benchmark.registry import Registry, did_you_mean

if TYPE_CHECKING:
    from benchmark.contracts import Victim
    from benchmark.training.architecture import Architecture
    from benchmark.victims.label_map import LabelMap

__all__ = [
    "POOLINGS",
    "TRAINED",
    "VICTIMS",
    "VictimName",
    "VictimOptions",
    "architecture_named",
    "find_victim",
    "parse_name",
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
        kept: folder of trained victims that are kept with results, see `benchmark.store`; they go before those of the
            cache.
        report: told how far a training is.
    """

    device: str = "auto"
    pooling: str = "first-piece"
    backend: str = AUTO
    precision: str = "float32"
    label_map: LabelMap | None = None
    data_dir: Path | None = None
    scheme: str = "IOB2"
    kept: Path | None = None
    report: Progress = field(default=silent, repr=False, compare=False)


# The family's loader makes the victim; of a family that is trained it is an `Architecture`.
VICTIMS: Registry[Callable[[str, VictimOptions], Victim] | Architecture] = Registry("victim family", "gauntlet.victims")


class VictimName(NamedTuple):
    """A victim's name in its parts: FAMILY:REST, or of a trained one FAMILY/DATASET(SETTINGS), then +DEFENSE.

    Attributes:
        family: of the victim.
        rest: what the family takes; the data set of a trained one.
        settings: of a trained one's recipe, where they differ from the default.
        defense: its name, perhaps with parameters; empty for none.
        base: the name without the last defense.
    """

    family: str
    rest: str
    settings: Mapping[str, Any]
    defense: str
    base: str

    @property
    def undefended(self) -> str:
        """The name of a trained victim without defenses, its settings in a fixed order."""
        return f"{self.family}/{spelled(self.rest, dict(sorted(self.settings.items())))}"


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


def parse_name(name: str) -> VictimName:
    """Part a victim's name.

    Raises:
        BadInput: it has no such form.
    """
    base, defense = _last_defense(name)
    if defense:
        return parse_name(base)._replace(defense=defense, base=base)
    match = re.fullmatch(rf"({'|'.join(TRAINED)})/(.+)|([A-Za-z0-9_-]+):(.+)", name)
    family, rest = (match[1] or match[3], match[2] or match[4]) if match else ("", "")
    if family not in VICTIMS:
        near = did_you_mean(name, ["minilm/newsroom", *(f"{family}:NAME" for family in VICTIMS)])
        forms = ", ".join((*(f"{family}/DATASET" for family in TRAINED), "hf:REPO", "path:FOLDER", "spacy:PIPELINE"))
        raise BadInput(f"unknown victim {name!r}; {near} (forms: {forms})")
    settings: Mapping[str, Any] = {}
    if family in TRAINED and is_call(rest):
        rest, unnamed, named = parsed(rest)
        if unnamed:
            raise BadInput(f"{name!r}: settings are written NAME=VALUE, as in {family}/{rest}(seed=1)")
        settings = {key: literal(value) for key, value in named.items()}
    return VictimName(family, rest, settings, "", name)


def split_name(name: str) -> tuple[str, str]:
    """Return family and rest of a victim's name, without settings and defenses.

    Raises:
        BadInput: it has no such form.
    """
    parts = parse_name(name)
    return parts.family, parts.rest


def architecture_named(family: str) -> Architecture:
    """Return how a family's victims are trained.

    Raises:
        BadInput: the family is none that is trained.
    """
    if family not in TRAINED:
        raise BadInput(f"{family!r} is no architecture that is trained here; those are: {', '.join(TRAINED)}")
    return cast("Architecture", VICTIMS.get(family))


def find_victim(name: str, options: VictimOptions | None = None) -> Victim:
    """Return the victim of that name.

    Raises:
        BadInput: no such victim, back end or precision, or its files are not as they should be.
        MissingResource: a package or the hub is needed and not there.
    """
    parts = parse_name(name)
    options = options or VictimOptions()
    require_backend(options.backend, options.precision)
    if parts.defense:
        from benchmark.defending import defended

        victim = defended(parts, replace(options, label_map=None))
    elif parts.family in TRAINED:
        victim = architecture_named(parts.family).trained(parts.rest, parts.settings, parts.undefended, options)
    else:
        victim = cast("Callable[[str, VictimOptions], Victim]", VICTIMS.get(parts.family))(parts.rest, options)
    if options.label_map is None:
        return victim
    from benchmark.victims.label_map import RelabelledVictim

    return RelabelledVictim(victim, options.label_map)


def _last_defense(name: str) -> tuple[str, str]:
    """Part BASE+DEFENSE at the last plus outside parentheses; folders may have a plus in their names, too."""
    depth = 0
    for k in range(len(name) - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(name[k], 0)
        if name[k] == "+" and not depth:
            from benchmark.defending import DEFENSES

            base, defense = name[:k], name[k + 1 :]
            trained = base.startswith(tuple(f"{family}/" for family in TRAINED))
            return (base, defense) if trained or parsed(defense)[0] in DEFENSES else (name, "")
    return name, ""
