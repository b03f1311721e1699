"""Closed lists of English words that the rules go by."""

from __future__ import annotations

__all__ = [
    "ADVERBS",
    "ASKING",
    "ASKS_FOR_AT",
    "ASKS_FOR_IN",
    "DAYS",
    "FREE",
    "FREE_WITH_TIME",
    "GIVING",
    "LIGHT",
    "NOT_POSSESSED",
    "NO_CLEFT",
    "NO_PASSIVE",
    "NO_SENTENCE_ADVERBS",
    "NO_SUBJECT",
    "PARENTHETIC",
    "PEOPLE",
    "PLACES",
    "QUANTITIES",
    "REPORTING",
    "SAYING",
    "STATIVE",
    "SUBORDINATORS",
    "TIME_NOUNS",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Prepositional phrases that say when or under which circumstances, whatever verb they stand with.
FREE = _words(
    """
    after before during since until till despite following amid throughout within under without because according in
    at outside inside across along besides unlike
    """
)
# Those that do so with an expression of time only; with other objects verbs ask for them ("look at", "come from").
FREE_WITH_TIME = _words(
    """
    on by from for over through around about between
    """
)
# Verbs that ask for a place or a state ("live in", "end in"); the phrase cannot leave them.
ASKS_FOR_IN = _words(
    """
    believe result invest participate involve engage succeed specialise specialize consist live reside put place
    stay base locate remain lie stand sit bear be include interest lead end fall rise drop grow hold arrive finish
    set get increase decline decrease gain lose close
    """
)
# Prepositions of place.
PLACES = _words(
    """
    in within outside inside across along under
    """
)
# Verbs that ask for "at".
ASKS_FOR_AT = _words(
    """
    look aim laugh stare arrive shoot fire stay remain work stand close end trade settle be quote value put estimate
    set open finish base play sell price total
    """
)
# Adverbs, besides those in -ly, that can open a sentence.
ADVERBS = _words(
    """
    yesterday today tomorrow tonight now later earlier recently currently soon meanwhile however then afterwards
    previously formerly initially eventually finally originally again still instead nevertheless nonetheless
    therefore thus moreover furthermore sometimes often once already lately nowadays elsewhere abroad here overnight
    also perhaps maybe indeed otherwise twice
    """
)
# Verbs behind which, or before which, speech stands.
SAYING = _words(
    """
    say add tell report announce note explain
    """
)
# Adverbs that stand between commas behind the subject.
PARENTHETIC = _words(
    """
    however meanwhile nevertheless nonetheless therefore moreover furthermore
    """
)
# Words in -ly that belong to the word next to them, and some others that cannot open a sentence.
NO_SENTENCE_ADVERBS = _words(
    """
    only hardly barely scarcely nearly mostly partly fully really exactly simply merely directly early likely daily
    weekly monthly yearly friendly rarely badly highly closely strongly heavily sharply slightly widely narrowly
    mainly largely purely solely roughly approximately virtually greatly newly respectively equally tightly firmly
    well reportedly substantially considerably entirely completely totally
    """
)
# Words that open an adverbial clause.
SUBORDINATORS = _words(
    """
    because although though while whereas if unless once since as after before until
    """
)
TIME_NOUNS = _words(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december today yesterday tomorrow tonight morning afternoon evening night noon
    midnight day week weekend month year quarter season century decade hour minute time moment summer winter spring
    autumn days weeks months years hours minutes seconds decades
    """
)
DAYS = _words(
    """
    monday tuesday wednesday thursday friday saturday sunday
    """
)
# Verbs whose objects cannot become subjects, or only oddly.
NO_PASSIVE = _words(
    """
    have be become cost lack resemble fit weigh last want like love hate suit equal total mean get let remain seem
    need enjoy say add tell hope wish live stay go come run rise fall gain lose average mark wait do end open close
    start begin continue agree refuse fail manage decide try post net clock number walk return face boast possess
    escape enter marry join survive await retire
    """
)
# Objects that make one verb with theirs: "take place".
LIGHT = _words(
    """
    place part care time advantage charge office effect root shape heart aim note steps
    """
)
# Pronouns that cannot change from subject to object and back.
NO_SUBJECT = _words(
    """
    it there this that which who what himself herself itself themselves each
    """
)
# Verbs that report what was said or thought.
REPORTING = _words(
    """
    say add report believe think announce hope claim know feel insist admit suggest warn
    """
)
# "the city of X" is X itself, "the end of X" no possession of it.
NOT_POSSESSED = _words(
    """
    eve anniversary occasion city enclave suburb area town village state island province region republic kingdom
    county district port name title kind type sort rest majority part most end beginning start middle number lot
    couple pair member members half third quarter percent top bottom side centre center means way form act case
    group series one two three some all none east west north south northeast northwest southeast southwest outskirts
    course favour favor terms front event total rank use result cost price level risk amount value million billion
    thousands hundreds dozens month year day week whole bank university ministry department minister
    """
)
# Participles that have become prepositions or adjectives.
STATIVE = _words(
    """
    include follow regard concern accord depend base pend bar
    """
)
# Subjects that no cleft puts first.
NO_CLEFT = _words(
    """
    it there this that he she they we i you which who what these those some all both most many
    """
)
# Nouns whose number does not decide on the verb's.
QUANTITIES = _words(
    """
    number majority couple lot handful series half rest percent dozen range
    """
)
# Verbs with two objects, the receiver first.
GIVING = _words(
    """
    give send offer hand sell lend show grant
    """
)
# Verbs that make somebody else do something.
ASKING = _words(
    """
    get ask tell want force allow urge help persuade order expect enable cause lead invite require permit
    """
)
# Types of mentions that are persons.
PEOPLE = frozenset(["PER", "PERSON"])
