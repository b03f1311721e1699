"""Hypothesis strategies for sentences and for the edits that can be made to them."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from benchmark.errors import BadInput
from benchmark.types import Sentence, Span

TYPES = ("PER", "LOC", "ORG")
WORDS = st.sampled_from(["Ana", "Ruiz", "a", "A", "the", "saw", ",", ".", "naïve", "東京", "x-1"])
OPERATIONS = ("replace", "insert", "split", "delete", "merge", "replace_span", "paraphrase")


@st.composite
def spans_over(draw, length):
    """Non-overlapping spans over `length` tokens, neighbours included."""
    spans = []
    at = 0
    while at < length:
        if draw(st.sampled_from([False, False, False, True])):
            end = draw(st.integers(at + 1, min(length, at + 3)))
            spans.append(Span(at, end, draw(st.sampled_from(TYPES))))
            at = end
        else:
            at += 1
    return tuple(spans)


@st.composite
def sentences(draw, smallest=1, largest=10):
    """A sentence with random words and valid IOB2 tags."""
    length = draw(st.integers(smallest, largest))
    tokens = tuple(draw(st.lists(WORDS, min_size=length, max_size=length)))
    tags = ["O"] * length
    for start, end, name in draw(spans_over(length)):
        tags[start:end] = [f"B-{name}"] + [f"I-{name}"] * (end - start - 1)
    return Sentence("s", tokens, tuple(tags))


@st.composite
def edited(draw, operations: Sequence[str] = OPERATIONS, most=8):
    """An original sentence, what random edits made of it, and the edits that were applied."""
    original = draw(sentences())
    sentence = original
    applied = []
    for operation in draw(st.lists(st.sampled_from(operations), max_size=most)):
        try:
            sentence = _edit(draw, sentence, operation)
        except BadInput:  # this edit would change the gold; `test_types` shows which ones may say so
            continue
        applied.append(operation)
    return original, sentence, applied


def _edit(draw, sentence, operation):
    if operation == "paraphrase":
        return _paraphrase(draw, sentence)
    if operation == "replace_span":
        words = draw(st.lists(WORDS, min_size=1, max_size=4))
        return sentence.replace_span(draw(st.sampled_from(sentence.spans)), words) if sentence.spans else sentence
    place, word = draw(st.integers(0, len(sentence) - 1)), draw(WORDS)
    simple = {
        "replace": lambda: sentence.replace(place, word),
        "insert": lambda: sentence.insert(draw(st.sampled_from([place, place + 1])), word),
        "split": lambda: sentence.insert(place, word, split=True),
        "delete": lambda: sentence.delete(place),
        "merge": lambda: sentence.merge(place, word),
    }
    return simple[operation]()


def _paraphrase(draw, sentence):
    """Shuffle mentions and context words, leave some context out, put some new words in."""
    pieces = [("mention", k) for k in range(len(sentence.spans))]
    pieces += [("old", i) for i in range(len(sentence)) if not sentence.inside(i) and draw(st.booleans())]
    # Words that cannot be mistaken for a mention's.
    fresh = draw(st.integers(0 if pieces else 1, 2))
    pieces += [("new", draw(st.sampled_from(["then", "so", "yet"]))) for _ in range(fresh)]
    tokens: list[str] = []
    spans: dict[int, Span] = {}
    for what, which in draw(st.permutations(pieces)):
        if what == "mention":
            old = sentence.spans[which]
            spans[which] = Span(len(tokens), len(tokens) + old.end - old.start, old.type)
            tokens += sentence.tokens[old.start : old.end]
        else:
            tokens.append(sentence.tokens[which] if what == "old" else which)
    return sentence.paraphrase(tokens, [spans[k] for k in sorted(spans)])
