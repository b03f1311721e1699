"""What tests of attacks stand in: a sentence, a victim, a probe, an engine."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from stubs import StubLandscape, StubTagger, StubVictim, StubWhiteBox, lexicon, sentence, stub_resources

from benchmark.alignment import adversarial_sentence
from benchmark.attacking import Assault, Mode
from benchmark.contracts import Attack, Victim
from benchmark.engine import Done, Engine, Job
from benchmark.goals import Clean, goal_named
from benchmark.probe import AttackOver, Probe, VictimService, rng_for
from benchmark.resources.tagging import TaggedWord
from benchmark.threat import Budget, ThreatModel
from benchmark.types import Outcome, Sentence

KNOWN = {"Ana": "B-PER", "Ruiz": "I-PER", "Rome": "B-LOC"}
TEXT = sentence("Ana Ruiz told traders that 3 markets near Rome fell .", "B-PER I-PER O O O O O O B-LOC O O")
# Words that may be replaced: not the mentions, not "that" and "near", not the full stop.
EDITABLE = [2, 3, 5, 6, 9]
# Taggers to whom all words are nouns, and to whom some are verbs.
NOUNS = StubTagger(lambda _: TaggedWord("NOUN", "NN"))
VERBS = StubTagger(lambda word: TaggedWord({"told": "VERB", "fell": "VERB", "3": "NUM"}.get(word.lower(), "NOUN"), ""))


def unmoved() -> StubWhiteBox:
    """A victim that knows the names wherever they stand."""
    return StubWhiteBox(lexicon(KNOWN))


def wavering() -> StubLandscape:
    """A victim that doubts the names more with every word that is not as it was, but never enough to miss them."""
    return StubLandscape(KNOWN, lambda tokens: 0.02 * len(set(tokens) - set(TEXT.tokens)))


def outcome_of(
    attacker: Attack,
    victim: Victim | None = None,
    text: Sentence = TEXT,
    *,
    goal: str = "untargeted-strict",
    mode: str = "first-success",
    budget: int = 512,
    seed: int = 0,
    **instead: Any,
) -> Outcome:
    """Attack one sentence; an attack that breaks off has an outcome as well.

    Args:
        attacker: with its parameters.
        victim: a new one that knows `KNOWN` if none is given.
        text: with gold tags.
        goal: its name.
        mode: its name.
        budget: queries.
        seed: of the attack's random numbers.
        instead: resources in the place of stubs, by kind.
    """
    resources = stub_resources(**instead)
    assault = Assault(
        attacker, victim or unmoved(), goal_named(goal), Mode(mode), Budget(budget), seed, resources=resources
    )
    return driven(assault.run(text))


def attacked(attacker: Attack, victim: Victim | None = None, text: Sentence = TEXT, **options: Any) -> Outcome:
    """Attack one sentence as `outcome_of` does; the attack must neither break off nor pass the sentence over."""
    outcome = outcome_of(attacker, victim, text, **options)
    assert not outcome.reason, outcome.reason
    return outcome


def perturbed(attacker: Attack, text: Sentence, seed: int = 0, **options: Any) -> Sentence:
    """Return the text that an attack makes which does not ask the victim."""
    outcome = attacked(attacker, text=text, goal="perturbed", seed=seed, **options)
    return adversarial_sentence(text, outcome.edits, outcome.adversarial_gold)


def searched(
    search: Callable[[Probe], Coroutine[Any, Any, Any]],
    victim: StubVictim,
    text: Sentence,
    *,
    goal: str = "untargeted-strict",
    budget: int = 100,
    threshold: float | None = None,
) -> tuple[Probe, Done]:
    """Drive a search as a part of an attack is driven; return its probe and how it ended.

    Args:
        search: given the probe; may end by itself, at the goal or with the budget.
        victim: afterwards it has been asked what the search asked, the clean text left out.
        text: with gold tags.
        goal: its name.
        budget: queries.
        threshold: label score that is a success; None for any above zero.
    """
    (prediction,) = victim.predict([text.tokens])
    victim.asked.clear()
    clean = Clean(text, prediction, victim.labels)
    probe = Probe(VictimService(victim), clean, goal_named(goal), ThreatModel(), Budget(budget), rng_for(0))
    probe.aim(threshold)
    (done,) = Engine().run([Job("search", lambda: search(probe))])
    if done.error and not isinstance(done.error, AttackOver):
        raise done.error
    return probe, done


def driven(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that may ask services; return its result or raise its error."""
    (done,) = Engine().run([Job("test", lambda: coroutine)])
    if done.error:
        raise done.error
    return done.result
