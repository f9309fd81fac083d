"""What classifiers and regressors learn from: batches of images, the loss, and how rare classes are made up for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from radlake.learn.deep.augment import Augmentation, augmented, over_mirrors
from radlake.learn.deep.device import fits, rows_of
from radlake.learn.deep.trainer import Lesson

Balance = Literal["weights", "sampler", "none"]
_AT_ONCE = 256  # images, when answering


def class_weights(y: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Weight of each class such that all count the same in sum; the mean over the cases is 1."""
    return len(y) / (classes * np.bincount(y, minlength=classes).clip(1).astype(np.float64))


def lesson(
    pixels: Tensor, target: Tensor, *, balance: Balance, how: Augmentation | None, held_out: NDArray[np.bool_] | None,
    device: str = "cpu", last: bool = True, first: int = 0,
) -> Lesson:  # fmt: skip
    """Images with their classes or values.

    Parameters
    ----------
    pixels : (N, C, [Z,] Y, X) float tensor
        In standard units, on the processor.
    target : (N,) int64 tensor, or (N, 1) float tensor
        Class numbers, or values.
    balance : {"weights", "sampler", "none"}
        Rare classes count more in the loss, are drawn more often, or neither.
    how : Augmentation or None
    held_out : (N,) bool array or None
        Cases for validation, never trained on.
    device : {"cpu", "cuda"}
        Where the network is.
    last : bool
        Whether channels come last in memory; see `layout`.
    first : int
        Number of the first image where `pixels` is only a range of the N; batches and validation are of these.
    """
    rest = np.zeros(len(target), np.bool_) if held_out is None else held_out
    chosen, unseen = np.flatnonzero(~rest), first + np.flatnonzero(rest[first : first + len(pixels)])
    outcome = target.numpy()
    weight = None
    if balance != "none" and not target.is_floating_point():
        weight = class_weights(outcome[chosen], int(outcome.max()) + 1)
    loss = loss_of(target.to(device), weight if balance == "weights" else None)
    share = weight[outcome[chosen]] / len(chosen) if weight is not None and balance == "sampler" else None
    resident, images = fits(pixels.nbytes, device), rows_of(pixels, device)
    wanted = rows_of(target, device)

    def batch(numbers: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        inputs = images(numbers - first if first else numbers)
        outcomes = wanted(numbers.to(device, non_blocking=True))
        return layout(inputs if how is None else augmented(inputs, how, generator), last=last), outcomes

    def order(rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.permutation(chosen) if share is None else rng.choice(chosen, len(chosen), p=share)

    def validate(network: nn.Module) -> float:
        return float(loss(answered(network, pixels[unseen - first], device, last=last), target[unseen].to(device)))

    digest = hashlib.sha256(pixels.numpy().tobytes() + outcome.tobytes() + repr((how, balance)).encode())
    return Lesson(batch, loss, order, validate if rest.any() else None, digest.hexdigest(), resident)


def layout(pixels: Tensor, *, last: bool) -> Tensor:
    """Images with channels last in memory, which most convolutions like, or as they are."""
    if not last:
        return pixels
    return pixels.contiguous(
        memory_format=torch.channels_last if pixels.dim() == 4 else torch.channels_last_3d
    )  # fmt: skip


def loss_of(target: Tensor, weight: NDArray[np.float64] | None) -> Callable[[Any, Tensor], Tensor]:
    """Mean cross-entropy of classes, each case with its class's weight; mean squared error of values."""
    if target.is_floating_point():
        return lambda said, wanted: functional.mse_loss(said.float(), wanted)
    if weight is None:
        return lambda said, wanted: functional.cross_entropy(said.float(), wanted)
    weights = torch.tensor(weight, dtype=torch.float32, device=target.device)
    return lambda said, wanted: (
        functional.cross_entropy(said.float(), wanted, reduction="none") * weights[wanted]
    ).mean()


def answered(
    network: nn.Module, pixels: Tensor, device: str, *, last: bool, sides: Sequence[tuple[int, ...]] = ((),)
) -> Tensor:
    """What a network in evaluation mode says, in pieces that fit into memory; float32, on the device.

    Parameters
    ----------
    network : nn.Module
        On the device.
    pixels : (N, C, [Z,] Y, X) float tensor
        Anywhere.
    device : {"cpu", "cuda"}
    last : bool
        As in `lesson`.
    sides : sequence of tuples
        Mirror images to average over; see `radlake.learn.deep.augment.mirrors`.
    """
    parts = (pixels[i : i + _AT_ONCE].to(device) for i in range(0, len(pixels), _AT_ONCE))
    with torch.inference_mode():
        return torch.cat([over_mirrors(network, layout(part, last=last), sides) for part in parts])
