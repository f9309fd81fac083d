"""How the learning rate moves while a network is trained: by the share of the steps that are done."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

Schedule = Literal["cycle", "steps"]

_WARM = 0.3  # share of the steps in which the rate rises
_START, _END = 1 / 25, 1e-4  # of the peak


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


def stepped(step: float, steps: float, peak: float) -> float:
    """Learning rate at a step: a tenth from half of the steps on, a hundredth from three quarters on.

    Examples
    --------
    >>> [round(stepped(step, 8, 1.0), 2) for step in (0, 3, 4, 6)]
    [1.0, 1.0, 0.1, 0.01]
    """
    return float(peak * 0.1 ** sum(step >= share * steps for share in (0.5, 0.75)))


SCHEDULES: dict[Schedule, Callable[[float, float, float], float]] = {"cycle": one_cycle, "steps": stepped}
