"""Paraphrases by a sequence-to-sequence model (T5, BART and their like), from the hub or from a folder.

Such models know nothing of mentions: they re-spell, translate or leave out rare names. So every mention is hidden
behind a placeholder before the model reads the text, and put back after; what has lost or repeated a placeholder is no
paraphrase.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.model_files import MODEL_FILES, fetch_from_hub, fingerprint_of, load_transformer
from benchmark.resources.detokenizing import detokenize
from benchmark.resources.paraphrasing.contract import Paraphrase, Paraphraser, Question, without_flaws
from benchmark.resources.paraphrasing.stuttering import without_stuttering
from benchmark.types import Span, Tokens

if TYPE_CHECKING:
    import torch

__all__ = ["Seq2SeqParaphraser", "paraphraser_from_folder", "paraphraser_from_hub", "put_back", "with_placeholders"]

_TEMPLATE = "beam"
_BEAMS = 10
_GENERATION = "generation_config.json"
_LONGEST = 256
# A capital and digits are a piece or two in any vocabulary, and no English word looks like it.
_PLACEHOLDER = re.compile(r"\bX\s?(\d)\s?(\d)\b")
_CLITIC = r"'(?:s|re|ve|ll|d|m)\b"
_TOKEN = re.compile(
    rf"X\d\d\b|\w+(?=n't\b)|n't\b|{_CLITIC}|(?:\w\.){{2,}}|\w+(?:[-.,/]\w+|(?!{_CLITIC})'\w+)*|\.\.\.|\S"
)
# Two digits.
_MOST_MENTIONS = 100


class Seq2SeqParaphraser(Paraphraser):
    """A model with a decoder, asked by beam search, one text at a time, so that no answer depends on its neighbours.

    Args:
        model: an `AutoModelForSeq2SeqLM`.
        tokenizer: its tokenizer.
        name: as given on the command line.
        fingerprint: of the files it was read from.
        device: torch device.
        prompt: stands before every text; models of the T5 family are told by it what to do.

    Attributes:
        identity: name, weights and settings.
    """

    def __init__(
        self, model: Any, tokenizer: Any, name: str, fingerprint: str, device: torch.device, prompt: str = ""
    ) -> None:
        self._model = model.to(device).eval()
        self._tokenizer = tokenizer
        self._device = device
        self._prompt = prompt
        self.identity = f"{name} {fingerprint[:16]}, float32 on {device.type}, {_BEAMS} beams, prompt {prompt!r}"

    def answer(self, questions: Sequence[Question]) -> list[tuple[Paraphrase, ...]]:
        """Return what the beams say, without those that lose a mention or repeat one."""
        return [self._answer(question) for question in questions]

    def _answer(self, question: Question) -> tuple[Paraphrase, ...]:
        if len(question.mentions) >= _MOST_MENTIONS or _clashes(question):
            return ()
        said = self.generate(self._prompt + with_placeholders(question))
        found = [put_back(question, text) for text in said]
        return tuple(without_flaws(question, [paraphrase for paraphrase in found if paraphrase is not None]))

    def generate(self, text: str) -> list[str]:
        """Return the texts of the best beams, the likeliest first; a text too long for the model gives none."""
        import torch

        inputs = self._tokenizer(text, return_tensors="pt")
        length = int(inputs["input_ids"].shape[1])
        if length > min(_LONGEST, self._tokenizer.model_max_length):
            return []
        with torch.inference_mode():
            beams = self._model.generate(
                input_ids=inputs["input_ids"].to(self._device),
                attention_mask=inputs["attention_mask"].to(self._device),
                num_beams=_BEAMS,
                num_return_sequences=_BEAMS,
                do_sample=False,
                max_new_tokens=length + 16,
                # The published network says things twice.
                no_repeat_ngram_size=3,
            )
        return [str(beam) for beam in self._tokenizer.batch_decode(beams, skip_special_tokens=True)]


def with_placeholders(question: Question) -> str:
    """Return the text as a person would write it, the k-th mention as X followed by two digits of k."""
    tokens: list[str] = []
    starts = {span.start: k for k, span in enumerate(question.mentions)}
    i = 0
    while i < len(question.tokens):
        k = starts.get(i)
        tokens.append(question.tokens[i] if k is None else _placeholder(k))
        i = i + 1 if k is None else question.mentions[k].end
    return detokenize(tokens)


def put_back(question: Question, text: str) -> Paraphrase | None:
    """Return a model's text in tokens with the mentions in their places, None if they are not there once each."""
    words = _TOKEN.findall(_PLACEHOLDER.sub(r" X\1\2 ", text))
    places = {_placeholder(k): k for k in range(len(question.mentions))}
    if sorted(word for word in words if _PLACEHOLDER.fullmatch(word)) != sorted(places):
        return None
    tokens: list[str] = []
    spans: dict[int, Span] = {}
    for word in _cased_as_before(question, words):
        k = places.get(word)
        if k is None:
            tokens.append(word)
            continue
        mention = question.mentions[k]
        spans[k] = Span(len(tokens), len(tokens) + mention.end - mention.start, mention.type)
        tokens += question.tokens[mention.start : mention.end]
    return Paraphrase(tuple(tokens), tuple(spans[k] for k in range(len(spans))), _TEMPLATE) if tokens else None


def _cased_as_before(question: Question, words: Sequence[str]) -> Tokens:
    """Give words the casing they have in the question: a lower-casing model would fool any cased victim.

    The first word takes a capital where the question's has one; a word that stood first there is cased as it comes.
    """
    casing = {token.lower(): token for token in reversed(question.tokens[1:])}
    out = [casing.get(word.lower(), word) for word in words]
    if out and question.tokens and question.tokens[0][:1].isupper() and not _PLACEHOLDER.fullmatch(out[0]):
        out[0] = out[0][:1].upper() + out[0][1:]
    return tuple(without_stuttering(out, lambda word: word.lower() if word.isalpha() else None))


def _placeholder(k: int) -> str:
    return f"X{k:02d}"


def _clashes(question: Question) -> bool:
    """Tell whether the text itself holds something that looks like a placeholder."""
    inside = {i for span in question.mentions for i in range(span.start, span.end)}
    return any(_PLACEHOLDER.search(word) for i, word in enumerate(question.tokens) if i not in inside)


def paraphraser_from_folder(folder: str, device: torch.device) -> Seq2SeqParaphraser:
    """Load a paraphraser from a folder with safetensors weights, tokenizer and configuration.

    Raises:
        BadInput: no such folder, weights missing or pickled, or not a sequence-to-sequence model.
    """
    path = Path(folder)
    return _load(path, f"path:{path.resolve().name}", device)


def paraphraser_from_hub(repository: str, device: torch.device) -> Seq2SeqParaphraser:
    """Load a paraphraser from the hub, `OWNER/MODEL` or `OWNER/MODEL@REVISION`; only safetensors are fetched.

    Raises:
        MissingResource: the hub cannot be reached or has no such repository.
        BadInput: as `paraphraser_from_folder`.
    """
    folder = fetch_from_hub(repository, "paraphraser", (*MODEL_FILES, _GENERATION))
    return _load(folder, f"hf:{repository}", device)


def _load(folder: Path, name: str, device: torch.device) -> Seq2SeqParaphraser:
    model, tokenizer = load_transformer(folder, "AutoModelForSeq2SeqLM", "sequence-to-sequence model", words=False)
    prompt = "paraphrase: " if getattr(model.config, "model_type", "") in {"t5", "mt5"} else ""
    fingerprint = fingerprint_of(folder, (*MODEL_FILES, _GENERATION))
    return Seq2SeqParaphraser(model, tokenizer, name, fingerprint, device, prompt)
