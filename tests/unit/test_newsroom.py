"""The embedded corpus: its size, its cleanliness, and its markup."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmark.datasets.newsroom import parse_markup
from benchmark.errors import BadInput

SPLITS = ("train", "dev", "test")


def everything(newsroom):
    return [sentence for split in SPLITS for sentence in newsroom.split(split)]


def mentions(sentences):
    return [tuple(w.lower() for w in s.tokens[m.start : m.end]) for s in sentences for m in s.spans]


@pytest.mark.parametrize(("split", "least"), [("train", 800), ("dev", 150), ("test", 250)])
def test_split_parses_and_is_large_enough(newsroom, split, least):
    sentences = newsroom.split(split)
    assert len(sentences) >= least
    assert [s.id for s in sentences] == [f"{split}-{k}" for k in range(len(sentences))]
    assert all(len(s) > 0 and all(s.tokens) for s in sentences)


def test_types_are_the_four_of_conll(newsroom):
    assert newsroom.types == ("LOC", "MISC", "ORG", "PER")


def test_no_bracket_and_no_white_space_is_left_in_a_token(newsroom):
    odd = [t for s in everything(newsroom) for t in s.tokens if "[" in t or "]" in t or any(c.isspace() for c in t)]
    assert odd == []


def test_no_token_hides_invisible_characters(newsroom):
    assert [t for s in everything(newsroom) for t in s.tokens if not t.isprintable()] == []


def test_no_sentence_twice(newsroom):
    counts = Counter(tuple(t.lower() for t in s.tokens) for s in everything(newsroom))
    assert [text for text, n in counts.items() if n > 1] == []


def test_no_two_sentences_share_six_tokens_in_a_row(newsroom):
    owner: dict[tuple[str, ...], str] = {}
    shared = []
    for sentence in everything(newsroom):
        words = tuple(token.lower() for token in sentence.tokens)
        for gram in {words[i : i + 6] for i in range(len(words) - 5)}:
            if gram in owner:
                shared.append((gram, owner[gram], sentence.id))
            owner[gram] = sentence.id
    assert shared == []


def test_each_type_is_mentioned_often_enough_to_be_learnt(newsroom):
    counts = Counter(span.type for s in newsroom.split("train") for span in s.spans)
    assert min(counts[kind] for kind in newsroom.types) >= 150


def test_a_good_share_of_the_test_mentions_is_unseen_in_training(newsroom):
    known = set(mentions(newsroom.split("train")))
    tested = mentions(newsroom.split("test"))
    assert sum(mention not in known for mention in tested) / len(tested) >= 0.35


def test_a_tenth_to_a_fifth_of_the_sentences_has_no_entity(newsroom):
    sentences = everything(newsroom)
    assert 0.10 <= sum(not s.spans for s in sentences) / len(sentences) <= 0.20


def test_no_document_lies_in_two_splits_and_none_is_missing(newsroom):
    documents = [{s.document for s in newsroom.split(split)} for split in SPLITS]
    assert None not in set().union(*documents)
    assert sum(map(len, documents)) == len(set().union(*documents))


def test_sentences_of_a_document_stand_together(newsroom):
    for split in SPLITS:
        order = [s.document for s in newsroom.split(split)]
        starts = [name for k, name in enumerate(order) if k == 0 or order[k - 1] != name]
        assert len(starts) == len(set(starts))


def test_markup_becomes_tokens_tags_and_documents():
    text = "# one\n[PER Ana Ruiz] left [ORG Tallinn Water] .\nHe slept .\n\n# two\n[LOC Oslo][LOC Bergen]\n"
    with pytest.raises(BadInput):
        parse_markup(text, "dev")
    first, second, third = parse_markup(text.replace("][", "] ["), "dev")
    assert first.tokens == ("Ana", "Ruiz", "left", "Tallinn", "Water", ".")
    assert first.tags == ("B-PER", "I-PER", "O", "B-ORG", "I-ORG", "O")
    assert (first.id, first.document, second.document) == ("dev-0", "one", "one")
    assert (third.tags, third.document) == (("B-LOC", "B-LOC"), "two")


@pytest.mark.parametrize(
    "line",
    [
        "[PER Ana left .",
        "Ana] left .",
        "[per Ana] left .",
        "[PER] left .",
        "[PER Ana [LOC Oslo]] left .",
        "[PER Ana]'s book .",
        "the[LOC Oslo] train .",
        "[PER  ] left .",
    ],
)
def test_markup_error_names_its_line(line):
    with pytest.raises(BadInput, match=r"train\.txt line 4: "):
        parse_markup(f"# one\nFine .\n\n{line}\n", "train")
