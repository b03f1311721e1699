"""What guests download, and how to tell that it is there.

Guests fetch models and word lists when they are built, some even in the middle of an attack. A run must not depend on a
server that way, so what they need is looked for beforehand and nothing is downloaded: the message says what to fetch.
Some of the files are pickles, and the guests unpickle them; take them from nobody but the guests' authors.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from attacks.guests.textattack_import import cache_folder

__all__ = ["Need", "flair_model", "hub_model", "nltk_data", "package", "shipped_file", "textattack_file", "use"]


class Need(NamedTuple):
    """Something a recipe cannot do without.

    Attributes:
        what: it is, and how to get it, as the end of "RECIPE needs ...".
        is_there: looks for it on this machine; TextAttack is imported by then.
    """

    what: str
    is_there: Callable[[], bool]


def textattack_file(about: str, path: str) -> Need:
    """Name a download of TextAttack's own.

    Args:
        about: what it is.
        path: inside TextAttack's cache folder, which is also its place on TextAttack's server.
    """
    what = f"{about}, which TextAttack downloads at first use; put them there as $TA_CACHE_DIR/{path}"

    def is_there() -> bool:
        return (cache_folder() / path).exists()

    return Need(what, is_there)


def hub_model(repository: str) -> Need:
    """Name a model of the Hugging Face hub."""

    def is_there() -> bool:
        from huggingface_hub import try_to_load_from_cache

        return isinstance(try_to_load_from_cache(repository, "config.json"), str)

    return Need(f"the model {repository} of the Hugging Face hub; fetch it with: hf download {repository}", is_there)


def flair_model(name: str, repository: str) -> Need:
    """Name a tagger that Flair downloads.

    Args:
        name: what Flair calls it.
        repository: where it is on the Hugging Face hub.
    """

    def is_there() -> bool:
        import flair
        from huggingface_hub import try_to_load_from_cache

        folder = Path(flair.cache_root) / "models" / repository.partition("/")[2]
        return isinstance(try_to_load_from_cache(repository, "pytorch_model.bin", cache_dir=folder), str)

    return Need(
        f"Flair's tagger {name}; fetch it with: "
        f'python -c "from flair.models import SequenceTagger as T; T.load({name!r})"',
        is_there,
    )


def nltk_data(path: str) -> Need:
    """Name a corpus or model of NLTK, for example "corpora/wordnet"."""
    name = path.rpartition("/")[2]

    def is_there() -> bool:
        import nltk

        for form in (path, f"{path}.zip"):
            try:
                nltk.data.find(form)
            except LookupError:
                continue
            return True
        return False

    return Need(f"NLTK's {name}; fetch it with: python -m nltk.downloader {name}", is_there)


def package(module: str, requirement: str) -> Need:
    """Name a Python package that TextAttack leaves to the user."""
    return Need(f"{requirement}; install it with: pip install {requirement}", lambda: find_spec(module) is not None)


def use() -> Need:
    """Name the Universal Sentence Encoder."""
    address = "https://tfhub.dev/google/universal-sentence-encoder/3"

    def is_there() -> bool:
        usual = Path(tempfile.gettempdir()) / "tfhub_modules"
        folder = Path(os.environ.get("TFHUB_CACHE_DIR", usual))
        # TensorFlow Hub names folders after a hash of the address.
        return (folder / hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()).is_dir()

    return Need(f"the Universal Sentence Encoder; have TensorFlow Hub put {address} into $TFHUB_CACHE_DIR", is_there)


def shipped_file(about: str, path: str) -> Need:
    """Name a file of TextAttack's source that its wheel may lack.

    Args:
        about: what it is.
        path: inside the package.
    """

    def is_there() -> bool:
        import textattack

        return (Path(textattack.__file__).parent / path).is_file()

    return Need(f"{about}, which TextAttack's wheel lacks; put it there as textattack/{path} from its source", is_there)
