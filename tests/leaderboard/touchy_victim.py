"""A victim for the tests of contracts: right on a few sentences, and easily led astray."""

from __future__ import annotations

import hashlib

from stubs import StubVictim

from leaderboard.submitting.trial_sentences import NAMES, trial_sentences

_NAMED = {"usual", "start", "adjacent", "one name", "one mark"}
FEW = [sentence for sentence in trial_sentences() if sentence.id in _NAMED]


class Touchy(StubVictim):
    """Knows the names, and forgets them where the words beside them are odd."""

    def __init__(self):
        super().__init__(self._touchy)
        self.fingerprint = hashlib.sha256(b"touchy").hexdigest()
        self.name = "touchy:v1"

    @staticmethod
    def _touchy(tokens):
        odd = [len(hashlib.sha256(word.encode()).hexdigest().strip("0123")) % 5 == 0 for word in tokens]
        known = {word for sentence in FEW for word in sentence.tokens}
        lost = [o and word not in known for o, word in zip(odd, tokens, strict=True)]
        return ["O" if any(lost[max(0, i - 1) : i + 2]) else NAMES.get(t, "O") for i, t in enumerate(tokens)]
