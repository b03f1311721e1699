"""Language models for tests: random weights, a vocabulary of some of our own sentences, saved as on the hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    AlbertTokenizerFast,
    BertConfig,
    BertForMaskedLM,
    BertTokenizerFast,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2TokenizerFast,
    LlamaConfig,
    LlamaForCausalLM,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaTokenizerFast,
)

SENTENCES = (
    "The harbour master closed the market before the storm.",
    "The HARBOUR authority raised market fees by 12 percent, the bank said.",
    "Market traders in the old town wanted lower fees, not higher fees.",
    "A ferry left the harbour at 7 and came back before noon.",
    "In 1996 the bank sold 2,000 shares of the ferry company for $3.50 each.",
    "Bank officials said on Monday that the company was well-known and didn't lose money.",
    "I saw the minister's car; it was parked outside the old bank.",
    "Ministers said the storm closed 12 ports and 7 harbours.",
    "Storm damage cost the company 40% of its boats, he said.",
    "On Monday the striker scored twice for the town club.",
    "ON MONDAY the Striker scored, the company said, and the club won.",
    "She said I was wrong about the price of fish in the harbour.",
    "Fish prices rose as boats stayed in the harbour for 7 days.",
    "Old boats sold well; new boats sold badly.",
    "The club sold its best striker to a bigger club in the capital.",
    "An inquiry into the storm began on Monday and ended on Friday.",
    "Friday's market was closed, and so was the bank's main office.",
    "Zoë and José wanted a naïve café on the harbour.",
    "THE BANK SAID THE MARKET WAS CLOSED.",
    "Unhappily, the unwanted boats were unsold.",
)
# Long and short, cased in every way.
TEXTS = [
    tuple(text.split())
    for text in (
        "The bank said on Monday that the market was closed .",
        "the HARBOUR authority raised market fees by 12 percent , he said",
        "Fish .",
        "no",
        "Old boats sold well ; new boats sold badly , and so the ferry company lost more money than in 1996 .",
        "Zoë likes “quotes” & \U0001f600 .",
    )
]
MASKED = ("wordpiece", "bpe", "unigram", "albert")
CAUSAL = ("gpt2", "llama")
_SIZES: dict[str, Any] = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}


def save_masked(folder: Path, family: str, places: int = 48, seed: int = 0) -> Path:
    """Store a tiny masked model and its tokenizer; `places`: pieces it can read."""
    tokenizer = _tokenizer(family)
    torch.manual_seed(seed)
    sizes = {**_SIZES, "vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, "hidden_size": 32}
    if family == "wordpiece":
        model = BertForMaskedLM(BertConfig(max_position_embeddings=places, **sizes))
    elif family == "bpe":
        model = RobertaForMaskedLM(RobertaConfig(max_position_embeddings=places + 2, **sizes))
    elif family == "unigram":
        model = XLMRobertaForMaskedLM(XLMRobertaConfig(max_position_embeddings=places + 2, **sizes))
    else:
        model = AlbertForMaskedLM(AlbertConfig(max_position_embeddings=places, embedding_size=16, **sizes))
    return _save(folder, _spread(model), tokenizer)


def causal(family: str, places: int = 48, *, reserved: bool = True) -> tuple[Any, Any]:
    """Return a tiny causal model and its tokenizer; without a `reserved` piece the first one begins a text."""
    tokenizer = causal_tokenizer(*(("<|begin|>", "<|end|>") if family == "llama" else ()), reserved=reserved)
    torch.manual_seed(0)
    if family == "llama":
        config = LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=32, max_position_embeddings=places, num_key_value_heads=1, **_SIZES
        )
        return _spread(LlamaForCausalLM(config)).eval(), tokenizer
    gpt2 = GPT2Config(
        vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=2, n_positions=places, bos_token_id=1, eos_token_id=1
    )
    return _spread(GPT2LMHeadModel(gpt2)).eval(), tokenizer


def causal_tokenizer(bos: str = "<|endoftext|>", eos: str = "<|endoftext|>", *, reserved: bool = True) -> Any:
    """Return a byte-level tokenizer like GPT-2's that puts a space before a text."""
    vocabulary, merges = _byte_pairs([*["<|reserved|>"] * reserved, *dict.fromkeys([bos, eos])])
    return GPT2TokenizerFast(
        vocab=vocabulary, merges=merges, bos_token=bos, eos_token=eos, unk_token=eos, add_prefix_space=True
    )


def watched(monkeypatch: pytest.MonkeyPatch, model: Any, encoder: str) -> dict[str, list[Any]]:
    """Note the shape of all that goes through a model's encoder, and how many places go through its head."""
    seen: dict[str, list[Any]] = {"encoder": [], "head": []}
    encode, head = getattr(model, encoder), model._head

    def watched_encoder(**inputs: Any) -> Any:
        seen["encoder"].append(tuple(inputs["input_ids"].shape))
        return encode(**inputs)

    def watched_head(vectors: Any) -> Any:
        seen["head"].append(len(vectors))
        return head(vectors)

    monkeypatch.setattr(model, encoder, watched_encoder)
    monkeypatch.setattr(model, "_head", watched_head)
    return seen


def _spread(model: Any) -> Any:
    """Fresh weights are so small that every word is equally likely; make the model have opinions."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3)
            elif "bias" in name:
                parameter.normal_(std=0.1)
    return model


def _save(folder: Path, model: Any, tokenizer: Any) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(family: str) -> Any:
    if family == "wordpiece":
        own = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        own.normalizer = normalizers.BertNormalizer()
        own.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        own.train_from_iterator(
            SENTENCES, trainers.WordPieceTrainer(vocab_size=260, special_tokens=special, show_progress=False)
        )
        vocabulary = sorted(own.get_vocab(), key=lambda piece: (piece not in special, piece))
        return BertTokenizerFast(vocab={piece: k for k, piece in enumerate([*vocabulary, "[unused1]"])})
    if family == "bpe":
        vocabulary, merges = _byte_pairs(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
        return RobertaTokenizerFast(vocab=vocabulary, merges=merges)
    special = ["<s>", "<pad>", "</s>", "<unk>"] if family == "unigram" else ["<pad>", "<unk>", "[CLS]", "[SEP]"]
    pieces = _unigrams(special, lower=family == "albert")
    if family == "unigram":
        return XLMRobertaTokenizerFast(vocab=[*pieces, ("<mask>", 0.0)])
    return AlbertTokenizerFast(vocab=[*pieces, ("[MASK]", 0.0)])


def _byte_pairs(special: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    own = Tokenizer(models.BPE())
    own.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=560, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    own.train_from_iterator(SENTENCES, trainer)
    return own.get_vocab(), [tuple(pair) for pair in _state(own)["merges"]]


def _unigrams(special: list[str], *, lower: bool) -> list[tuple[str, float]]:
    own = Tokenizer(models.Unigram())
    if lower:
        own.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
    own.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=220, special_tokens=special, unk_token="<unk>", show_progress=False)
    own.train_from_iterator(SENTENCES, trainer)
    return [(piece, score) for piece, score in _state(own)["vocab"]]


def _state(tokenizer: Tokenizer) -> dict[str, Any]:
    return json.loads(tokenizer.to_str())["model"]
