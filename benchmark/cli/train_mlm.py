"""gauntlet train-mlm: teach MiniLM to fill gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.console import Device, Json, output, print_json, progress_report
from benchmark.errors import BadInput

__all__ = ["train_mlm"]


def train_mlm(
    text: Annotated[
        list[Path] | None,
        typer.Option(help="A .conll file, a WordNet data.* file, or a text file; may be repeated.", show_default=False),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(help="What the text is and under which licence, for the model's card.", show_default=False),
    ] = None,
    write: Annotated[int, typer.Option(help="Let SmolLM2 write so many texts of about a hundred words first.")] = 0,
    steps: Annotated[int, typer.Option(help="Optimiser steps of 32 chunks each.")] = 6000,
    seed: Annotated[int, typer.Option(help="Of masks, order and first weights.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for written text, checkpoint and adapter.")] = Path("minilm-mlm"),
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Train the masked language model minilm-mlm. Interrupt it at will: the same command goes on."""
    from benchmark.device import choose_device
    from benchmark.resources.language_models.open_text import read_texts
    from benchmark.resources.language_models.training import MaskedModelRecipe, train_masked_model
    from benchmark.resources.language_models.writing import write_text

    if steps < 1 or write < 0:
        raise BadInput("--steps must be at least 1 and --write not negative")
    if text and not source:
        raise BadInput("--source is missing: say what the text is and under which licence; the model's card keeps it")
    if (out / "adapter_model.safetensors").exists():
        raise BadInput(f"{out} holds a trained model already; give another --out")
    where = choose_device(device)
    sources = list(source or [])
    with progress_report() as report:
        texts = read_texts(text or [])
        if write:
            texts += write_text(out / "written.jsonl", write, where, report, seed)
            sources.append(f"{write} texts written by SmolLM2-135M-Instruct (Apache-2.0)")
        card = train_masked_model(MaskedModelRecipe(steps=steps, seed=seed), texts, sources, out, where, report)
    if json:
        print_json({**card, "folder": str(out)})
        return
    last = card["history"][-1]
    output.print(f"minilm-mlm in {out}", highlight=False, soft_wrap=True)
    output.print(f"loss {last['loss']}, held-out gaps right at once {last['held_out_accuracy']:.3f}", highlight=False)
