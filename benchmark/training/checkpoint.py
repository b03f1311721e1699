"""What a training leaves after each epoch, so that it can be killed at any moment and end in the same weights.

One safetensors file, replaced as a whole: the trained parameters, the optimizer's state, the weights of the best epoch
so far, the state of PyTorch's random numbers, and in the header, as JSON, the history. Nothing is pickled.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filelock import FileLock, Timeout

from benchmark.errors import CannotSave, CorruptResult, first_line
from benchmark.progress import Progress
from benchmark.store import write_atomically

if TYPE_CHECKING:
    import torch

    from benchmark.training.trainee import Trainee

__all__ = ["Checkpoint", "Course", "held", "work_folder"]

_LOCK = ".lock"


class Course(NamedTuple):
    """How far a training is.

    Attributes:
        rate: its peak learning rate.
        history: dev F1 of the finished epochs.
        best: what is stored of the network, as it was after the best of them; nothing before one may be chosen.
        seconds: that they took.
    """

    rate: float
    history: tuple[float, ...]
    best: dict[str, torch.Tensor]
    seconds: float

    def ended(self, epochs: int, patience: int | None, first: int = 0) -> bool:
        """Tell whether all epochs are done, or the last ones were no better; those before `first` do not count."""
        if len(self.history) == epochs:
            return True
        counted = self.history[first:]
        return bool(patience and counted and len(counted) - 1 - counted.index(max(counted)) >= patience)


class Checkpoint:
    """The checkpoint of one training.

    Args:
        folder: where it lies.
        recipe: id of the recipe; another one's checkpoint is refused.
    """

    def __init__(self, folder: Path, recipe: str) -> None:
        self.file = folder / "checkpoint.safetensors"
        self._recipe = recipe

    def rate(self) -> float | None:
        """Return the peak learning rate of the stored course; None if nothing is stored.

        Raises:
            CorruptResult: the file is damaged or of another recipe.
        """
        return float(self._about()["rate"]) if self.file.is_file() else None

    def write(self, trainee: Trainee, optimizer: torch.optim.Optimizer, course: Course) -> None:
        """Store a course.

        Raises:
            CannotSave: the disk is full, say; the checkpoint before stays.
        """
        from safetensors.torch import save

        tensors = {f"best {name}": tensor for name, tensor in course.best.items()}
        tensors |= {f"random {name}": state for name, state in _random_states(trainee.device).items()}
        for name, parameter in trainee.trained.items():
            tensors[f"weight {name}"] = parameter.detach().cpu()
            for key, value in optimizer.state[parameter].items():
                tensors[f"optimizer {key} {name}"] = value.cpu()
        about = {"recipe": self._recipe, "rate": course.rate, "history": course.history, "seconds": course.seconds}
        write_atomically(self.file, save(tensors, metadata={"about": json.dumps(about)}))

    def restore(self, trainee: Trainee, optimizer: torch.optim.Optimizer) -> Course:
        """Put the stored state back.

        Raises:
            CorruptResult: the file is damaged or of another recipe.
        """
        import torch
        from safetensors import SafetensorError, safe_open

        about = self._about()
        try:
            with safe_open(self.file, framework="pt") as stored, torch.no_grad():
                names = list(stored.keys())
                for name, parameter in trainee.trained.items():
                    parameter.copy_(stored.get_tensor(f"weight {name}"))
                    # PyTorch keeps the count of steps on the CPU.
                    optimizer.state[parameter] = {
                        key: stored.get_tensor(f"optimizer {key} {name}").to("cpu" if key == "step" else trainee.device)
                        for key in ("step", "exp_avg", "exp_avg_sq")
                        if f"optimizer {key} {name}" in names
                    }
                best = {name[5:]: stored.get_tensor(name) for name in names if name.startswith("best ")}
                _put_back(
                    {name[7:]: stored.get_tensor(name) for name in names if name.startswith("random ")}, trainee.device
                )
        except (OSError, SafetensorError, RuntimeError) as error:
            raise self._damaged(error) from error
        return Course(float(about["rate"]), tuple(map(float, about["history"])), best, float(about["seconds"]))

    def _about(self) -> dict[str, Any]:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.file, framework="pt") as stored:
                about = json.loads((stored.metadata() or {}).get("about", "{}"))
        except (OSError, ValueError, SafetensorError) as error:
            raise self._damaged(error) from error
        if not isinstance(about, dict) or about.get("recipe") != self._recipe:
            raise CorruptResult(f"{self.file} belongs to another recipe; delete it")
        return about

    def _damaged(self, error: Exception) -> CorruptResult:
        return CorruptResult(f"{self.file} is damaged ({first_line(error)}); delete it to begin again")


def work_folder(folder: Path) -> Path:
    """Return where a training keeps what it needs to go on, beside the folder that it will fill."""
    return folder.parent / f".{folder.name}.training"


@contextmanager
def held(folder: Path, report: Progress) -> Iterator[Path]:
    """Hold a training for this process and yield its work folder, which is left if there is something to go on from.

    Args:
        folder: that the training will fill.
        report: told while another process holds it.

    Raises:
        CannotSave: the folder cannot be made.
    """
    work = work_folder(folder)
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = FileLock(work / _LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            report(f"another process is training {folder.name}; waiting for it", 0, 1)
            lock.acquire()
    except OSError as error:
        raise CannotSave(f"the training cannot be saved in {work}: {error.strerror or error}") from error
    try:
        yield work
    finally:
        lock.release()
        if work.is_dir() and all(path.name == _LOCK for path in work.iterdir()):
            shutil.rmtree(work, ignore_errors=True)


def _random_states(device: torch.device) -> dict[str, torch.Tensor]:
    """Return the states of the generators that dropout draws from."""
    import torch

    states = {"cpu": torch.get_rng_state()}
    return states | {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else states


def _put_back(states: dict[str, torch.Tensor], device: torch.device) -> None:
    import torch

    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
