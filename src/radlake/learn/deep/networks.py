"""The networks, as one written-out table: how each is built, for what images, what it assumes, costs and is good for.

Every entry makes a plain `torch.nn.Module` from images (N, C, [Z,] Y, X) to scores (N, outputs), in 2-D and 3-D from
the same lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from torch import nn

from radlake.core.errors import UsageError
from radlake.learn.deep.layers import Dropout, batch_norm, conv, global_mean, halvings
from radlake.learn.deep.residual import resnet_18
from radlake.learn.deep.sequence import AttentionPooling, Recurrent
from radlake.learn.deep.transformer import VisionTransformer

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
    dims, pools = len(size), halvings(size, 2)
    flat = 64 * prod(max(1, n // 4) for n in size)
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
    for width, pool in zip((32, 64, 128), (*halvings(size, 2), None), strict=True):
        for _ in range(2):
            layers += [conv(dims, inside, width, bias=False), batch_norm(dims, width), nn.ReLU(inplace=True)]
            inside = width
        if pool is not None:
            layers.append(pool)
    return nn.Sequential(*layers, global_mean(dims), nn.Flatten(), Dropout(0.3), nn.Linear(inside, outputs))


def _densenet(channels: int, outputs: int, size: Size) -> nn.Module:
    """DenseNet-121 of MONAI."""
    try:
        from monai.networks.nets import DenseNet121
    except ImportError as error:
        raise UsageError("this network comes from MONAI, which is not installed: pip install monai") from error
    found: nn.Module = DenseNet121(spatial_dims=len(size), in_channels=channels, out_channels=outputs)
    return found


BOTH, FLAT, VOLUMES = ("yx", "zyx"), ("yx",), ("zyx",)

NETWORKS: dict[str, Network] = {
    "cnn-small": Network(
        "small CNN", _cnn_small, BOTH,
        "convolution 3 x 3 of 32 - pool 2 - convolution 3 x 3 of 64 - pool 2 - dense 128 - scores; ReLU between",
        "the object lies at about the same place in every image",
        "0.4 million weights at 28 x 28; 0.3 ms of one core an image and step",
        "digits and other centred shapes; a first try",
    ),
    "vgg-small": Network(
        "small VGG", _vgg_small, BOTH,
        "3 x (2 x (convolution 3 x 3 - batch normalisation - ReLU)) of 32, 64, 128 with pools between - mean - scores"
        " (after Simonyan and Zisserman 2015)",
        "what tells lies in texture and small shapes, wherever it is",
        "0.29 million weights; 1.6 ms of one core an image and step at 28 x 28",
        "hundreds to thousands of images of up to about 64 pixels",
    ),
    "resnet-18": Network(
        "ResNet-18", resnet_18, BOTH,
        "8 x (y = ReLU(x + convolutions(x))) of 64 to 512 channels - mean - scores (He et al. 2016)",
        "thousands of images",
        "11 million weights (33 in 3-D); 25 ms of one core an image and step at 28 x 28: a GPU's work",
        "large cohorts; the baseline of most publications",
    ),
    "gru": Network(
        "GRU over slices", lambda c, o, size: Recurrent(c, o, size, "gru"), VOLUMES,
        "f_z = CNN(slice z), one CNN for all; bidirectional GRU over f_1 ... f_Z (Cho et al. 2014); scores from the"
        " mean state",
        "the order of slices or frames tells something",
        "0.06 million weights; a tenth of a 3-D CNN of the same depth",
        "anisotropic volumes; loops of frames",
    ),
    "lstm": Network(
        "LSTM over slices", lambda c, o, size: Recurrent(c, o, size, "lstm"), VOLUMES,
        "as the GRU with cells that keep what matters (Hochreiter and Schmidhuber 1997)",
        "the order of slices or frames tells something, over long stretches",
        "0.07 million weights; as the GRU",
        "long loops",
    ),
    "attention": Network(
        "attention pooling over slices", AttentionPooling, VOLUMES,
        "f_z = CNN(slice z); a_z = softmax(w . (tanh(V f_z) * sigmoid(U f_z))); scores from sum a_z f_z"
        " (Ilse et al. 2018)",
        "a few slices tell; their order does not matter",
        "0.03 million weights; as the GRU",
        "a lesion in some slices of a volume that is labelled as a whole; the weights show which",
    ),
    "vit-small": Network(
        "small vision transformer", VisionTransformer, BOTH,
        "patches as tokens with learned places; 4 x (x + attention(x), x + dense(x)), softmax(q . k / sqrt d) v, 4"
        " heads of 24 (Dosovitskiy et al. 2021)",
        "far parts of the image belong together; thousands of images, as it knows nothing of neighbourhood",
        "0.3 million weights; 0.5 ms of one core an image and step at 28 x 28",
        "large cohorts; attention maps",
    ),
    "monai-densenet121": Network(
        "DenseNet-121 (MONAI)", _densenet, BOTH,
        "4 blocks in which each layer sees all before it (Huang et al. 2017), from MONAI where that is installed",
        "thousands of images of 64 pixels and more",
        "7 million weights (11 in 3-D): a GPU's work",
        "comparison with MONAI's recipes",
    ),
}  # fmt: skip


def build(name: str, *, channels: int, outputs: int, size: Size) -> nn.Module:
    """A network with fresh weights, drawn from torch's generator.

    Raises
    ------
    UsageError
        When there is no such network, or it does not take such images.
    """
    if name not in NETWORKS:
        raise UsageError(f"no network {name!r}; there are {', '.join(NETWORKS)}")
    network, spatial = NETWORKS[name], "zyx"[-len(size) :]
    if spatial not in network.spatial:
        fitting = ", ".join(n for n, other in NETWORKS.items() if spatial in other.spatial)
        raise UsageError(f"network {name!r} takes no images with axes {spatial}; these do: {fitting}")
    found: nn.Module = network.build(channels, outputs, size)
    return found
