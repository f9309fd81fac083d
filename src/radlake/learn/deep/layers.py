"""Layers that the networks share, each for images of two or three dimensions, and dropout that draws from a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

_CONV: dict[int, Callable[..., nn.Module]] = {2: nn.Conv2d, 3: nn.Conv3d}
_NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_POOL = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
_MEAN = {2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014) from a generator of its own, so that runs side by side do not share one state.

    Parameters
    ----------
    share : float
        Of the values that are set to zero while training.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generator: torch.Generator | None = None

    def forward(self, values: Tensor) -> Tensor:
        """Values with some at zero and the others scaled up; unchanged outside training."""
        if not self.training or self.share == 0:
            return values
        kept = torch.rand(values.shape, generator=self.generator, device=values.device) >= self.share
        return values * kept / (1 - self.share)

    def __getstate__(self) -> dict[str, object]:
        """Without the generator, which lives during a training only."""
        return {**self.__dict__, "generator": None}


def seed_dropout(network: nn.Module, generator: torch.Generator | None) -> None:
    """Let all dropout layers of a network draw from one generator."""
    for layer in network.modules():
        if isinstance(layer, Dropout):
            layer.generator = generator


def conv(dims: int, inside: int, outside: int, *, width: int = 3, stride: int = 1, bias: bool = True) -> nn.Module:
    """Convolution that keeps the size (at stride 1)."""
    return _CONV[dims](inside, outside, width, stride=stride, padding=width // 2, bias=bias)


def patches(inside: int, outside: int, size: Sequence[int]) -> nn.Module:
    """A linear map of each patch of an image that patches of this size cover without overlap."""
    return _CONV[len(size)](inside, outside, tuple(size), stride=tuple(size))


def batch_norm(dims: int, channels: int) -> nn.Module:
    """Batch normalisation."""
    return _NORM[dims](channels)


def max_pool(window: Sequence[int]) -> nn.Module:
    """Maximum over a window, one entry for each spatial axis."""
    return _POOL[len(window)](tuple(window))


def halvings(size: Sequence[int], number: int) -> list[nn.Module]:
    """Pools that halve an image one after the other, each along those axes that still have two pixels."""
    return [max_pool([2 if n >> done >= 2 else 1 for n in size]) for done in range(number)]


def global_mean(dims: int) -> nn.Module:
    """Mean over the whole image."""
    return _MEAN[dims](1)


def channels_last(network: nn.Module) -> nn.Module:
    """The network with its convolutions' weights in the order of images whose channels come last in memory."""
    orders = {4: torch.channels_last, 5: torch.channels_last_3d}
    for weights in network.parameters():
        if weights.dim() in orders:
            weights.data = weights.data.contiguous(memory_format=orders[weights.dim()])
    return network
