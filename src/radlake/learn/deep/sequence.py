"""Networks that see a volume slice by slice, or a loop frame by frame: one small CNN for all of them, then what joins.

Recurrent ones read the slices in order, in both directions; attention pooling weighs them, whatever their order.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from radlake.learn.deep.layers import Dropout, batch_norm, conv, global_mean, halvings

_FEATURES = 64


class SliceEncoder(nn.Module):
    """The same small CNN for every slice: three convolutions of 16, 32, 64, each of half the size, then the mean.

    The first one takes every second pixel: with dozens of slices a volume it would otherwise cost most of the time.
    """

    def __init__(self, channels: int, size: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = channels
        for width, pool in zip((16, 32, _FEATURES), (None, *halvings([n // 2 for n in size], 2)), strict=True):
            stride = 2 if pool is None else 1
            layers += [conv(2, inside, width, stride=stride, bias=False), batch_norm(2, width), nn.ReLU(inplace=True)]
            layers += [] if pool is None else [pool]
            inside = width
        self.layers = nn.Sequential(*layers, global_mean(2), nn.Flatten())

    def forward(self, volumes: Tensor) -> Tensor:
        """Features of each slice, (N, Z, F), from (N, C, Z, Y, X)."""
        number, channels, slices, rows, columns = volumes.shape
        flat = volumes.transpose(1, 2).reshape(number * slices, channels, rows, columns)
        found: Tensor = self.layers(flat.contiguous(memory_format=torch.channels_last))
        return found.view(number, slices, -1)


class Recurrent(nn.Module):
    """A bidirectional GRU or LSTM over the slices' features; scores from the mean over its states."""

    def __init__(self, channels: int, outputs: int, size: tuple[int, ...], kind: Literal["gru", "lstm"]) -> None:
        super().__init__()
        self.encoder = SliceEncoder(channels, size[1:])
        cell = {"gru": nn.GRU, "lstm": nn.LSTM}[kind]
        self.cell = cell(_FEATURES, 48, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(Dropout(0.3), nn.Linear(96, outputs))

    def forward(self, volumes: Tensor) -> Tensor:
        """Scores (N, outputs)."""
        states, _ = self.cell(self.encoder(volumes))
        found: Tensor = self.head(states.mean(dim=1))
        return found


class AttentionPooling(nn.Module):
    """A volume as a bag of slices: gated attention weighs them, and scores come from their weighted mean.

    References
    ----------
    Ilse et al. (2018), Attention-based deep multiple instance learning, ICML, equation 9.
    """

    def __init__(self, channels: int, outputs: int, size: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = SliceEncoder(channels, size[1:])
        self.what = nn.Linear(_FEATURES, 48)
        self.gate = nn.Linear(_FEATURES, 48)
        self.weight = nn.Linear(48, 1, bias=False)
        self.head = nn.Sequential(Dropout(0.3), nn.Linear(_FEATURES, outputs))

    def attention(self, features: Tensor) -> Tensor:
        """Weight of each slice, (N, Z), summing to one."""
        scores = self.weight(torch.tanh(self.what(features)) * torch.sigmoid(self.gate(features)))
        found: Tensor = scores.squeeze(2).softmax(dim=1)
        return found

    def forward(self, volumes: Tensor) -> Tensor:
        """Scores (N, outputs)."""
        features = self.encoder(volumes)
        found: Tensor = self.head((self.attention(features)[:, :, None] * features).sum(dim=1))
        return found
