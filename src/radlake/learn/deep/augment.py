"""Random changes of training images that leave the answer as it is, fitting what the images are.

An X-ray is never mirrored (the heart changes sides), a mask keeps its two values, ultrasound may be mirrored but hardly
turned. All images of a batch are changed in one pass of `grid_sample`, on the device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from radlake.core.errors import UsageError


@dataclass(frozen=True)
class Augmentation:
    """How far images are changed.

    Parameters
    ----------
    turn : float
        Degrees, either way.
    shift, zoom : float
        Share of the extent; of the size.
    flips : tuple of int
        Axes that may be mirrored, counted from the last: 1 is x, 2 is y, 3 is z.
    contrast, brightness, noise : float
        In standard deviations of the training images.
    """

    turn: float
    shift: float
    zoom: float
    flips: tuple[int, ...] = ()
    contrast: float = 0.0
    brightness: float = 0.0
    noise: float = 0.0


AUGMENTATIONS: dict[str, Augmentation | None] = {
    "none": None,
    "mild": Augmentation(10, 0.08, 0.1, (), 0.1, 0.1, 0.0),  # holds for any image whose top is its top
    "xray": Augmentation(10, 0.08, 0.12, (), 0.2, 0.2, 0.05),
    "us": Augmentation(8, 0.08, 0.12, (1,), 0.2, 0.2, 0.05),
    "ct": Augmentation(12, 0.06, 0.1, (1,), 0.05, 0.05, 0.05),
    "mr": Augmentation(12, 0.06, 0.1, (1,), 0.2, 0.2, 0.05),
    "mask": Augmentation(12, 0.06, 0.1),
    "any": Augmentation(180, 0.08, 0.12, (1, 2), 0.1, 0.1, 0.0),  # no up and no left: skin, cells
}


_MODALITIES = {"CT": "ct", "MR": "mr", "US": "us", "CR": "xray", "DX": "xray", "RF": "xray", "XA": "xray"}


def augmentation(name: str) -> Augmentation | None:
    """The entry of the table.

    Raises
    ------
    UsageError
        When there is none of this name.
    """
    if name not in AUGMENTATIONS:
        raise UsageError(f"no augmentation {name!r}; there are {', '.join(AUGMENTATIONS)}")
    return AUGMENTATIONS[name]


def fitting(modality: str | None, pixels: NDArray[Any]) -> str:
    """Name of the augmentation for images of a modality: for masks and unknown ones what holds for these.

    Parameters
    ----------
    modality : str or None
        As in DICOM, such as CT; None where it is not known, or there are several.
    pixels : array
        Some of the images: where they hold two values, they are masks.

    Examples
    --------
    >>> fitting("MR", np.arange(9)), fitting(None, np.arange(9)), fitting(None, np.array([0, 1, 1]))
    ('mr', 'mild', 'mask')
    """
    return "mask" if len(np.unique(pixels)) <= 2 else _MODALITIES.get(modality or "", "mild")


def mirrors(how: Augmentation | None) -> list[tuple[int, ...]]:
    """Ways to mirror an image that leave the answer as it is, each as axes of a tensor; the first is none.

    Examples
    --------
    >>> mirrors(AUGMENTATIONS["us"]), mirrors(AUGMENTATIONS["xray"])
    ([(), (-1,)], [()])
    """
    flips = () if how is None else how.flips
    return [tuple(-axis for axis in some) for n in range(len(flips) + 1) for some in combinations(flips, n)]


def over_mirrors(network: nn.Module, images: Tensor, sides: Sequence[tuple[int, ...]]) -> Tensor:
    """Mean of what a network says of images and of their mirror images.

    Parameters
    ----------
    network : nn.Module
        Scores (N, K) from images.
    images : (N, C, [Z,] Y, X) float tensor
    sides : sequence of tuples
        From `mirrors`.
    """
    found = [network(images.flip(axes) if axes else images).float() for axes in sides]
    return found[0] if len(found) == 1 else torch.stack(found).mean(dim=0)


def augmented(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Images changed at random, each in its own way.

    Parameters
    ----------
    images : (N, C, [Z,] Y, X) float tensor
        In standard units.
    how : Augmentation
    generator : torch.Generator
        On the images' device.
    """
    return coloured(resample(images, movements(images, how, generator)), how, generator)


def coloured(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Images with contrast, brightness and noise changed at random, each in its own way."""
    first = (len(images),) + (1,) * (images.dim() - 1)
    if how.contrast or how.brightness:
        gain = 1 + how.contrast * _uniform(first, images, generator)
        images = images * gain + how.brightness * _uniform(first, images, generator)
    if how.noise:
        amount = how.noise * torch.rand(first, generator=generator, device=images.device)
        images = images + amount * torch.randn(images.shape, generator=generator, device=images.device)
    return images


def movements(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Random affine maps from output to input in `grid_sample`'s coordinates, shape (N, D, D + 1).

    Turns about the z axis only: the others would mix thick slices.
    """
    number, dims = len(images), images.dim() - 2
    angle = math.radians(how.turn) * _uniform((number,), images, generator)
    scale = 1 + how.zoom * _uniform((number,), images, generator)
    shift = how.shift * 2 * _uniform((number, dims), images, generator)  # coordinates go from -1 to 1
    mirror = torch.ones((number, dims), device=images.device)
    for axis in how.flips:
        coin = torch.rand((number,), generator=generator, device=images.device) < 0.5
        mirror[:, axis - 1] = torch.where(coin, -1.0, 1.0)
    rows, columns = images.shape[-2:]
    turn = torch.eye(dims, device=images.device).repeat(number, 1, 1)
    turn[:, 0, 0] = turn[:, 1, 1] = torch.cos(angle)
    turn[:, 0, 1] = -torch.sin(angle) * rows / columns  # a turn in pixels, whatever the form of the image
    turn[:, 1, 0] = torch.sin(angle) * columns / rows
    return torch.cat([turn * (scale[:, None] * mirror)[:, None, :], shift[:, :, None]], dim=2)


def resample(images: Tensor, maps: Tensor, *, nearest: bool = False) -> Tensor:
    """Images under affine maps; edges are repeated outside.

    Parameters
    ----------
    images : (N, C, [Z,] Y, X) float tensor
    maps : (N, D, D + 1) float tensor
        From `movements`.
    nearest : bool
        For labels: no value between two.
    """
    grid = functional.affine_grid(maps, list(images.shape), align_corners=False)
    kind = "nearest" if nearest else "bilinear"
    return functional.grid_sample(images, grid, mode=kind, padding_mode="border", align_corners=False)


def _uniform(shape: tuple[int, ...], like: Tensor, generator: torch.Generator) -> Tensor:
    """Numbers from -1 to 1."""
    return 2 * torch.rand(shape, generator=generator, device=like.device) - 1
