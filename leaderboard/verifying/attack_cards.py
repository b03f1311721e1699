"""What is known of an attack that comes with the project: a run under its name must keep to its card.

Attacks from elsewhere are not looked at: that would import, and so execute, submitted code.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points

from benchmark.contracts import Attack
from benchmark.errors import GauntletError
from leaderboard.plain_text import shown
from leaderboard.recorded_plans import given_parameters
from leaderboard.verifying.finding import Finding
from leaderboard.verifying.stored_run import StoredRun

__all__ = ["card_faults"]

_OURS = "ner-gauntlet"


def card_faults(run: StoredRun) -> Iterator[Finding]:
    """Yield what a specification says of one of our attacks and its card does not."""
    spec = run.spec
    if spec is None:
        return
    points = entry_points(group="gauntlet.attacks", name=spec.attack)
    ours = next((point for point in points if point.dist is not None and point.dist.name == _OURS), None)
    if ours is None:
        return
    attack: type[Attack] = ours.load()
    card = attack.card
    if spec.attack_version > card.version:
        yield run.finding(
            "spec.json", "attack_version", str(spec.attack_version), f"at most {card.version}, the newest"
        )
    if spec.attack_version != card.version:
        return  # what an older version was allowed is not known any more
    for field, known in (("touch", card.touch.value), ("access", card.access.name.lower())):
        if getattr(spec, field) != known:
            yield run.finding("spec.json", field, shown(getattr(spec, field)), f"{known}, by the card of {spec.attack}")
    try:
        given_parameters(spec.attack, spec.parameters)
    except GauntletError as error:
        yield run.finding("spec.json", "parameters", shown(spec.parameters), f"those of {spec.attack}: {error}")
