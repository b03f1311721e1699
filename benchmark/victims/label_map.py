"""Label maps between a victim and a data set: always explicit, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from benchmark.contracts import Victim
from benchmark.errors import BadInput
from benchmark.tag_schemes import is_iob2
from benchmark.types import Prediction, Tags, Tokens

if TYPE_CHECKING:
    import torch

    from benchmark.victims.white_box import EmbeddingTable, Units, WhiteBox

__all__ = ["LabelMap", "RelabelledVictim", "require_iob2_labels", "require_same_types", "types_of"]


@dataclass(frozen=True)
class LabelMap:
    """Renames whole labels (`LABEL_1=B-PER`) or types (`PERSON=PER`); `TYPE=O` drops a type, `*=O` all not named."""

    pairs: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> LabelMap:
        """Read `PERSON=PER,GPE=LOC,DATE=O`.

        Raises:
            BadInput: not of that form.
        """
        pairs: dict[str, str] = {}
        for item in text.split(","):
            left, equals, right = item.strip().partition("=")
            if not equals or not left or not right:
                raise BadInput(f"label map item {item!r} is not OLD=NEW; example: PERSON=PER,GPE=LOC,DATE=O")
            if pairs.get(left, right) != right:
                raise BadInput(f"the label map renames {left} twice, to {pairs[left]} and to {right}")
            pairs[left] = right
        return cls(pairs)

    def __call__(self, label: str) -> str:
        """Return the new name of a label."""
        if label in self.pairs:
            return self.pairs[label]
        prefix, dash, kind = label.partition("-")
        new = self.pairs.get(kind, self.pairs.get("*"))
        if not dash or new is None:
            return label
        return "O" if new == "O" else f"{prefix}-{new}"


class RelabelledVictim:
    """A victim whose labels are renamed; probabilities of labels that fall together are added."""

    def __init__(self, victim: Victim, label_map: LabelMap) -> None:
        self.name = victim.name
        self.access = victim.access
        self.fingerprint = victim.fingerprint
        self.unknown_word = victim.unknown_word
        self.settings: Mapping[str, Any] = {**victim.settings, "label_map": dict(sorted(label_map.pairs.items()))}
        unknown = set(label_map.pairs) - set(victim.labels) - types_of(victim.labels) - {"*"}
        if unknown:
            raise BadInput(
                f"the label map renames {', '.join(sorted(unknown))}, which {victim.name} does not have; "
                f"its labels: {', '.join(victim.labels)}"
            )
        self.labels: Tags = tuple(dict.fromkeys(label_map(label) for label in victim.labels))
        require_iob2_labels(self.labels, victim.name)
        self._victim = victim
        self._map = label_map
        columns = {label: k for k, label in enumerate(self.labels)}
        self._merge = np.zeros((len(victim.labels), len(self.labels)), dtype=np.float32)
        for k, label in enumerate(victim.labels):
            self._merge[k, columns[label_map(label)]] = 1.0

    def fits(self, tokens: Tokens) -> bool:
        """As the victim behind."""
        return self._victim.fits(tokens)

    @property
    def tables(self) -> Mapping[str, EmbeddingTable]:
        """As the victim behind."""
        return self._inside.tables

    def batches(self, texts: Sequence[Tokens]) -> Iterator[tuple[list[int], Units]]:
        """As the victim behind."""
        return self._inside.batches(texts)

    def log_probabilities(self, vectors: Mapping[str, torch.Tensor], inputs: Any) -> torch.Tensor:
        """See `WhiteBox`; with the new labels."""
        import torch

        old = self._inside.log_probabilities(vectors, inputs)
        return torch.stack([old[..., self._merge[:, k] > 0].logsumexp(-1) for k in range(len(self.labels))], dim=-1)

    @property
    def _inside(self) -> WhiteBox:
        """The victim behind; only asked for where `access` promises gradients."""
        return cast("WhiteBox", self._victim)

    def predict(self, batch: Sequence[Tokens]) -> list[Prediction]:
        """Tag each text with the new labels."""
        return [
            Prediction(
                tuple(self._map(tag) for tag in answer.tags),
                None if answer.probabilities is None else answer.probabilities @ self._merge,
            )
            for answer in self._victim.predict(batch)
        ]


def types_of(labels: Iterable[str]) -> set[str]:
    """Return the entity types of a label set."""
    return {label.partition("-")[2] for label in labels if label != "O"} - {""}


def require_iob2_labels(labels: Sequence[str], name: str) -> None:
    """Refuse a label set that is not O, B-TYPE, I-TYPE.

    Raises:
        BadInput: names the labels and shows how to map them.
    """
    odd = [label for label in labels if not is_iob2(label)]
    if odd or "O" not in labels:
        raise BadInput(
            f"the labels of {name} are not IOB2 (O, B-TYPE, I-TYPE): {', '.join(labels)}; "
            f"rename them, for example --label-map {odd[0] if odd else 'OTHER'}=O"
        )


def require_same_types(victim: Victim, types: Iterable[str], dataset: str) -> None:
    """Refuse to attack a victim on a data set with other entity types.

    A type that only the victim has must be named in a label map: dropped (`DATE=O`) or meant (`MISC=MISC`).

    Raises:
        BadInput: shows both sets.
    """
    theirs, ours = types_of(victim.labels), set(types)
    meant = set(victim.settings.get("label_map", {}).values())
    if ours <= theirs and not theirs - ours - meant:
        return
    if ours <= theirs:
        surplus = sorted(theirs - ours - meant)
        way_out = (
            f"drop what the data set does not mark (--label-map {','.join(f'{kind}=O' for kind in surplus)}) "
            f"or keep it on purpose (--label-map {','.join(f'{kind}={kind}' for kind in surplus)})"
        )
    else:
        way_out = "map the victim's to the data set's, for example --label-map PERSON=PER,GPE=LOC,DATE=O"
    raise BadInput(
        f"{victim.name} and {dataset} do not share their entity types: the victim has "
        f"{', '.join(sorted(theirs))}, the data set {', '.join(sorted(ours)) or 'none'}; {way_out}"
    )
