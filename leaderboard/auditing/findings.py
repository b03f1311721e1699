"""The numbers of an audit: all of them computed from its runs, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from benchmark.finding import attack_named
from benchmark.label_risk import FLAGS, invalidates
from benchmark.metrics import Example, Value
from benchmark.metrics.metric import clusters_of, ratio
from benchmark.metrics.span_f1 import recall_counts, span_counts
from benchmark.statistics.intervals import bootstrap, wilson
from benchmark.statistics.robust_f1 import RobustF1, robust_f1
from benchmark.statistics.totals import Sums, micro_f1
from benchmark.tag_schemes import strict_spans, tags_to_spans
from benchmark.types import Outcome, Sentence, Status, Tags
from leaderboard.auditing.columns import ATTACKS, BY_KIND, OUTCOMES, SEEN, SIGNS, TYPES
from leaderboard.auditing.edit_kinds import KINDS, kinds_of
from leaderboard.auditing.fates import FATES, fate
from leaderboard.auditing.running import MOST_READ, Audit
from leaderboard.rows import Run
from leaderboard.standing import smallest_gap
from leaderboard.tables import Table, table
from leaderboard.trials import succeeded

__all__ = ["ENOUGH_MENTIONS", "Findings", "Success"]

# Gold and predicted tags of a text.
Pair = tuple[Tags, Tags]
# Of a type with fewer mentions no interval is told, nor is it called the weakest.
ENOUGH_MENTIONS = 10
_ONLY_VALID = "Only texts whose labels are likely still right count, as in the headline."


class Success(NamedTuple):
    """A text that broke the model.

    Attributes:
        run: of which attack.
        example: as stored.
        sentence: before the attack.
        valid: no sign that the gold labels are no longer right.
        kinds: of its edits.
    """

    run: Run
    example: Example
    sentence: Sentence
    valid: bool
    kinds: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """What became of the sentence."""
        return self.example.outcome


@dataclass(frozen=True)
class Findings:
    """What an audit says, in numbers.

    Attributes:
        audit: its runs.
    """

    audit: Audit

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Those that every attack attacked and the model answered on."""
        runs = self.audit.runs
        return tuple(
            name
            for name in runs[0].spec.sentence_ids
            if all(
                r.examples[name].outcome.clean and r.examples[name].outcome.status is not Status.SKIPPED for r in runs
            )
        )

    @property
    def errors(self) -> int:
        """Attacks on a sentence that ended in an error."""
        return sum(e.outcome.status is Status.ERROR for run in self.audit.runs for e in run.examples.values())

    @cached_property
    def successes(self) -> tuple[Success, ...]:
        """All texts that broke the model, by attack and sentence."""
        texts = self.audit.texts
        return tuple(
            Success(
                run,
                run.examples[name],
                texts[name],
                not _is_invalid(run.examples[name]),
                kinds_of(run.examples[name].outcome, texts[name]),
            )
            for run in self.audit.runs
            for name in self.sentences
            if succeeded(run.examples[name])
        )

    @property
    def broken(self) -> Value:
        """Share of the sentences that at least one attack breaks."""
        return self._share(self.successes)

    @property
    def broken_validly(self) -> Value:
        """The same, counting only texts whose gold labels are likely still right."""
        return self._share(own for own in self.successes if own.valid)

    @property
    def validity(self) -> Value:
        """Share of the successes, of all attacks, whose gold labels are likely still right."""
        valid, count = sum(own.valid for own in self.successes), len(self.successes)
        return Value(valid / count if count else None, *wilson(valid, count), count, None if count else "no success")

    @property
    def clean_f1(self) -> float:
        """F1 on the clean texts of the sentences attacked."""
        return float(micro_f1(self._clean.sum(axis=0, keepdims=True))[0])

    @cached_property
    def robust(self) -> RobustF1:
        """The worst case over clean text and all attacks."""
        return _worst(self._options())

    @cached_property
    def robust_validly(self) -> RobustF1:
        """The same over texts whose gold labels are likely still right."""
        return _worst(self._options(valid=True))

    @property
    def resolution(self) -> str:
        """The smallest gap between two attacks that these sentences can tell, in words."""
        won = [[succeeded(run.examples[name]) for name in self.sentences] for run in self.audit.runs]
        apart = [float(np.mean(np.array(one) != np.array(other))) for one, other in combinations(won, 2)]
        if not apart:
            return ""
        gap = smallest_gap(len(self.sentences), apart)
        if np.isnan(gap):
            return "These sentences are too few to tell two attacks apart."
        return f"On these sentences two attacks must differ by about {100 * gap:.0f} points to be told apart."

    @property
    def weakest_type(self) -> dict[str, Any] | None:
        """The row of the type with the lowest F1 in the worst case; None where all have too few mentions to say."""
        rows = [row for row in _records(self.tables["types"]) if row["mentions"] >= ENOUGH_MENTIONS]
        return min(rows, key=lambda row: row["after"], default=None)

    @property
    def easiest_kind(self) -> dict[str, Any]:
        """The row of the kind of edit that breaks most sentences while labels likely stay right."""
        return max(_records(self.tables["kinds"]), key=lambda row: row["valid"])

    @property
    def passed_over(self) -> dict[str, int]:
        """How many sentences were looked at and not attacked, by reason."""
        counts = self.audit.runs[0].spec.selection["passed_over"]
        return {reason: count for reason, count in counts.items() if count}

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """The tables by name, in the order of the page."""
        found = {
            "f1": self.f1,
            "attacks": self.by_attack,
            "kinds": self.by_kind,
            "types": self.by_type,
            "seen": self.by_seen,
            "flags": self.flags,
        }
        return {name: table for name, table in found.items() if table is not None}

    @property
    def f1(self) -> Table:
        """F1 on clean texts and in the worst case."""
        clean, count = self.audit.clean, len(self.sentences)
        rows = [
            (f"clean: all sentences, or a sample of {MOST_READ}", clean.n, clean),
            ("clean: those attacked", count, self._f1(self._clean)),
            ("worst case: likely valid texts only", count, self._f1(self.robust_validly.counts)),
            ("worst case: all texts (robust F1)", count, self._f1(self.robust.counts)),
        ]
        records = [{"text": text, "sentences": n, **_cells("f1", value)} for text, n, value in rows]
        note = (
            "Attacked are sentences with a mention of which the model, when they are clean, misses at most one in ten. "
            "The worst case chooses for each sentence the clean text or one attack, so that the F1 of all is lowest. "
            "Intervals: 95 %, bootstrap."
        )
        return table("F1", OUTCOMES, records, [note])

    @property
    def by_attack(self) -> Table:
        """How each attack fares."""
        records = []
        for run in self.audit.runs:
            own = [success for success in self.successes if success.run is run]
            asked = [success.outcome.queries_to_success or 0 for success in own]
            records.append(
                {
                    "attack": run.spec.attack,
                    **_cells("broken", self._share(own)),
                    **_cells("valid", self._share(success for success in own if success.valid)),
                    **_cells("f1", self._f1(self._after(run))),
                    "edited": run.metrics["modification_rate"].value,
                    "queries": float(np.median(asked)) if asked else None,
                    "about": attack_named(run.spec.attack, {}).card.summary,
                }
            )
        records.sort(key=lambda record: (-record["broken"], record["attack"]))
        budget = self.audit.runs[0].spec.queries
        note = f"{len(self.sentences)} sentences, at most {budget} queries each. Intervals of shares: 95 %, Wilson's."
        return table("By attack", ATTACKS, records, [note])

    @property
    def by_kind(self) -> Table:
        """How many sentences break under a text with an edit of each kind."""
        records = []
        for kind, about in KINDS.items():
            own = [success for success in self.successes if kind in success.kinds]
            shares = _cells("broken", self._share(own)) | _cells("valid", self._share(s for s in own if s.valid))
            records.append({"kind": kind, **shares, "about": about})
        records.sort(key=lambda record: -record["broken"])
        note = (
            "A sentence counts for each kind that a text which broke it shows; a text may show several. An attack "
            "stops at the first text that breaks a sentence, and some kinds are tried more than others: this tells "
            "what was enough, not what is worst."
        )
        return table("By kind of edit", BY_KIND, records, [note])

    @property
    def by_type(self) -> Table:
        """F1 and what becomes of mentions, by entity type; the worst case is that of each type by itself."""
        options = self._options(valid=True)
        records = []
        for kind in sorted({span.type for gold, _ in options[0] for span in strict_spans(gold)}):
            before, worst = _counted(options[0], kind), _worst(options, kind)
            chosen = [options[option][k] for k, option in enumerate(worst.chosen)]
            fates = Counter(
                fate(span, tags_to_spans(said))
                for gold, said in chosen
                for span in strict_spans(gold)
                if span.type == kind
            )
            mentions = int(before[:, 2].sum())
            enough = mentions >= ENOUGH_MENTIONS
            records.append(
                {
                    "type": kind,
                    "mentions": mentions,
                    **_cells("before", self._f1(before, interval=enough)),
                    **_cells("after", self._f1(worst.counts, interval=enough)),
                    **{name: fates[name] / max(1, fates.total()) for name in FATES},
                }
            )
        note = (
            f"{_ONLY_VALID} The worst case is found for each type by itself: for each sentence the clean text or one "
            "attack, so that the F1 of this type is lowest. The shares are of these texts; of texts that are equally "
            "bad the clean one is taken, then the attack whose name comes first. Intervals: 95 %, bootstrap; "
            f"none for types with fewer than {ENOUGH_MENTIONS} mentions."
        )
        return table("By entity type", TYPES, records, [note])

    @property
    def by_seen(self) -> Table | None:
        """Recall of mentions that the training data have and have not; None where these are not known.

        The worst case is that of each group by itself: of each sentence the text on which fewest of its mentions are
        found.
        """
        if self.audit.trained_on is None:
            return None
        examples = self._examples(self.audit.runs[0])
        records = [
            {
                "mentions_are": name,
                "number": sum((e.outcome.unseen or ()).count(unseen) for e in examples),
                **_cells("before", self._recall((), unseen=unseen)),
                **_cells("after", self._recall(self.audit.runs, unseen=unseen)),
            }
            for unseen, name in ((False, "seen in training"), (True, "unseen"))
        ]
        note = (
            f"Seen: in {self.audit.trained_on}. A mention that an attack replaced counts as what the original was. "
            f"{_ONLY_VALID} The worst case is found for each group by itself: of each sentence the text, clean or "
            "attacked, on which fewest of its mentions are found. Intervals: 95 %, bootstrap."
        )
        return table("By seen and unseen mentions", SEEN, records, [note])

    @property
    def flags(self) -> Table:
        """Which signs the successes show that their labels may no longer be right."""
        count = len(self.successes)
        records = []
        for name, flag in FLAGS.items():
            with_it = sum(name in (own.example.label_risk or ()) for own in self.successes)
            share = Value(with_it / count if count else None, *wilson(with_it, count), count)
            counts = "no" if flag.invalidates else "yes"
            records.append({"flag": name, **_cells("share", share), "counts": counts, "about": flag.meaning})
        return table("Signs that the right answer changed", SIGNS, records, [f"Of {count} successes."])

    def _share(self, successes: Any) -> Value:
        """Return the share of the sentences that are among successes, with Wilson's interval."""
        hit, count = len({own.outcome.sentence_id for own in successes}), len(self.sentences)
        return Value(hit / count if count else None, *wilson(hit, count), count, None if count else "no sentence")

    def _f1(self, counts: Sums, *, interval: bool = True) -> Value:
        value = float(micro_f1(counts.sum(axis=0, keepdims=True))[0])
        low, high = bootstrap(counts, micro_f1, self._clusters) if interval else (None, None)
        return Value(value, low, high, len(counts))

    @property
    def _clusters(self) -> list[Any]:
        return clusters_of(self._examples(self.audit.runs[0]))

    def _examples(self, run: Run) -> list[Example]:
        return [run.examples[name] for name in self.sentences]

    def _outcomes(self, run: Run) -> Iterator[Outcome]:
        return (example.outcome for example in self._examples(run))

    @cached_property
    def _clean(self) -> Sums:
        """(sentences, 3) true positives, predicted, gold."""
        return _counted((o.gold, o.clean) for o in self._outcomes(self.audit.runs[0]))

    def _after(self, run: Run) -> Sums:
        """(sentences, 3) of the texts an attack left."""
        return _counted((o.adversarial_gold, o.adversarial_prediction) for o in self._outcomes(run))

    def _options(self, *, valid: bool = False) -> list[list[Pair]]:
        """Gold and predicted tags of each sentence, clean and after each attack, from which a worst case is chosen.

        Attacks stand by name: of equal texts the first is chosen, and that must not hang on the order of the runs.

        Args:
            valid: clean texts stand for those whose gold labels are likely no longer right.
        """
        runs = sorted(self.audit.runs, key=lambda run: run.spec.attack)
        return [
            [(o.gold, o.clean) for o in self._outcomes(runs[0])],
            *([self._pair(e, valid=valid) for e in self._examples(run)] for run in runs),
        ]

    @staticmethod
    def _pair(example: Example, *, valid: bool) -> Pair:
        outcome = example.outcome
        if valid and _is_invalid(example):
            return outcome.gold, outcome.clean
        return outcome.adversarial_gold, outcome.adversarial_prediction

    def _recall(self, runs: Sequence[Run], *, unseen: bool) -> Value:
        """Return recall of a group of mentions: of each sentence the fewest found, on its clean text or in runs.

        Only texts whose gold labels are likely still right count. One in which a mention was split or lost is passed
        over: it cannot be told which of its mentions are unseen.
        """

        def fewest(example: Example) -> tuple[int, int]:
            clean = recall_counts(example.outcome, "before", unseen=unseen)
            attacked = (run.examples[example.outcome.sentence_id] for run in runs)
            after = (recall_counts(e.outcome, "after", unseen=unseen) for e in attacked if not _is_invalid(e))
            return min([clean, *(found for found in after if found[1] == clean[1])])

        return ratio(self._examples(self.audit.runs[0]), fewest, "no such mention")


def _is_invalid(example: Example) -> bool:
    """Tell whether the gold labels of a text are likely no longer right."""
    return invalidates(example.label_risk or ())


def _counted(pairs: Iterable[Pair], kind: str | None = None) -> Sums:
    """(sentences, 3) true positives, predicted, gold; of all types or of one."""
    return np.array([span_counts(*pair, "strict", kind) for pair in pairs], dtype=np.float64)


def _worst(options: Sequence[Sequence[Pair]], kind: str | None = None) -> RobustF1:
    """Return the worst case, of all types or of one."""
    return robust_f1(np.stack([_counted(pairs, kind) for pairs in options]))


def _records(table: Table) -> list[dict[str, Any]]:
    """Return the rows of a table by column."""
    return [{str(key): value for key, value in row.items()} for row in table.frame.to_dict(orient="records")]


def _cells(key: str, value: Value) -> dict[str, Any]:
    bounds = {f"{key}.low": value.low, f"{key}.high": value.high}
    return {key: value.value, **{name: end for name, end in bounds.items() if end is not None}}
