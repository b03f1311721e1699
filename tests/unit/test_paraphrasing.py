"""Paraphrases by rules: what the templates do to hand-made parses, and that mentions stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import spans_over
from stubs import StubParaphraser

from benchmark.engine import Engine, Job
from benchmark.errors import BadInput
from benchmark.resources.paraphrasing import paraphraser_named
from benchmark.resources.paraphrasing.adjuncts import (
    adverb_first,
    adverb_last,
    fronted_last,
    neighbours_swapped,
    phrase_first,
)
from benchmark.resources.paraphrasing.clauses import (
    clause_first,
    clause_last,
    clauses_swapped,
    participle_first,
    participle_last,
    predicates_swapped,
)
from benchmark.resources.paraphrasing.complements import object_shifted, that_added, that_dropped
from benchmark.resources.paraphrasing.contract import Paraphrase, Question, without_flaws
from benchmark.resources.paraphrasing.dates import dates_with_verbs
from benchmark.resources.paraphrasing.lists import list_rotated
from benchmark.resources.paraphrasing.noun_phrases import apposition_turned, genitive_turned, of_turned
from benchmark.resources.paraphrasing.parse import Parse, Unit, group_mentions
from benchmark.resources.paraphrasing.questions import object_cleft, question, subject_cleft, time_cleft
from benchmark.resources.paraphrasing.quotation import speaker_first, speaker_inside, speaker_last, speech_verb_first
from benchmark.resources.paraphrasing.relatives import relative_dropped, relative_made, relative_reduced
from benchmark.resources.paraphrasing.surface import written
from benchmark.resources.paraphrasing.templates import TEMPLATES, rewritten
from benchmark.resources.paraphrasing.voice import active, passive
from benchmark.types import Sentence, Span

# A mention is written with its type and underscores: Ana_Ruiz:PER. Words are WORD/TAG/DEPENDENCY/HEAD.
LEFT = (
    "Ana_Ruiz:PER/NNP/nsubj/1 left/VBD/ROOT/1 Tallinn_Water:ORG/NNP/dobj/1 on/IN/prep/1 Friday/NNP/pobj/3 ././punct/1"
)
SAID = (
    "Bo_Ruiz:PER/NNP/nsubj/1 said/VBD/ROOT/1 the/DT/det/3 race/NN/nsubj/4 was/VBD/ccomp/1 over/RB/advmod/4 ././punct/1"
)
SPOKEN = (
    "\"/``/punct/6 We/PRP/nsubj/2 won/VBD/ccomp/6 ,/,/punct/6 \"/''/punct/6 Ana_Ruiz:PER/NNP/nsubj/6 said/VBD/ROOT/6"
    " ././punct/6"
)
APPOSITION = (
    "Ana_Ruiz:PER/NNP/nsubj/5 ,/,/punct/0 the/DT/det/3 director/NN/appos/0 ,/,/punct/0 left/VBD/ROOT/5 ././punct/5"
)
RELATIVE = (
    "Ana_Ruiz:PER/NNP/nsubj/6 ,/,/punct/0 who/WP/nsubj/3 is/VBZ/relcl/0 injured/JJ/acomp/3 ,/,/punct/0 left/VBD/ROOT/6"
    " ././punct/6"
)
BOTH = "It/PRP/nsubj/1 rained/VBD/ROOT/1 ,/,/punct/1 and/CC/cc/1 Ana_Ruiz:PER/NNP/nsubj/5 left/VBD/conj/1 ././punct/1"


def parse_of(text):
    units = []
    for item in text.split():
        word, tag, dep, head = item.rsplit("/", 3)
        surface, _, mention = word.partition(":") if word != ":" else (word, "", "")
        units.append(Unit(tuple(surface.split("_")), tag, dep, int(head), mention or None))
    return Parse(tuple(units))


def results(rule, text):
    parse = parse_of(text)
    found = [written(parse, arrangement) for arrangement in rule(parse)]
    return [" ".join(pair[0]) for pair in found if pair is not None]


def flat(text):
    """The words and mentions of a parse written as above."""
    parse = parse_of(text)
    tokens, spans = [], []
    for unit in parse.units:
        if unit.mention:
            spans.append(Span(len(tokens), len(tokens) + len(unit.tokens), unit.mention))
        tokens += unit.tokens
    return Question(tuple(tokens), tuple(spans))


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        (phrase_first, LEFT, ["On Friday , Ana Ruiz left Tallinn Water ."]),
        (passive, LEFT, ["Tallinn Water was left by Ana Ruiz on Friday ."]),
        (time_cleft, LEFT, ["It was on Friday that Ana Ruiz left Tallinn Water ."]),
        (subject_cleft, LEFT, ["It was Ana Ruiz who left Tallinn Water on Friday ."]),
        (object_cleft, LEFT, ["It was Tallinn Water that Ana Ruiz left on Friday ."]),
        (
            question,
            LEFT,
            ["When did Ana Ruiz leave Tallinn Water ?", "Why did Ana Ruiz leave Tallinn Water on Friday ?"],
        ),
        (that_added, SAID, ["Bo Ruiz said that the race was over ."]),
        (speaker_inside, SAID, ["The race , Bo Ruiz said , was over ."]),
        (speaker_last, SAID, ["The race was over , Bo Ruiz said .", "The race was over , said Bo Ruiz ."]),
        (speaker_first, SPOKEN, ['Ana Ruiz said , " We won . "']),
        (speech_verb_first, SPOKEN, ['" We won , " said Ana Ruiz .']),
        (apposition_turned, APPOSITION, ["The director , Ana Ruiz , left ."]),
        (relative_dropped, APPOSITION, ["Ana Ruiz left ."]),
        (relative_made, APPOSITION, ["Ana Ruiz , who is the director , left ."]),
        (relative_dropped, RELATIVE, ["Ana Ruiz left ."]),
        (clauses_swapped, BOTH, ["Ana Ruiz left , and it rained ."]),
    ],
)
def test_a_template_does_this_to_a_sentence(rule, text, expected):
    assert results(rule, text) == expected


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        (
            passive,
            "He/PRP/nsubj/1 injured/VBD/ROOT/1 Ana_Ruiz:PER/NNP/dobj/1 badly/RB/advmod/1 ././punct/1",
            [],
        ),
        (
            passive,
            "He/PRP/nsubj/2 has/VBZ/aux/2 beaten/VBN/ROOT/2 them/PRP/dobj/2 twice/RB/advmod/2 ././punct/2",
            ["They have been beaten by him twice ."],
        ),
        (
            passive,
            "He/PRP/nsubj/3 did/VBD/aux/3 n't/RB/neg/3 write/VB/ROOT/3 the/DT/det/5 letters/NNS/dobj/3 ././punct/3",
            ["The letters were not written by him ."],
        ),
        (
            active,
            (
                "The/DT/det/1 letters/NNS/nsubjpass/3 were/VBD/auxpass/3 written/VBN/ROOT/3 by/IN/agent/3"
                " Ana_Ruiz:PER/NNP/pobj/4 ././punct/3"
            ),
            ["Ana Ruiz wrote the letters ."],
        ),
        (
            adverb_first,
            "He/PRP/nsubj/2 quickly/RB/advmod/2 left/VBD/ROOT/2 Chad:LOC/NNP/dobj/2 ././punct/2",
            ["Quickly , he left Chad ."],
        ),
        (
            adverb_last,
            "He/PRP/nsubj/2 quickly/RB/advmod/2 left/VBD/ROOT/2 Chad:LOC/NNP/dobj/2 ././punct/2",
            ["He left Chad quickly ."],
        ),
        (
            fronted_last,
            "In/IN/prep/4 Rome:LOC/NNP/pobj/0 ,/,/punct/4 she/PRP/nsubj/4 resigned/VBD/ROOT/4 ././punct/4",
            ["She resigned in Rome ."],
        ),
        (
            neighbours_swapped,
            (
                "She/PRP/nsubj/1 resigned/VBD/ROOT/1 in/IN/prep/1 Rome:LOC/NNP/pobj/2 on/IN/prep/1 Friday/NNP/pobj/4"
                " ././punct/1"
            ),
            ["She resigned on Friday in Rome ."],
        ),
        (
            clause_first,
            "Ana:PER/NNP/nsubj/1 left/VBD/ROOT/1 because/IN/mark/4 it/PRP/nsubj/4 rained/VBD/advcl/1 ././punct/1",
            ["Because it rained , Ana left ."],
        ),
        (
            clause_last,
            (
                "When/WRB/advmod/2 it/PRP/nsubj/2 rained/VBD/advcl/5 ,/,/punct/5 Ana:PER/NNP/nsubj/5 left/VBD/ROOT/5"
                " ././punct/5"
            ),
            ["Ana left when it rained ."],
        ),
        (
            participle_first,
            "Ana:PER/NNP/nsubj/1 left/VBD/ROOT/1 ,/,/punct/1 citing/VBG/advcl/1 rain/NN/dobj/3 ././punct/1",
            ["Citing rain , Ana left ."],
        ),
        (
            participle_last,
            "Citing/VBG/advcl/4 rain/NN/dobj/0 ,/,/punct/4 Ana:PER/NNP/nsubj/4 left/VBD/ROOT/4 ././punct/4",
            ["Ana left , citing rain ."],
        ),
        (
            predicates_swapped,
            (
                "Ana:PER/NNP/nsubj/1 left/VBD/ROOT/1 Chad:LOC/NNP/dobj/1 and/CC/cc/1 joined/VBD/conj/1"
                " Leeds:ORG/NNP/dobj/4 ././punct/1"
            ),
            ["Ana joined Leeds and left Chad ."],
        ),
        (
            list_rotated,
            (
                "Ana:PER/NNP/nsubj/5 ,/,/punct/0 Bo:PER/NNP/conj/0 and/CC/cc/2 Kim:PER/NNP/conj/2 left/VBD/ROOT/5"
                " ././punct/5"
            ),
            ["Kim , Ana and Bo left ."],
        ),
        (
            list_rotated,
            "The/DT/det/1 men/NNS/nsubj/4 and/CC/cc/1 women/NNS/conj/1 left/VBD/ROOT/4 ././punct/4",
            ["The women and men left ."],
        ),
        (
            list_rotated,
            "Old/JJ/amod/1 men/NNS/nsubj/4 and/CC/cc/1 women/NNS/conj/1 left/VBD/ROOT/4 ././punct/4",
            [],
        ),
        (
            list_rotated,
            "Ana:PER/NNP/nsubj/3 and/CC/cc/0 Chad:LOC/NNP/conj/0 left/VBD/ROOT/3 ././punct/3",
            [],
        ),
        (
            genitive_turned,
            "Chad:LOC/NNP/poss/3 's/POS/case/0 new/JJ/amod/3 envoy/NN/nsubj/4 left/VBD/ROOT/4 ././punct/4",
            ["The new envoy of Chad left ."],
        ),
        (
            of_turned,
            "The/DT/det/1 envoy/NN/nsubj/4 of/IN/prep/1 Chad:LOC/NNP/pobj/2 left/VBD/ROOT/4 ././punct/4",
            ["Chad 's envoy left ."],
        ),
        (
            of_turned,
            "The/DT/det/1 city/NN/nsubj/4 of/IN/prep/1 Rome:LOC/NNP/pobj/2 shook/VBD/ROOT/4 ././punct/4",
            [],
        ),
        (
            relative_reduced,
            (
                "The/DT/det/1 men/NNS/nsubj/6 who/WP/nsubjpass/4 were/VBD/auxpass/4 arrested/VBN/relcl/1"
                " here/RB/advmod/4 left/VBD/ROOT/6 ././punct/6"
            ),
            ["The men arrested here left ."],
        ),
        (
            relative_made,
            "The/DT/det/1 men/NNS/nsubj/4 arrested/VBN/acl/1 here/RB/advmod/2 left/VBD/ROOT/4 ././punct/4",
            ["The men that were arrested here left ."],
        ),
        (
            object_shifted,
            "Ana:PER/NNP/nsubj/1 gave/VBD/ROOT/1 Chad:LOC/NNP/dative/1 a/DT/det/4 car/NN/dobj/1 ././punct/1",
            ["Ana gave a car to Chad ."],
        ),
        (
            that_dropped,
            "Ana:PER/NNP/nsubj/1 said/VBD/ROOT/1 that/IN/mark/4 it/PRP/nsubj/4 rained/VBD/ccomp/1 ././punct/1",
            ["Ana said it rained ."],
        ),
        (
            phrase_first,
            "Ana:PER/NNP/nsubj/1 believed/VBD/ROOT/1 in/IN/prep/1 luck/NN/pobj/2 ././punct/1",
            [],
        ),
        (
            question,
            "Ana:PER/NNP/nsubj/3 would/MD/aux/3 n't/RB/neg/3 leave/VB/ROOT/3 ././punct/3",
            [],
        ),
    ],
)
def test_a_rule_knows_its_english(rule, text, expected):
    assert results(rule, text) == expected


def test_a_reported_clause_that_begins_otherwise_gets_its_that():
    text = (
        "Ana:PER/NNP/nsubj/1 said/VBD/ROOT/1 she/PRP/nsubj/4 would/MD/aux/4 leave/VB/ccomp/1 Chad:LOC/NNP/dobj/4"
        " on/IN/prep/4 Friday/NNP/pobj/6 ././punct/1"
    )
    assert results(phrase_first, text) == ["Ana said that on Friday , she would leave Chad ."]


def test_a_day_hangs_on_the_verb_before_it():
    text = (
        "Ana:PER/NNP/nsubj/1 left/VBD/ROOT/1 Chad:LOC/NNP/dobj/1 after/IN/prep/1 the/DT/det/5 match/NN/pobj/3"
        " on/IN/prep/5 Friday/NNP/pobj/6 ././punct/1"
    )
    assert dates_with_verbs(parse_of(text))[6].head == 1


# --- casing, punctuation, stuttering ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "tag", "expected"),
    [
        ("Police", "NNS", "police"),
        ("The", "DT", "the"),
        ("A", "DT", "a"),
        ("I", "PRP", "I"),
        ("Ruiz", "NNP", "Ruiz"),
        ("Tallinn-born", "JJ", "Tallinn-born"),
        ("Kenyan", "JJ", "Kenyan"),
        ("UN", "NN", "UN"),
        ("iPhone", "NN", "iPhone"),
    ],
)
def test_a_word_that_loses_the_first_place_loses_the_capital_it_owes_to_it(first, tag, expected):
    parse = Parse((Unit((first,), tag, "nsubj", 1), Unit(("left",), "VBD", "ROOT", 1), Unit((".",), ".", "punct", 1)))
    (tokens, _) = written(parse, (1, 0, 2))
    assert tokens[1] == expected


def test_the_new_first_word_gets_a_capital_but_no_mention_is_recased():
    parse = parse_of("The/DT/det/1 shop/NN/nsubj/2 sells/VBZ/ROOT/2 eggs/NNS/dobj/2 iCup:ORG/NNP/dobj/2 ././punct/2")
    assert written(parse, (3, 0, 1, 2, 4, 5))[0] == ("Eggs", "the", "shop", "sells", "iCup", ".")
    assert written(parse, (4, 3, 0, 1, 2, 5))[0][0] == "iCup"
    assert written(parse, ("12", 3, 0, 1, 2, 4, 5))[0][:3] == ("12", "eggs", "the")


@pytest.mark.parametrize(
    ("arrangement", "expected"),
    [
        ((",", 0, 1, 2, 3), "Ana left Chad ."),
        ((0, ",", ",", 1, 2, 3), "Ana , left Chad ."),
        ((0, 1, 2, ",", 3), "Ana left Chad ."),
        ((0, "then", "Then", 1, 2, 3), "Ana then left Chad ."),
        ((0, "and", "so", "and", "so", 1, 2, 3), "Ana and so left Chad ."),
        ((0, "Ana", 1, 2, 3), "Ana Ana left Chad ."),
    ],
)
def test_loose_commas_and_repeated_words_go(arrangement, expected):
    parse = parse_of("Ana:PER/NNP/nsubj/1 left/VBD/ROOT/1 Chad:LOC/NNP/dobj/1 ././punct/1")
    assert " ".join(written(parse, arrangement)[0]) == expected


@pytest.mark.parametrize("arrangement", [(0, 1, 3), (0, 1, 2, 2, 3), (0, 1, 1, 2, 3), ()])
def test_an_arrangement_that_loses_a_mention_or_repeats_a_unit_is_none(arrangement):
    parse = parse_of("Ana:PER/NNP/nsubj/1 left/VBD/ROOT/1 Chad:LOC/NNP/dobj/1 ././punct/1")
    assert written(parse, arrangement) is None


def test_nothing_gets_out_of_quotation_marks():
    assert written(parse_of(SPOKEN), (1, 0, 2, 3, 4, 5, 6, 7)) is None


# --- mentions ---------------------------------------------------------------------------------------------------------

QUESTION = Question(("Ana", "Ruiz", "left", "Chad", "."), (Span(0, 2, "PER"), Span(3, 4, "LOC")))


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Chad was left by Ana Ruiz , says Ana Ruiz .", [(4, 6), (0, 1)]),  # repeated
        ("Chad was left by Ruiz .", [(4, 5), (0, 1)]),  # cut
        ("Chad was left by Ruiz Ana .", [(4, 6), (0, 1)]),  # in another order
        ("chad was left by Ana Ruiz .", [(4, 6), (0, 1)]),  # in another casing
        ("Ana Ruiz left .", [(0, 2)]),  # lost
        ("Ana Ruiz left Chad .", [(0, 2), (3, 4)]),  # the text itself
    ],
)
def test_a_paraphrase_that_repeats_or_changes_a_mention_is_rejected(text, spans):
    types = ["PER", "LOC"]
    tokens = tuple(text.split())
    wrong = Paraphrase(tokens, tuple(Span(a, b, types[k]) for k, (a, b) in enumerate(spans)), "S")
    assert without_flaws(QUESTION, [wrong]) == []


def test_doubles_go_and_mentions_may_change_places():
    good = Paraphrase(("Chad", "was", "left", "by", "Ana", "Ruiz", "."), (Span(4, 6, "PER"), Span(0, 1, "LOC")), "S")
    assert without_flaws(QUESTION, [good, good._replace(template="T")]) == [good]


def test_the_service_leaves_out_what_a_paraphraser_should_not_have_said():
    repeated = Paraphrase(
        ("Ana", "Ruiz", "and", "Ana", "Ruiz", "left", "Chad"), (Span(0, 2, "PER"), Span(6, 7, "LOC")), "S"
    )
    paraphraser = StubParaphraser([repeated])
    (done,) = Engine().run([Job("j", lambda: paraphraser.paraphrase(*QUESTION))])
    assert done.error is None
    assert [found.template for found in done.result] == ["moved"]


TREES = [LEFT, SAID, SPOKEN, APPOSITION, RELATIVE, BOTH]


@given(data=st.data(), text=st.sampled_from(TREES))
def test_every_candidate_keeps_every_mention_once_in_one_piece_and_cased(data, text):
    """Mentions drawn at random, even across phrases; what the rules make of it must be a paraphrase of the sentence."""
    tokens = flat(text).tokens
    spans = data.draw(spans_over(len(tokens)))
    order = data.draw(st.permutations(range(len(spans))))
    question = Question(tokens, tuple(spans[k] for k in order))
    tree = parse_of(text)
    words = [(k, word) for k, unit in enumerate(tree.units) for word in unit.tokens]
    first = {k: next(i for i, (u, _) in enumerate(words) if u == k) for k in range(len(tree))}
    heads = [first[tree[k].head] if first[k] == i else first[k] for i, (k, _) in enumerate(words)]
    parse = group_mentions(
        tokens, [tree[k].tag for k, _ in words], [tree[k].dep for k, _ in words], heads, question.mentions
    )
    tags = ["O"] * len(tokens)
    for span in spans:
        tags[span.start : span.end] = ["B-" + span.type, *["I-" + span.type] * (span.end - span.start - 1)]
    sentence = Sentence("s", tokens, tuple(tags))
    back = sorted(range(len(order)), key=lambda k: order[k])
    for found in rewritten(question, parse):
        candidate = sentence.paraphrase(found.tokens, [found.spans[k] for k in back])  # refuses invalid IOB2
        assert len(candidate.spans) == len(spans)
        for mention in question.mentions:
            assert tokens[mention.start : mention.end] in [found.tokens[s.start : s.end] for s in found.spans]
        assert found.template in TEMPLATES


@given(spans=spans_over(7))
def test_a_tree_stays_a_tree_when_mentions_become_units(spans):
    heads = [1, 1, 3, 1, 3, 6, 4]
    parse = group_mentions(tuple("abcdefg"), ["NN"] * 7, ["dep"] * 7, heads, spans)
    assert parse.subtree(parse.root) == list(range(len(parse)))
    assert sum(parse[k].head == k for k in range(len(parse))) == 1
    assert tuple(token for unit in parse.units for token in unit.tokens) == tuple("abcdefg")


# --- the real parser --------------------------------------------------------------------------------------------------

REAL = [
    ("Ana Ruiz left Tallinn Water on Friday .", [(0, 2), (3, 5)], "On Friday , Ana Ruiz left Tallinn Water ."),
    (
        "The minister said that Kenya would build a new port in Mombasa next year .",
        [(4, 5), (11, 12)],
        "Kenya would build a new port in Mombasa next year , the minister said .",
    ),
    (
        "Police arrested two men in Lisbon on Monday .",
        [(5, 6)],
        "Two men were arrested by police in Lisbon on Monday .",
    ),
    (
        "Although it rained , Okafor and Lindqvist finished the race in Oslo .",
        [(4, 5), (6, 7), (11, 12)],
        "Okafor and Lindqvist finished the race in Oslo although it rained .",
    ),
]


@pytest.fixture(scope="module")
def paraphraser(request):
    pytest.importorskip("spacy")
    return paraphraser_named("templates", None)


@pytest.mark.parametrize(("text", "mentions", "expected"), REAL)
def test_the_default_paraphraser_parses_and_rewrites(paraphraser, text, mentions, expected):
    question = Question(tuple(text.split()), tuple(Span(a, b, "X") for a, b in mentions))
    (found,) = paraphraser.answer([question])
    assert expected in [" ".join(paraphrase.tokens) for paraphrase in found]
    assert len(found) >= 3


def test_no_answer_depends_on_its_neighbours(paraphraser):
    questions = [Question(tuple(text.split()), tuple(Span(a, b, "X") for a, b in m)) for text, m, _ in REAL]
    together = paraphraser.answer(questions)
    assert together == [paraphraser.answer([question])[0] for question in questions]
    assert together == paraphraser.answer(questions[::-1])[::-1]


@pytest.mark.parametrize("text", ["SOCCER - OKAFOR LEAVES LEEDS .", "Okafor 2 3 1", "Leeds"])
def test_headlines_and_table_rows_have_no_paraphrase(paraphraser, text):
    assert paraphraser.answer([Question(tuple(text.split()), ())]) == [()]


@pytest.mark.parametrize("name", ["t5", "path:", "hf:", "templates:x"])
def test_an_unknown_paraphraser_is_refused_in_one_line(name):
    with pytest.raises(BadInput, match="unknown paraphraser") as error:
        paraphraser_named(name, None)
    assert "\n" not in str(error.value)
