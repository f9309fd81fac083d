"""What a machine is fast at, by a few steps of a training on copies of the network."""

from __future__ import annotations

import copy
import time

import numpy as np
import torch
from torch import nn

from radlake.learn.deep.trainer import Lesson, Precision, autocast

_STEPS = 3
_GAIN = 1.2  # how much faster bfloat16 must be, as it costs digits


def faster_precision(network: nn.Module, lesson: Lesson, batch: int) -> Precision:
    """The precision whose training steps are faster here; float32 unless bfloat16 gains a fifth.

    Parameters
    ----------
    network : nn.Module
        Left as it is.
    lesson : Lesson
    batch : int
    """
    plain, short = (seconds_of_a_step(network, lesson, batch, p) for p in ("float32", "bfloat16"))
    return "bfloat16" if gains(plain, short) else "float32"


def gains(plain: float, short: float) -> bool:
    """Whether bfloat16 gains enough, by the seconds of a step with float32 and with it."""
    return plain > _GAIN * short


def seconds_of_a_step(network: nn.Module, lesson: Lesson, batch: int, precision: Precision = "float32") -> float:
    """Seconds of one training step: the median of three, after one that does not count.

    Parameters
    ----------
    network : nn.Module
        Left as it is.
    lesson : Lesson
    batch : int
    precision : {"float32", "bfloat16"}
    """
    twin = copy.deepcopy(network).train()
    device = next(twin.parameters()).device.type
    generator = torch.Generator(device).manual_seed(0)
    chosen = lesson.order(np.random.default_rng(0))[:batch]
    taken = []
    for _ in range(_STEPS + 1):
        started = time.perf_counter()
        inputs, wanted = lesson.batch(chosen, generator)
        with autocast(device, precision):
            said = twin(inputs)
        lesson.loss(said, wanted).backward()  # type: ignore[no-untyped-call]
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken[1:]))
