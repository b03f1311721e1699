"""Every word that is one character away: flips, insertions and deletions (Ebrahimi et al. 2018, section 3.2)."""

from __future__ import annotations

import string
from collections.abc import Iterator

__all__ = ["character_edits"]


def character_edits(word: str, *, flip: bool = True, insert: bool = True, delete: bool = True) -> list[str]:
    """Return the words one edit away, each once and without the word itself.

    Letters are flipped to letters, of the same casing first, and letters are put in at any place; a word never becomes
    empty, and none that begins in lower case gets a capital there, as it would read like a name.

    Args:
        word: to be edited; marks and digits in it are deleted but never flipped.
        flip: put another letter in the place of one.
        insert: put a letter in.
        delete: leave a character out.
    """
    letters = string.ascii_uppercase + string.ascii_lowercase if word.isupper() else string.ascii_letters
    edits: list[str] = []
    if flip:
        edits += _flips(word, letters)
    if insert:
        edits += [word[:i] + letter + word[i:] for i in range(len(word) + 1) for letter in letters]
    if delete and len(word) > 1:
        edits += [word[:i] + word[i + 1 :] for i in range(len(word))]
    return [edit for edit in dict.fromkeys(edits) if edit != word and not _newly_capital(word, edit)]


def _flips(word: str, letters: str) -> Iterator[str]:
    for i, old in enumerate(word):
        if old.isalpha():
            yield from (word[:i] + letter + word[i + 1 :] for letter in letters)


def _newly_capital(word: str, edit: str) -> bool:
    return edit[0].isupper() and not word[0].isupper()
