"""Results in the dtype that was asked for: integers rounded to the nearest and clipped, never wrapped."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from radlake.core.image import Array
from radlake.imaging.kernels.pointwise import pointwise
from radlake.imaging.kernels.threads import by_slabs


def to_dtype(array: Array, dtype: DTypeLike) -> Array:
    """Values in another dtype; integers rounded half to even and clipped to their range.

    Parameters
    ----------
    array : array of any shape
        Finite where `dtype` is an integer: there is no integer for NaN.
    dtype : dtype
        Real.

    Raises
    ------
    ValueError
        When NaN would have to become an integer.

    Examples
    --------
    >>> to_dtype(np.array([-3.0, 1.5, 300.0]), np.uint8).tolist()
    [0, 2, 255]
    """
    target = np.dtype(dtype)
    if array.dtype == target:
        return array
    if np.issubdtype(target, np.integer):
        return pointwise(array, lambda part: _rounded(part, target), target)
    found = np.empty(array.shape, target)
    by_slabs(lambda start, stop: np.copyto(found[start:stop], array[start:stop], casting="unsafe"), len(array))
    return found


def _rounded(array: Array, target: np.dtype[Any]) -> Array:
    """Some values as integers."""
    limits = np.iinfo(target)
    least, most = (array.min(), array.max()) if array.size else (0, 0)
    if np.isnan(least):
        raise ValueError(f"the result holds NaN, which {target} cannot; ask for a floating out_dtype")
    rounded = np.rint(array)
    # compared before the cast: the greatest value of 32 and 64 bits has no exact float, and clipping to it would wrap
    if least > float(limits.min) and most < float(limits.max):
        return np.asarray(rounded.astype(target))
    high, low = rounded >= float(limits.max), rounded <= float(limits.min)
    rounded[high | low] = 0
    result = rounded.astype(target)
    result[high], result[low] = limits.max, limits.min
    return np.asarray(result)
