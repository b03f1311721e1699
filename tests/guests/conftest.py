"""Guests are tested in their own environment (`make test-guests`); elsewhere only what needs none of their packages."""

from __future__ import annotations

import hashlib
import socket
from importlib.util import find_spec

import numpy as np
import pytest
from stubs import LABELS, sentence

from benchmark.attacking import Assault, Mode
from benchmark.engine import Engine
from benchmark.finding import attack_named
from benchmark.goals import goal_named
from benchmark.threat import Access, Budget
from benchmark.types import Prediction

# In the guests' environment all of them must be importable, or collecting the tests fails.
if find_spec("textattack") is None and find_spec("OpenAttack") is None:
    collect_ignore = [
        "test_comparison.py",
        "test_every_guest.py",
        "test_openattack.py",
        "test_same_path.py",
        "test_switching.py",
        "test_textattack.py",
    ]

NAMES = {"Ana": "B-PER", "Ruiz": "I-PER", "Tallinn": "B-ORG", "Water": "I-ORG", "Chad": "B-LOC", "Kenyan": "B-MISC"}


class DoubtfulVictim:
    """Knows six names by heart, is sure of the texts it was trained on, and doubts its answer to any other.

    The doubt follows from the whole text, so that every edit moves the scores, and no two texts score the same.

    Args:
        trained_on: sentences.
        doubt: at most; from about 0.46 on an answer is wrong.
    """

    name, labels, access, fingerprint, settings = "doubtful", LABELS, Access.SCORES, "doubtful", {}
    unknown_word = "[UNK]"

    def __init__(self, trained_on, doubt=0.6):
        self.asked = []
        self._known = {sentence.tokens for sentence in trained_on}
        self._doubt = doubt

    def fits(self, tokens):
        return True

    def predict(self, batch):
        self.asked += batch
        return [self._predict(tokens) for tokens in batch]

    def _predict(self, tokens):
        rows = np.full((len(tokens), len(LABELS)), 0.01)
        chance = int(hashlib.sha256(" ".join(tokens).encode()).hexdigest()[:6], 16) / 0xFFFFFF
        doubt = 0.05 if tokens in self._known else self._doubt * chance
        for i, token in enumerate(tokens):
            wanted = LABELS.index(NAMES.get(token, "O"))
            rows[i, wanted] = 0.92 - doubt if wanted else 0.92
            rows[i, 0 if wanted else 7] += doubt if wanted else 0
        return Prediction(tuple(LABELS[k] for k in rows.argmax(axis=1)), rows.astype(np.float32))


def attacked(attack, victim, sentences, *, queries=100, concurrency=64, reverse=False, **coordinates):
    """Outcomes in the order of the sentences; `attack` is a name or an attack."""
    attack = attack_named(attack, coordinates.pop("parameters", {})) if isinstance(attack, str) else attack
    goal, mode = coordinates.pop("goal", "untargeted-strict"), Mode(coordinates.pop("mode", "first-success"))
    assault = Assault(attack, victim, goal_named(goal), mode, Budget(queries), coordinates.pop("seed", 0))
    assert not coordinates
    jobs = [assault.job(sentence) for sentence in (reversed(sentences) if reverse else sentences)]
    done = {job.name: job.result for job in Engine(concurrency=concurrency).run(jobs)}
    return [done[sentence.id] for sentence in sentences]


SENTENCES = [
    sentence("Ana Ruiz left Tallinn Water on Friday .", "B-PER I-PER O B-ORG I-ORG O O O", "a"),
    sentence("two Kenyan runners , it was said , crossed Chad .", "O B-MISC O O O O O O O B-LOC O", "b"),
    sentence('" nobody in Chad complained , " they added later .', "O O O B-LOC O O O O O O O", "c"),
    sentence("Ana counted bicycles in Tallinn Water .", "B-PER O O O B-ORG I-ORG O", "d"),
    sentence("yesterday Ruiz ran (slowly) through Chad twice", "O B-PER O O O B-LOC O", "e"),
]


@pytest.fixture
def sentences():
    return SENTENCES


@pytest.fixture
def no_network(monkeypatch):
    """Refuse connections, and fail the test if one was wanted: guests must not be let near the network."""
    wanted = []

    def refuse(*address, **_):
        wanted.append(address)
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield
    assert not wanted
