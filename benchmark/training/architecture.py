"""A family of victims that are trained on a data set, named FAMILY/DATASET."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from benchmark.datasets import Dataset, find_dataset
from benchmark.device import choose_device
from benchmark.errors import BadInput
from benchmark.progress import Progress, silent
from benchmark.types import Sentence
from benchmark.victims.recipe import TrainingRecipe, recipe_id_in, trained_folder

if TYPE_CHECKING:
    import torch

    from benchmark.contracts import Victim
    from benchmark.training.loop import Regimen
    from benchmark.training.trainee import Trainee
    from benchmark.victims.finding import VictimOptions

__all__ = ["SETTINGS", "Architecture"]

# What a victim's name may set of its recipe, as in minilm/wnut17(seed=1), and the least it may be.
SETTINGS = {"seed": 0, "sentences": 1, "epochs": 1, "batch_size": 1, "learning_rate": 1e-9}


class Architecture(ABC):
    """What makes recipes, networks and victims of one family.

    Attributes:
        name: of the family.
        masks_words: its loader puts the word masks back on with which a victim was trained; see `word_masks`.
    """

    name: ClassVar[str]
    masks_words: ClassVar[bool] = False

    @abstractmethod
    def recipe_for(self, dataset: Dataset) -> TrainingRecipe:
        """Return the default recipe for a data set.

        Raises:
            BadInput: it has no training or dev split.
            MissingResource: something that training needs is not there.
        """

    @abstractmethod
    def trainee(
        self,
        recipe: TrainingRecipe,
        labels: Sequence[str],
        sentences: Sequence[Sentence],
        device: torch.device,
        *,
        normalised: bool = False,
    ) -> Trainee:
        """Return a fresh network, seeded by the recipe.

        Args:
            recipe: one of `recipe_for`, perhaps with other settings.
            labels: IOB2 labels.
            sentences: that give the network its vocabulary, where it has one of its own.
            device: torch device.
            normalised: normalise the embeddings, where they are trained.
        """

    @abstractmethod
    def load(self, folder: Path, name: str, options: VictimOptions) -> Victim:
        """Return the victim that was trained into a folder.

        Raises:
            BadInput: the folder's files are not as they should be, or an option does not fit the family.
        """

    def bundled(self, dataset: str) -> Path | None:  # noqa: ARG002 - few are
        """Return the folder of the victim that comes with the package for a data set."""
        return None

    def readable(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """Return the sentences that can be trained on; all by default."""
        return list(sentences)

    def require(self, options: VictimOptions) -> None:  # noqa: B027 - most take what there is
        """Refuse options that no victim of the family can have, before anything is trained.

        Raises:
            BadInput: one does not fit.
        """

    def recipe_with(self, dataset: Dataset, settings: Mapping[str, Any]) -> TrainingRecipe:
        """Return the default recipe with some settings changed; see `SETTINGS`.

        Raises:
            BadInput: no such setting, a value of the wrong kind, or the data set has no training or dev split.
        """
        changed: dict[str, Any] = {}
        for name, value in settings.items():
            if name not in SETTINGS:
                raise BadInput(f"a training has no setting {name!r}; it has: {', '.join(SETTINGS)}")
            least = SETTINGS[name]
            whole = isinstance(least, int)
            right = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
            if not right or value < least:
                wanted = f"a whole number of at least {least}" if whole else "a number above 0"
                raise BadInput(f"{name} must be {wanted}, not {value!r}")
            changed[name] = value if whole else float(value)
        return replace(self.recipe_for(dataset), **changed)

    def trained(self, dataset: str, settings: Mapping[str, Any], name: str, options: VictimOptions) -> Victim:
        """Return a victim without a defense: bundled, kept, cached, or trained now with a progress bar.

        Args:
            dataset: name.
            settings: of the recipe, where they differ from the default; see `SETTINGS`.
            name: the victim's.
            options: how it is loaded.

        Raises:
            BadInput: no such data set, it has no training and dev splits, or an option does not fit the family.
            MissingResource: something that training needs is not there.
        """
        self.require(options)
        bundled = None if settings else self.bundled(dataset)
        if bundled is None:
            found = find_dataset(dataset, options.data_dir, options.scheme)
            bundled = self.folder_of(self.recipe_with(found, settings), found, name, options)
        return self.load(bundled, name, options)

    def folder_of(self, recipe: TrainingRecipe, dataset: Dataset, name: str, options: VictimOptions) -> Path:
        """Return the folder of the victim of a recipe without a defense; it is trained into the cache if need be."""
        bundled = self.bundled(dataset.name)
        if bundled and recipe_id_in(bundled) == recipe.id:
            return bundled
        folder = trained_folder(recipe, options.kept)
        if not folder.is_dir():
            self.train(recipe, dataset, folder, name, choose_device(options.device), options.report)
        return folder

    def train(
        self,
        recipe: TrainingRecipe,
        dataset: Dataset,
        folder: Path,
        name: str,
        device: torch.device,
        report: Progress = silent,
        prepare: Callable[[Path], Regimen] | None = None,
    ) -> None:
        """Train by a recipe into a folder; see `loop.train`.

        Args:
            recipe: all that decides how the victim comes out.
            dataset: training and dev split are used.
            folder: for weights, card and cost.
            name: of the victim.
            device: torch device.
            report: told how far it is.
            prepare: makes a defense's regimen; None for plain training.
        """
        from benchmark.training.loop import Regimen, Training, train
        from benchmark.training.sentences import labels_of, training_sentences

        plain = self.readable(training_sentences(recipe, dataset))
        labels = labels_of(dataset)

        def regimen(work: Path) -> Regimen:
            found = prepare(work) if prepare else Regimen(plain)
            return replace(found, sentences=self.readable(found.sentences))

        def trainee(regimen: Regimen) -> Trainee:
            # A network that goes on has the vocabulary it had.
            sentences = plain if regimen.start else regimen.sentences
            fresh = self.trainee(recipe, labels, sentences, device, normalised=regimen.hooks.normalised)
            if regimen.start:
                fresh.continue_from(regimen.start)
            return fresh

        card = {"dataset": dataset.name, "labels": labels}
        train(Training(name, recipe, dataset.split("dev"), card, regimen, trainee), folder, report)
