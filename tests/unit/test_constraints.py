"""Conditions on candidates, by hand; and how the probe asks those that need a model."""

from __future__ import annotations

import pytest
from attacking_frame import driven
from stubs import StubEncoder, StubTagger, StubVictim, lexicon, sentence, stub_resources

from attacks.constraints.adjusted import Adjusted, NoNewGrammarErrors
from attacks.constraints.numbers import NumbersStayNumbers, is_number
from attacks.constraints.part_of_speech import SamePartOfSpeech
from attacks.constraints.share_of_words import AtMostShareOfWords
from attacks.constraints.similarity import SimilarityAtLeast
from benchmark.api import attack
from benchmark.contracts import Attack
from benchmark.contracts import attack as decorate
from benchmark.engine import Ask
from benchmark.errors import BadInput
from benchmark.finding import ATTACKS
from benchmark.goals import Clean, goal_named
from benchmark.probe import GoalReached, Probe, VictimService, rng_for
from benchmark.resources.loading import Resources
from benchmark.resources.tagging import TaggedWord
from benchmark.threat import Access, Budget, ThreatModel, Touch
from benchmark.types import Status

TEXT = sentence("Ana bought 17 red cars in Rome", "B-PER O O O O O B-LOC")
KNOWN = {"Ana": "B-PER", "Rome": "B-LOC"}


def objections(constraint, *candidates, original=TEXT, resources=None):
    return driven(constraint.objections(original, candidates, resources or stub_resources()))


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [
        "3",
        "17",
        "1,000",
        "-0.5",
        "+7",
        "6-4",
        "12:30",
        "7%",
        "7.5%",
        "1/2",
        "2,000.50",
        "1990",
        "0",
        "3.",
        ".5",
        "1.2.3",
    ],
)
def test_what_is_written_in_digits_is_a_number(word):
    assert is_number(word)


@pytest.mark.parametrize(
    "word", ["", "-", ".", "%", "ten", "1st", "10-year", "F1", "$5", "3m", "1 000", "5%%", "e5", "+"]
)
def test_what_holds_letters_or_no_digit_is_no_number(word):
    assert not is_number(word)


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (TEXT, None),
        (TEXT.replace(2, "18"), None),
        (TEXT.replace(2, "1,700.5%"), None),
        (TEXT.replace(2, "many"), "number became a word"),
        (TEXT.replace(2, "17th"), "number became a word"),
        (TEXT.replace(3, "many"), None),
        (TEXT.replace(3, "18"), None),
        (TEXT.insert(2, "about"), None),
        (TEXT.insert(2, "18"), None),
        # Positions shift: "17" stands at 3 now.
        (TEXT.insert(1, "soon").replace(3, "many"), "number became a word"),
        (TEXT.insert(1, "soon").replace(2, "sold"), None),
        (TEXT.merge(2, "many"), "number became a word"),
        (TEXT.merge(2, "18"), None),
        (TEXT.merge(1, "got"), "number became a word"),
        (TEXT.merge(3, "vans"), None),
        (TEXT.delete(2), None),
    ],
)
def test_numbers_stay_numbers(candidate, reason):
    assert NumbersStayNumbers().objection(TEXT, candidate) == reason


# --- share of words ---------------------------------------------------------------------------------------------------


def words(n):
    return sentence(" ".join(f"w{k}" for k in range(n)), " ".join(["O"] * n))


def replaced(text, n):
    for i in range(n):
        text = text.replace(i, "x")
    return text


@pytest.mark.parametrize(
    ("share", "length", "most"),
    [(0.4, 5, 2), (0.4, 6, 3), (0.4, 1, 1), (0.01, 9, 1), (0.1, 10, 1), (0.1, 11, 2), (0.34, 3, 2), (1.0, 4, 4)],
)
def test_the_share_of_words_is_rounded_up(share, length, most):
    text, rule = words(length), AtMostShareOfWords(share)
    assert [rule.objection(text, replaced(text, n)) for n in range(most + 1)] == [None] * (most + 1)
    if most < length:
        assert rule.objection(text, replaced(text, most + 1)) == "too many words changed"


@pytest.mark.parametrize(("share", "length"), [(0.28, 25), (0.55, 20), (0.07, 100), (0.14, 50)])
def test_the_share_is_not_carried_past_a_whole_number_by_rounding(share, length):
    most = round(share * length)
    text = words(length)
    assert AtMostShareOfWords(share).objection(text, replaced(text, most)) is None
    assert AtMostShareOfWords(share).objection(text, replaced(text, most + 1)) == "too many words changed"


def test_insertions_deletions_and_merges_count_one_each_and_the_share_is_of_the_original():
    text, rule = words(5), AtMostShareOfWords(0.4)
    two = [
        text.insert(0, "x").insert(3, "y"),
        text.insert(5, "x").merge(0, "y"),
        text.merge(0, "x").merge(1, "y"),
        text.delete(0).replace(0, "x"),
        text.insert(1, "x").replace(0, "y"),
        # One word edited twice is one edit; a word put back is none.
        text.replace(0, "a").replace(0, "b").replace(1, "c"),
        text.replace(0, "a").replace(1, "b").replace(2, "c").replace(0, "w0"),
    ]
    assert [rule.objection(text, candidate) for candidate in two] == [None] * len(two)
    assert {rule.objection(text, candidate.insert(0, "z")) for candidate in two} == {"too many words changed"}
    # Many insertions make the text longer, but not the allowance.
    assert rule.objection(text, text.insert(0, "x").insert(0, "y").insert(0, "z")) == "too many words changed"


# --- similarity -------------------------------------------------------------------------------------------------------


class Listed:
    """An encoder that knows the answer for each text."""

    identity = "listed"

    def __init__(self, cosines):
        self.cosines, self.asked = cosines, []

    async def similarities(self, text, others):
        self.asked.append((text, tuple(others)))
        return [self.cosines[other] for other in others]


def test_similarity_at_the_threshold_is_enough():
    candidates = [TEXT.replace(3, word) for word in ("blue", "green", "black")]
    encoder = Listed(dict(zip([c.text for c in candidates], [0.93, 0.9299, 1.0], strict=True)))
    found = objections(SimilarityAtLeast(0.93), *candidates, resources=Resources({"encoder": encoder}))
    assert found == [None, "not similar enough", None]
    assert encoder.asked == [(TEXT.text, tuple(c.text for c in candidates))]


def test_similarity_is_that_of_the_whole_text_to_the_original():
    # The stub takes 0.02 for each word of one text that the other lacks.
    candidates = [TEXT.insert(3, "very"), TEXT.replace(3, "blue"), TEXT.replace(3, "blue").replace(4, "vans")]
    assert objections(SimilarityAtLeast(0.95), *candidates) == [None, None, "not similar enough"]
    assert objections(SimilarityAtLeast(0.97), *candidates) == [None, "not similar enough", "not similar enough"]


# --- part of speech ---------------------------------------------------------------------------------------------------


WORD_CLASSES = {
    "bought": "VERB",
    "sold": "VERB",
    "van": "NOUN",
    "cars": "NOUN",
    "red": "ADJ",
    "slowly": "ADV",
    "in": "ADP",
}


class Dictionary(StubTagger):
    """Knows the part of speech of words by heart; remembers what it was asked."""

    def __init__(self):
        self.asked = []

    async def tag_word(self, texts, positions):
        self.asked += [(tokens[at], at) for tokens, at in zip(texts, positions, strict=True)]
        return [TaggedWord(WORD_CLASSES.get(t[at], "X"), "") for t, at in zip(texts, positions, strict=True)]


def part_of_speech(*candidates, tagger=None):
    return objections(SamePartOfSpeech(), *candidates, resources=Resources({"tagger": tagger or Dictionary()}))


@pytest.mark.parametrize(
    ("at", "word", "fine"),
    [
        (1, "sold", True),
        (1, "van", True),  # a verb became a noun
        (4, "van", True),
        (4, "sold", True),  # a noun became a verb
        (1, "red", False),
        (3, "van", False),
        (4, "red", False),
        (4, "slowly", False),
        (3, "slowly", False),
        (1, "in", False),
    ],
)
def test_a_replaced_word_keeps_its_part_of_speech_but_noun_and_verb_may_change(at, word, fine):
    assert part_of_speech(TEXT.replace(at, word)) == [None if fine else "part of speech changed"]


def test_inserted_and_merged_words_have_no_part_of_speech_to_keep():
    tagger = Dictionary()
    assert part_of_speech(TEXT.insert(1, "in"), TEXT.merge(3, "slowly"), TEXT, tagger=tagger) == [None] * 3
    assert tagger.asked == []


def test_after_an_insertion_words_are_compared_with_their_own_original():
    shifted = TEXT.insert(1, "slowly")
    tagger = Dictionary()
    fine, wrong = shifted.replace(2, "sold"), shifted.replace(5, "red")
    assert part_of_speech(fine, wrong, tagger=tagger) == [None, "part of speech changed"]
    # Originals first, then the candidates, each word at its own place.
    assert tagger.asked == [("bought", 1), ("cars", 4), ("sold", 2), ("red", 5)]


def test_each_candidate_is_judged_by_all_its_replaced_words():
    assert part_of_speech(
        TEXT.replace(1, "sold").replace(4, "van"), TEXT.replace(1, "sold").replace(4, "red"), TEXT.replace(3, "in")
    ) == [None, "part of speech changed", "part of speech changed"]


def test_the_candidates_word_is_read_in_the_candidate():
    class First(Dictionary):
        """A word is what its left neighbour is."""

        async def tag_word(self, texts, positions):
            return [TaggedWord(tokens[at - 1], "") for tokens, at in zip(texts, positions, strict=True)]

    assert part_of_speech(TEXT.replace(4, "van"), TEXT.replace(3, "old").replace(4, "van"), tagger=First()) == [
        None,
        "part of speech changed",
    ]


# --- the profile `adjusted` -------------------------------------------------------------------------------------------


def test_no_new_grammar_errors():
    # The stub takes every word in capitals for an error.
    text = sentence("the CAR left Rome", "O O O B-LOC")
    candidates = [text.replace(2, "quit"), text.replace(2, "QUIT"), text.replace(1, "car"), text.replace(1, "BUS")]
    assert objections(NoNewGrammarErrors(), *candidates, original=text) == [None, "grammar error", None, None]


def test_grammar_is_checked_on_running_text():
    seen = []

    class Checker:
        identity = "checker"

        async def errors(self, texts):
            seen.extend(texts)
            return [0] * len(texts)

    text = sentence("Ana , 17 , does n't care .", "B-PER O O O O O O O")
    objections(
        NoNewGrammarErrors(), text.replace(6, "mind"), original=text, resources=Resources({"grammar": Checker()})
    )
    assert seen == ["Ana, 17, doesn't care.", "Ana, 17, doesn't mind."]


def test_the_profile_names_what_it_needs():
    assert set(Adjusted().resources) == {"encoder", "grammar"}
    assert (Adjusted().name, Adjusted().version) == ("adjusted", 1)


class Lenient(StubEncoder):
    """One word more or less is nearly the same text."""

    async def similarities(self, text, others):
        own = set(text.split())
        return [1 - 0.005 * len(own ^ set(other.split())) for other in others]


WORD_ATTACKS = ["bert-attack", "bae", "clare", "textfooler", "morpheus", "viba", "random-word"]
SENTENCE = sentence("Ana left the market later and RED PAINT was added .", "B-PER " + "O " * 9 + "O")


@pytest.mark.parametrize("name", [*WORD_ATTACKS, "deepwordbug-i"])
def test_adjusted_goes_on_top_of_any_attack(name):
    def outcome_of(constraints, encoder):
        victim = StubVictim(lexicon(KNOWN), labels=("O", "B-PER", "B-LOC", "B-MISC"))
        (outcome,) = attack(
            victim,
            [SENTENCE],
            name,
            constraints=constraints,
            goal="targeted(MISC)",
            resources=stub_resources(encoder=encoder),
        )
        assert outcome.status is Status.FAILED, outcome.reason
        return outcome, victim.asked

    free, _ = outcome_of(None, Lenient())
    assert "grammar error" not in free.rejected
    strict, asked = outcome_of("adjusted", StubEncoder())
    # By the stub any changed word takes more than the profile allows.
    assert strict.rejected["not similar enough"] > 0
    edited = [tokens for tokens in asked if len(tokens) == len(SENTENCE) and "[UNK]" not in tokens]
    assert edited == [SENTENCE.tokens]
    lenient, asked = outcome_of("adjusted", Lenient())
    capitals = sum(word.isupper() and len(word) > 1 for word in SENTENCE.tokens)
    for tokens in asked:
        if "[UNK]" not in tokens:
            assert sum(word.isupper() and len(word) > 1 for word in tokens) <= capitals
    assert len(asked) > 1
    assert set(lenient.rejected) <= {*free.rejected, "grammar error", "not similar enough"}


def test_an_unknown_profile_is_refused_in_one_line():
    with pytest.raises(BadInput, match=r"unknown constraint profile 'nonsense'.*adjusted"):
        attack(lambda texts: texts, [], "identity", constraints="nonsense")


# --- constraints that need a model, in the probe ----------------------------------------------------------------------


class Remembers:
    """A model constraint that refuses one word and remembers what it was asked."""

    def __init__(self, word, reason=None):
        self.word, self.reason, self.asked = word, reason or f"model refuses {word}", []

    async def objections(self, original, candidates, resources):
        assert original is TEXT
        self.asked.append([candidate.text for candidate in candidates])
        return [self.reason if self.word in candidate.tokens else None for candidate in candidates]


class Cheap:
    def __init__(self, word):
        self.word = word

    def objection(self, original, candidate):
        return f"cheap refuses {self.word}" if self.word in candidate.tokens else None


def probe_with(*model_constraints, constraints=(), budget=100, victim=None, resources=None):
    victim = victim or StubVictim(lexicon(KNOWN))
    (prediction,) = victim.predict([TEXT.tokens])
    victim.asked.clear()
    return (
        Probe(
            VictimService(victim),
            Clean(TEXT, prediction, victim.labels),
            goal_named("untargeted-strict"),
            ThreatModel(touch=Touch.CONTEXT),
            Budget(budget),
            rng_for(0),
            constraints,
            (),
            model_constraints,
            resources,
        ),
        victim,
    )


def colours(*names):
    return [TEXT.replace(3, name) for name in names]


def test_a_model_is_asked_only_about_what_passed_the_cheap_conditions():
    first, second = Remembers("blue"), Remembers("green")
    probe, victim = probe_with(first, second, constraints=[Cheap("black")])
    candidates = [*colours("blue", "black", "##x", "green", "pink"), TEXT.replace(0, "Eva"), TEXT.replace(3, "")]
    verdicts = driven(probe(candidates))
    text = "Ana bought 17 {} cars in Rome"
    assert first.asked == [[text.format(c) for c in ("blue", "green", "pink")]]
    assert second.asked == [[text.format(c) for c in ("green", "pink")]]
    assert [v.sentence.tokens[3] for v in verdicts] == ["pink"]
    assert victim.asked == [TEXT.replace(3, "pink").tokens]
    assert probe.search_queries == 1
    assert probe.rejected == {
        "cheap refuses black": 1,
        "debris of a language model": 1,
        "touches a mention": 1,
        "empty word": 1,
        "model refuses blue": 1,
        "model refuses green": 1,
    }


def test_a_model_is_not_asked_about_nothing():
    first, second = Remembers("blue"), Remembers("green")
    probe, _ = probe_with(first, second)
    assert driven(probe(colours("blue"))) == []
    assert driven(probe([])) == []
    assert (first.asked, second.asked) == ([["Ana bought 17 blue cars in Rome"]], [])


def test_what_a_model_refuses_does_not_use_up_the_budget():
    probe, victim = probe_with(Remembers("blue"), budget=2)
    assert len(driven(probe(colours("blue", "pink", "blue", "green")))) == 2
    assert probe.rejected == {"model refuses blue": 2}
    assert len(victim.asked) == 2


def test_a_success_that_a_model_refuses_is_never_asked():
    probe, _ = probe_with(
        Remembers("blue"), victim=StubVictim(lambda tokens: TEXT.tags if "blue" not in tokens else ["O"] * len(tokens))
    )
    assert len(driven(probe(colours("blue", "pink")))) == 1
    assert probe.found is None


def test_variants_that_are_only_measured_pass_no_constraint():
    model = Remembers("blue")
    probe, _ = probe_with(model, constraints=[Cheap("pink")])
    assert len(driven(probe.measure(colours("blue", "pink")))) == 2
    assert model.asked == []


class Service:
    """An encoder as the engine sees it."""

    identity = "an encoder"

    def __init__(self):
        self.batches = []

    def answer(self, questions):
        self.batches.append(len(questions))
        return [len(question) for question in questions]


class ThroughTheEngine:
    async def objections(self, original, candidates, resources):
        answers = await Ask(resources._of("encoder"), [candidate.text for candidate in candidates])
        return ["too long" if answer > len(original.text) + 1 else None for answer in answers]


@decorate("paints", access=Access.LABELS, touch=Touch.CONTEXT)
class Paints(Attack):
    """Try three colours."""

    @property
    def model_constraints(self):
        return (ThroughTheEngine(),)

    async def run(self, sentence, probe):
        await probe([sentence.replace(3, name) for name in ("blue", "turquoise", "pink")])


def test_models_are_asked_through_the_engine_with_the_questions_of_all_sentences_together(monkeypatch):
    monkeypatch.setitem(ATTACKS._targets, "paints", Paints)
    service = Service()
    texts = [sentence(f"Ana bought {k} red cars in Rome", "B-PER O O O O O B-LOC", str(k)) for k in range(10)]
    outcomes = attack(StubVictim(lexicon(KNOWN)), texts, "paints", resources=Resources({"encoder": service}))
    assert service.batches == [30]
    assert all(outcome.rejected == {"too long": 1} and outcome.search_queries == 2 for outcome in outcomes)


def test_a_model_that_fails_makes_an_error_row():
    class Broken:
        identity = "broken"

        async def similarities(self, text, others):
            raise RuntimeError("out of memory")

    (outcome,) = attack(
        StubVictim(lexicon(KNOWN)),
        [TEXT],
        "bert-attack",
        resources=stub_resources(encoder=Broken()),
    )
    assert outcome.status is Status.ERROR
    assert "RuntimeError" in outcome.reason
    assert "out of memory" not in outcome.reason


def test_a_model_that_fails_after_a_success_leaves_the_success():
    class Later:
        """Refuses nothing, until it breaks."""

        calls = 0

        async def objections(self, original, candidates, resources):
            self.calls += 1
            if self.calls > 1:
                raise RuntimeError("gone")
            return [None] * len(candidates)

    later = Later()

    @decorate("twice", access=Access.LABELS, touch=Touch.CONTEXT)
    class Twice(Attack):
        """Ask twice."""

        model_constraints = (later,)

        async def run(self, sentence, probe):
            try:
                await probe([sentence.replace(3, "blue")])
            except GoalReached:
                await probe([sentence.replace(3, "pink")])

    victim = StubVictim(lambda tokens: TEXT.tags if "red" in tokens else ["O"] * len(tokens))
    ATTACKS._targets["twice"] = Twice
    try:
        (outcome,) = attack(victim, [TEXT], "twice")
    finally:
        del ATTACKS._targets["twice"]
    assert outcome.status is Status.SUCCESS
    assert outcome.edits[0].words == ("blue",)
    assert "RuntimeError" in outcome.reason
    assert outcome.search_queries == 1
