"""The engine: many sentences attacked at once, their questions merged into full batches.

An attack on one sentence is a coroutine. Where it needs a model (the victim, a language model, an encoder) it awaits
`Ask(service, questions)`. The engine runs up to `concurrency` coroutines until every one of them waits, puts together
what they ask of each service, leaves out what was asked before, lets each service answer in batches, and hands the
answers back. That is all: one process, one thread, no clock, so that the same attacks ask the same questions whatever
the concurrency, the batch size or the order.

What a service must promise in return is that its answer to a question does not depend on the other questions of the
batch. `victims.transformer` tells how a neural network keeps that promise.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Generator, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

__all__ = ["BATCH_SIZE", "CONCURRENCY", "Ask", "Done", "Engine", "Job", "Memory", "Service", "ServiceFailed"]

# The more sentences at once, the fuller the batches. DeepWordBug on 256 sentences, pieces forwarded (padding and rows
# that only fill up among them) to pieces there are: 64 at once 1.19, 128 1.14, 256 1.13; all texts in one go 1.07.
CONCURRENCY = 256
# All questions of a step at once: services sort them by length, and at the end of a batch cores wait for one another.
BATCH_SIZE = 16_384

Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")
R = TypeVar("R")
Q_contra = TypeVar("Q_contra", bound=Hashable, contravariant=True)
A_co = TypeVar("A_co", covariant=True)


class Service(Protocol[Q_contra, A_co]):
    """Something that answers questions in batches: a victim, a language model, an encoder.

    `identity` names model, weights and settings: answers are remembered under it. A service whose answers are too large
    to be kept has an attribute `remembered` that is False.
    """

    @property
    def identity(self) -> str:
        """Name of the model and its settings; two services share remembered answers only if it is the same."""

    def answer(self, questions: Sequence[Q_contra]) -> Sequence[A_co]:
        """Answer each question, independently of the others."""


class Ask(Generic[Q, A]):
    """`answers = await Ask(service, questions)`: one answer a question, in order."""

    def __init__(self, service: Service[Q, A], questions: Sequence[Q]) -> None:
        self.service = service
        self.questions = questions

    def __await__(self) -> Generator[Ask[Q, A], list[A], list[A]]:
        return (yield self)


class Job(NamedTuple):
    """A named coroutine to be: `start()` is called when its turn comes, so waiting jobs cost nothing."""

    name: str
    start: Callable[[], Coroutine[Any, Any, Any]]


class Done(NamedTuple):
    """A finished job: its result, or the exception that ended it."""

    name: str
    result: Any
    error: Exception | None


class ServiceFailed(Exception):  # noqa: N818 - what happened, from the job's point of view
    """A service could not answer a job's question; `__cause__` is the service's own error."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}")
        self.__cause__ = cause


class Memory:
    """Answers of services, so that no question is answered twice; may be shared by the engines of many runs.

    Args:
        entries: how many answers are kept; the ones used longest ago go first.
    """

    def __init__(self, entries: int = 200_000) -> None:
        self._entries = entries
        self._answers: OrderedDict[_Key, Any] = OrderedDict()

    def __contains__(self, key: _Key) -> bool:
        return key in self._answers

    def __len__(self) -> int:
        return len(self._answers)

    def recall(self, key: _Key) -> Any:
        """Return an answer that is there."""
        self._answers.move_to_end(key)
        return self._answers[key]

    def keep(self, key: _Key, answer: Any) -> None:
        """Remember an answer."""
        self._answers[key] = answer

    def forget_oldest(self) -> None:
        """Let go of what is too much."""
        while len(self._answers) > self._entries:
            self._answers.popitem(last=False)


class Engine:
    """Runs jobs in lockstep; see the module's text.

    Args:
        concurrency: how many jobs run at once.
        batch_size: how many questions a service is given at a time. A victim may cut them smaller.
        memory: of answers given before; its own if None.

    Attributes:
        asked: questions put to each service, by identity, repeats included.
        forwarded: questions that the service really had to answer.
    """

    def __init__(
        self, concurrency: int = CONCURRENCY, batch_size: int = BATCH_SIZE, memory: Memory | None = None
    ) -> None:
        self.concurrency = concurrency
        self.batch_size = batch_size
        self.asked: dict[str, int] = {}
        self.forwarded: dict[str, int] = {}
        self._memory = Memory() if memory is None else memory

    def run(self, jobs: Iterable[Job]) -> Iterator[Done]:
        """Run the jobs and yield each as it ends. A job that fails does not disturb the others."""
        queue = iter(jobs)
        running: list[_Running] = []
        while True:
            free = self.concurrency - len(running)
            running += [_Running(job.name, job.start()) for job in itertools.islice(queue, free)]
            if not running:
                return
            answers = self._answer_all([r.question for r in running if r.question is not None])
            still_running = []
            for r in running:
                done = r.resume(answers)
                if done is None:
                    still_running.append(r)
                else:
                    yield done
            running = still_running

    def _answer_all(self, asks: list[Ask[Any, Any]]) -> _Answers:
        """Answer everything that is waited for, each distinct question once."""
        answers: _Answers = {}
        services = {ask.service.identity: ask.service for ask in asks}
        for identity, service in services.items():
            new: dict[Hashable, None] = {}
            for ask in asks:
                if ask.service.identity != identity:
                    continue
                self.asked[identity] = self.asked.get(identity, 0) + len(ask.questions)
                for question in ask.questions:
                    key = (identity, question)
                    if key in self._memory:
                        answers[key] = self._memory.recall(key)
                    else:
                        new[question] = None
            questions = list(new)
            self.forwarded[identity] = self.forwarded.get(identity, 0) + len(questions)
            for start in range(0, len(questions), self.batch_size):
                batch = questions[start : start + self.batch_size]
                for question, answer in zip(batch, _answers_or_errors(service, batch), strict=True):
                    key = (identity, question)
                    answers[key] = answer
                    if getattr(service, "remembered", True) and not isinstance(answer, Exception):
                        self._memory.keep(key, answer)
        self._memory.forget_oldest()
        return answers


_Key = tuple[str, Hashable]
_Answers = dict[_Key, Any]


@dataclass(slots=True)
class _Running:
    """A started job and the question it waits for (none at its very start)."""

    name: str
    coroutine: Coroutine[Any, Any, Any]
    question: Ask[Any, Any] | None = None

    def resume(self, answers: _Answers) -> Done | None:
        """Hand over the answers, run to the next question; return the job if that was its end."""
        try:
            if self.question is None:
                self.question = self.coroutine.send(None)
            else:
                identity = self.question.service.identity
                mine = [answers[identity, question] for question in self.question.questions]
                error = next((answer for answer in mine if isinstance(answer, Exception)), None)
                self.question = self.coroutine.throw(ServiceFailed(error)) if error else self.coroutine.send(mine)
        except StopIteration as end:
            return Done(self.name, end.value, None)
        except Exception as error:  # noqa: BLE001 - whatever an attack raises becomes its error row
            return Done(self.name, None, error)
        return None


def _answers_or_errors(service: Service[Any, Any], batch: list[Any]) -> list[Any]:
    """Answer a batch; if it fails, halve it again and again, so that only the guilty question's job sees the error."""
    try:
        answers = list(service.answer(batch))
        if len(answers) != len(batch):
            raise RuntimeError(f"{service.identity} gave {len(answers)} answers to {len(batch)} questions")
        return answers
    except Exception as error:  # noqa: BLE001 - handed to the jobs that asked
        failure = error
    if len(batch) == 1:
        return [failure]
    half = len(batch) // 2
    return [answer for part in (batch[:half], batch[half:]) for answer in _answers_or_errors(service, part)]
