"""A victim for other processes, found by entry point as a plug-in is: `brittle:FOLDER`, where FOLDER makes it fail."""

from __future__ import annotations

import os
import time
from pathlib import Path

from stubs import StubVictim, lexicon

from benchmark.errors import BadInput

NAMES = ("Ana", "Bea", "Cleo", "Dan", "Eva", "Finn")
# Seconds to wait for others: a cluster that is broken must fail a test, not hang it.
PATIENCE = 120
ENTRY_POINT = "[gauntlet.victims]\nbrittle = brittle_victim:load\n"


def load(folder, options):
    """Load the victim; a line in FOLDER/loads tells which process did."""
    path = Path(folder)
    with (path / "loads").open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    if (path / "gone").exists():
        raise BadInput("the brittle victim is gone")
    return BrittleVictim(path)


class BrittleVictim(StubVictim):
    """Knows names by heart; files in FOLDER tell what else it does.

    mute: Cleo is too much for it. deadly: the first process that asks a second time ends. together: holds how often it
    must have been loaded before any process gets an answer. stuck: holds after how many texts it never answers again.
    """

    def __init__(self, folder):
        super().__init__(lexicon(dict.fromkeys(NAMES, "B-PER")), labels=("O", "B-PER", "I-PER"))
        self.name = "brittle"
        self.folder = folder
        # Another folder, another victim: workers remember what a victim of that name and hash has said.
        self.fingerprint = f"{folder} altered" if (folder / "altered").exists() else str(folder)

    def predict(self, batch):
        """Answer, if nothing is the matter."""
        if (self.folder / "mute").exists() and any("Cleo" in tokens for tokens in batch):
            raise ValueError("no room for Cleo")
        if self.sizes and self._is_the_one_to_die():
            os._exit(1)
        together = 0 if (self.folder / "deadly").exists() else self._told("together", 0)
        deadline = time.monotonic() + PATIENCE
        while len((self.folder / "loads").read_text(encoding="utf-8").split()) < together:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not loaded {together} times within {PATIENCE} seconds")
            time.sleep(0.01)
        while len(self.asked) > self._told("stuck", 1_000_000):
            time.sleep(0.01)
        return super().predict(batch)

    def _told(self, name, otherwise):
        file = self.folder / name
        return int(file.read_text(encoding="utf-8")) if file.exists() else otherwise

    def _is_the_one_to_die(self):
        try:
            (self.folder / "deadly").unlink()
        except FileNotFoundError:
            return False
        return True
