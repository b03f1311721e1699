"""Where the messages of attacks that broke off go; results themselves hold none, because they may quote the data."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from benchmark import attacking

__all__ = ["error_log", "errors_kept_by"]

# Told each error of an attack, with its traceback.
error_log = logging.getLogger(attacking.__name__)


@contextmanager
def errors_kept_by(handler: logging.Handler) -> Iterator[None]:
    """Give the errors of attacks to a handler, and to nobody else."""
    error_log.addHandler(handler)
    propagates, error_log.propagate = error_log.propagate, False
    try:
        yield
    finally:
        error_log.propagate = propagates
        error_log.removeHandler(handler)
        handler.close()
