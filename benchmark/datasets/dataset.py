"""What a data set is to the harness."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from benchmark.errors import BadInput
from benchmark.types import Sentence

__all__ = ["Dataset", "content_hash"]


@dataclass(frozen=True)
class Dataset:
    """Named splits of sentences.

    Attributes:
        name: as given on the command line.
        splits: split name to sentences; sentence ids are unique within a split.
        source: where the data were read from, for provenance.
        hashes: content hashes computed so far; see `hash`.
    """

    name: str
    splits: Mapping[str, tuple[Sentence, ...]]
    source: str
    hashes: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def split(self, name: str) -> tuple[Sentence, ...]:
        """Return a split.

        Raises:
            BadInput: it has no such split.
        """
        if name not in self.splits:
            raise BadInput(
                f"data set {self.name} ({self.source}) has no split {name!r}; it has: {', '.join(self.splits)}"
            )
        return self.splits[name]

    def hash(self, split: str) -> str:
        """Return the content hash of a split: tokens, tags and document borders, nothing else."""
        if split not in self.hashes:
            self.hashes[split] = content_hash(self.split(split))
        return self.hashes[split]

    @property
    def types(self) -> tuple[str, ...]:
        """Entity types that occur, sorted."""
        return tuple(sorted({s.type for split in self.splits.values() for sentence in split for s in sentence.spans}))


def content_hash(sentences: Iterable[Sentence]) -> str:
    """Return the sha256 of sentences in order."""
    digest = hashlib.sha256()
    for sentence in sentences:
        for token, tag in zip(sentence.tokens, sentence.tags, strict=True):
            digest.update(f"{token}\t{tag}\n".encode("utf-8", "surrogatepass"))
        digest.update(f"# {sentence.document}\n".encode())
    return digest.hexdigest()
