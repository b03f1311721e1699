"""The engine: questions merged, asked once, in batches; jobs kept apart."""

from __future__ import annotations

import pytest
from stubs import StubVictim, lexicon, sentence

from benchmark.attacking import Assault, Mode
from benchmark.engine import Ask, Engine, Job, Memory, ServiceFailed
from benchmark.finding import ATTACKS
from benchmark.goals import goal_named
from benchmark.threat import Budget
from benchmark.types import Status


class Doubling:
    """Doubles numbers; remembers its batches; fails on the numbers in `bad`."""

    def __init__(self, identity="doubling", bad=(), factor=2):
        self.identity = identity
        self.bad = bad
        self.factor = factor
        self.batches = []

    @property
    def asked(self):
        return [question for batch in self.batches for question in batch]

    def answer(self, questions):
        self.batches.append(list(questions))
        for question in questions:
            if question in self.bad:
                raise ValueError(f"cannot double {question}")
        return [self.factor * question for question in questions]


def asking(service, *rounds):
    """A job's coroutine: ask each round's questions and return all answers."""

    async def walk():
        return [await Ask(service, questions) for questions in rounds]

    return walk


def results(engine, jobs):
    return {done.name: done.error or done.result for done in engine.run(jobs)}


def test_answers_come_back_in_the_order_of_the_questions():
    service = Doubling()
    assert results(Engine(), [Job("a", asking(service, [3, 1, 3, 2]))]) == {"a": [[6, 2, 6, 4]]}
    assert service.batches == [[3, 1, 2]]


def test_each_distinct_question_is_answered_once_across_jobs_and_rounds():
    service = Doubling()
    engine = Engine()
    jobs = [Job(str(k), asking(service, [1, 2, k], [k, 2, 3])) for k in range(10)]
    assert results(engine, jobs) == {str(k): [[2, 4, 2 * k], [2 * k, 4, 6]] for k in range(10)}
    assert sorted(service.asked) == list(range(10))
    assert engine.asked == {"doubling": 60}
    assert engine.forwarded == {"doubling": 10}


def test_questions_of_jobs_that_run_at_once_share_a_batch():
    service = Doubling()
    results(Engine(), [Job(str(k), asking(service, [k])) for k in range(5)])
    assert service.batches == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("batch_size", [1, 3, 7])
def test_no_batch_is_larger_than_allowed(batch_size):
    service = Doubling()
    jobs = [Job(str(k), asking(service, range(10 * k, 10 * k + 10))) for k in range(3)]
    results(Engine(batch_size=batch_size), jobs)
    assert max(map(len, service.batches)) == batch_size
    assert sorted(service.asked) == list(range(30))


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_no_more_jobs_run_at_once_than_allowed(concurrency):
    service = Doubling()
    at_work = set()
    most = []

    def job(name):
        async def walk():
            at_work.add(name)
            for k in range(4):
                most.append(len(at_work))
                await Ask(service, [k])
            at_work.remove(name)

        return Job(name, walk)

    results(Engine(concurrency=concurrency), [job(str(k)) for k in range(12)])
    assert max(most) == concurrency


def test_a_job_is_taken_from_the_queue_only_when_its_turn_comes():
    service = Doubling()
    taken = []

    def queue():
        for k in range(10):
            taken.append(k)
            yield Job(str(k), asking(service, [k]))

    running = Engine(concurrency=2).run(queue())
    next(running)
    assert len(taken) == 2


def test_memory_is_bounded_and_forgets_what_was_used_longest_ago():
    service = Doubling()
    memory = Memory(3)
    engine = Engine(concurrency=1, memory=memory)
    rounds = [[1], [2], [3], [1], [4], [1], [2]]
    assert results(engine, [Job("a", asking(service, *rounds))]) == {"a": [[2], [4], [6], [2], [8], [2], [4]]}
    assert service.asked == [1, 2, 3, 4, 2]
    assert len(memory) == 3


@pytest.mark.parametrize("entries", [0, 1, 5])
def test_answers_are_right_though_memory_is_smaller_than_a_round(entries):
    service = Doubling()
    memory = Memory(entries)
    engine = Engine(memory=memory)
    jobs = [Job(str(k), asking(service, range(k, k + 20), range(k, k + 20))) for k in range(3)]
    wanted = {str(k): [[2 * i for i in range(k, k + 20)]] * 2 for k in range(3)}
    assert results(engine, jobs) == wanted
    assert len(memory) <= entries


def test_services_with_the_same_identity_share_memory_and_others_do_not():
    first, same, other = Doubling("two"), Doubling("two"), Doubling("three", factor=3)
    jobs = [Job("a", asking(first, [1])), Job("b", asking(same, [1])), Job("c", asking(other, [1]))]
    assert results(Engine(concurrency=1), jobs) == {"a": [[2]], "b": [[2]], "c": [[3]]}
    assert first.asked + same.asked == [1]
    assert other.asked == [1]


def test_one_job_may_ask_several_services():
    two, three = Doubling("two"), Doubling("three", factor=3)

    async def walk():
        (a,) = await Ask(two, [5])
        (b,) = await Ask(three, [a])
        return b

    assert results(Engine(), [Job("a", walk)]) == {"a": 30}


def test_asking_nothing_is_answered_with_nothing():
    service = Doubling()
    assert results(Engine(), [Job("a", asking(service, [], [1]))]) == {"a": [[], [2]]}
    assert service.batches == [[1]]


def test_a_job_that_asks_nothing_ends():
    async def walk():
        return 7

    assert results(Engine(), [Job("a", walk)]) == {"a": 7}
    assert results(Engine(), []) == {}


def test_a_job_that_fails_does_not_disturb_the_others():
    service = Doubling()

    async def failing():
        await Ask(service, [1])
        raise RuntimeError("mine alone")

    done = results(Engine(), [Job("a", asking(service, [1], [2])), Job("b", failing), Job("c", asking(service, [3]))])
    assert str(done.pop("b")) == "mine alone"
    assert done == {"a": [[2], [4]], "c": [[6]]}


def test_a_failing_question_fails_only_the_jobs_that_asked_it():
    service = Doubling(bad={13})
    jobs = [Job("a", asking(service, [1, 2])), Job("b", asking(service, [2, 13])), Job("c", asking(service, [13]))]
    done = results(Engine(), jobs)
    assert done["a"] == [[2, 4]]
    assert str(done["b"]) == str(done["c"]) == "ValueError: cannot double 13"
    assert done["b"] is not done["c"]  # one exception in two coroutines would gather both their frames
    assert done["b"].__cause__ is done["c"].__cause__


def test_a_job_may_catch_the_failure_of_its_question_and_go_on():
    service = Doubling(bad={13})

    async def walk():
        try:
            await Ask(service, [13])
        except ServiceFailed:
            return await Ask(service, [1])

    assert results(Engine(), [Job("a", walk)]) == {"a": [2]}


def test_a_failure_is_not_remembered():
    service = Doubling(bad={13})

    async def walk():
        try:
            await Ask(service, [13])
        except ServiceFailed:
            service.bad = ()
        return await Ask(service, [13])

    assert results(Engine(), [Job("a", walk)]) == {"a": [26]}


def test_a_service_that_forgets_answers_fails_the_jobs_that_asked_and_no_others():
    class Forgetful(Doubling):
        def answer(self, questions):
            return super().answer(questions)[:-1]

    jobs = [Job("a", asking(Forgetful("forgetful"), [1, 2])), Job("b", asking(Doubling(), [1]))]
    done = results(Engine(), jobs)
    assert isinstance(done["a"], Exception)
    assert done["b"] == [[2]]


def test_jobs_are_yielded_as_they_end():
    service = Doubling()
    jobs = [Job("slow", asking(service, [1], [2], [3])), Job("fast", asking(service, [1]))]
    assert [done.name for done in Engine().run(jobs)] == ["fast", "slow"]


NAMES = {"Ana": "B-PER", "Bo": "B-PER", "Rome": "B-LOC", "Acme": "B-ORG"}
TEXTS = [
    sentence(f"{'very ' * (k % 3)}good {name} met {other} number{k} .", f"{'O ' * (k % 3)}O {tag} O {more} O O", str(k))
    for k, ((name, tag), (other, more)) in enumerate(
        [(a, b) for a in NAMES.items() for b in NAMES.items() if a != b] * 2
    )
]


@pytest.mark.parametrize("attack", ["random-edit", "deepwordbug-i", "casing"])
@pytest.mark.parametrize("mode", list(Mode))
def test_outcomes_do_not_depend_on_concurrency_batch_size_memory_or_order(attack, mode):
    def outcomes(texts=TEXTS, **options):
        victim = StubVictim(lexicon(NAMES))
        assault = Assault(ATTACKS.get(attack)(), victim, goal_named("untargeted-strict"), mode, Budget(40), 0)
        return {done.name: done.result for done in Engine(**options).run(assault.job(text) for text in texts)}

    wanted = outcomes(concurrency=64)
    assert len(wanted) == len(TEXTS)
    assert any(outcome.status is Status.SUCCESS for outcome in wanted.values())
    for options in (
        {"concurrency": 1},
        {"concurrency": 16},
        {"concurrency": 16, "batch_size": 3},
        {"concurrency": 64, "memory": Memory(5)},
        {"texts": TEXTS[::-1], "concurrency": 16},
    ):
        assert outcomes(**options) == wanted
