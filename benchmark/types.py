"""The values that pass through the house: a sentence, its spans, an edit, a prediction, an outcome.

All of them are frozen. A `Sentence` is changed by methods that return a new one and carry the gold labels and the
alignment to the original tokens along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from benchmark.errors import BadInput
from benchmark.tag_schemes import Span, is_iob2, spans_to_tags, strict_spans

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["TOO_LONG", "Edit", "Operation", "Outcome", "Prediction", "Sentence", "Span", "Status", "Tags", "Tokens"]

# Why a sentence is skipped, or a candidate turned away, that the victim cannot read whole.
TOO_LONG = "too long for the victim"

Tokens = tuple[str, ...]
Tags = tuple[str, ...]


class Operation(StrEnum):
    """What an edit does to the original tokens."""

    REPLACE = "replace"
    RECASE = "recase"
    INSERT = "insert"
    DELETE = "delete"
    MERGE = "merge"
    PARAPHRASE = "paraphrase"


@dataclass(frozen=True, slots=True)
class Edit:
    """One step of the canonical edit script from the original tokens to a sentence.

    Attributes:
        operation: what happens.
        at: index of the first original token concerned; an insertion stands before it.
        words: the words that stand there afterwards (empty for a deletion); of a recasing its kind, one of
            `alignment.CASINGS`, so that the script does not repeat the text.
        covers: number of original tokens concerned (0 for an insertion, 2 or more for a merge).
        sources: paraphrases only: for each word of the new text the original tokens it comes from.
    """

    operation: Operation
    at: int
    words: Tokens = ()
    covers: int = 1
    sources: tuple[tuple[int, ...], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        record: dict[str, Any] = {"op": self.operation.value, "at": self.at, "covers": self.covers}
        if self.words:
            record["words"] = list(self.words)
        if self.sources:
            record["sources"] = [list(source) for source in self.sources]
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Edit:
        """Read what `to_json` wrote."""
        return cls(
            Operation(record["op"]),
            int(record["at"]),
            tuple(record.get("words") or ()),
            int(record["covers"]),
            tuple(tuple(source) for source in record.get("sources") or ()),
        )


@lru_cache(maxsize=1024)  # the candidates of a sentence share its tags
def _fault(tags: Tags) -> str | None:
    """Return why tags are no IOB2, or None."""
    before = "O"
    for i, tag in enumerate(tags):
        if not is_iob2(tag):
            return f"tag {tag!r} at token {i} is not IOB2 (O, B-TYPE, I-TYPE)"
        if tag[0] == "I" and before[2:] != tag[2:]:
            return f"{tag} at token {i} continues no entity (dangling I-)"
        before = tag
    return None


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens with gold IOB2 tags, and where each token comes from.

    Attributes:
        id: unique within its data set and split.
        tokens: never re-tokenised by us.
        tags: gold tags, valid IOB2.
        sources: for each token the indices of the original tokens it stands for: `()` inserted, `(i,)` carried over
            or replaced, `(i, i+1)` merged. Original tokens that no token names were deleted.
        document: name of the document, where the data set tells.
        paraphrased: the token order was rewritten as a whole, so edits are not counted one by one.
    """

    id: str
    tokens: Tokens
    tags: Tags
    sources: tuple[tuple[int, ...], ...] = ()
    document: str | None = None
    paraphrased: bool = False

    def __post_init__(self) -> None:
        if not self.sources:
            object.__setattr__(self, "sources", tuple((i,) for i in range(len(self.tokens))))
        if not len(self.tokens) == len(self.tags) == len(self.sources):
            raise BadInput(f"sentence {self.id}: {len(self.tokens)} tokens but {len(self.tags)} tags")
        if fault := _fault(self.tags):
            raise BadInput(f"sentence {self.id}: {fault}")

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def text(self) -> str:
        """The tokens joined by single spaces."""
        return " ".join(self.tokens)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The gold mentions."""
        return strict_spans(self.tags)

    def inside(self, i: int) -> bool:
        """Tell whether token `i` belongs to a gold mention."""
        return self.tags[i] != "O"

    def replace(self, i: int, word: str) -> Sentence:
        """Put another word in the place of token `i`; its label stays."""
        self._require_index(i)
        tokens = (*self.tokens[:i], word, *self.tokens[i + 1 :])
        # The one edit every search makes thousands of times; dataclasses.replace would take twice as long.
        return Sentence(self.id, tokens, self.tags, self.sources, self.document, self.paraphrased)

    def insert(self, i: int, word: str, *, split: bool = False) -> Sentence:
        """Insert a word before token `i` (`i == len` appends); its gold label is O.

        Args:
            i: position.
            word: the new word.
            split: allow an insertion inside a mention; the rest of the mention then becomes one of its own (`B-`).

        Raises:
            BadInput: the insertion would fall inside a mention and `split` is off. Such an edit changes the gold.
        """
        if not 0 <= i <= len(self):
            raise BadInput(f"sentence {self.id}: no place {i} to insert in {len(self)} tokens")
        tail = self.tags[i:]
        if tail and tail[0].startswith("I-"):
            if not split:
                raise BadInput(f"sentence {self.id}: an insertion at {i} would split a mention")
            tail = ("B-" + tail[0][2:], *tail[1:])
        return replace(
            self,
            tokens=(*self.tokens[:i], word, *self.tokens[i:]),
            tags=(*self.tags[:i], "O", *tail),
            sources=(*self.sources[:i], (), *self.sources[i:]),
        )

    def delete(self, i: int) -> Sentence:
        """Remove token `i` together with its label; the next token of a mention opens it instead."""
        self._require_index(i)
        if len(self) == 1:
            raise BadInput(f"sentence {self.id}: its only token cannot be deleted")
        return replace(
            self,
            tokens=(*self.tokens[:i], *self.tokens[i + 1 :]),
            tags=(*self.tags[:i], *_reopened(self.tags[i], self.tags[i + 1 :])),
            sources=(*self.sources[:i], *self.sources[i + 1 :]),
        )

    def merge(self, i: int, word: str) -> Sentence:
        """Put one word in the place of tokens `i` and `i + 1`.

        Raises:
            BadInput: exactly one of the two is inside a mention, or they belong to two mentions.
        """
        self._require_index(i + 1)
        left, right = self.tags[i], self.tags[i + 1]
        if (left, right) != ("O", "O") and not right.startswith("I-"):
            raise BadInput(f"sentence {self.id}: merging tokens {i} and {i + 1} would cross a mention's border")
        return replace(
            self,
            tokens=(*self.tokens[:i], word, *self.tokens[i + 2 :]),
            tags=(*self.tags[: i + 1], *self.tags[i + 2 :]),
            sources=(*self.sources[:i], (*self.sources[i], *self.sources[i + 1]), *self.sources[i + 2 :]),
        )

    def replace_span(self, span: Span, words: Sequence[str], type: str | None = None) -> Sentence:  # noqa: A002
        """Put `words` in the place of a whole gold mention and label them as one mention.

        Words and old tokens are aligned from the left; surplus words are insertions, surplus tokens deletions.

        Args:
            span: one of `self.spans`.
            words: at least one word.
            type: the new mention's type, if it changes.
        """
        if span not in self.spans:
            raise BadInput(f"sentence {self.id}: {span.start}-{span.end} {span.type} is no gold mention")
        if not words:
            raise BadInput(f"sentence {self.id}: a mention cannot be replaced by nothing")
        name = type or span.type
        old = self.sources[span.start : span.end]
        sources = tuple(old[k] if k < len(old) else () for k in range(len(words)))
        return replace(
            self,
            tokens=(*self.tokens[: span.start], *words, *self.tokens[span.end :]),
            tags=(
                *self.tags[: span.start],
                "B-" + name,
                *["I-" + name] * (len(words) - 1),
                *self.tags[span.end :],
            ),
            sources=(*self.sources[: span.start], *sources, *self.sources[span.end :]),
        )

    def paraphrase(self, tokens: Sequence[str], spans: Sequence[Span]) -> Sentence:
        """Rewrite the sentence; `spans` says where each gold mention stands now.

        The k-th span takes the place of the k-th gold mention, whose words it must repeat. Other tokens are aligned to
        the same words of the original in order, each used once; the rest are new.

        Raises:
            BadInput: the mentions are not all there, once each, with their words and types, not overlapping.
        """
        tokens, spans = tuple(tokens), tuple(spans)
        mentions = self.spans
        if len(spans) != len(mentions):
            raise BadInput(f"sentence {self.id}: {len(mentions)} mentions, but {len(spans)} spans in the paraphrase")
        if not tokens:
            raise BadInput(f"sentence {self.id}: the paraphrase has no tokens")
        tags = spans_to_tags(spans, len(tokens))
        sources: list[tuple[int, ...]] = [()] * len(tokens)
        for old, new in zip(mentions, spans, strict=True):
            if self.tokens[old.start : old.end] != tokens[new.start : new.end] or old.type != new.type:
                raise BadInput(f"sentence {self.id}: the paraphrase changes the mention at {new.start}-{new.end}")
            for k in range(old.end - old.start):
                sources[new.start + k] = self.sources[old.start + k]
        _refuse_repeats(self, tokens)
        free: dict[str, list[int]] = {}
        for i, word in enumerate(self.tokens):
            if not self.inside(i):
                free.setdefault(word.lower(), []).append(i)
        for i, word in enumerate(tokens):
            same = free.get(word.lower())
            if tags[i] == "O" and same:
                sources[i] = self.sources[same.pop(0)]
        return replace(self, tokens=tokens, tags=tags, sources=tuple(sources), paraphrased=True)

    def _require_index(self, i: int) -> None:
        if not 0 <= i < len(self):
            raise BadInput(f"sentence {self.id}: no token {i} in {len(self)} tokens")


def _reopened(removed: str, rest: Tags) -> Tags:
    """Let the next token open the mention whose opening token was removed."""
    if removed.startswith("B-") and rest and rest[0].startswith("I-"):
        return ("B-" + rest[0][2:], *rest[1:])
    return rest


def _refuse_repeats(sentence: Sentence, tokens: Tokens) -> None:
    """A mention that stands once more than before would be gold O in its new place."""
    for mention in sentence.spans:
        words = sentence.tokens[mention.start : mention.end]
        if _occurrences(words, tokens) > _occurrences(words, sentence.tokens):
            raise BadInput(f"sentence {sentence.id}: the paraphrase repeats the mention {' '.join(words)!r}")


def _occurrences(words: Tokens, tokens: Tokens) -> int:
    return sum(tokens[i : i + len(words)] == words for i in range(len(tokens) - len(words) + 1))


@dataclass(frozen=True, slots=True)
class Prediction:
    """A victim's answer for one text.

    Attributes:
        tags: one IOB2 tag a token.
        probabilities: (tokens, labels) distribution a token in the order of the victim's `labels`, or None where the
            victim gives labels only.
    """

    tags: Tags
    probabilities: NDArray[np.float32] | None = None


class Status(StrEnum):
    """How the attack on one sentence ended."""

    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one sentence. Holds no text of the data set, so that it can be published.

    Attributes:
        sentence_id: which sentence.
        document: its document, for resampling by document.
        length: number of original tokens.
        status: success, failed, skipped or error.
        reason: why it was skipped; the traceback of an error.
        gold: gold tags of the original.
        clean: tags predicted on the original; empty where the victim failed on it.
        unseen: for each gold mention, whether its surface does not occur as a mention in the training split;
            None where the data set has no training split.
        edits: from the original to the adversarial example; empty without success.
        adversarial_gold: gold tags of the adversarial example; equal to `gold` without success.
        adversarial_prediction: tags predicted on it; equal to `clean` without success.
        score: label score of the goal reached (for the headline goal the share of the gold entity tokens broken).
        search_queries: texts the attack asked the victim about, repeats included, the clean text excluded.
        constraint_queries: texts asked on behalf of constraints.
        gradient_queries: forward-backward passes.
        queries_to_success: index (from 1) of the first text that reached the goal.
        forwards: distinct texts put to the victim for this sentence, the clean one included.
        trajectory: (queries so far, best goal confidence so far) each time the best one improved.
        rejected: candidates not asked or not counted, by reason.
        attributions: for each original token, how much of the victim's answer the attack thought it bore; None from
            attacks that do not reckon so.
        chosen: the original tokens that such an attack picked to edit, the most important first.
    """

    sentence_id: str
    document: str | None
    length: int
    status: Status
    gold: Tags
    clean: Tags
    reason: str | None = None
    unseen: tuple[bool, ...] | None = None
    edits: tuple[Edit, ...] = ()
    adversarial_gold: Tags = ()
    adversarial_prediction: Tags = ()
    score: float = 0.0
    search_queries: int = 0
    constraint_queries: int = 0
    gradient_queries: int = 0
    queries_to_success: int | None = None
    forwards: int = 0
    trajectory: tuple[tuple[int, float], ...] = ()
    rejected: Mapping[str, int] = field(default_factory=dict)
    attributions: tuple[float, ...] | None = None
    chosen: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.adversarial_gold:
            object.__setattr__(self, "adversarial_gold", self.gold)
            object.__setattr__(self, "adversarial_prediction", self.clean)

    @property
    def queries(self) -> int:
        """All texts asked, whoever asked."""
        return self.search_queries + self.constraint_queries + self.gradient_queries
