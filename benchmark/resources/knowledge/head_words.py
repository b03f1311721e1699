"""Words in a name that tell what it names. Written for this project."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark.resources.knowledge.kinds import Kind
from benchmark.types import Tokens

__all__ = ["class_by_head_word"]

# By kind, class and last words, the ones that tell most first.
_WORDS: Mapping[Kind, Mapping[str, str]] = {
    Kind.ORGANISATION: {
        "football club": "fc united rovers wanderers athletic albion hotspur argyle rangers villa county town city "
        "borussia real inter ac sporting dynamo dinamo spartak lokomotiv torpedo cska bayern olympique deportivo "
        "atletico racing sampdoria fortuna eintracht werder hertha vfb vfl schalke ajax psv feyenoord juventus "
        "lazio roma benfica galatasaray fenerbahce besiktas rapid austria slavia sparta steaua forest wednesday "
        "celtic hearts alexandra stanley orient palace vale",
        "university": "university college school institute academy universite universidad universitat",
        "airline": "airlines airways air aviation lufthansa",
        "bank": "bank bancorp banc banco banque banca bankers securities brothers savings",
        "insurer": "insurance assurance reinsurance",
        "news medium": "reuters reuter times post herald tribune journal news gazette newsroom television radio tv "
        "press magazine daily telegraph guardian afp xinhua tass itar-tass interfax antara tanjug mena irna kyodo "
        "cnn bbc abc nbc cbs msnbc bloomberg standard zeitung",
        "party": "party democrats front labour likud conservatives liberals socialists",
        "rebel movement": "movement hamas hizbollah taliban unita plo pkk ira eta",
        "ministry": "ministry department treasury secretariat",
        "court": "court tribunal",
        "parliament": "parliament senate house assembly knesset duma congress cabinet legislature",
        "armed force": "army navy force forces guard guards police brigade battalion troops marines regiment",
        "stock exchange": "exchange bourse",
        "association": "association federation confederation union unions league society conference institution "
        "foundation alliance coalition",
        "authority": "agency commission committee council authority board service administration office bureau "
        "organisation organization fund",
        "hospital": "hospital clinic infirmary",
        "museum": "museum gallery library theatre orchestra ballet opera",
        "company": "inc inc. corp corp. corporation co co. company ltd ltd. plc ag sa s.a. nv n.v. spa gmbh llc group "
        "holdings holding industries motors motor oil petroleum steel pharmaceuticals electronics systems technologies "
        "technology software communications telecom telecommunications energy resources enterprises international "
        "stores foods brewery mines mining electric power gas chemical chemicals products partners laboratories "
        "entertainment records studios pictures",
    },
    Kind.PLACE: {
        "water": "river lake sea ocean bay gulf strait straits channel canal delta creek falls",
        "mountain": "mount mountain mountains hills alps heights peak valley desert plateau glacier",
        "island": "island islands isle isles peninsula archipelago cape",
        "street": "street avenue road square lane boulevard highway drive",
        "part of a country": "province region district county state prefecture coast territory oblast",
        "half of a place": "north south east west northern southern eastern western central",
    },
    Kind.FACILITY: {
        "stadium": "stadium arena park ground field course trafford garden gardens speedway",
        "airport": "airport airfield airbase",
        "building": "hotel hospital palace church cathedral mosque tower building house hall centre center bridge "
        "station prison jail museum theatre theater mall school university base plant cafe bar club restaurant zoo",
    },
    Kind.EVENT: {
        "competition": "cup open championship championships prix classic games olympics olympic tour masters trophy "
        "series league division bowl rally marathon tournament stakes derby test liga bundesliga serie premier",
        "gathering": "festival summit conference fair convention",
        "treaty": "accord accords treaty act agreement pact convention",
        "war": "war revolution intifada holocaust uprising",
        "prize": "award awards prize medal",
        "holiday": "day christmas easter ramadan eve thanksgiving halloween",
    },
    Kind.WORK: {
        "newspaper": "times post herald tribune journal gazette daily telegraph guardian",
    },
}


# The first class that names a word has it.
_CLASS: Mapping[Kind, Mapping[str, str]] = {
    kind: {word: told for told, words in reversed(tuple(classes.items())) for word in words.split()}
    for kind, classes in _WORDS.items()
}


_CLUBS = (
    "ac atletico austria bayern borussia cska deportivo dinamo dynamo eintracht fc fortuna hapoel hertha inter "
    "lokomotiv maccabi olympique racing rapid real schalke slavia sparta spartak sporting steaua torpedo vfb vfl werder"
)
# First words that tell as much. Any head word does before "of" and "for": Bank of England.
_FIRST: Mapping[Kind, Mapping[str, str]] = {
    Kind.ORGANISATION: dict.fromkeys(_CLUBS.split(), "football club"),
    Kind.PLACE: {"cape": "island", "gulf": "water", "lake": "water", "mount": "mountain"},
}


def class_by_head_word(name: Tokens, kinds: frozenset[Kind]) -> str | None:
    """Return what a name of one of these kinds is by its head word, or None."""
    first, last = name[0].lower(), name[-1].lower()
    of = len(name) > 2 and name[1].lower() in {"of", "for"}  # noqa: PLR2004 - a word, of, another word
    for kind in (kind for kind in _CLASS if kind in kinds):
        told = of and _CLASS[kind].get(first)
        told = told or _CLASS[kind].get(last) or _FIRST.get(kind, {}).get(first)
        if told:
            return told
    return None
