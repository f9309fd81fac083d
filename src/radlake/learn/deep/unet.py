"""A U-Net for flat images and volumes, with scores at several depths, and its loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from radlake.learn.deep.layers import conv

_EPSILON = 1e-5


def _double(dims: int, inside: int, outside: int) -> nn.Sequential:
    """Two convolutions, each with instance normalisation and a leaky ReLU."""
    norm = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}[dims]
    layers: list[nn.Module] = []
    for first in (inside, outside):
        layers += [conv(dims, first, outside, bias=False), norm(outside, affine=True), nn.LeakyReLU(0.01, inplace=True)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Down by halves, up again, with what was seen on the way down handed across.

    Parameters
    ----------
    channels, classes : int
    widths : sequence of int
        Channels at each depth.
    strides : sequence of tuple of int
        Factors, one for each axis, between the depths.

    References
    ----------
    Ronneberger et al. (2015), U-Net: convolutional networks for biomedical image segmentation, MICCAI; Isensee et al.
    (2021), nnU-Net, Nature Methods 18, for instance normalisation and deep supervision.
    """

    def __init__(
        self, channels: int, classes: int, widths: Sequence[int], strides: Sequence[tuple[int, ...]]
    ) -> None:  # fmt: skip
        super().__init__()
        dims = len(strides[0])
        self.pool = {2: functional.max_pool2d, 3: functional.max_pool3d}[dims]
        single = {2: nn.Conv2d, 3: nn.Conv3d}[dims]
        raised: Callable[..., nn.Module] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}[dims]
        self.strides = list(strides)
        self.down = nn.ModuleList(
            [_double(dims, first, width) for first, width in zip([channels, *widths[:-1]], widths, strict=True)]
        )
        pairs = list(pairwise(widths))
        self.up = nn.ModuleList(
            [raised(deep, wide, step, stride=step) for (wide, deep), step in zip(pairs, strides, strict=True)]
        )  # fmt: skip
        self.join = nn.ModuleList([_double(dims, 2 * wide, wide) for wide, _ in pairs])
        self.heads = nn.ModuleList([single(wide, classes, 1) for wide, _ in pairs])

    def forward(self, images: Tensor) -> list[Tensor] | Tensor:
        """Scores (N, K, [Z,] Y, X); while training a list of them, the finest first."""
        across = []
        values = images
        for place, block in enumerate(self.down):
            values = block(values if place == 0 else self.pool(values, self.strides[place - 1]))
            across.append(values)
        said: list[Tensor] = []
        for place in reversed(range(len(self.up))):
            values = self.join[place](torch.cat([across[place], self.up[place](values)], dim=1))
            if self.training or place == 0:
                said.insert(0, self.heads[place](values))
        return said if self.training else said[0]


def segmentation_loss(said: list[Tensor] | Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy plus one minus soft Dice, summed over the depths with halving weights that sum to one.

    Parameters
    ----------
    said : list of (N, K, [Z,] Y, X) tensors, or one
        The finest first.
    wanted : (N, [Z,] Y, X) int64 tensor
        Class of each pixel.
    """
    depths = said if isinstance(said, list) else [said]
    whole = sum(0.5**i for i in range(len(depths)))
    total = torch.zeros((), device=wanted.device)
    for i, scores in enumerate(depths):
        labels = wanted
        if scores.shape[2:] != wanted.shape[1:]:
            labels = functional.interpolate(wanted[:, None].float(), scores.shape[2:], mode="nearest")[:, 0].long()
        # the mean is taken apart: cuDNN's own sums pixels in no fixed order
        entropy = functional.cross_entropy(scores.float(), labels, reduction="none").mean()
        total = total + 0.5**i / whole * (entropy + _lost_dice(scores, labels))
    return total


def _lost_dice(scores: Tensor, labels: Tensor) -> Tensor:
    """One minus the mean soft Dice of the classes beside the background, over the batch as a whole."""
    p = scores.float().softmax(dim=1)[:, 1:]
    truth = torch.stack([labels == k for k in range(1, scores.shape[1])], dim=1).float()
    axes = (0, *range(2, p.dim()))
    both, sizes = (p * truth).sum(axes), p.sum(axes) + truth.sum(axes)
    return 1 - ((2 * both + _EPSILON) / (sizes + _EPSILON)).mean()


def strides_for(patch: Sequence[int], depths: int) -> list[tuple[int, ...]]:
    """Factors between the depths of a U-Net: an axis is halved while eight pixels or more are left of it.

    Examples
    --------
    >>> strides_for((12, 64, 64), 3)
    [(2, 2, 2), (1, 2, 2)]
    """
    left, found = list(patch), []
    for _ in range(depths - 1):
        step = tuple(2 if n >= 8 else 1 for n in left)
        left = [n // s for n, s in zip(left, step, strict=True)]
        found.append(step)
    return found
