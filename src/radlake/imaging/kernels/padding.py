"""An array that goes on outside its borders, in the words of scipy.ndimage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array
from radlake.imaging.kernels.threads import over_rows

_ROWS = 128  # least rows of a part

_NUMPY: dict[str, Literal["symmetric", "edge", "reflect", "wrap", "constant"]] = {
    "reflect": "symmetric",
    "nearest": "edge",
    "mirror": "reflect",
    "wrap": "wrap",
    "constant": "constant",
}


def places(count: int, more: int, border: str) -> NDArray[np.int64]:
    """Which of `count` samples each place repeats, from `more` places before the first to as many after the last.

    Examples
    --------
    >>> places(3, 2, "reflect").tolist(), places(3, 1, "constant").tolist()
    ([1, 0, 0, 1, 2, 2, 1], [-1, 0, 1, 2, -1])
    """
    if border == "constant":
        return np.pad(np.arange(count), more, constant_values=-1)
    return np.pad(np.arange(count), more, mode=_NUMPY[border])


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
    if array.ndim != 3 or array.itemsize not in (1, 2, 4, 8):
        return np.pad(array, widths, mode=_NUMPY[border])
    from radlake.imaging.kernels.repeating import repeat

    around = np.empty([n + 2 * low for n, (low, _) in zip(array.shape, widths, strict=True)], array.dtype)
    source = [places(n, low, border) for n, (low, _) in zip(array.shape, widths, strict=True)]
    code = f"i{array.itemsize}"
    samples, target = np.require(array, requirements=("C", "W")).view(code), around.view(code)
    # planes before rows: threads that write to the same pages of new memory wait for each other
    least = 1, _ROWS
    over_rows(
        around.shape, lambda limits: repeat(samples, source[0], source[1], source[2], target, limits), least=least
    )
    return around
