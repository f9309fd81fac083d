"""Values of a region in ascending order: counted where they are integers of small span, sorted otherwise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array

_CHUNK = 1 << 20  # values widened at a time
_LEVELS = 1 << 16  # integers that span no more than this are counted instead of sorted
ONCE_EACH = np.zeros(0, np.int64)


class Sample(NamedTuple):
    """Ascending values (float32 or float64), and how often each occurs; no counts at all mean once each."""

    levels: NDArray[np.float32] | NDArray[np.float64]
    counts: NDArray[np.int64] = ONCE_EACH

    @property
    def least(self) -> float:
        """The first value."""
        return float(self.levels[0])

    @property
    def greatest(self) -> float:
        """The last value."""
        return float(self.levels[-1])

    def binned(self, bins: NDArray[np.integer]) -> NDArray[np.int64]:
        """How many values each bin holds, of which `bins` names one for every level."""
        if not self.counts.size:
            return np.bincount(bins).astype(np.int64)
        # Sums of integers are exact in float64.
        return np.bincount(bins, self.counts).astype(np.int64)


def sample(values: Array, *, given_away: bool = False) -> Sample:
    """Values as a `Sample`.

    Parameters
    ----------
    values : array of any shape
        Real numbers, at least one.
    given_away : bool
        The array may be sorted in place, which saves a copy of a large region.

    Raises
    ------
    ItemError
        `not_finite` when one is NaN or infinite.

    Examples
    --------
    >>> sample(np.array([7, 5, 7], np.int16)).counts.tolist()
    [1, 2]
    """
    if values.dtype == np.bool_:
        values = values.astype(np.uint8)
    if values.dtype.kind not in "iu":
        if not np.isfinite(values).all():
            raise ItemError("not_finite")
        return Sample(_sorted(values, in_place=given_away))
    low, high = int(values.min()), int(values.max())
    if high - low >= _LEVELS:
        return Sample(_sorted(values, in_place=given_away))
    counts = np.zeros(high - low + 1, np.int64)
    for start in range(0, values.size, _CHUNK):
        counts += np.bincount(steps(values[start : start + _CHUNK], low), minlength=len(counts))
    occupied = np.flatnonzero(counts)
    return Sample(occupied.astype(np.float64) + low, counts[occupied])


def steps(values: Array, low: int) -> NDArray[np.int64]:
    """Integers above the least of them, whatever their type.

    Examples
    --------
    >>> steps(np.array([-128, 127], np.int8), -128).tolist()
    [0, 255]
    """
    # uint64 does not fit int64 before the least value is taken off, small types overflow by it.
    above: NDArray[np.int64] = np.subtract(values, low, dtype=values.dtype if values.itemsize == 8 else np.int64)
    return above.astype(np.int64, copy=False)


def _sorted(values: Array, *, in_place: bool) -> NDArray[np.float32] | NDArray[np.float64]:
    """All values in ascending order, as float32 where that holds them."""
    ordered = values.reshape(-1) if in_place else values.flatten()
    ordered.sort()
    if ordered.dtype.kind == "f" and ordered.itemsize <= 4:
        return ordered.astype(np.float32, copy=False)
    return ordered.astype(np.float64, copy=False)
