"""Which victims stand side by side: those given the same attacks, with sentences that all of them were selected for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from benchmark.resources.loading import LEARNING
from benchmark.spec import RunSpec, canonical_json
from leaderboard.entries import CONTROLS, OF_THE_ATTACK, Entry, grouped, labels, told_apart
from leaderboard.joint import Joint
from leaderboard.rows import Reading, Run
from leaderboard.victim_names import base_of, victim_details

__all__ = ["joint_groups"]

# What belongs to a victim, or follows from it: which sentences it nearly gets right.
_OF_THE_VICTIM = ("victim", "victim_fingerprint", "victim_settings", "selection", "sentence_ids")

_Runs = Sequence[Run]
"""All of one victim."""


def joint_groups(reading: Reading, *, base: bool) -> list[Joint]:
    """Group the victims that can be compared; why others cannot be, and what is passed over, is remarked.

    Args:
        reading: of finished runs; controls are passed over.
        base: keep apart the families of a base victim and its defended ones, named BASE+DEFENSE, and pass over those
            without any of these.

    Returns:
        Groups of at least two victims with an attack and a sentence in common.
    """
    usable = [run for run in reading.runs if run.spec.attack not in CONTROLS]
    found = []
    for group in grouped(usable, lambda run: _shared(run.spec, base=base)):
        victims = grouped(group, lambda run: {name: getattr(run.spec, name) for name in _OF_THE_VICTIM})
        names = sorted({own[0].spec.victim for own in victims})
        undefended = all(base_of(name) == name for name in names)
        if len(victims) < 2 or (base and undefended):  # noqa: PLR2004 - one victim alone is compared with nothing
            continue
        joint, told = _joined(victims, base=base)
        spec = group[0].spec
        where = f"{_named(names, base=base)} on {spec.dataset} ({spec.goal}, {spec.queries} queries)"
        reading.remarks.extend(f"{where}: {remark}" for remark in told)
        if joint is not None:
            found.append(joint)
    return found


def _named(victims: Sequence[str], *, base: bool) -> str:
    """Name victims for a remark, however many they are."""
    if base:
        return f"{base_of(victims[0])} with and without defenses"
    several = 3
    return ", ".join(victims[:several]) + (f" and {len(victims) - several} more" if victims[several:] else "")


def _joined(victims: Sequence[_Runs], *, base: bool) -> tuple[Joint | None, list[str]]:
    """Return what can be compared of some victims, if anything, and what there is to remark."""
    remarks: list[str] = []
    kept = list(victims)
    for what, of in (("attacks", _all_given), ("sentences", _selected_for)):
        spoilers = _spoilers(kept, of, base=base)
        if spoilers:
            left = [own for k, own in enumerate(kept) if k not in spoilers]
            remarks.append(
                f"left out {', '.join(name for k, name in enumerate(_names(kept)) if k in spoilers)}: "
                f"joint {what} would be {len(_common(kept, of))} instead of {len(_common(left, of))}"
            )
            kept = left
    passed_over = {run.spec.attack for own in kept for run in own if _given(run) not in _common(kept, _all_given)}
    if not _common(kept, _all_given):
        return None, [*remarks, "not compared, there is no attack that all of them were given"]
    if passed_over:
        told = ", ".join(sorted(passed_over))
        remarks.append(f"not compared on {told}: not all were given it, with the same parameters, resources and seeds")
    if not _common(kept, _selected_for):
        return None, [*remarks, "not compared, there is no sentence that all were selected for"]
    return _joint(kept), remarks


def _joint(victims: Sequence[_Runs]) -> Joint:
    """Keep what all victims were given: attacks, and of each the seeds that all have."""
    given = [{_given(run): run for run in own} for own in victims]
    common = sorted(_common(victims, _all_given))
    attacks = [[key for key in common if key[0] == attack] for attack in dict.fromkeys(key[0] for key in common)]
    names = labels([Entry(tuple(given[0][key] for key in keys)) for keys in attacks])
    order = sorted(range(len(names)), key=lambda k: names[k])
    return Joint(
        tuple(_names(victims)),
        tuple(names[k] for k in order),
        tuple(tuple(tuple(own[key] for key in attacks[k]) for k in order) for own in given),
    )


def _names(victims: Sequence[_Runs]) -> list[str]:
    """Return what victims are called, those of one name told apart."""
    specs = [own[0].spec for own in victims]
    details = [victim_details(spec.victim_fingerprint, spec.victim_settings) for spec in specs]
    return told_apart([spec.victim for spec in specs], details)


def _spoilers(victims: Sequence[_Runs], of: Callable[[_Runs], set[Any]], *, base: bool) -> set[int]:
    """Return the victims to leave out: without one of them at least twice as much is joint.

    Where two lack the same, nothing is won unless both go; so k go where that doubles what is joint k times, or where
    the table comes to hold twice as much: few victims of many. Which is tried next is the one that has least in common
    with the others. Two victims always stay, and so does the base of defended ones.
    """
    left = {k: of(own) for k, own in enumerate(victims)}
    names = [own[0].spec.victim for own in victims]
    loose = [k for k in left if not (base and base_of(names[k]) == names[k])]
    gone: set[int] = set()
    tried: set[int] = set()
    now = len(set.intersection(*left.values()))
    while loose and len(left) > 2:  # noqa: PLR2004 - one victim alone is compared with nothing
        least = min(loose, key=lambda k: sum(len(left[k] & left[other]) for other in left if other != k))
        loose.remove(least)
        del left[least]
        tried.add(least)
        then = len(set.intersection(*left.values()))
        many = then * len(left) >= 2 * now * (len(left) + len(tried))
        if then >= max(1, 2 ** len(tried) * now) or (then and many):
            gone, tried, now = gone | tried, set(), then
    return gone


def _common(victims: Sequence[_Runs], of: Callable[[_Runs], set[Any]]) -> set[Any]:
    return set.intersection(*map(of, victims))


def _all_given(runs: _Runs) -> set[tuple[str, int]]:
    return {_given(run) for run in runs}


def _selected_for(runs: _Runs) -> set[str]:
    return set(runs[0].spec.sentence_ids)


def _given(run: Run) -> tuple[str, int]:
    """Which attack a run is, whoever the victim: what an attack learns from the victim cannot be the same for two."""
    own = {name: getattr(run.spec, name) for name in OF_THE_ATTACK}
    resources = {kind: name for kind, name in run.spec.resources.items() if kind not in LEARNING}
    return canonical_json({**own, "resources": resources}), run.spec.seed


def _shared(spec: RunSpec, *, base: bool) -> dict[str, Any]:
    fields = {k: v for k, v in asdict(spec).items() if k not in {*OF_THE_ATTACK, *_OF_THE_VICTIM, "seed"}}
    rule = {k: v for k, v in spec.selection.items() if k != "passed_over"}
    return {**fields, "rule": rule, "base": base_of(spec.victim) if base else None}
