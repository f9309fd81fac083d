"""ResNet-18 for flat images and volumes."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from radlake.learn.deep.layers import batch_norm, conv, global_mean, max_pool

_LARGE = 64  # pixels from which the first layers halve the image twice, as in the paper


class Residual(nn.Module):
    """Two convolutions whose result is added to what came in."""

    def __init__(self, dims: int, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.first = conv(dims, inside, outside, stride=stride, bias=False)
        self.first_norm = batch_norm(dims, outside)
        self.second = conv(dims, outside, outside, bias=False)
        self.second_norm = batch_norm(dims, outside)
        self.short = nn.Sequential()
        if stride != 1 or inside != outside:
            self.short.append(conv(dims, inside, outside, width=1, stride=stride, bias=False))
            self.short.append(batch_norm(dims, outside))

    def forward(self, values: Tensor) -> Tensor:
        """Features of the next stage."""
        found = functional.relu(self.first_norm(self.first(values)), inplace=True)
        return functional.relu(self.second_norm(self.second(found)) + self.short(values), inplace=True)


def resnet_18(channels: int, outputs: int, size: tuple[int, ...]) -> nn.Module:
    """Eight residual blocks of 64 to 512 channels; images below 64 pixels are not halved before the first.

    References
    ----------
    He et al. (2016), Deep residual learning for image recognition, CVPR, table 1.
    """
    dims, large = len(size), min(size[-2:]) >= _LARGE
    layers: list[nn.Module] = [
        conv(dims, channels, 64, width=7 if large else 3, stride=2 if large else 1, bias=False),
        batch_norm(dims, 64),
        nn.ReLU(inplace=True),
    ]
    if large:
        layers.append(max_pool((2,) * dims))
    inside = 64
    for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Residual(dims, inside, width, stride), Residual(dims, width, width, 1)]
        inside = width
    return nn.Sequential(*layers, global_mean(dims), nn.Flatten(), nn.Linear(inside, outputs))
