"""The networks, as one written-out table: how each is built, for what images, what it assumes, costs and is good for.

Every entry makes a plain `torch.nn.Module` from images (N, C, [Z,] Y, X) to scores (N, outputs), in 2-D and 3-D from
the same lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from radlake.learn.deep.layers import Dropout, batch_norm, conv, global_mean, max_pool

Size = tuple[int, ...]


@dataclass(frozen=True)
class Network:
    """A kind of network.

    Parameters
    ----------
    title : str
        As in tables and reports.
    build : callable
        (channels, outputs, size) -> a module; the length of `size` says whether images are flat or volumes.
    spatial : tuple of str
        "yx", "zyx": what images it takes.
    structure, assumes, cost, good_for : str
        For people.
    """

    title: str
    build: Callable[[int, int, Size], Any]
    spatial: tuple[str, ...]
    structure: str
    assumes: str
    cost: str
    good_for: str


def _cnn_small(channels: int, outputs: int, size: Size) -> nn.Module:
    """Two convolutions and a dense layer."""
    dims = len(size)
    flat = 64
    for n in size:
        flat *= max(1, n // 4)
    pools = [max_pool(tuple(2 if n >= step else 1 for n in size)) for step in (2, 4)]
    return nn.Sequential(
        conv(dims, channels, 32), nn.ReLU(), pools[0],
        conv(dims, 32, 64), nn.ReLU(), pools[1],
        nn.Flatten(), nn.Linear(flat, 128), nn.ReLU(), Dropout(0.5), nn.Linear(128, outputs),
    )  # fmt: skip


def _vgg_small(channels: int, outputs: int, size: Size) -> nn.Module:
    """Three blocks of two 3 x 3 convolutions, each with batch normalisation; the mean over the image; a dense layer."""
    dims = len(size)
    layers: list[nn.Module] = []
    inside = channels
    for width, shrink in ((32, True), (64, True), (128, False)):
        for _ in range(2):
            layers += [conv(dims, inside, width, bias=False), batch_norm(dims, width), nn.ReLU(inplace=True)]
            inside = width
        if shrink:
            layers.append(max_pool((2,) * dims))
    return nn.Sequential(*layers, global_mean(dims), nn.Flatten(), Dropout(0.3), nn.Linear(inside, outputs))


NETWORKS: dict[str, Network] = {
    "cnn-small": Network(
        "small CNN", _cnn_small, ("yx", "zyx"),
        "convolution 3 x 3 of 32 - pool 2 - convolution 3 x 3 of 64 - pool 2 - dense 128 - scores; ReLU between",
        "the object lies at about the same place in every image",
        "0.4 million weights at 28 x 28; 0.2 ms of one core an image and step",
        "digits and other centred shapes; a first try",
    ),
    "vgg-small": Network(
        "small VGG", _vgg_small, ("yx", "zyx"),
        "3 x (2 x (convolution 3 x 3 - batch normalisation - ReLU)) of 32, 64, 128 with pools between - mean - scores"
        " (after Simonyan and Zisserman 2015)",
        "what tells lies in texture and small shapes, wherever it is",
        "0.29 million weights; 1.6 ms of one core an image and step at 28 x 28",
        "hundreds to thousands of images of up to about 64 pixels",
    ),
}  # fmt: skip


def build(name: str, *, channels: int, outputs: int, size: Size) -> nn.Module:
    """A network with fresh weights, drawn from torch's generator.

    Raises
    ------
    UsageError
        When there is no such network, or it does not take such images.
    """
    from radlake.core.errors import UsageError

    if name not in NETWORKS:
        raise UsageError(f"no network {name!r}; there are {', '.join(NETWORKS)}")
    network, spatial = NETWORKS[name], "zyx"[-len(size) :]
    if spatial not in network.spatial:
        fitting = ", ".join(n for n, other in NETWORKS.items() if spatial in other.spatial)
        raise UsageError(f"network {name!r} takes no images with axes {spatial}; these do: {fitting}")
    found: nn.Module = network.build(channels, outputs, size)
    return found
