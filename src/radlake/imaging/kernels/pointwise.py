"""Operations on each value alone: looked up where few values are possible, piece by piece where many are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from radlake.core.image import Array
from radlake.imaging.kernels.threads import by_slabs

_CHUNK = 1 << 16  # samples at a time: what comes between stays in the cache


def pointwise(array: Array, operation: Callable[[Array], Array], dtype: DTypeLike) -> Array:
    """An operation on all values of an array, in the shape of the array.

    Parameters
    ----------
    array : array of any shape
        Any real dtype. Integers of 8 and 16 bits are looked up among the results for all values from the least to the
        greatest, where the array is larger than such a table.
    operation : callable
        Takes a flat array of values of that dtype, gives one result for each that depends on nothing else.
    dtype : dtype
        Of the result.

    Examples
    --------
    >>> pointwise(np.array([[1, 2], [3, 5]]), lambda values: values * 0.5, np.float32).tolist()
    [[0.5, 1.0], [1.5, 2.5]]
    """
    source = np.ascontiguousarray(array).reshape(-1)
    run = operation
    if array.size > _CHUNK and array.dtype.kind in "iu" and array.itemsize <= 2:
        run = _looked_up(operation, int(array.min()), int(array.max()), array.dtype, dtype)
    found = np.empty(source.shape, dtype)

    def chunks(start: int, stop: int) -> None:
        for at in range(start, stop, _CHUNK):
            part = slice(at, min(at + _CHUNK, stop))
            found[part] = run(source[part])

    by_slabs(chunks, found.size, least=_CHUNK)
    return found.reshape(array.shape)


def _looked_up(
    operation: Callable[[Array], Array], low: int, high: int, source: np.dtype[np.generic], dtype: DTypeLike
) -> Callable[[Array], Array]:
    """The operation as a table of its results for all values from `low` to `high`."""
    table = operation(np.arange(low, high + 1).astype(source)).astype(dtype)
    # counted from `low`, where wrapping makes unsigned differences exact
    native, code = source.newbyteorder("="), np.dtype(f"u{source.itemsize}")
    first = np.array(low, native).view(code)
    return lambda part: table[part.astype(native, copy=False).view(code) - first]
