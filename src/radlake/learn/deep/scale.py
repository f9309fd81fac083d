"""From images of any type and size to what a network takes: one size, and intensities in standard units.

Learned from the training images alone: the size they are brought to, and by channel the range that is kept, the mean
and the standard deviation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.learn.images import Images

Floats = NDArray[np.float32]

_LARGEST = {"yx": 128, "zyx": 48}  # pixels an axis, where no size is asked for
_TAILS = (0.05, 99.95)  # percentiles: rarer intensities are metal, markers and noise
_SAMPLE = 1_000_000  # pixels from which the range is taken


@dataclass(frozen=True)
class Scale:
    """What brings images into a network's range.

    Parameters
    ----------
    size : tuple of int
        Pixels along y and x, or z, y and x.
    low, high, mean, sd : tuple of float
        By channel; in the images' unit.
    """

    size: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types; `Scale.of(scale.as_dict())` is the scale again."""
        return {name: list(value) for name, value in vars(self).items()}

    @classmethod
    def of(cls, values: Mapping[str, Sequence[float]]) -> Scale:
        """A scale from plain JSON types."""
        size = tuple(int(n) for n in values["size"])
        rest = [tuple(float(v) for v in values[name]) for name in ("low", "high", "mean", "sd")]
        return cls(size, *rest)

    def apply(self, given: Images) -> Floats:
        """Images of one size in standard units, shape (N, C, [Z,] Y, X), float32.

        Parameters
        ----------
        given : Images
            With as many channels as the scale.
        """
        if given.one_size and given.arrays.shape[2:] == self.size:
            sized = given.arrays.astype(np.float32)
        else:
            sized = np.stack([resized(a.astype(np.float32), self.size) for a in given.arrays])
        shape = (1, -1) + (1,) * len(self.size)
        low, high, mean, sd = (
            np.array(v, np.float32).reshape(shape) for v in (self.low, self.high, self.mean, self.sd)
        )
        np.clip(sized, low, high, out=sized)
        sized -= mean
        sized /= sd
        return sized


def fit_scale(given: Images, size: tuple[int, ...] | None = None) -> Scale:
    """The scale of training images.

    Parameters
    ----------
    given : Images
    size : tuple of int, optional
        By default that of the images where they share one that is small enough, otherwise the median along each axis,
        rounded up to multiples of four and at most 128 pixels (volumes: 48).
    """
    if size is None:
        sizes = given.sizes
        middle = np.median(sizes, axis=0)
        if given.one_size and sizes.max() <= _LARGEST[given.spatial]:
            size = tuple(int(n) for n in middle)
        else:
            size = tuple(int(n) for n in np.minimum(4 * np.ceil(middle / 4), _LARGEST[given.spatial]))
    columns = []
    for channel in range(given.channels):
        values = _sample(given, channel)
        low, high = np.percentile(values, _TAILS)
        kept = np.clip(values, low, high)
        columns.append((float(low), float(high), float(kept.mean()), float(kept.std()) or 1.0))
    low, high, mean, sd = zip(*columns, strict=True)
    return Scale(size, low, high, mean, sd)


def _sample(given: Images, channel: int) -> NDArray[np.float64]:
    """Intensities of one channel, evenly thinned out where there are too many."""
    total = int(given.sizes.prod(axis=1).sum())
    step = max(1, total // _SAMPLE)
    return np.concatenate(
        [image[channel].ravel()[i % step :: step] for i, image in enumerate(given.arrays)], dtype=float
    )


def resized(image: Floats, size: tuple[int, ...]) -> Floats:
    """One image (C, [Z,] Y, X) fitted into a size: its form is kept, and edges are repeated where there is room.

    Area means where it shrinks, linear interpolation where it grows.

    Parameters
    ----------
    image : (C, [Z,] Y, X) float32 array
    size : tuple of int
    """
    import cv2

    have = np.array(image.shape[1:])
    scale = np.min(np.array(size[-2:]) / have[-2:])
    plane = tuple(int(max(1, round(n * scale))) for n in have[-2:])
    if plane != tuple(have[-2:]):
        kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        flat = image.reshape(-1, *image.shape[-2:])
        flat = np.stack([cv2.resize(layer, plane[::-1], interpolation=kind) for layer in flat])
        image = flat.reshape(*image.shape[:-2], *plane)
    if len(size) == 3 and image.shape[1] != size[0]:
        image = _slices(image, size[0])
    room = [n - m for n, m in zip(size, image.shape[1:], strict=True)]
    return np.pad(image, [(0, 0), *((r // 2, r - r // 2) for r in room)], mode="edge")


def _slices(volume: Floats, number: int) -> Floats:
    """A volume (C, Z, Y, X) with another number of slices: means where they get fewer, linear where they get more."""
    import cv2

    channels, have, rows, columns = volume.shape
    kind = cv2.INTER_AREA if number < have else cv2.INTER_LINEAR
    found = [cv2.resize(v.reshape(have, -1), (rows * columns, number), interpolation=kind) for v in volume]
    return np.stack(found).reshape(channels, number, rows, columns)
