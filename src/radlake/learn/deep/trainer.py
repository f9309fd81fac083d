"""A short training loop in plain PyTorch: one cycle of the learning rate, averaged weights, the same bits for a seed.

All that is drawn at random in an epoch (order, augmentation, dropout) follows from the seed and the number of the
epoch, so that a run that was killed goes on from its last epoch to the same bits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from radlake.learn.deep.layers import seed_dropout

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
    balance : {"weights", "sampler", "none"}
        Rare classes count more in the loss, are drawn more often, or neither.
    seed : int
    """

    epochs: int
    batch: int
    rate: float
    decay: float
    average: float
    balance: Literal["weights", "sampler", "none"]
    seed: int


@dataclass(frozen=True)
class Progress:
    """Where a training is: given to the callback after each epoch.

    Parameters
    ----------
    epoch, epochs : int
        Done, and in all.
    loss : float
        Mean of the epoch.
    seconds, left : float
        Since the start; expected until the end.
    """

    epoch: int
    epochs: int
    loss: float
    seconds: float
    left: float


def one_cycle(step: int, steps: int, peak: float) -> float:
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
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def class_weights(y: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Weight of each class such that all count the same in sum; the mean over the cases is 1."""
    return len(y) / (classes * np.bincount(y, minlength=classes).clip(1).astype(np.float64))


def train(
    network: nn.Module,
    batch_of: Callable[[NDArray[np.int64], torch.Generator], Tensor],
    target: Tensor,
    recipe: Recipe,
    *,
    progress: Callable[[Progress], None] | None = None,
) -> list[float]:
    """Train a network in place; it ends with the averaged weights, in evaluation mode.

    Parameters
    ----------
    network : nn.Module
        On the device where it is to be trained.
    batch_of : callable
        (indices, generator) -> inputs of these cases on that device, augmented.
    target : (N,) int64 tensor, or (N, S) float tensor
        Class numbers, or values for regression.
    recipe : Recipe
    progress : callable, optional
        Told after each epoch.

    Returns
    -------
    list of float
        Mean loss of each epoch.
    """
    loss_of = _loss(target, recipe)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay, fused=True)
    averaged = {name: value.detach().clone() for name, value in network.state_dict().items()}
    steps = math.ceil(len(target) / recipe.batch)
    losses: list[float] = []
    started = time.monotonic()
    for epoch in range(recipe.epochs):
        network.train()
        generator = torch.Generator(target.device).manual_seed(_seed(recipe.seed, epoch))
        seed_dropout(network, generator)
        total = torch.zeros((), dtype=torch.float64)
        for step, chosen in enumerate(_batches(target, recipe, epoch)):
            now = epoch * steps + step
            optimizer.param_groups[0]["lr"] = one_cycle(now, recipe.epochs * steps, recipe.rate)
            loss = loss_of(network(batch_of(chosen, generator)), target[chosen])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            _average(averaged, network, recipe.average, now)
            total += loss.detach().double().cpu() * len(chosen)
        losses.append(float(total) / len(target))
        if progress is not None:
            spent = time.monotonic() - started
            left = spent * (recipe.epochs - epoch - 1) / (epoch + 1)
            progress(Progress(epoch + 1, recipe.epochs, losses[-1], spent, left))
    seed_dropout(network, None)
    network.load_state_dict(averaged)
    network.eval()
    return losses


def _seed(*parts: int) -> int:
    """One seed from several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> 1)


def _batches(target: Tensor, recipe: Recipe, epoch: int) -> Iterator[NDArray[np.int64]]:
    """Indices of an epoch's batches, all of about the same size."""
    rng = np.random.default_rng([recipe.seed, epoch])
    number = len(target)
    if recipe.balance == "sampler" and not target.is_floating_point():
        y = target.cpu().numpy()
        share = class_weights(y, int(y.max()) + 1)[y]
        order = rng.choice(number, number, p=share / share.sum())
    else:
        order = rng.permutation(number)
    yield from np.array_split(order, math.ceil(number / recipe.batch))


def _loss(target: Tensor, recipe: Recipe) -> Callable[[Tensor, Tensor], Tensor]:
    """Cross-entropy of classes, mean squared error of values."""
    if target.is_floating_point():
        return functional.mse_loss
    weights = None
    if recipe.balance == "weights":
        y = target.cpu().numpy()
        weights = torch.tensor(class_weights(y, int(y.max()) + 1), dtype=torch.float32, device=target.device)
    return lambda scores, wanted: functional.cross_entropy(scores.float(), wanted, weight=weights)


def _average(averaged: dict[str, Any], network: nn.Module, decay: float, step: int) -> None:
    """Move the averaged weights towards the present ones; the first steps count for less."""
    keep = min(decay, (1 + step) / (10 + step))
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                averaged[name].lerp_(value, 1 - keep)
            else:
                averaged[name].copy_(value)
