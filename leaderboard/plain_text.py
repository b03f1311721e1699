"""Which text a stranger may send us, and how to show one that he may not.

Names and notes of submissions end in terminals, CSV files, LaTeX tables and web pages. Each of these escapes what it is
given; beside that, nothing is taken in that has no business in a name or a note.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

__all__ = [
    "LONGEST_LINE",
    "LONGEST_NAME",
    "LONGEST_TEXT",
    "fault_in_line",
    "fault_in_name",
    "fault_in_note",
    "fault_in_text",
    "fault_in_word",
    "harmless_cell",
    "shown",
]

LONGEST_NAME = 200
LONGEST_LINE = 1000
LONGEST_TEXT = 20_000
LONGEST_WORD = 200
_SHOWN = 80

_NAME = re.compile(r"\w[\w .+/:@(),=-]*")
# Scripts with letters that look like Latin ones, as the names of their characters begin.
_LIKE_LATIN = {"ARMENIAN", "CHEROKEE", "CYRILLIC", "GREEK"}
# What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# An HTML tag, comment or declaration begins so.
_MARKUP = re.compile(r"<[A-Za-z/!?]")


def fault_in_text(text: str, longest: int = LONGEST_TEXT) -> str | None:
    """Return why a text of several lines is refused, or None."""
    if len(text) > longest:
        return f"at most {longest} characters, there are {len(text)}"
    odd = next((character for character in text if not character.isprintable() and character != "\n"), None)
    return f"only characters that can be seen, not {odd!r}" if odd else None


def fault_in_line(text: str, longest: int = LONGEST_LINE) -> str | None:
    """Return why one line of text (an identity, a document's name, a parameter) is refused, or None."""
    if "\n" in text[:longest]:
        return "a single line"
    return fault_in_text(text, longest) or ("no angle brackets" if set(text) & set("<>") else None)


def fault_in_note(text: str) -> str | None:
    """Return why a note (a reason, a summary) is refused, or None: no links, tables, images or code in Markdown."""
    if not text.strip():
        return "a few words"
    return fault_in_line(text) or ("plain words without [ ] | ` or \\" if set(text) & set("[]|`\\") else None)


def fault_in_name(text: str) -> str | None:
    """Return why a name is refused, or None."""
    if fault := fault_in_line(text, LONGEST_NAME):
        return fault
    if not _NAME.fullmatch(text):
        return "a name of letters, digits, spaces and . _ + - / : @ ( ) , = that begins with a letter or digit"
    if ".." in re.split(r"[/:]", text):
        return "no path that leads out of a folder"
    if unicodedata.normalize("NFKC", text) != text:
        return "a name in Unicode's composed form (NFKC)"
    scripts = {unicodedata.name(character, "").partition(" ")[0] for character in text if character.isalpha()}
    return "letters of one script, as others look the same" if "LATIN" in scripts and scripts & _LIKE_LATIN else None


def fault_in_word(word: str) -> str | None:
    """Return why a word of an adversarial example is refused beside `threat.invalid_word`, or None."""
    if len(word) > LONGEST_WORD:
        return f"at most {LONGEST_WORD} characters, there are {len(word)}"
    return "no markup in a word" if _MARKUP.search(word) else None


def harmless_cell(text: str) -> str:
    """Keep a spreadsheet from running a text as a formula, by the apostrophe that it takes for the mark of a text."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def shown(value: Any) -> str:
    """Return a value as messages show it: short, on one line, with control characters written out."""
    if isinstance(value, str):
        return repr(value[:_SHOWN]) + (f" and {len(value) - _SHOWN} more" if len(value) > _SHOWN else "")
    text = repr(value)
    return text[:_SHOWN] + ("..." if len(text) > _SHOWN else "")
