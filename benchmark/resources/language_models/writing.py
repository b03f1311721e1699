"""Text to train a masked language model on, written by SmolLM2.

Open news text is scarce and newswire is not open, so the bundled causal model writes some: continuations of openings
as newspapers have them, and answers to "write a short news report about …". What it says is mostly untrue; the words
stand where words stand in English, and that is what a masked model learns.
"""

from __future__ import annotations

import json
import os
import random
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import CannotSave
from benchmark.progress import Progress, silent
from benchmark.resources.language_models.smollm2 import load_smollm2

if TYPE_CHECKING:
    import torch

__all__ = ["write_text"]

_ROWS = 128  # texts written side by side
_LENGTH = 120  # pieces a text
_TOP = 40  # sample among this many next pieces
_TEMPERATURE = 0.9

_PROMPTS = tomllib.loads((Path(__file__).parent / "prompts.toml").read_text(encoding="utf-8"))
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def write_text(file: Path, texts: int, device: torch.device, report: Progress = silent, seed: int = 0) -> Iterator[str]:
    """Yield `texts` texts of about a hundred words, one or several sentences each; write those that `file` lacks.

    `file` holds one JSON line a batch and is appended to, so an interrupted call goes on where it stopped.

    Raises:
        MissingResource: SmolLM2 is not installed.
        CannotSave: the file cannot be written.
    """
    written = _finished(file, seed)
    batches = -(-texts // _ROWS)
    for number in range(batches):
        if number not in written:
            report("writing text", number * _ROWS, batches * _ROWS)
            written[number] = _batch(number, device, seed)
            _append(file, {"batch": number, "seed": seed, "texts": written[number]})
        yield from written[number][: texts - number * _ROWS]
    report("writing text", batches * _ROWS, batches * _ROWS)


def _batch(number: int, device: torch.device, seed: int) -> list[str]:
    import torch

    model, tokenizer = load_smollm2(device)
    tokenizer.padding_side = "left"
    rng = random.Random(f"{seed} {number}")  # noqa: S311 - reproducible on purpose
    prompts = [_prompt(rng) for _ in range(_ROWS)]
    encoded = tokenizer([text for text, _ in prompts], return_tensors="pt", padding=True).to(device)
    torch.manual_seed(rng.getrandbits(32))
    with torch.inference_mode():
        pieces = _sample(model, encoded["input_ids"], encoded["attention_mask"])
    out = []
    for (_, opening), row in zip(prompts, pieces.tolist(), strict=True):
        end = row.index(tokenizer.eos_token_id) if tokenizer.eos_token_id in row else None
        text = opening + tokenizer.decode(row[:end], skip_special_tokens=True)
        sentences = _SENTENCE_END.split(" ".join(text.split()))
        # The last sentence of a text that was cut off is not whole.
        out.append(" ".join(sentences if end is not None or len(sentences) == 1 else sentences[:-1]))
    return out


def _sample(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return (rows, _LENGTH) sampled pieces; top-k sampling without generate()'s sorting of the whole vocabulary."""
    import torch
    from transformers import DynamicCache

    cache = DynamicCache()
    out = []
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    for _ in range(_LENGTH):
        hidden = model.model(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
        ).last_hidden_state[:, -1]
        scores, pieces = model.lm_head(hidden).float().topk(_TOP)
        ids = pieces.gather(1, (scores / _TEMPERATURE).softmax(-1).multinomial(1))
        mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
        positions = positions[:, -1:] + 1
        out.append(ids)
    return torch.cat(out, dim=1)


def _prompt(rng: random.Random) -> tuple[str, str]:
    """Return what the model is given, and how much of it belongs to the text."""
    place, other = rng.sample(_PROMPTS["places"], 2)
    slots = {
        "place": place,
        "PLACE": place.upper(),
        "other": other,
        "person": rng.choice(_PROMPTS["people"]),
        "subject": rng.choice(_PROMPTS["subjects"]),
        "day": rng.choice(_PROMPTS["days"]),
        "month": rng.choice(_PROMPTS["months"]),
        "number": rng.randint(2, 90),
        "small": rng.randint(1, 6),
        "tiny": rng.randint(0, 1),
    }
    if rng.random() < 0.5:  # noqa: PLR2004 - half of each
        opening = rng.choice(_PROMPTS["openings"]).format(**slots)
        return opening, opening
    order = rng.choice(_PROMPTS["orders"]).format(**slots)
    return f"<|im_start|>user\n{order}<|im_end|>\n<|im_start|>assistant\n", ""


def _finished(file: Path, seed: int) -> dict[int, list[str]]:
    """Return the batches of that seed which a file holds; a last line torn by a crash is cut off."""
    batches: dict[int, list[str]] = {}
    if not file.is_file():
        return batches
    whole = 0
    for line in file.read_bytes().splitlines(keepends=True):
        try:
            record = json.loads(line)
        except ValueError:
            break
        if not line.endswith(b"\n"):
            break
        whole += len(line)
        if record["seed"] == seed:
            batches[record["batch"]] = record["texts"]
    os.truncate(file, whole)
    return batches


def _append(file: Path, record: dict[str, Any]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise CannotSave(f"written text cannot be kept in {file}: {error.strerror}") from error
