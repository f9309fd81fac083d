"""An array that goes on outside its borders, in the words of scipy.ndimage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from radlake.core.image import Array
from radlake.imaging.kernels.threads import by_slabs

_NUMPY: dict[str, Literal["symmetric", "edge", "reflect", "wrap", "constant"]] = {
    "reflect": "symmetric",
    "nearest": "edge",
    "mirror": "reflect",
    "wrap": "wrap",
    "constant": "constant",
}


def padded(array: Array, size: Sequence[int], border: str) -> Array:
    """The array with half a window more on every side.

    Parameters
    ----------
    array : array without an empty axis
        One value per axis of `size`.
    size : odd ints
        Sides of the window in samples.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        As in scipy.ndimage; "constant" is zero.

    Examples
    --------
    >>> padded(np.array([1, 2, 3]), (5,), "reflect").tolist()
    [2, 1, 1, 2, 3, 3, 2]
    """
    if all(side == 1 for side in size):
        return array
    widths = [(side // 2, side // 2) for side in size]
    if array.ndim != 3:
        return np.pad(array, widths, mode=_NUMPY[border])
    # plane by plane, so that threads share the work
    around = np.empty([n + 2 * low for n, (low, _) in zip(array.shape, widths, strict=True)], array.dtype)
    source = np.pad(np.arange(len(array)), widths[0], mode=_NUMPY[border])

    def planes(start: int, stop: int) -> None:
        for z in range(start, stop):
            around[z] = np.pad(array[source[z]], widths[1:], mode=_NUMPY[border])

    by_slabs(planes, len(around))
    if border == "constant":
        around[: size[0] // 2], around[len(around) - size[0] // 2 :] = 0, 0
    return around
