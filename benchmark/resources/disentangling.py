"""Disentangled word representations (the flagship's section 3.1): mentions without what their context tells of them.

An auto-encoder rewrites the vectors of entity words through a code from which the context can hardly be read (the
decoder is given the context again, as in equation 2); attributions are then taken at the rewritten text. The paper's
equation 4 is one loss, L = MSE(Ê, E) − β·MSE(Ĉ, C), for all three networks, which would train the discriminator to fail
and has no lower bound. Here they play against each other, step by step, and the encoder gains nothing beyond the error
of a discriminator that knows nothing:

    Dis      minimises  MSE(Ĉ, C)
    Enc, Dec minimise   MSE(Ê, E) − β·min(MSE(Ĉ, C), V),  V the error of always answering the mean

An entity word is a row for each of its units (word pieces, or the word); C is the mean of the sentence's context units.
Vectors are standardised for the training and put back afterwards. MSE is the squared distance of two vectors, averaged
over words; averaged over their hundreds of dimensions as well, the paper's plain SGD does not move in its 25 epochs.
A small split gets more epochs, for the same reason; a decoder that rebuilds next to nothing is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path

from benchmark.datasets.dataset import content_hash
from benchmark.errors import BadInput, CannotSave, CorruptResult
from benchmark.model_files import fingerprint_of
from benchmark.progress import Progress, silent
from benchmark.store import write_atomically
from benchmark.threat import Access
from benchmark.types import Sentence

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from benchmark.contracts import Victim
    from benchmark.victims.white_box import EmbeddingTable, WhiteBox

__all__ = ["DEFAULT_DISENTANGLER", "Disentangler", "DisentanglerRecipe", "disentangler_for", "train_disentangler"]

DEFAULT_DISENTANGLER = "auto-encoder"

# Of the vectors' variance; a decoder that leaves more unexplained has hardly learnt anything.
_LARGEST_ERROR = 0.9


@dataclass(frozen=True)
class DisentanglerRecipe:
    """All that decides the training; the first five are the paper's.

    Attributes:
        hidden: widths of the two hidden layers of each network; the last is the representation's.
        beta: weight of the discriminator's error.
        learning_rate: of plain SGD.
        weight_decay: of it.
        epochs: passes over the entity words.
        steps: updates at least, by more epochs; about as many as the paper's epochs are on CoNLL-2003.
        batch_size: entity words a step; the paper names none.
        seed: of first weights and order.
        version: of this code's behaviour.
    """

    hidden: tuple[int, int] = (64, 10)
    beta: float = 0.5
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    epochs: int = 25
    steps: int = 40_000
    batch_size: int = 32
    seed: int = 0
    version: int = 2


class Disentangler:
    """Trained networks.

    Args:
        networks: encoder, decoder and discriminator.
        scale: mean and deviation of entity and of context vectors.
        identity: recipe, victim and training text.
        history: for each epoch the error of the reconstruction, that of the discriminator, and V, a dimension.
    """

    def __init__(
        self,
        networks: torch.nn.ModuleDict,
        scale: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
        identity: str,
        history: Sequence[dict[str, float]],
    ) -> None:
        self.identity = identity
        self.history = tuple(history)
        self._networks = networks.eval()
        self._scale = scale

    def rewritten(self, entity: NDArray[np.float32], context: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return Ê (equation 2).

        Args:
            entity: (n, dimensions) vectors of a sentence's entity words.
            context: (m, dimensions) vectors of its context words; without any their mean is taken for average.
        """
        import torch

        mean, deviation, context_mean, context_deviation = self._scale
        around = (context.mean(axis=0) - context_mean) / context_deviation if len(context) else 0 * context_mean
        rows = torch.from_numpy(((entity - mean) / deviation).astype(np.float32))
        c = torch.from_numpy(around.astype(np.float32)).expand(len(rows), -1)
        with torch.inference_mode():
            hidden = self._networks["encoder"](torch.cat([rows, c], dim=1))
            new = self._networks["decoder"](torch.cat([hidden, c], dim=1))
        rewritten: NDArray[np.float32] = new.numpy() * deviation + mean
        return rewritten


def disentangler_for(
    name: str, victim: Victim | None, training: Sequence[Sentence], report: Progress = silent
) -> Disentangler:
    """Return a victim's disentangler for a training split: from the cache, or trained now.

    Raises:
        BadInput: no such disentangler, a victim without gradient access, a data set without training split, or a
            training that fails, see `train_disentangler`.
        CannotSave: the cache cannot be written.
    """
    if name != DEFAULT_DISENTANGLER:
        raise BadInput(f"unknown disentangler {name!r}; known: {DEFAULT_DISENTANGLER}")
    if victim is None or victim.access is not Access.GRADIENTS:
        who = "no victim" if victim is None else f"{victim.name}, which shows none"
        raise BadInput(f"the disentangler reads the victim's word embeddings, and there is {who}")
    if not training:
        raise BadInput(
            "the disentangler learns from the training split, and the data set has none; "
            "attack without it (--param disentangle=false)"
        )
    recipe = DisentanglerRecipe()
    about = {"recipe": asdict(recipe), "victim": victim.fingerprint, "text": content_hash(training)}
    key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
    folder = user_cache_path("gauntlet") / "disentanglers" / key
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):  # another run may be training the same
            if not (folder / "card.json").is_file():
                train_disentangler(recipe, victim, training, folder, about, report)  # type: ignore[arg-type]
    except OSError as error:
        raise CannotSave(f"the disentangler cannot be kept in {folder}: {error.strerror or error}") from error
    # Two machines do not train the same bits, so the weights themselves are named.
    weights = fingerprint_of(folder, ("networks.safetensors",))[:16] if folder.is_dir() else ""
    return _load(folder, f"{name} {key}, weights {weights}")


def train_disentangler(
    recipe: DisentanglerRecipe,
    victim: WhiteBox,
    training: Sequence[Sentence],
    folder: Path,
    about: dict[str, Any],
    report: Progress = silent,
) -> None:
    """Train the three networks and store them with a card; the card comes last and means "done".

    Args:
        recipe: how.
        victim: whose first embedding table is read.
        training: sentences with gold mentions.
        folder: for networks and card; it is there.
        about: what the card says of them.
        report: told the epochs.

    Raises:
        BadInput: no sentence has both mention and context, or the training does not converge or hardly moves.
        CannotSave: the folder cannot be written to.
    """
    import torch
    from safetensors.torch import save

    table = next(iter(victim.tables.values()))
    entity, context, sentence_of = _rows(training, table)
    beside = context[sentence_of]
    scale = (entity.mean(0), _deviation(entity), beside.mean(0), _deviation(beside))
    e = torch.from_numpy((entity - scale[0]) / scale[1])
    c = torch.from_numpy((context - scale[2]) / scale[3])
    owner = torch.from_numpy(sentence_of)
    ignorant = float(c[owner].var(dim=0, correction=0).sum())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        networks = _networks(e.shape[1], recipe.hidden)
        coder = [*networks["encoder"].parameters(), *networks["decoder"].parameters()]
        of_coder, of_discriminator = (
            torch.optim.SGD(part, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
            for part in (coder, list(networks["discriminator"].parameters()))
        )
        history = []
        epochs = max(recipe.epochs, -(-recipe.steps // -(-len(e) // recipe.batch_size)))
        for epoch in range(epochs):
            errors = torch.zeros(2)
            for batch in torch.split(torch.randperm(len(e)), recipe.batch_size):
                words, around = e[batch], c[owner[batch]]
                hidden = networks["encoder"](torch.cat([words, around], dim=1))
                _step(of_discriminator, _mse(networks["discriminator"](hidden.detach()), around))
                rebuilt = _mse(networks["decoder"](torch.cat([hidden, around], dim=1)), words)
                recovered = _mse(networks["discriminator"](hidden), around)
                _step(of_coder, rebuilt - recipe.beta * recovered.clamp(max=ignorant))
                errors += torch.tensor([rebuilt.item(), recovered.item()]) * len(batch) / len(e)
            told = (float(errors[0]), float(errors[1]), ignorant)
            names = ("rebuilt", "recovered", "ignorant")
            history.append({name: error / e.shape[1] for name, error in zip(names, told, strict=True)})
            report("training the disentangler", epoch + 1, epochs)
    left = history[-1]["rebuilt"]
    if not left < _LARGEST_ERROR:  # also if it is no number
        raise BadInput(
            f"the disentangler of {victim.name} learns nothing from {len(e)} entity vectors (it leaves {left:.0%} of "
            f"them unexplained); attack without it, disentangle=false"
        )
    tensors = {f"network {name}": value for name, value in networks.state_dict().items()}
    parts = ("entity mean", "entity deviation", "context mean", "context deviation")
    tensors |= {name: torch.from_numpy(value) for name, value in zip(parts, scale, strict=True)}
    write_atomically(folder / "networks.safetensors", save(tensors))
    card = {**about, "rows": len(e), "dimensions": e.shape[1], "history": history}
    write_atomically(folder / "card.json", json.dumps(card, indent=1, sort_keys=True) + "\n")


def _load(folder: Path, identity: str) -> Disentangler:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "networks.safetensors")
        networks = _networks(card["dimensions"], tuple(card["recipe"]["hidden"]))
        own = {name.removeprefix("network "): v for name, v in tensors.items() if name.startswith("network ")}
        networks.load_state_dict(own)
        mean, deviation, context_mean, context_deviation = (
            tensors[name].numpy() for name in ("entity mean", "entity deviation", "context mean", "context deviation")
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise CorruptResult(f"the disentangler in {folder} is damaged ({error}); delete the folder") from None
    return Disentangler(networks, (mean, deviation, context_mean, context_deviation), identity, card["history"])


def _networks(dimensions: int, hidden: tuple[int, int]) -> torch.nn.ModuleDict:
    """Return encoder (e, c → z), decoder (z, c → e) and discriminator (z → c), two hidden layers each."""
    from torch import nn

    wide, narrow = hidden

    def network(ins: int, first: int, second: int, out: int | None) -> nn.Sequential:
        layers = [nn.Linear(ins, first), nn.ReLU(), nn.Linear(first, second)]
        return nn.Sequential(*layers) if out is None else nn.Sequential(*layers, nn.ReLU(), nn.Linear(second, out))

    return nn.ModuleDict(
        {
            "encoder": network(2 * dimensions, wide, narrow, None),
            "decoder": network(narrow + dimensions, narrow, wide, dimensions),
            "discriminator": network(narrow, narrow, wide, dimensions),
        }
    )


def _rows(
    training: Sequence[Sentence], table: EmbeddingTable
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Return (n, d) entity units, (sentences, d) context means, and which sentence each entity unit is of."""
    entity: list[NDArray[np.float32]] = []
    context: list[NDArray[np.float32]] = []
    owner: list[int] = []
    for sentence in training:
        inside = [i for i in range(len(sentence)) if sentence.inside(i)]
        outside = [i for i in range(len(sentence)) if not sentence.inside(i)]
        if not inside or not outside:
            continue
        mine = [table.looked_up(sentence.tokens[i]) for i in inside]
        owner += [len(context)] * sum(map(len, mine))
        entity += mine
        context.append(np.concatenate([table.looked_up(sentence.tokens[i]) for i in outside]).mean(axis=0))
    if not context:
        raise BadInput("the disentangler learns from sentences with both mentions and context; the split has none")
    return np.concatenate(entity), np.stack(context), np.array(owner)


def _deviation(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    deviation: NDArray[np.float32] = np.maximum(rows.std(axis=0), 1e-6)
    return deviation


def _mse(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return the squared distance of two vectors, averaged over the rows."""
    return ((one - other) ** 2).sum(dim=-1).mean()


def _step(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
