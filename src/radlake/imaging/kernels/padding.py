"""An array that goes on outside its borders, in the words of scipy.ndimage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from radlake.core.image import Array

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
    return np.pad(array, [(side // 2, side // 2) for side in size], mode=_NUMPY[border])
