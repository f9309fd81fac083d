"""A short training loop in plain PyTorch: one cycle of the learning rate, averaged weights, the same bits for a seed.

All that is drawn at random in an epoch (order, augmentation, dropout) follows from the seed and the number of the
epoch, so that a run that was killed goes on from its last epoch to the same bits.
"""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from radlake.learn.deep import checkpoint
from radlake.learn.deep.layers import seed_dropout

Precision = Literal["float32", "bfloat16"]

_WARM = 0.3  # share of the steps in which the rate rises
_START, _END = 1 / 25, 1e-4  # of the peak


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Parameters
    ----------
    epochs, batch : int
    rate : float
        Highest learning rate.
    decay : float
        Weight decay of AdamW (Loshchilov and Hutter 2019).
    average : float
        Decay of the averaged weights, by which the trained network answers; 0 takes the last weights.
    patience : int or None
        Stop after so many epochs without a lower validation loss, and keep the weights of the best.
    precision : {"float32", "bfloat16"}
        Of convolutions and products; weights and sums are float32 always.
    seed : int
    """

    epochs: int
    batch: int
    rate: float
    decay: float
    average: float
    patience: int | None
    precision: Precision
    seed: int


@dataclass(frozen=True)
class Lesson:
    """What there is to learn, as the loop sees it.

    Parameters
    ----------
    batch : callable
        (case numbers, generator) -> inputs and what is wanted, on the device, augmented.
    loss : callable
        (what the network says, what is wanted) -> mean loss over the batch's cases.
    order : callable
        rng -> case numbers of one epoch.
    validate : callable or None
        network -> loss on cases that are held out.
    identity : str
        Names the data: a checkpoint of other data is refused.
    """

    batch: Callable[[NDArray[np.int64], torch.Generator], tuple[Tensor, Tensor]]
    loss: Callable[[Any, Tensor], Tensor]
    order: Callable[[np.random.Generator], NDArray[np.int64]]
    validate: Callable[[nn.Module], float] | None
    identity: str


@dataclass(frozen=True)
class Progress:
    """Where a training is: given to the callback after each epoch.

    Parameters
    ----------
    epoch, epochs : int
        Done, and in all.
    loss : float
        Mean of the epoch.
    validation : float or None
        Loss on held-out cases.
    seconds, left : float
        Since the start or the resumption; expected until the end.
    """

    epoch: int
    epochs: int
    loss: float
    validation: float | None
    seconds: float
    left: float


@dataclass
class History:
    """What happened in a training.

    Parameters
    ----------
    losses, validation : list of float
        Of each epoch.
    pieces : int
        Into how many pieces a batch had to be cut for want of memory.
    """

    losses: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    pieces: int = 1

    @property
    def best(self) -> int:
        """Epoch with the lowest validation loss, the last where nothing was held out."""
        return int(np.argmin(self.validation)) if self.validation else len(self.losses) - 1


def one_cycle(step: float, steps: float, peak: float) -> float:
    """Learning rate at a step: up along half a cosine in the first 30%, then down to nearly zero.

    References
    ----------
    Smith and Topin (2018), Super-convergence: very fast training of neural networks using large learning rates,
    arXiv:1708.07120.

    Examples
    --------
    >>> [round(one_cycle(step, 10, 1.0), 2) for step in (0, 3, 9)]
    [0.04, 1.0, 0.05]
    """
    done = step / steps
    low, share = (_START, 1 - done / _WARM) if done < _WARM else (_END, (done - _WARM) / (1 - _WARM))
    return peak * (low + (1 - low) * (1 + math.cos(math.pi * share)) / 2)


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let torch use so many threads inside, and as many as before afterwards."""
    before = torch.get_num_threads()
    if number != before:
        torch.set_num_threads(number)
    try:
        yield
    finally:
        if number != before:
            torch.set_num_threads(before)


def train(
    network: nn.Module,
    lesson: Lesson,
    recipe: Recipe,
    *,
    folder: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> History:
    """Train a network in place; it ends with the averaged weights, in evaluation mode.

    Parameters
    ----------
    network : nn.Module
        On the device where it is to be trained.
    lesson : Lesson
    recipe : Recipe
    folder : Path, optional
        The state after each epoch is kept there; a training that was killed goes on from it to the same bits.
    progress : callable, optional
        Told after each epoch.

    Raises
    ------
    CheckpointError
        When the folder holds the state of another training.
    """
    run = _Run(network, lesson, recipe)
    identity = hashlib.sha256(repr((lesson.identity, asdict(recipe))).encode()).hexdigest()
    if folder is not None and (found := checkpoint.read(folder, identity)) is not None:
        run.restore(*found)
    started, first = time.monotonic(), len(run.history.losses)
    while not run.over:
        run.epoch()
        if folder is not None:
            checkpoint.write(folder, *run.state(identity))
        if progress is not None:
            progress(_progress(run.history, recipe, time.monotonic() - started, first))
    run.finish()
    return run.history


def _progress(history: History, recipe: Recipe, spent: float, first: int) -> Progress:
    """Where a training is that began at an epoch and took so many seconds since."""
    done = len(history.losses)
    left = spent * (recipe.epochs - done) / (done - first)
    held_out = history.validation[-1] if history.validation else None
    return Progress(done, recipe.epochs, history.losses[-1], held_out, spent, left)


class _Run:
    """A training that is going on: the network, its averaged twin, the optimiser and the history."""

    def __init__(self, network: nn.Module, lesson: Lesson, recipe: Recipe) -> None:
        self.network, self.lesson, self.recipe = network, lesson, recipe
        self.averaged = copy.deepcopy(network).eval()
        self.best: dict[str, Tensor] | None = None
        self.history = History()
        self.device = next(network.parameters()).device
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=recipe.rate, weight_decay=recipe.decay, fused=True
        )  # fmt: skip
        moving = [
            (mine, theirs)
            for mine, theirs in zip(self.averaged.state_dict().values(), network.state_dict().values(), strict=True)
            if mine.is_floating_point()
        ]
        self.pairs = [list(side) for side in zip(*moving, strict=True)]

    @property
    def over(self) -> bool:
        """Whether all epochs are done, or patience has run out."""
        done, patience = len(self.history.losses), self.recipe.patience
        tired = patience is not None and bool(self.history.validation) and done - 1 - self.history.best >= patience
        return done >= self.recipe.epochs or tired

    def epoch(self) -> None:
        """One pass over the cases."""
        number = len(self.history.losses)
        seed = int(np.random.SeedSequence([self.recipe.seed, number]).generate_state(1, np.uint64)[0] >> 1)
        generator = torch.Generator(self.device).manual_seed(seed)
        order = self.lesson.order(np.random.default_rng([self.recipe.seed, number]))
        batches = np.array_split(order, math.ceil(len(order) / self.recipe.batch))
        seed_dropout(self.network.train(), generator)
        total = 0.0
        for place, chosen in enumerate(batches):
            step = number * len(batches) + place
            rate = one_cycle(step, self.recipe.epochs * len(batches), self.recipe.rate)
            self.optimizer.param_groups[0]["lr"] = rate
            total += self._step(chosen, generator) * len(chosen)
            self._average(step)
        seed_dropout(self.network, None)
        self.history.losses.append(total / len(order))
        if self.lesson.validate is not None:
            self._validate(self.lesson.validate)

    def _step(self, chosen: NDArray[np.int64], generator: torch.Generator) -> float:
        """One step of the optimiser; where memory runs out the batch is halved, and again, and the step repeated."""
        while True:
            try:
                return self._accumulated(np.array_split(chosen, min(self.history.pieces, len(chosen))), generator)
            except (MemoryError, RuntimeError) as error:
                if not _out_of_memory(error) or self.history.pieces >= len(chosen):
                    raise
            self.history.pieces *= 2
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    def _accumulated(self, pieces: list[NDArray[np.int64]], generator: torch.Generator) -> float:
        """One step on the sum of the pieces' gradients; mean loss."""
        self.optimizer.zero_grad()
        number, total = sum(map(len, pieces)), 0.0
        for piece in pieces:
            inputs, wanted = self.lesson.batch(piece, generator)
            with autocast(self.device.type, self.recipe.precision):
                said = self.network(inputs)
            loss = self.lesson.loss(said, wanted) * (len(piece) / number)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        self.optimizer.step()
        return total

    def _average(self, step: int) -> None:
        """Move the averaged weights towards the present ones; the first steps count for less."""
        keep = min(self.recipe.average, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(self.pairs[0], self.pairs[1], 1 - keep)

    def _validate(self, validate: Callable[[nn.Module], float]) -> None:
        """Note the loss on held-out cases, and keep the weights if it is the lowest."""
        self.history.validation.append(validate(self.averaged))
        if self.history.best == len(self.history.validation) - 1:
            self.best = {name: value.clone() for name, value in self.averaged.state_dict().items()}

    def finish(self) -> None:
        """Give the network its final weights."""
        self.network.load_state_dict(self.averaged.state_dict() if self.best is None else self.best)
        self.network.eval()

    def state(self, identity: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that decides how the training goes on: tensors, and plain JSON types."""
        tensors = {f"network/{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"averaged/{name}": value for name, value in self.averaged.state_dict().items()}
        tensors |= {f"best/{name}": value for name, value in (self.best or {}).items()}
        for place, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{place}/{name}": value for name, value in values.items()}
        return tensors, {"identity": identity, "history": asdict(self.history)}

    def restore(self, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Go on from a state."""
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "averaged": {}, "best": {}}
        moments: dict[int, dict[str, Tensor]] = {}
        for path, value in tensors.items():
            part, name = path.split("/", 1)
            if part == "optimizer":
                place, name = name.split("/")
                moments.setdefault(int(place), {})[name] = value
            else:
                parts[part][name] = value
        self.network.load_state_dict(parts["network"])
        self.averaged.load_state_dict(parts["averaged"])
        self.best = {name: value.to(self.device) for name, value in parts["best"].items()} or None
        for number, weights in enumerate(self.network.parameters()):
            # the fused step reads moments in the order in which the weights lie in memory
            for name, value in moments[number].items():
                if value.shape == weights.shape:
                    moments[number][name] = torch.empty_like(weights).copy_(value)
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})
        self.history = History(**state["history"])


def autocast(device: str, precision: Precision) -> torch.autocast:
    """Context in which convolutions and products have this precision."""
    return torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16")


def _out_of_memory(error: Exception) -> bool:
    """Whether memory ran out, on the device or on the machine."""
    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return known or "allocate memory" in str(error) or "not enough memory" in str(error)
