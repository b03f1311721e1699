"""From tokens back to running text, by fixed rules, so that a grammar checker reads what a person would write."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["RULES_VERSION", "detokenize"]

# Raised when a rule changes: grammar counts depend on it.
RULES_VERSION = 1

_CLITIC = re.compile(r"^(?:'(?:s|re|ve|ll|d|m|S|RE|VE|LL|D|M)|n't|N'T|n\u2019t|\u2019(?:s|re|ve|ll|d|m))$")
_NO_SPACE_BEFORE = frozenset(
    [",", ".", "!", "?", ":", ";", ")", "]", "}", "%", "...", "\u2026", "''", "\u201d", "\u2019"]
)
_NO_SPACE_AFTER = frozenset(["(", "[", "{", "$", "\u00a3", "\u20ac", "#", "``", "\u201c", "\u2018"])
_BRACKETS = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}
_LETTER = re.compile(r"^[A-Z]$")


def detokenize(tokens: Sequence[str]) -> str:
    """Join tokens as they would stand in running text.

    Clitics and closing marks lean to the left, opening marks and currency signs to the right, straight quotes by turns;
    split initials come together again ("U . S ." becomes "U.S."). Everything else is joined by one space.
    """
    out: list[str] = []
    glue = True  # no space before the next token
    open_quotes = {'"': False, "'": False}
    for i, token in enumerate(tokens):
        word = _BRACKETS.get(token, token)
        before = tokens[i - 1] if i else ""
        possessive = word == "'" and before.endswith("s") and not open_quotes["'"] and "'" not in tokens[i + 1 :]
        if word in open_quotes and not possessive:
            # A closing quote leans left, an opening one right.
            out.append(word if open_quotes[word] or glue else " " + word)
            glue = not open_quotes[word]
            open_quotes[word] = not open_quotes[word]
            continue
        initials = (word == "." and _LETTER.match(before)) or (
            _LETTER.match(word)
            and before == "."
            and i > 1
            and _LETTER.match(tokens[i - 2])
            and i + 1 < len(tokens)
            and tokens[i + 1] == "."
        )
        leans_left = word in _NO_SPACE_BEFORE or bool(_CLITIC.match(word)) or bool(initials) or possessive
        out.append(word if glue or (leans_left and i) else " " + word)
        glue = word in _NO_SPACE_AFTER
    return "".join(out)
