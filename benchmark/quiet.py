"""Keeping libraries from talking over us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["silent_transformers"]


@contextmanager
def silent_transformers() -> Iterator[None]:
    """Keep transformers from printing bars and reports; what matters is said by us."""
    from transformers import logging

    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
