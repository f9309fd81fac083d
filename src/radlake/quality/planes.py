"""Cheap looks at an image of any layout: one plane at a time, or a strided sample; never a copy of the whole.

Time, depth and colour axes may or may not be there; a check that wants two axes asks here. Nothing here judges.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array, Image

SAMPLES = 1 << 20  # a share of 1% is then known to 0.02 percentage points (two standard errors)


def plane_count(image: Image) -> int:
    """Number of (y, x) planes over depth and time.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> plane_count(Image(np.zeros((2, 5, 4, 4)), Geometry((1.0, 1.0, 1.0)), time_axis=0))
    10
    """
    return math.prod(_leading(image))


def plane(image: Image, index: int) -> Array:
    """Plane `index` as a (y, x) or (y, x, channel) view, counted over time first, then depth."""
    array = image.array if image.channel_axis is None else np.moveaxis(image.array, image.channel_axis, -1)
    view: Array = array[np.unravel_index(index, _leading(image))] if _leading(image) else array
    return view


def spread(count: int, most: int) -> list[int]:
    """Up to `most` indices spread evenly over `count`, the ends left out where there is a choice.

    Examples
    --------
    >>> spread(3, 5), spread(100, 3)
    ([0, 1, 2], [25, 50, 75])
    """
    if count <= most:
        return list(range(count))
    return [count * (k + 1) // (most + 1) for k in range(most)]


def gray(image: Image, index: int) -> NDArray[np.float32]:
    """Plane `index` as (y, x) float32: mean over channels, magnitude of complex values."""
    values = plane(image, index)
    if np.iscomplexobj(values):
        values = np.abs(values)
    if image.channel_axis is not None:
        return np.asarray(values.mean(axis=-1, dtype=np.float32))
    return np.asarray(values, dtype=np.float32)


def sample(image: Image, most: int = SAMPLES) -> Array:
    """Finite values on a regular sub-grid, flat, in the dtype of the image; channels are all kept.

    Strides double on the longest axis until at most `most` grid points are left, so the same image always gives the
    same values and a volume is touched, not copied.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> sample(Image(np.arange(16).reshape(4, 4), Geometry((1.0, 1.0))), 4)
    array([ 0,  2,  8, 10])
    """
    array = image.array
    steps = [1] * array.ndim
    lengths = [0 if axis == _positive(image) else n for axis, n in enumerate(array.shape)]
    while math.prod(n for n in lengths if n) > most:
        axis = int(np.argmax(lengths))
        steps[axis] *= 2
        lengths[axis] = -(-array.shape[axis] // steps[axis])
    values = array[tuple(slice(None, None, s) for s in steps)].ravel()
    if np.iscomplexobj(values):
        values = np.abs(values)
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values


def percentiles(values: Array, *levels: float) -> list[float]:
    """Percentiles of a sample as floats; empty input gives an empty list."""
    if values.size == 0:
        return []
    return [float(v) for v in np.percentile(values.astype(np.float32, copy=False), levels)]


def _leading(image: Image) -> tuple[int, ...]:
    """Lengths of the axes before y, x: time and depth."""
    shape = [n for axis, n in enumerate(image.array.shape) if axis != _positive(image)]
    return tuple(shape[:-2])


def _positive(image: Image) -> int | None:
    """Channel axis counted from the front."""
    return None if image.channel_axis is None else image.channel_axis % image.array.ndim
