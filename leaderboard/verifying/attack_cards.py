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
from leaderboard.verifying.finding import Finding, NotChecked
from leaderboard.verifying.stored_run import StoredRun

__all__ = ["card_faults"]

_OURS = "ner-gauntlet"


def card_faults(run: StoredRun) -> Iterator[Finding | NotChecked]:
    """Yield what a specification says of one of our attacks and its card does not, and what no card here tells."""
    spec = run.spec
    if spec is None:
        return
    points = entry_points(group="gauntlet.attacks")
    ours = {point.name: point for point in points if point.dist is not None and point.dist.name == _OURS}
    if spec.attack not in ours:
        alike = next((name for name in ours if name.casefold() == spec.attack.casefold()), None)
        if alike is not None:
            yield run.finding("spec.json", "attack", shown(spec.attack), f"a name that is not that of {alike}")
        yield _gap(run, "access", f"there is no card of {spec.attack} here: only its code tells what it asks")
        return
    attack: type[Attack] = ours[spec.attack].load()
    card = attack.card
    if spec.attack_version > card.version:
        yield run.finding(
            "spec.json", "attack_version", str(spec.attack_version), f"at most {card.version}, the newest"
        )
    if spec.attack_version != card.version:
        yield _gap(run, "attack_version", f"the card here is that of version {card.version}, not {spec.attack_version}")
        return
    for field, known in (("touch", card.touch.value), ("access", card.access.name.lower())):
        if getattr(spec, field) != known:
            yield run.finding("spec.json", field, shown(getattr(spec, field)), f"{known}, by the card of {spec.attack}")
    try:
        given_parameters(spec.attack, spec.parameters)
    except GauntletError as error:
        yield run.finding("spec.json", "parameters", shown(spec.parameters), f"those of {spec.attack}: {error}")


def _gap(run: StoredRun, field: str, why: str) -> NotChecked:
    return NotChecked(run.shown_as + "spec.json", field, why)
