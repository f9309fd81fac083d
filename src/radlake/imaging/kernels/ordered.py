"""Any real dtype as int16 or int32 with the same order, so that rank filters need kernels for these two only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array

Codes = NDArray[np.signedinteger[Any]]
Restore = Callable[[Codes], Array]

_CHUNK = 1 << 20  # samples looked up at a time
_SMALL = (np.dtype(bool), np.dtype(np.uint8), np.dtype(np.int8), np.dtype(np.int16))
_INT16, _INT32 = (np.iinfo(t) for t in (np.int16, np.int32))


def ordered(array: Array) -> tuple[Codes, Restore]:
    """Integer codes that compare like the values, and the function that takes codes back to values.

    Parameters
    ----------
    array : array of any shape
        Any real dtype and byte order. NaN gets a code too, above or below all numbers.

    Returns
    -------
    codes : int16 or int32 array, C-contiguous
        int16 for 8 and 16 bits and for floats that are all whole numbers of that range.
    restore : callable
        Exact inverse, in the dtype of `array`.

    Raises
    ------
    TypeError
        For dtypes without an order.

    Examples
    --------
    >>> codes, restore = ordered(np.array([2.5, -1.0, 0.0], np.float32))
    >>> np.argsort(codes).tolist(), restore(codes).tolist()
    ([1, 2, 0], [2.5, -1.0, 0.0])
    """
    dtype = array.dtype  # what `restore` holds on to: never the array
    if dtype.kind not in "biuf":
        raise TypeError(f"expected real numbers, got {dtype}")
    if not dtype.isnative:
        codes, restore = ordered(array.astype(dtype.newbyteorder("=")))
        return codes, lambda c: restore(c).astype(dtype)
    array = np.ascontiguousarray(array)
    if dtype in _SMALL:
        return array.astype(np.int16, copy=False), lambda c: c.astype(dtype, copy=False)
    if dtype.kind == "f":
        return _of_floats(array)
    if array.itemsize <= 4:
        return _of_integers(array)
    return _narrow(array, np.int32) if _fits(array, _INT32) else _ranks(array)


def _of_integers(array: Array) -> tuple[Codes, Restore]:
    """uint16, int32 and uint32: unsigned values lose half their range by one flipped bit."""
    dtype, signed = array.dtype, np.dtype(f"i{array.itemsize}")
    if dtype == signed:
        return array, lambda c: c
    half = dtype.type(1 << (8 * array.itemsize - 1))
    return (array ^ half).view(signed), lambda c: c.view(dtype) ^ half


def _of_floats(array: Array) -> tuple[Codes, Restore]:
    """Whole numbers as they are; otherwise the bits, which order like the values once negatives are inverted."""
    if _fits(array, _INT16) and np.array_equal(np.rint(array), array):
        return _narrow(array, np.int16)
    if array.itemsize > 4:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            single = array.astype(np.float32)
        if not np.array_equal(single, array, equal_nan=True):
            return _ranks(array)
        codes, restore = _of_bits(single)
        dtype = array.dtype
        return codes, lambda c: restore(c).astype(dtype)
    return _of_bits(array)


def _of_bits(array: Array) -> tuple[Codes, Restore]:
    """IEEE 754 bits of float16 and float32 as ordered integers; the map is its own inverse."""
    dtype, signed = array.dtype, np.dtype(f"i{array.itemsize}")
    top = 8 * array.itemsize - 1
    rest = signed.type((1 << top) - 1)

    def flip(bits: Codes) -> Codes:
        return np.asarray(bits ^ ((bits >> top) & rest))

    return flip(array.view(signed)), lambda c: flip(c).view(dtype)


def _narrow(array: Array, narrow: type[np.signedinteger[Any]]) -> tuple[Codes, Restore]:
    """A plain cast that loses nothing."""
    dtype = array.dtype
    return array.astype(narrow), lambda c: c.astype(dtype)


def _ranks(array: Array) -> tuple[Codes, Restore]:
    """Place of each value among the different values that occur."""
    values = np.unique(array)
    places = np.empty(array.shape, np.int32)
    flat, found = array.reshape(-1), places.reshape(-1)
    for start in range(0, flat.size, _CHUNK):  # at once, 64-bit places and orders would take five times the image
        found[start : start + _CHUNK] = np.searchsorted(values, flat[start : start + _CHUNK])
    return places, lambda c: values[c]


def _fits(array: Array, limits: np.iinfo[Any]) -> bool:
    """Whether all values lie in the range of a narrower integer; never with NaN."""
    return bool(array.size == 0 or (array.min() >= limits.min and array.max() <= limits.max))
