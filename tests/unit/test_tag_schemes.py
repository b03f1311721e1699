"""Tag schemes: everything becomes IOB2, wrong sequences are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import spans_over
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities

from benchmark.errors import BadInput
from benchmark.tag_schemes import SCHEMES, spans_to_tags, strict_spans, tags_to_spans, to_iob2
from benchmark.types import Span

LENGTH = 12
ANY_TAGS = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), min_size=1, max_size=8)


def written(spans, scheme, length=LENGTH):
    """Write spans in a scheme, by the book."""
    tags = ["O"] * length
    single, last = {"BIOES": ("S", "E"), "BILOU": ("U", "L")}.get(scheme, ("B", "I"))
    before = None
    for span in spans:
        body = ["B"] + ["I"] * (span.end - span.start - 1)
        if len(body) == 1:
            body = [single]
        else:
            body[-1] = last
        if scheme == "IOB1" and not (before and before.end == span.start and before.type == span.type):
            body[0] = "I"
        tags[span.start : span.end] = [f"{prefix}-{span.type}" for prefix in body]
        before = span
    return tags


@pytest.mark.parametrize("scheme", SCHEMES)
@given(spans=spans_over(LENGTH))
def test_every_scheme_round_trips_to_the_same_spans(scheme, spans):
    iob2 = to_iob2(written(spans, scheme), scheme)
    assert iob2 == spans_to_tags(spans, LENGTH) == tuple(written(spans, "IOB2"))
    assert strict_spans(iob2) == tags_to_spans(iob2) == spans


@pytest.mark.parametrize(
    ("scheme", "tags", "iob2"),
    [
        ("IOB1", "I-PER I-PER B-PER O I-LOC I-PER", "B-PER I-PER B-PER O B-LOC B-PER"),
        ("IOB2", "B-PER I-PER B-PER O B-LOC B-PER", "B-PER I-PER B-PER O B-LOC B-PER"),
        ("BIOES", "B-PER E-PER S-PER O B-LOC I-LOC E-LOC", "B-PER I-PER B-PER O B-LOC I-LOC I-LOC"),
        ("BILOU", "B-PER L-PER U-PER O B-LOC I-LOC L-LOC", "B-PER I-PER B-PER O B-LOC I-LOC I-LOC"),
        ("IOB2", "B-work-of-art I-work-of-art", "B-work-of-art I-work-of-art"),
    ],
)
def test_worked_conversions(scheme, tags, iob2):
    assert " ".join(to_iob2(tags.split(), scheme)) == iob2


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IOB2", "I-PER"),
        ("IOB2", "O I-PER"),
        ("IOB2", "B-PER I-LOC"),
        ("IOB2", "B-PER O I-PER"),
        ("IOB2", "S-PER"),
        ("IOB2", "B-PER E-PER"),
        ("IOB1", "S-PER"),
        ("BIOES", "B-PER"),
        ("BIOES", "B-PER O"),
        ("BIOES", "B-PER B-PER"),
        ("BIOES", "B-PER S-PER"),
        ("BIOES", "E-PER"),
        ("BIOES", "I-PER E-PER"),
        ("BIOES", "B-PER E-LOC"),
        ("BIOES", "B-PER I-LOC E-PER"),
        ("BIOES", "U-PER"),
        ("BILOU", "S-PER"),
        ("BILOU", "B-PER E-PER"),
        ("BILOU", "U-PER L-PER"),
    ],
)
def test_a_sequence_against_its_scheme_is_refused(scheme, tags):
    with pytest.raises(BadInput):
        to_iob2(tags.split(), scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("tag", ["", "PER", "B-", "-PER", "X-PER", "O-PER", "o", "b-PER", "BPER"])
def test_a_malformed_tag_is_refused_with_its_place(scheme, tag):
    with pytest.raises(BadInput, match="token 1"):
        to_iob2(["O", tag], scheme)


def test_the_message_for_a_dangling_inside_tag_names_the_way_out():
    with pytest.raises(BadInput, match=r"dangling.*--scheme IOB1"):
        to_iob2(["O", "I-PER"])


def test_an_unknown_scheme_is_refused_and_the_known_ones_are_named():
    with pytest.raises(BadInput, match="BIOES"):
        to_iob2(["O"], "IOBES")


def test_strict_and_lenient_reading_differ_on_a_dangling_inside_tag():
    tags = ["O", "I-PER", "I-PER", "B-LOC", "I-ORG"]
    assert strict_spans(tags) == (Span(3, 4, "LOC"),)
    assert tags_to_spans(tags) == (Span(1, 3, "PER"), Span(3, 4, "LOC"), Span(4, 5, "ORG"))


@given(ANY_TAGS)
def test_the_lenient_reading_is_that_of_seqeval(tags):
    assert [(span.type, span.start, span.end - 1) for span in tags_to_spans(tags)] == get_entities(tags)


@given(ANY_TAGS)
def test_the_strict_reading_is_that_of_seqeval_in_strict_mode(tags):
    (wanted,) = Entities([tags], IOB2).entities
    assert [(span.start, span.end, span.type) for span in strict_spans(tags)] == [
        (e.start, e.end, e.tag) for e in wanted
    ]


@pytest.mark.parametrize("span", [Span(-1, 1, "PER"), Span(2, 2, "PER"), Span(3, 2, "PER"), Span(2, 4, "PER")])
def test_a_span_outside_the_sentence_is_refused(span):
    with pytest.raises(BadInput, match="outside"):
        spans_to_tags([span], 3)


@pytest.mark.parametrize("second", [Span(0, 1, "LOC"), Span(1, 3, "PER"), Span(0, 2, "PER")])
def test_overlapping_spans_are_refused(second):
    with pytest.raises(BadInput, match="overlaps"):
        spans_to_tags([Span(0, 2, "PER"), second], 4)
