"""Training shared among processes: each holds a range of the cases and takes its part of every batch.

Torch's DistributedDataParallel averages the gradients, batch normalisation sees the whole batch, and a batch is the
whole group's: so rate, epochs and number of steps mean what they mean for one process, and the trained network is the
one that a single process makes from the same batches, up to rounding. Only what is drawn at random for single images
(augmentation, dropout) comes from other numbers. Whoever starts the processes (torchrun, Spark's TorchDistributor)
opens the group; inside one, every `fit` is shared.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from radlake.core.errors import UsageError
from radlake.learn.deep.progress import Progress
from radlake.learn.deep.shared_norm import with_shared_norms
from radlake.learn.deep.trainer import History, Lesson, Recipe, Run, follow

Ints = NDArray[np.int64]


def is_shared() -> bool:
    """Whether this process is one of a group that trains together."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def own_rows(cases: int) -> slice:
    """The range of cases that this process holds; all of them outside a group."""
    if not is_shared():
        return slice(0, cases)
    bounds, rank = _bounds(cases, dist.get_world_size()), dist.get_rank()
    return slice(int(bounds[rank]), int(bounds[rank + 1]))


def dealt(order: Ints, bounds: Ints) -> Ints:
    """An epoch's cases in an order in which every stretch holds an even share of each range.

    Parameters
    ----------
    order : (N,) int array
        Case numbers; those of one range keep their order.
    bounds : (R + 1,) int array
        Range r is from bounds[r] to before bounds[r + 1].

    Examples
    --------
    >>> dealt(np.array([5, 4, 0, 3, 1, 2]), np.array([0, 3, 6])).tolist()
    [5, 0, 4, 1, 3, 2]
    """
    place = np.empty(len(order))
    for first, last in pairwise(bounds):
        inside = np.flatnonzero((order >= first) & (order < last))
        place[inside] = (np.arange(len(inside)) + 0.5) / max(1, len(inside))
    return order[np.argsort(place, kind="stable")]


def divided(lesson: Lesson, cases: int, held_out: NDArray[np.bool_] | None) -> Lesson:
    """What this process of a group does of a lesson.

    Parameters
    ----------
    lesson : Lesson
        Its batches are of the process's own cases (`own_rows`), its order of all.
    cases : int
        Of all processes.
    held_out : (cases,) bool array or None
        Cases for validation.
    """
    part = _Part(lesson, cases, held_out)
    validate = None if lesson.validate is None else part.validate
    return replace(lesson, batch=part.batch, loss=part.loss, order=part.order, validate=validate, identity=part.name())


def train(
    network: nn.Module,
    lesson: Lesson,
    recipe: Recipe,
    *,
    folder: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> History:
    """As `radlake.learn.deep.trainer.train`, by all processes of the group; each ends with the same weights.

    Parameters
    ----------
    network, recipe, folder, progress
        As there. The first process writes the folder and tells progress; all must be able to read the folder.
    lesson : Lesson
        From `divided`.

    Raises
    ------
    UsageError
        For batches so small that a process may get no case, or a folder that not all processes see.
    CheckpointError
        As there.
    """
    if recipe.batch < _LEAST * dist.get_world_size():
        raise UsageError(
            f"a batch of {recipe.batch} cases is too small for {dist.get_world_size()} processes: at least {_LEAST} for"
            " each; take fewer processes or raise the batch"
        )
    leads = dist.get_rank() == 0
    run = _Shared(with_shared_norms(copy.deepcopy(network)), lesson, recipe)
    history = follow(run, folder, progress if leads else None, writes=leads)
    network.load_state_dict(run.network.state_dict())
    network.eval()
    return history


_LEAST = 6  # cases a process: batches are halved at worst, and shares are even to one case at either end


class _Shared(Run):
    """A training of which this process does a part."""

    def __init__(self, network: nn.Module, lesson: Lesson, recipe: Recipe) -> None:
        super().__init__(network, lesson, recipe)
        self.draws = (dist.get_rank(),)
        self.forward = DistributedDataParallel(network)

    def epoch(self) -> None:
        """One pass over the cases; the loss is the mean over all of them."""
        done = len(self.history.losses)
        if _sum(done) != done * dist.get_world_size():
            raise UsageError(
                "processes would go on from different epochs: the checkpoint must be in a folder that all of them see"
            )
        super().epoch()
        self.history.losses[-1] = _sum(self.history.losses[-1]) / dist.get_world_size()

    def _step(self, chosen: Tensor) -> None:
        """One step; a process that runs out of memory cannot repeat it alone."""
        self._whole(chosen)


class _Part:
    """One process's part of each batch."""

    def __init__(self, lesson: Lesson, cases: int, held_out: NDArray[np.bool_] | None) -> None:
        self.whole = lesson
        self.bounds = _bounds(cases, dist.get_world_size())
        self.rows = own_rows(cases)
        self.unseen = 0 if held_out is None else int(held_out[self.rows].sum())
        self.weight = 1.0

    def name(self) -> str:
        """Identity of the cases of all processes, in their order."""
        own = torch.frombuffer(bytearray(hashlib.sha256(self.whole.identity.encode()).digest()), dtype=torch.uint8)
        found = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        dist.all_gather(found, own)
        return hashlib.sha256(b"".join(one.numpy().tobytes() for one in found)).hexdigest()

    def order(self, rng: np.random.Generator) -> Ints:
        """What one process would draw, dealt out evenly."""
        return dealt(self.whole.order(rng), self.bounds)

    def batch(self, numbers: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The own cases of a batch."""
        mine = numbers[(numbers >= self.rows.start) & (numbers < self.rows.stop)]
        if not len(mine):
            raise UsageError("a batch holds no case of one process: raise the batch or take fewer processes")
        # Gradients are averaged over processes, the loss is a mean over cases.
        self.weight = len(mine) * dist.get_world_size() / len(numbers)
        return self.whole.batch(mine, generator)

    def loss(self, said: Tensor, wanted: Tensor) -> Tensor:
        """Loss of the own cases, such that its mean over the processes is the mean over the batch."""
        return self.whole.loss(said, wanted) * self.weight

    def validate(self, network: nn.Module) -> float:
        """Mean loss on the cases that all processes hold out."""
        own = self.whole.validate(network) * self.unseen if self.whole.validate and self.unseen else 0.0
        return _sum(own) / _sum(self.unseen)


def _bounds(cases: int, processes: int) -> Ints:
    """Where the ranges of the processes begin and end."""
    return np.arange(processes + 1, dtype=np.int64) * cases // processes


def _sum(value: float) -> float:
    """Sum of a number over the processes."""
    total = torch.tensor([float(value)], dtype=torch.float64)
    dist.all_reduce(total)
    return float(total)
