"""How the CPUs and GPUs of a cluster are shared out among workers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from benchmark.errors import BadInput

__all__ = ["GRAIN", "cpus_per_worker", "room"]

# Ray counts in ten-thousandths.
GRAIN = 1e-4


def room(nodes: Sequence[Mapping[str, float]], cpus: float, gpus: float) -> int:
    """Return how many workers fit on a cluster.

    Args:
        nodes: resources of each machine, "CPU" and "GPU".
        cpus: of a worker.
        gpus: of a worker.
    """
    fit = [int(node.get("CPU", 0) / cpus + GRAIN) for node in nodes]
    if gpus:
        # Parts of one GPU are not put together with parts of another.
        fits = [node.get("GPU", 0) * (int(1 / gpus) if gpus < 1 else 1 / gpus) for node in nodes]
        fit = [min(pair) for pair in zip(fit, map(int, fits), strict=True)]
    return sum(fit)


def cpus_per_worker(nodes: Sequence[Mapping[str, float]], workers: int, gpus: float) -> float:
    """Return the largest share of CPUs, a whole number or one part of a CPU, at which all workers fit on a cluster.

    Args:
        nodes: resources of each machine, "CPU" and "GPU".
        workers: how many.
        gpus: of a worker.

    Raises:
        BadInput: the GPUs are too few, or there is nothing at all.
    """
    most = room(nodes, GRAIN, gpus)
    if not 0 < workers <= most:
        there = [f"{sum(node.get(kind, 0) for node in nodes):g} {kind}s" for kind in ("CPU", "GPU")]
        raise BadInput(
            f"the Ray cluster ({', '.join(there)}) has room for {most} workers with {gpus:g} GPUs each, not for "
            f"{max(1, workers)}; lower --workers or --gpus-per-worker"
        )
    largest = int(max(node.get("CPU", 0) for node in nodes))
    shares = itertools.chain(range(largest, 1, -1), (int(1 / k / GRAIN) * GRAIN for k in itertools.count(1)))
    return next(float(share) for share in shares if room(nodes, share, gpus) >= workers)
