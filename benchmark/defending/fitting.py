"""From a defended victim's name to the victim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmark.contracts import Victim
from benchmark.datasets import find_dataset
from benchmark.defending.contract import Case, FrontEnd, TrainedDefense
from benchmark.defending.finding import defense_named, name_of
from benchmark.device import choose_device
from benchmark.errors import BadInput, VictimLacks
from benchmark.training.architecture import Architecture
from benchmark.victims.finding import (
    TRAINED,
    VictimName,
    VictimOptions,
    architecture_named,
    find_victim,
    parse_name,
)
from benchmark.victims.recipe import TrainingRecipe, trained_folder

if TYPE_CHECKING:
    from benchmark.training.loop import Regimen

__all__ = ["Fitted", "defended", "fitted"]


class Fitted(NamedTuple):
    """A defended victim that was trained.

    Attributes:
        name: as it is best written.
        folder: where it is.
        architecture: that loads it.
    """

    name: str
    folder: Path
    architecture: Architecture


def defended(parts: VictimName, options: VictimOptions) -> Victim:
    """Return a defended victim; it is trained with a progress bar if need be.

    Raises:
        BadInput: no such defense or data set, or they do not go together.
        MissingResource: something is not there.
    """
    defense = defense_named(parts.defense)
    if isinstance(defense, FrontEnd):
        dataset = find_dataset(parts.rest, options.data_dir, options.scheme) if parts.family in TRAINED else None
        training = dataset.splits.get("train", ()) if dataset else ()
        return defense.before(find_victim(parts.base, options), training)
    name, folder, architecture = fitted(parts, options)
    return architecture.load(folder, name, options)


def fitted(parts: VictimName, options: VictimOptions) -> Fitted:
    """Train a defended victim, or find it where victims are kept or in the cache.

    Raises:
        BadInput: no such defense or data set, or they do not go together.
        MissingResource: something is not there.
    """
    defense = defense_named(parts.defense)
    it = defense.card.name
    if not isinstance(defense, TrainedDefense):
        raise BadInput(f"{it} trains nothing: name a victim {parts.base}+{parts.defense}, and it is there")
    if parts.family not in TRAINED:
        forms = " or ".join(f"{family}/DATASET+{it}" for family in TRAINED)
        raise BadInput(f"{it} trains a victim of its own: {forms}, not {parts.base}+{it}")
    if parse_name(parts.base).defense:
        raise BadInput(f"{it} trains a victim that has no other defense, not {parts.base}")
    architecture = architecture_named(parts.family)
    architecture.require(options)
    dataset = find_dataset(parts.rest, options.data_dir, options.scheme)
    plain = architecture.recipe_with(dataset, parts.settings)
    recipe = replace(defense.recipe(plain), defense=_identity(defense, plain))
    name = f"{parts.undefended}+{name_of(defense)}"

    def prepare(work: Path) -> Regimen:
        return defense.regimen(Case(architecture, dataset, parts.rest, plain, parts.undefended, options, work))

    folder = trained_folder(recipe, options.kept)
    if not folder.is_dir():
        try:
            architecture.train(recipe, dataset, folder, name, choose_device(options.device), options.report, prepare)
        except VictimLacks as error:  # the defense's attack, not a run's: no grid passes over it
            raise BadInput(f"{name} cannot be trained: {error}") from error
    return Fitted(name, folder, architecture)


def _identity(defense: TrainedDefense, plain: TrainingRecipe) -> Mapping[str, Any]:
    """Return what a recipe says of a defense."""
    card = defense.card
    known = {"name": card.name, "version": card.version, "parameters": defense.parameters}
    return {**known, **defense.leans_on, "plain": plain.id}
