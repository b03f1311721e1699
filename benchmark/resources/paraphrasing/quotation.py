"""Reported speech: who says it first, and who says it last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmark.resources.paraphrasing.clause import main_clause
from benchmark.resources.paraphrasing.forms import lemma
from benchmark.resources.paraphrasing.parse import QUOTES, SUBJECTS, Arrangement, Parse
from benchmark.resources.paraphrasing.vocabulary import SAYING

__all__ = ["speaker_first", "speaker_inside", "speaker_last", "speech_verb_first"]

_PRONOUNS = frozenset(["PRP", "DT", "WP"])
_SHORTEST_SPEECH = 3
_LONGEST_INSERTION = 6


def _saying(parse: Parse) -> tuple[int, int, int] | None:
    """Return the main verb if it is one of saying, its subject (on either side) and the speech that depends on it."""
    verb = parse.root
    if lemma(parse[verb].word) not in SAYING or parse[verb].tag not in {"VBD", "VBZ", "VBP"}:
        return None
    subjects = parse.children(verb, "nsubj")
    speeches = parse.children(verb, "ccomp")
    if len(subjects) != 1 or len(speeches) != 1 or parse.children(verb, "aux", "neg", "conj", "cc"):
        return None
    if parse.children(verb, "dobj", "dative") and lemma(parse[verb].word) != "tell":
        return None
    (speech,) = speeches
    if not any(k < speech for k in parse.children(speech, *SUBJECTS)):
        return None
    # "said it rained and that Ruiz left": the second "that" needs its verb in front.
    if any("that" in parse.words(parse.children(k, "mark")) for k in parse.children(speech, "conj")):
        return None
    return verb, subjects[0], speech


def _speech_at(parse: Parse, speech: int) -> tuple[range, range] | None:
    """Return what is said with the quotation marks, and the stop inside them, around it; and the bare words."""
    phrase = parse.phrase(speech)
    if phrase is None:
        return None
    start, stop = phrase.start, phrase.stop
    if parse[start].word in QUOTES and parse[stop - 1].word in QUOTES and len(phrase) > _SHORTEST_SPEECH:
        inner = range(start + 1, stop - 2 if parse.is_comma(stop - 2) else stop - 1)
        return phrase, inner
    if start > 0 and parse[start - 1].word in QUOTES:
        while stop < len(parse) and parse[stop].word in {",", "."}:
            stop += 1
        if stop < len(parse) and parse[stop].word in QUOTES:
            return range(start - 1, stop + 1), phrase
    return phrase, phrase


def speaker_last(parse: Parse) -> Iterator[Arrangement]:
    """S-SBAR-,-NP-VP: "Ruiz said it rained ." becomes "It rained , Ruiz said ." and "It rained , said Ruiz ."."""
    found = _saying(parse)
    clause = main_clause(parse)
    if found is None or clause is None or not clause.opens_with_subject:
        return
    verb, subject, speech = found
    said_at = _speech_at(parse, speech)
    if said_at is None or said_at[1].start <= verb or clause.start != 0:
        return
    whole, phrase = said_at
    if whole.stop < clause.stop or len(phrase) < _SHORTEST_SPEECH:
        return
    between = [k for k in range(clause.start, whole.start) if k < verb or parse[k].word not in {",", ":"}]
    said = _speech(parse, whole, phrase)
    stop = [k for k in parse.final if parse[k].word == "."][-1:]
    if not stop:
        return
    # A speaker with an apposition before the verb ("..., Ruiz , the director , said .") sounds wrong at the end.
    if clause.subject_phrase.stop == verb:
        yield (*said, *between, *stop)
    speaker, after = clause.subject_phrase, between[between.index(verb) + 1 :]
    turns = parse[subject].tag not in _PRONOUNS and lemma(parse[verb].word) != "tell"
    if turns and all(parse.is_comma(k) for k in range(speaker.stop, verb)):
        yield (*said, verb, *speaker, *([","] if speaker.stop < verb and after else []), *after, *stop)


def _speech(parse: Parse, whole: range, phrase: range) -> tuple[int | str, ...]:
    """Return what was said as it stands before its speaker: without "that", a comma at its end."""
    inside = list(phrase)
    if parse[inside[0]].word == "that" and parse[inside[0]].dep == "mark":
        inside = inside[1:]
    if len(whole) == len(phrase):
        return (*inside, ",")
    return (whole.start, *inside, ",", whole.stop - 1)


def speaker_first(parse: Parse) -> Iterator[Arrangement]:
    """S-NP-VP: "It rained , said Ruiz ." becomes "Ruiz said it rained ."."""
    parts = _spoken_first(parse)
    if parts is None:
        return
    whole, phrase, subject, verb, rest = parts
    if len(whole) == len(phrase):
        yield (*subject, verb, *rest, "that", *phrase, *parse.final)
        if not rest:
            yield (*subject, verb, *phrase, *parse.final)
        return
    stop = next((k for k in parse.final if parse[k].word == "."), None)
    if stop is not None:
        yield (*subject, verb, *rest, ",", whole.start, *phrase, stop, whole.stop - 1)


def speaker_inside(parse: Parse) -> Iterator[Arrangement]:
    """S-NP-VP: "Ruiz said the match was over ." becomes "The match , Ruiz said , was over ."."""
    found = _saying(parse)
    if found is None or any(unit.word in QUOTES for unit in parse.units):
        return
    _, subject, speech = found
    phrase, speaker = parse.phrase(speech), parse.phrase(subject)
    topic = parse.phrase(next(iter(parse.children(speech, *SUBJECTS)), speech))
    if phrase is None or speaker is None or topic is None or any(parse.is_comma(k) for k in (*topic, *speaker)):
        return
    that = parse[phrase.start].word == "that" and parse[phrase.start].dep == "mark"
    if topic.start != phrase.start + that or parse[topic.start].tag == "EX":
        return
    if topic.stop != min([speech, *parse.children(speech, "aux", "auxpass")]):
        return
    outside = [k for k in range(parse.end) if k not in phrase and not parse.is_comma(k)]
    if len(outside) <= _LONGEST_INSERTION and sorted(outside) == list(range(outside[0], outside[-1] + 1)):
        yield (*topic, ",", *outside, ",", *range(topic.stop, phrase.stop), *parse.final)


def speech_verb_first(parse: Parse) -> Iterator[Arrangement]:
    """S-VP: "It rained , Ruiz said ." becomes "It rained , said Ruiz ." and back."""
    parts = _spoken_first(parse)
    if parts is None:
        return
    whole, _, subject, verb, rest = parts
    before = range(whole.stop, min(subject.start, verb))
    if parse[subject.stop - 1].tag in _PRONOUNS or lemma(parse[verb].word) == "tell":
        return
    if any(parse.is_comma(k) for k in subject):
        return
    turned = (verb, *subject) if subject.start < verb else (*subject, verb)
    yield (*range(before.stop), *turned, *rest, *parse.final)


def _spoken_first(parse: Parse) -> tuple[range, range, range, int, Sequence[int]] | None:
    """Return speech with and without its quotation marks, the speaker, the verb and the rest, if in that order."""
    found = _saying(parse)
    if found is None:
        return None
    verb, subject, speech = found
    said_at, speaker = _speech_at(parse, speech), parse.phrase(subject)
    if said_at is None or speaker is None or said_at[1].stop > min(verb, speaker.start):
        return None
    whole, phrase = said_at
    between = range(whole.stop, min(verb, speaker.start))
    if whole.start != 0 or any(not parse.is_comma(k) for k in between):
        return None
    last = max(verb + 1, speaker.stop)
    if {*range(min(verb, speaker.start), last)} != {verb, *speaker}:
        return None
    return whole, phrase, speaker, verb, range(last, parse.end)
