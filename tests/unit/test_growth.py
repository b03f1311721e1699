"""What grows with the number of sentences: the work, linearly; the memory, not at all once it is full."""

from __future__ import annotations

import tracemalloc
from typing import NamedTuple

import pytest
from stubs import StubVictim, lexicon

from benchmark.attacking import Assault, Mode
from benchmark.engine import Engine, Memory
from benchmark.finding import attack_named
from benchmark.goals import goal_named
from benchmark.threat import Budget
from benchmark.types import Prediction, Sentence

NUMBERS = (50, 100, 200, 400)
TYPES = ("PER", "LOC", "ORG")


class Work(NamedTuple):
    forwards: int
    tokens: int
    asked: int
    peak: int


class Counting(StubVictim):
    """Counts the tokens it reads."""

    def __init__(self, known):
        super().__init__(lexicon(known))
        self.tokens = 0

    def predict(self, batch) -> list[Prediction]:
        self.tokens += sum(map(len, batch))
        answers = super().predict(batch)
        self.asked.clear()  # the stub's own memory is not what is measured
        return answers


def texts(number):
    """Sentences alike in all but their words, so that equal work is expected of each."""
    made, known = [], {}
    for k in range(number):
        name, place = f"Name{k}", f"Place{k}"
        known |= {name: f"B-{TYPES[k % 3]}", place: "B-LOC"}
        words = (name, *(f"word{k}x{i}" for i in range(12)), place, ".")
        made.append(Sentence(f"s{k}", words, (known[name], *("O",) * 12, "B-LOC", "O")))
    return made, known


def work(number) -> Work:
    sentences, known = texts(number)
    victim = Counting(known)
    attacker = attack_named("deepwordbug-ii", {})
    assault = Assault(attacker, victim, goal_named("untargeted-strict"), Mode.FIRST_SUCCESS, Budget(512), 0)
    engine = Engine(concurrency=16, memory=Memory(entries=500))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        ended = sum(1 for _ in engine.run(assault.job(sentence) for sentence in sentences))
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert ended == number
    return Work(sum(engine.forwarded.values()), victim.tokens, sum(engine.asked.values()), peak)


@pytest.fixture(scope="module")
def measured():
    return {number: work(number) for number in NUMBERS}


def test_forwards_queries_and_tokens_grow_linearly(measured):
    for number in NUMBERS[1:]:
        for count in ("forwards", "tokens", "asked"):
            a_sentence = getattr(measured[NUMBERS[0]], count) / NUMBERS[0]
            assert getattr(measured[number], count) / number == pytest.approx(a_sentence, rel=0.05), count


def test_memory_does_not_grow_once_it_is_full(measured):
    """Fifty sentences ask more than the 500 answers that are kept."""
    assert measured[50].forwards > 2 * 500
    for number in NUMBERS[1:]:
        assert measured[number].peak < 1.1 * measured[50].peak
