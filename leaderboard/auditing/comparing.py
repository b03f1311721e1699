"""Which entity types of a model are compared with which of the data. What is not compared is said, never hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from benchmark.contracts import Victim
from benchmark.datasets import Dataset
from benchmark.errors import BadInput
from benchmark.types import Sentence
from benchmark.victims import LabelMap
from benchmark.victims.label_map import require_iob2_labels, types_of

__all__ = ["ONTONOTES_TO_CONLL", "Comparison", "compare_types", "require_mentions", "restricted", "with_all_types"]

# OntoNotes' names (Weischedel et al. 2013) by what CoNLL-2003 (Tjong Kim Sang & De Meulder 2003) calls such a mention;
# dates and numbers are no names there. It is taken only where all of a model's types are OntoNotes' and all of the
# data's CoNLL's.
ONTONOTES_TO_CONLL: Mapping[str, str] = {
    "PERSON": "PER",
    "ORG": "ORG",
    "GPE": "LOC",
    "LOC": "LOC",
    "FAC": "LOC",
    **dict.fromkeys(("NORP", "EVENT", "LANGUAGE", "LAW", "PRODUCT", "WORK_OF_ART"), "MISC"),
    **dict.fromkeys(("CARDINAL", "DATE", "MONEY", "ORDINAL", "PERCENT", "QUANTITY", "TIME"), "O"),
}
_CONLL = {*ONTONOTES_TO_CONLL.values()} - {"O"}


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        types: the data's types that are.
        left_out_of_model: the model's types that are not; their predictions count as no mention.
        left_out_of_data: the data's types that are not; their mentions count as none.
        label_map: from the model's labels to the data's; None where they agree.
        never_said: of the types those that no answer to a clean text has, where only answers tell what a model knows.
        standard: the map is the usual one from OntoNotes to CoNLL, and not the user's.
    """

    types: tuple[str, ...]
    left_out_of_model: tuple[str, ...] = ()
    left_out_of_data: tuple[str, ...] = ()
    never_said: tuple[str, ...] = ()
    label_map: LabelMap | None = None
    standard: bool = False

    @property
    def words(self) -> Iterator[str]:
        """Sentences that say what is compared and what is not."""
        yield f"Compared: {', '.join(self.types)}."
        pairs = self.label_map.pairs if self.label_map else {}
        renamed = [(old, new) for old, new in pairs.items() if new not in {"O", old}]
        if renamed:
            by = "by the usual map from OntoNotes to CoNLL" if self.standard else "as you said"
            yield f"The model's labels are read {by}: {', '.join(f'{old} as {new}' for old, new in renamed)}."
        if self.left_out_of_model:
            yield (
                f"Of the model not compared: {', '.join(self.left_out_of_model)}. What it says of these counts as no "
                "mention."
            )
        if self.left_out_of_data:
            yield (
                f"Of the data not compared, for the model does not know it: {', '.join(self.left_out_of_data)}. "
                "Mentions of it count as none."
            )
        if self.never_said:
            yield (
                f"On clean texts the model never says {', '.join(self.never_said)}; all mentions of it count as missed."
            )
        if self.standard or self.left_out_of_data or self.never_said:
            yield "If they mean something else, say so, as in --label-map PERSON=PER,GPE=LOC,*=O."


def require_mentions(dataset: Dataset) -> None:
    """Refuse data without a mention.

    Raises:
        BadInput: says where mentions are marked.
    """
    if not dataset.types:
        jsonl = dataset.source.endswith(".jsonl")
        where = 'spans such as {"start": 0, "end": 3, "label": "PER"}' if jsonl else "B-PER in the last column"
        raise BadInput(f"{dataset.source} marks no mention; an audit needs {where}")


def compare_types(victim: Victim, dataset: Dataset, given: LabelMap | None) -> Comparison:
    """Decide which types are compared.

    Args:
        victim: with its own labels where no map was given, else with those of the map.
        dataset: whose types occur in it.
        given: the user's map; then nothing else is left out of the model.

    Raises:
        BadInput: labels that are not IOB2, or no type in common; shows both sets and a way out.
    """
    require_iob2_labels(victim.labels, victim.name)
    theirs, ours = types_of(victim.labels), set(dataset.types)
    standard = given is None and theirs <= {*ONTONOTES_TO_CONLL} and "PERSON" in theirs and ours <= _CONLL
    pairs = {old: ONTONOTES_TO_CONLL[old] for old in sorted(theirs)} if standard else {}
    renamed = {pairs.get(kind, kind) for kind in theirs}
    shared = ours & renamed
    if not shared:
        raise BadInput(
            f"{victim.name} and {dataset.name} have no entity type in common: the model has "
            f"{', '.join(sorted(theirs)) or 'none'}, the data {', '.join(sorted(ours))}; "
            "say which is which, for example --label-map PERSON=PER,GPE=LOC,*=O"
        )
    if given is not None:
        dropped = ("all others" if old == "*" else old for old, new in given.pairs.items() if new == "O")
        return Comparison(tuple(sorted(shared)), tuple(dropped), tuple(sorted(ours - shared)), label_map=given)
    left_out = sorted(kind for kind in theirs if pairs.get(kind, kind) not in shared)
    pairs |= dict.fromkeys(left_out, "O")
    label_map = LabelMap(pairs) if any(old != new for old, new in pairs.items()) else None
    types, unknown = tuple(sorted(shared)), tuple(sorted(ours - shared))
    return Comparison(types, tuple(left_out), unknown, label_map=label_map, standard=standard)


def with_all_types(comparison: Comparison) -> Comparison:
    """Compare the data's types that a model never said, too: not to find any is a failure, not another label set."""
    never_said = comparison.left_out_of_data
    types = tuple(sorted((*comparison.types, *never_said)))
    return replace(comparison, types=types, left_out_of_data=(), never_said=never_said)


def restricted(dataset: Dataset, types: tuple[str, ...]) -> Dataset:
    """Return a data set in which only mentions of these types are mentions; another one in name and hash, too."""
    if set(dataset.types) <= set(types):
        return dataset
    splits = {name: tuple(_only(s, types) for s in sentences) for name, sentences in dataset.splits.items()}
    return Dataset(f"{dataset.name}({','.join(types)})", splits, dataset.source)


def _only(sentence: Sentence, types: tuple[str, ...]) -> Sentence:
    return replace(sentence, tags=tuple(tag if tag[2:] in types else "O" for tag in sentence.tags))
