"""Importing TextAttack without its downloads and without touching anybody's folders.

At its first import TextAttack downloads corpora of NLTK and writes a mark into its cache folder; and where
`TA_CACHE_DIR` is set it moves the caches of other libraries there as well. Here the mark is set beforehand, in a folder
of ours unless the user has one, and the other libraries' caches stay where they were.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from platformdirs import user_cache_path

from attacks.guests.packages import require_package
from benchmark.resources.stop_words import STOP_WORDS

__all__ = ["cache_folder", "import_textattack", "quiet_textattack", "stop_words_in_force"]

# What TextAttack 0.3 looks for to tell that its downloads were done.
_MARK = "post_install_check_3"
# What TextAttack sets to its own cache folder when it is imported with TA_CACHE_DIR.
_MOVED = ("TFHUB_CACHE_DIR", "PYTORCH_TRANSFORMERS_CACHE", "HF_HOME", "XDG_CACHE_HOME", "TOKENIZERS_PARALLELISM")


def import_textattack(attack: str) -> None:
    """Import TextAttack, if that has not been done yet.

    Args:
        attack: whose import it is, for the message.

    Raises:
        MissingResource: TextAttack is not installed.
    """
    if sys.modules.get("textattack") is not None:
        return
    require_package("textattack", attack)
    _provide_stop_words()
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()
    # transformers reads where its cache is when it is imported; that must not be TextAttack's.
    import transformers  # noqa: F401

    with _environment_kept():
        os.environ["TA_CACHE_DIR"] = str(folder)
        import textattack  # noqa: F401


@lru_cache(maxsize=1)
def cache_folder() -> Path:
    """Return TextAttack's cache folder: the user's, if TextAttack was ever set up or told of one, else one of ours."""
    named = os.environ.get("TA_CACHE_DIR")
    if named:
        return Path(named)
    usual = Path("~/.cache/textattack").expanduser()
    return usual if (usual / _MARK).is_file() else user_cache_path("gauntlet") / "guests" / "textattack"


def stop_words_in_force() -> str:
    """Return whose English stop words TextAttack's recipes leave alone: "nltk" or "gauntlet"."""
    import nltk

    found = Path(str(nltk.data.find("corpora/stopwords/english")))
    return "gauntlet" if found == _own_stop_words() else "nltk"


@contextmanager
def quiet_textattack() -> Iterator[None]:
    """Keep TextAttack from talking about classifiers, of which there are none here."""
    log = logging.getLogger("textattack.shared.utils.install")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


@lru_cache(maxsize=1)
def _own_stop_words() -> Path:
    return user_cache_path("gauntlet") / "guests" / "nltk" / "corpora" / "stopwords" / "english"


def _provide_stop_words() -> None:
    """Let NLTK find our list of English stop words where it has none of its own."""
    import nltk

    try:
        nltk.data.find("corpora/stopwords/english")
    except LookupError:
        path = _own_stop_words()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(sorted(STOP_WORDS)) + "\n", encoding="utf-8")
        nltk.data.path.append(str(path.parents[2]))


@contextmanager
def _environment_kept() -> Iterator[None]:
    names = ("TA_CACHE_DIR", *_MOVED)
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
