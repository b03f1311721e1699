"""The control that every defense stands beside: plain training through the same door."""

from __future__ import annotations

from benchmark.defending import Case, TrainedDefense, defense
from benchmark.training.loop import Regimen


@defense("identity")
class Identity(TrainedDefense):
    """Change nothing: the weights are those of plain training."""

    def regimen(self, case: Case) -> Regimen:
        """Train on what there is."""
        return Regimen(case.sentences)
