"""The beams of HotFlip, on a table of estimates and one of the victim's doubts."""

from __future__ import annotations

import pytest
from attacking_frame import searched
from stubs import StubLandscape, sentence

from attacks.search.gradient_beam import Path, beam_on_answers, beam_on_estimates


class Table:
    """Stands in for `Flips`: letters for the dashes of a text, with a table of estimated rises."""

    def __init__(self, rise):
        self.rise = rise

    async def steepest(self, paths, most):
        return [self._best(path, most) for path in paths]

    def _best(self, path, most):
        nexts = [path.sentence.replace(i, letter) for i in (1, 2) for letter in "ab" if path.sentence.tokens[i] == "-"]
        found = [Path(text, path.rise + self.rise(" ".join(text.tokens[1:]))) for text in nexts]
        return sorted(found, key=lambda path: -path.rise)[:most]


def asked(search, rise, doubts, **options):
    """The texts a search asks about, by a table of the victim's doubts, and the one it found."""
    victim = StubLandscape({"Ana": "B-PER"}, lambda tokens: doubts.get(" ".join(tokens[1:]), 0.0))
    text = sentence("Ana - -", "B-PER O O")
    probe, _ = searched(lambda probe: search(text, Table(rise), probe, **options), victim, text)
    return [" ".join(tokens[1:]) for tokens in victim.asked], probe.found


# By the first letter alone "a -" looks best, but only "b b" hurts.
MISLEADING = {"a -": 3.0, "b -": 2.0, "- a": 1.0, "- b": 0.5, "b b": 5.0}
HURTS = {"b b": 0.9, "a -": 0.3, "b -": 0.2}


@pytest.mark.parametrize("search", [beam_on_estimates, beam_on_answers])
def test_the_beam_finds_what_greedy_misses(search):
    more = {"verified": 4} if search is beam_on_answers else {}

    def run(width):
        return asked(search, lambda text: MISLEADING.get(text, 0.0), HURTS, width=width, steps=2, **more)[1]

    assert run(1) is None
    assert run(2).sentence.text == "Ana b b"


def test_paths_are_scored_by_the_sum_of_their_estimates():
    rise = {"a -": 3.0, "b -": 2.9, "- a": 1.0, "a a": 0.1, "a b": 0.2, "b a": 1.0, "b b": 0.1}
    texts, _ = asked(beam_on_estimates, lambda text: rise.get(text, 0.0), {}, width=2, steps=2)
    # 2.9 + 1.0, then 3.0 + 0.2.
    assert texts == ["a -", "b -", "b a", "a b"]


def test_answers_overrule_estimates():
    texts, found = asked(
        beam_on_answers, lambda text: MISLEADING.get(text, 0.0), {**HURTS, "b -": 0.4}, width=1, steps=2, verified=2
    )
    assert texts[:2] == ["a -", "b -"]
    assert found.sentence.text == "Ana b b"


def test_a_text_is_asked_once_however_it_was_reached():
    texts, _ = asked(beam_on_estimates, lambda text: 1.0, {}, width=10, steps=2)
    assert len(texts) == len(set(texts)) == 8
