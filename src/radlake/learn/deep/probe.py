"""What a machine is fast at, by a few steps of a training on copies of the network."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from radlake.learn.deep.device import repeatable
from radlake.learn.deep.layers import seed_dropout
from radlake.learn.deep.recorded import AS_THEY_ARE, Recorder
from radlake.learn.deep.trainer import Lesson, Precision, autocast

_STEPS = 3
_GAIN = 1.2  # how much faster another way than the usual one must be: bfloat16 costs digits


@dataclass(frozen=True)
class Way:
    """How a step is computed.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}
    last : bool
        Whether channels come last in memory.
    """

    precision: Precision
    last: bool

    @property
    def name(self) -> str:
        """As in plans."""
        return f"{self.precision}, channels {'last' if self.last else 'first'}"


def ways(device: str, *, last: bool) -> tuple[Way, ...]:
    """Ways that are worth a try, the usual one first: on a GPU also the other order in memory than the usual one.

    Examples
    --------
    >>> [way.name for way in ways("cpu", last=True)]
    ['float32, channels last', 'bfloat16, channels last']
    """
    orders = (last, not last) if device == "cuda" else (last,)
    return tuple(Way(precision, order) for order in orders for precision in ("float32", "bfloat16"))


def fastest(seconds: Mapping[Way, float]) -> Way:
    """The way with the shortest step; the first one unless that gains a fifth.

    Parameters
    ----------
    seconds : mapping
        Of a step in each way.
    """
    usual = next(iter(seconds))
    best = min(seconds, key=lambda way: seconds[way])
    return best if seconds[usual] > _GAIN * seconds[best] else usual


def seconds_of_steps(
    made: Callable[[bool], tuple[nn.Module, Lesson]], device: str, batch: int, *, last: bool
) -> dict[Way, float]:
    """Seconds of one training step in each way: the median of three, after some that do not count.

    On the processor ways are compared by its own time, of which others on the machine take nothing, and all are
    stretched by the share of it that this process was given.

    Parameters
    ----------
    made : callable
        Whether channels come last -> a fresh network and its lesson, on the device.
    device : {"cpu", "cuda"}
    batch : int
    last : bool
        The usual order in memory.
    """
    tried = ways(device, last=last)
    parts = {order: made(order) for order in {way.last for way in tried}}
    with repeatable(device):
        began, own = time.perf_counter(), time.process_time()
        found = {way: _seconds_of_a_step(*parts[way.last], device, batch, way.precision) for way in tried}
        stretch = (time.perf_counter() - began) / max(time.process_time() - own, 1e-3)
    return found if device == "cuda" else {way: value * stretch for way, value in found.items()}


def _seconds_of_a_step(network: nn.Module, lesson: Lesson, device: str, batch: int, precision: Precision) -> float:
    """Seconds of one training step; the network's weights stay as they are."""
    seed_dropout(network.train(), generator := torch.Generator(device).manual_seed(0))
    chosen = torch.from_numpy(lesson.order(np.random.default_rng(0))[:batch])

    def step(numbers: Tensor) -> None:
        inputs, wanted = lesson.batch(numbers, generator)
        with autocast(device, precision):
            said = network(inputs)
        lesson.loss(said, wanted).backward()  # type: ignore[no-untyped-call]
        network.zero_grad()

    clock = time.perf_counter if device == "cuda" else time.process_time
    recorder = Recorder(step, generator) if device == "cuda" and lesson.resident else None
    numbers, taken = chosen.to(device) if lesson.resident else chosen, []
    for _ in range(_STEPS + (AS_THEY_ARE + 1 if recorder else 1)):
        started = clock()
        if recorder is None or not recorder.run(numbers):
            step(numbers)
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(clock() - started)
    return float(np.median(taken[-_STEPS:]))
