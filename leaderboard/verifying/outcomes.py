"""Does each stored outcome agree with itself, the goal, the threat model and the budget? No model is asked.

Where the data set is at hand this is asked of the real sentences, elsewhere of placeholders in their stead: which
tokens an edit touches, whether gold labels follow it and whether the tags that came out reach the goal depends on
positions and tags alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from benchmark.alignment import CASINGS, adversarial_sentence, edit_script
from benchmark.attacking import Mode
from benchmark.errors import BadInput
from benchmark.goals import Clean, Goal, goal_named, kind
from benchmark.label_risk import FLAGS, label_risk
from benchmark.metrics import Example
from benchmark.threat import Access, ThreatModel, Touch
from benchmark.types import TOO_LONG, Edit, Operation, Outcome, Prediction, Sentence, Status
from leaderboard.plain_text import shown
from leaderboard.verifying.finding import Finding
from leaderboard.verifying.stored_run import StoredRun

__all__ = ["Fault", "Rules", "faults_in", "outcome_faults", "placeholder"]

_TOLERANCE = 1.5e-6  # scores are stored with six digits
_LOWEST_THRESHOLD = 0.1  # of the mode "escalate"
# These signs follow from positions alone.
_WITHOUT_TEXT = ("mention-edited", "mention-split", "mention-lost")
# covers (None: two or more), number of words
_SHAPES: Mapping[Operation, tuple[int | None, int]] = {
    Operation.REPLACE: (1, 1),
    Operation.RECASE: (1, 1),
    Operation.INSERT: (0, 1),
    Operation.DELETE: (1, 0),
    Operation.MERGE: (None, 1),
}


class Fault(NamedTuple):
    """What is wrong with one outcome."""

    field: str
    wrong: str
    expected: str


@dataclass(frozen=True)
class Rules:
    """What an outcome is held to.

    Attributes:
        goal: what counts as success.
        mode: when to stop.
        queries: budget.
        threat: what may be seen and touched.
        tells_unseen: whether mentions are told as seen or unseen in training.
        judges: names by what is judged.
    """

    goal: Goal
    mode: Mode
    queries: int
    threat: ThreatModel
    tells_unseen: bool = False
    judges: Mapping[str, str] = field(default_factory=dict)


def outcome_faults(run: StoredRun, originals: Mapping[str, Sentence]) -> Iterator[Finding]:
    """Yield what does not agree, sentence by sentence.

    Args:
        run: as read.
        originals: sentences by id, as far as they are at hand.
    """
    if run.spec is None or run.examples is None:
        return
    ids = tuple(example.outcome.sentence_id for example in run.examples)
    if ids != run.spec.sentence_ids:
        pairs = enumerate(zip(ids, run.spec.sentence_ids, strict=False))
        at = next((k for k, (here, there) in pairs if here != there), min(len(ids), len(run.spec.sentence_ids)))
        told = f"those of spec.json in their order; {len(ids)} here, {len(run.spec.sentence_ids)} there"
        yield run.finding("examples.parquet", "sentence_id", f"other ids, first in row {at}", told)
    rules = Rules(
        goal_named(run.spec.goal),
        Mode(run.spec.mode),
        run.spec.queries,
        ThreatModel(Access[run.spec.access.upper()], Touch(run.spec.touch)),
        run.spec.train_hash is not None,
        run.judges,
    )
    for number, example in enumerate(run.examples):
        name = example.outcome.sentence_id
        for fault in faults_in(example, originals.get(name), rules):
            yield run.finding("examples.parquet", f"row {number} ({name}).{fault.field}", fault.wrong, fault.expected)


def faults_in(example: Example, original: Sentence | None, rules: Rules) -> Iterator[Fault]:
    """Yield what is wrong with one outcome.

    Args:
        example: the outcome, with what judges said.
        original: the sentence; None if it is not at hand.
        rules: what it is held to.
    """
    outcome = example.outcome
    try:
        original = original or placeholder(outcome)
    except BadInput as error:
        yield Fault("gold", "no tags of a sentence", str(error))
        return
    faults = [*_length_faults(outcome, original, rules)]
    yield from faults
    yield from _count_faults(outcome, rules)
    yield from _judgement_faults(example, rules.judges)
    if not faults:
        yield from _status_faults(outcome, Clean(original, Prediction(outcome.clean), ()), rules.goal)
        if outcome.status is Status.SUCCESS:
            yield from _success_faults(example, original, rules)


def placeholder(outcome: Outcome) -> Sentence:
    """Return a sentence with the outcome's gold tags and made-up tokens, all different and in mixed case.

    Raises:
        BadInput: the gold tags are no IOB2.
    """
    tokens = tuple(f"aB{i}" for i in range(outcome.length))
    return Sentence(outcome.sentence_id, tokens, outcome.gold, document=outcome.document)


def _length_faults(outcome: Outcome, original: Sentence, rules: Rules) -> Iterator[Fault]:
    if len(outcome.gold) != outcome.length:
        yield Fault("gold", f"{len(outcome.gold)} tags", f"{outcome.length}, one a token")
    broke_off_at_once = outcome.status is Status.ERROR and not outcome.clean
    if len(outcome.clean) != outcome.length and not broke_off_at_once:
        yield Fault("clean", f"{len(outcome.clean)} tags", f"{outcome.length}, one a token")
    if (outcome.unseen is not None) is not rules.tells_unseen:
        told = "one answer a mention, as there is" if rules.tells_unseen else "nothing, as there is no"
        yield Fault("unseen", shown(outcome.unseen), f"{told} training split")
    elif outcome.unseen is not None and len(outcome.unseen) != len(original.spans):
        yield Fault("unseen", f"{len(outcome.unseen)} answers", f"{len(original.spans)}, one a gold mention")
    if outcome.attributions is not None and len(outcome.attributions) != outcome.length:
        yield Fault("attributions", f"{len(outcome.attributions)} shares", f"{outcome.length}, one a token")
    if any(k >= outcome.length for k in outcome.chosen):
        yield Fault("chosen", shown(outcome.chosen), f"indices below {outcome.length}")


def _count_faults(outcome: Outcome, rules: Rules) -> Iterator[Fault]:
    if outcome.queries > rules.queries:
        yield Fault("queries", f"{outcome.queries} in all", f"at most {rules.queries}, the budget")
    access = rules.threat.access
    if outcome.gradient_queries and access is not Access.GRADIENTS:
        yield Fault(
            "gradient_queries", str(outcome.gradient_queries), f"0, as the attack sees {access.name.lower()} only"
        )
    at = outcome.queries_to_success
    if (at is not None) is not (outcome.status is Status.SUCCESS) or (at is not None and at > outcome.queries):
        yield Fault("queries_to_success", shown(at), f"a query of the {outcome.queries} if it succeeded, else nothing")
    asked = outcome.search_queries + outcome.constraint_queries
    if outcome.forwards > asked + 1:
        yield Fault("forwards", str(outcome.forwards), f"at most {asked + 1}: the texts asked, and the clean one")
    if outcome.status is Status.SKIPPED and outcome.queries:
        yield Fault("queries", f"{outcome.queries} in all", "0, as the sentence was skipped")
    steps = outcome.trajectory
    if any(a[0] >= b[0] or a[1] > b[1] for a, b in pairwise(steps)) or (steps and steps[-1][0] > outcome.queries):
        yield Fault(
            "trajectory", "goes back", f"queries up to {outcome.queries} that rise, confidences that do not fall"
        )


def _judgement_faults(example: Example, judges: Mapping[str, str]) -> Iterator[Fault]:
    for name in ("similarity", "grammar_errors", "label_risk", "fluency"):
        value = getattr(example, name)
        if example.outcome.status is not Status.SUCCESS and value is not None:
            yield Fault(name, shown(value), "nothing, as the attack did not succeed")
        elif value is not None and name not in judges:
            yield Fault(name, shown(value), "nothing, as no judge is named in the metadata")
        elif example.outcome.status is Status.SUCCESS and value is None and name in judges and name != "fluency":
            yield Fault(name, "nothing", f"a judgement by {judges[name][:80]}")
    flags = example.label_risk or ()
    if tuple(flag for flag in FLAGS if flag in flags) != flags:
        yield Fault("label_risk", shown(flags), f"each sign once, in this order: {', '.join(FLAGS)}")


def _status_faults(outcome: Outcome, clean: Clean, goal: Goal) -> Iterator[Fault]:
    """Yield a status that is not what the tags say."""
    unusable = goal.unusable(clean) if outcome.clean else None
    if outcome.status is Status.SKIPPED and outcome.reason not in {unusable, TOO_LONG}:
        yield Fault(
            "status", f"skipped ({shown(outcome.reason)})", f"an attack: the goal {goal.name} has what it needs"
        )
    if outcome.status in {Status.SUCCESS, Status.FAILED} and unusable is not None:
        yield Fault("status", outcome.status.value, f"skipped: {unusable}")
    if outcome.status is Status.ERROR and not outcome.reason:
        yield Fault("reason", "nothing", "where the attack broke off")
    if outcome.status is Status.FAILED and outcome.reason is not None:
        yield Fault("reason", shown(outcome.reason), "nothing, as the attack ended by itself")
    if outcome.status is Status.SUCCESS:
        return
    if outcome.edits or outcome.adversarial_gold != outcome.gold or outcome.adversarial_prediction != outcome.clean:
        yield Fault("edits", "another text", f"the original, as the status is {outcome.status.value}")
    if outcome.score:
        yield Fault("score", shown(outcome.score), f"0, as the status is {outcome.status.value}")


def _success_faults(example: Example, original: Sentence, rules: Rules) -> Iterator[Fault]:
    """Yield what is wrong with an adversarial example."""
    outcome = example.outcome
    adversarial = _played_back(outcome, original)
    if not isinstance(adversarial, Sentence):
        yield from adversarial
        return
    if edit_script(original, adversarial) != outcome.edits:
        yield Fault("edits", "not the canonical script", "what `alignment.edit_script` makes of the two texts")
    if objection := rules.threat.objection(original, adversarial):
        yield Fault("edits", objection, f"edits within the threat model (touch: {rules.threat.touch.value})")
    yield from _gold_faults(original, adversarial)
    clean = Clean(original, Prediction(outcome.clean), ())
    score = rules.goal.label_score(clean, adversarial, outcome.adversarial_prediction)
    if score <= 0 or (rules.mode is Mode.ESCALATE and score < _LOWEST_THRESHOLD):
        yield Fault("status", "success", f"failed: the tags do not fool the victim under {rules.goal.name}")
    elif abs(score - outcome.score) > _TOLERANCE:
        yield Fault("score", shown(outcome.score), f"{score:.6f} under {rules.goal.name}")
    if example.label_risk is not None:
        signs = label_risk(original, adversarial, (), 0, None)
        hidden = [sign for sign in _WITHOUT_TEXT if (sign in signs) is not (sign in example.label_risk)]
        for sign in hidden:
            told = f"{sign} {'too' if sign in signs else 'not among them'}, as the edits show"
            yield Fault("label_risk", shown(example.label_risk), told)


def _played_back(outcome: Outcome, original: Sentence) -> Sentence | list[Fault]:
    """Return the adversarial example, or why the record makes none."""
    if not outcome.edits:
        return [Fault("edits", "none", "at least one, as the status is success")]
    if faults := list(_shape_faults(outcome)):
        return faults
    try:
        adversarial = adversarial_sentence(original, outcome.edits, outcome.adversarial_gold)
    except BadInput as error:
        return [Fault("edits", "do not make a sentence", str(error))]
    tags = len(outcome.adversarial_prediction)
    if tags != len(adversarial):
        return [Fault("adversarial_prediction", f"{tags} tags", f"{len(adversarial)}, one a token")]
    return adversarial


def _shape_faults(outcome: Outcome) -> Iterator[Fault]:
    """Yield edits that are no edits of their kind."""
    for k, edit in enumerate(outcome.edits):
        if edit.operation is Operation.PARAPHRASE:
            told = _paraphrase_fault(edit, outcome)
        else:
            covers, words = _SHAPES[edit.operation]
            fits = edit.covers == covers if covers is not None else edit.covers > 1
            casing = edit.operation is not Operation.RECASE or edit.words[:1] in {(name,) for name in CASINGS}
            told = None if fits and len(edit.words) == words and not edit.sources and casing else "its own form"
        if told:
            yield Fault(f"edits.{k}", shown(edit.to_json()), f"{edit.operation} to have {told}")


def _paraphrase_fault(edit: Edit, outcome: Outcome) -> str | None:
    if len(outcome.edits) > 1 or (edit.at, edit.covers) != (0, outcome.length):
        return "the whole sentence to itself"
    if not edit.words or len(edit.words) != len(edit.sources):
        return "sources for each word"
    if any(not word and len(source) != 1 for word, source in zip(edit.words, edit.sources, strict=True)):
        return "one source for each word that is kept"
    used = [k for source in edit.sources for k in source]
    if len(used) != len(set(used)) or any(k >= outcome.length for k in used):
        return f"each of the {outcome.length} original tokens as a source once at most"
    return None


def _gold_faults(original: Sentence, adversarial: Sentence) -> Iterator[Fault]:
    """Yield gold labels that did not follow the edits: what was outside stays outside, and mentions keep their type.

    A mention that was replaced as a whole may have another type (`Sentence.replace_span`).
    """
    for i, source in enumerate(adversarial.sources):
        if source and original.inside(source[0]) is not adversarial.inside(i):
            told = f"{original.tags[source[0]]}, as token {source[0]} of the original"
            yield Fault(f"adversarial_gold.{i}", adversarial.tags[i], told)
    for span in adversarial.spans:
        places = range(span.start, span.end)
        types = {kind(original.tags[k]) for i in places for k in adversarial.sources[i]} - {"O"}
        kept = any(adversarial.tokens[i] == original.tokens[k] for i in places for k in adversarial.sources[i])
        if not types or (kept and types != {span.type}):
            told = f"{' or '.join(sorted(types)) or 'O'}, as in the original"
            yield Fault(f"adversarial_gold.{span.start}", adversarial.tags[span.start], told)
