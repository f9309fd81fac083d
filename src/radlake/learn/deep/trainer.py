"""A short training loop in plain PyTorch: one cycle of the learning rate, averaged weights, the same bits for a seed.

All that is drawn at random in an epoch (order, augmentation, dropout) follows from the seed and the number of the
epoch, so that a run that was killed goes on from its last epoch to the same bits. On a GPU no step waits for a number,
and whole steps are recorded and replayed (`radlake.learn.deep.recorded`).
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
from radlake.learn.deep.device import repeatable
from radlake.learn.deep.layers import seed_dropout
from radlake.learn.deep.progress import EnoughError, Progress
from radlake.learn.deep.rates import SCHEDULES, Schedule
from radlake.learn.deep.recorded import Recorder

Precision = Literal["float32", "bfloat16"]


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
    schedule : {"cycle", "steps"}
        Of the learning rate; see `radlake.learn.deep.rates`.
    """

    epochs: int
    batch: int
    rate: float
    decay: float
    average: float
    patience: int | None
    precision: Precision
    seed: int
    schedule: Schedule = "cycle"


@dataclass(frozen=True)
class Lesson:
    """What there is to learn, as the loop sees it.

    Parameters
    ----------
    batch : callable
        (case numbers, a tensor; generator) -> inputs and what is wanted, on the device, augmented.
    loss : callable
        (what the network says, what is wanted) -> mean loss over the batch's cases.
    order : callable
        rng -> case numbers of one epoch.
    validate : callable or None
        network -> loss on cases that are held out.
    identity : str
        Names the data: a checkpoint of other data is refused.
    resident : bool
        Whether `batch` takes case numbers on the device and looks at nothing else than the device.
    """

    batch: Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor]]
    loss: Callable[[Any, Tensor], Tensor]
    order: Callable[[np.random.Generator], NDArray[np.int64]]
    validate: Callable[[nn.Module], float] | None
    identity: str
    resident: bool = True


@dataclass
class History:
    """What happened in a training.

    Parameters
    ----------
    losses, validation : list of float
        Of each epoch.
    pieces : int
        Into how many pieces a batch had to be cut for want of memory.
    recorded : bool
        Whether steps were recorded and replayed on a GPU.
    """

    losses: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    pieces: int = 1
    recorded: bool = False

    @property
    def best(self) -> int:
        """Epoch with the lowest validation loss, the last where nothing was held out."""
        return int(np.argmin(self.validation)) if self.validation else len(self.losses) - 1


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
        Told after each epoch; it may raise `EnoughError` to end the training.

    Raises
    ------
    CheckpointError
        When the folder holds the state of another training.
    """
    with repeatable(next(network.parameters()).device.type):
        return follow(Run(network, lesson, recipe), folder, progress)


def follow(
    run: Run, folder: Path | None, progress: Callable[[Progress], None] | None, *, writes: bool = True
) -> History:
    """All epochs that are left; see `train`.

    Parameters
    ----------
    run : Run
    folder, progress
        As for `train`.
    writes : bool
        Whether this process keeps the state.
    """
    lesson, recipe = run.lesson, run.recipe
    identity = hashlib.sha256(repr((lesson.identity, asdict(recipe))).encode()).hexdigest()
    if folder is not None and (found := checkpoint.read(folder, identity)) is not None:
        run.restore(*found)
    started, first = time.monotonic(), len(run.history.losses)
    while not run.over:
        run.epoch()
        if folder is not None and writes:
            checkpoint.write(folder, *run.state(identity))
        try:
            if progress is not None:
                progress(_progress(run.history, recipe, time.monotonic() - started, first))
        except EnoughError:
            break
    run.finish()
    return run.history


def _progress(history: History, recipe: Recipe, spent: float, first: int) -> Progress:
    """Where a training is that began at an epoch and took so many seconds since."""
    done = len(history.losses)
    left = spent * (recipe.epochs - done) / (done - first)
    held_out = history.validation[-1] if history.validation else None
    return Progress(done, recipe.epochs, history.losses[-1], held_out, spent, left)


class Run:
    """A training that is going on: the network, its averaged twin, the optimiser and the history."""

    def __init__(self, network: nn.Module, lesson: Lesson, recipe: Recipe) -> None:
        self.network, self.lesson, self.recipe = network, lesson, recipe
        self.forward: nn.Module = network  # what a step calls
        self.draws: tuple[int, ...] = ()  # what sets its random numbers apart from those of others on the same task
        self.device = next(network.parameters()).device
        gpu = self.device.type == "cuda"
        # moving joins the weights of recurrent layers in memory, which copying has parted
        self.averaged = copy.deepcopy(network).to(self.device).eval()
        self.best: dict[str, Tensor] | None = None
        self.history = History()
        rate: Any = torch.tensor(recipe.rate, device=self.device) if gpu else recipe.rate
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=rate, weight_decay=recipe.decay, fused=True, capturable=gpu
        )  # fmt: skip
        self.optimizer._warned_capturable_if_run_uncaptured = True  # first steps are not
        moving = [
            (mine, theirs)
            for mine, theirs in zip(self.averaged.state_dict().values(), network.state_dict().values(), strict=True)
            if mine.is_floating_point()
        ]
        self.pairs = [list(side) for side in zip(*moving, strict=True)]
        self.generator = torch.Generator(self.device)
        self.total = torch.zeros((), dtype=torch.float64, device=self.device)
        self.pace: Any = torch.zeros((), device=self.device) if gpu else 0.0
        self.recorder = Recorder(self._whole, self.generator) if gpu and lesson.resident else None

    @property
    def over(self) -> bool:
        """Whether all epochs are done, or patience has run out."""
        done, patience = len(self.history.losses), self.recipe.patience
        tired = patience is not None and bool(self.history.validation) and done - 1 - self.history.best >= patience
        return done >= self.recipe.epochs or tired

    def epoch(self) -> None:
        """One pass over the cases."""
        number = len(self.history.losses)
        seed = int(np.random.SeedSequence([self.recipe.seed, number, *self.draws]).generate_state(1, np.uint64)[0] >> 1)
        self.generator.manual_seed(seed)
        order = torch.from_numpy(self.lesson.order(np.random.default_rng([self.recipe.seed, number])))
        batches = torch.tensor_split(
            order.to(self.device) if self.lesson.resident else order, math.ceil(len(order) / self.recipe.batch)
        )  # fmt: skip
        seed_dropout(self.network.train(), self.generator)
        self.total.zero_()
        for place, chosen in enumerate(batches):
            self._pace(number * len(batches) + place, self.recipe.epochs * len(batches))
            self._step(chosen)
        seed_dropout(self.network, None)
        self.history.losses.append(float(self.total) / len(order))
        if self.lesson.validate is not None:
            self._validate(self.lesson.validate)

    def _pace(self, step: int, steps: int) -> None:
        """Set the learning rate, and how far the averaged weights move: in the first steps farther."""
        rate = SCHEDULES[self.recipe.schedule](step, steps, self.recipe.rate)
        pace = 1 - min(self.recipe.average, (1 + step) / (10 + step))
        group = self.optimizer.param_groups[0]
        if isinstance(self.pace, Tensor):
            group["lr"].fill_(rate)
            self.pace.fill_(pace)
        else:
            group["lr"], self.pace = rate, pace

    def _step(self, chosen: Tensor) -> None:
        """One step of the optimiser; where memory runs out the batch is halved, and again, and the step repeated."""
        if self.recorder is not None:
            if self.recorder.run(chosen):
                self.history.recorded = True
                return None
            if not self.recorder.works:
                self.generator, self.recorder = self.recorder.generator, None
                seed_dropout(self.network, self.generator)
        while True:
            try:
                return self._whole(chosen)
            except (MemoryError, RuntimeError) as error:
                if not _out_of_memory(error) or self.history.pieces >= len(chosen):
                    raise
            self.history.pieces *= 2
            self.optimizer.zero_grad()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    def _whole(self, chosen: Tensor) -> None:
        """One step on the sum of the pieces' gradients."""
        losses = []
        for piece in torch.tensor_split(chosen, min(self.history.pieces, len(chosen))):
            inputs, wanted = self.lesson.batch(piece, self.generator)
            with autocast(self.device.type, self.recipe.precision):
                said = self.forward(inputs)
            loss = self.lesson.loss(said, wanted) * (len(piece) / len(chosen))
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach().double())
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.total += sum(losses) * len(chosen)
        self._average()

    def _average(self) -> None:
        """Move the averaged weights towards the present ones."""
        mine, theirs = self.pairs
        with torch.no_grad():
            if not isinstance(self.pace, Tensor):
                torch._foreach_lerp_(mine, theirs, self.pace)
                return
            steps = torch._foreach_sub(theirs, mine)
            torch._foreach_mul_(steps, self.pace)
            torch._foreach_add_(mine, steps)

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
