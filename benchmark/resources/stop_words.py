"""English function words, which word attacks leave alone.

The closed classes of English (articles, pronouns, auxiliaries, prepositions, conjunctions, particles) in the
tokenisation of the Penn Treebank. Compared in lower case.
"""

from __future__ import annotations

__all__ = ["STOP_WORDS", "is_stop_word"]

STOP_WORDS = frozenset(
    word
    for line in (
        "a an the this that these those each every either neither some any no all both half such what which whose",
        "i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself",
        "she her hers herself it its itself they them their theirs themselves who whom one ones oneself",
        "am is are was were be been being do does did doing done have has had having",
        "can could may might must shall should will would ought 'm 's 're 've 'd 'll n't not ca wo",
        "about above across after against along among around as at before behind below beneath beside besides",
        "between beyond by despite down during except for from in inside into like near of off on onto out outside",
        "over past per since than through throughout till to toward towards under until up upon via with within",
        "without and but or nor so yet if unless because although though while whereas whether",
        "when where why how then there here too very just only also again once more most other own same few now",
    )
    for word in line.split()
)


def is_stop_word(word: str) -> bool:
    """Tell whether a word is a function word."""
    return word.lower() in STOP_WORDS
