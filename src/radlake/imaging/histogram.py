"""Histograms that lose nothing of 16-bit data: what thresholds and equalisation are computed from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array

BINS = 1 << 16  # levels of a histogram: every value of 16-bit data, range / 65536 for the rest
_CHUNK = 1 << 22  # samples handled at a time, so that no wide copy of a volume is made


class Histogram(NamedTuple):
    """Occupied bins in ascending order.

    Parameters
    ----------
    uppers : (n,) float array
        Greatest value of each bin, in the unit of the image.
    bins : (n,) int array
        Number of each bin, 0 to 65535; equal steps.
    counts : (n,) int array
        Samples in each bin.
    """

    uppers: NDArray[np.float64]
    bins: NDArray[np.int64]
    counts: NDArray[np.int64]


def histogram(array: Array, *, padding: float | None = None) -> Histogram:
    """Histogram of the finite samples other than padding.

    Exact for integers that span at most 65536 values, otherwise on 65536 equal bins from the least to the greatest.

    Parameters
    ----------
    array : array of any shape
        Real values.
    padding : float, optional
        Value that marks samples outside the imaged field; left out.

    Examples
    --------
    >>> histogram(np.array([5, 7, 7, -1]), padding=-1).counts.tolist()
    [1, 2]
    """
    flat = array.reshape(-1)
    if flat.dtype == np.bool_:
        flat = flat.view(np.uint8)
    low, high = _limits(flat, padding)
    exact = np.issubdtype(flat.dtype, np.integer) and high - low < BINS
    width = 1.0 if exact else (high / BINS - low / BINS) or 1.0
    counts = np.zeros(BINS, np.int64)
    for part in _usable(flat, padding):
        if not exact:
            bins = np.clip(part / width - low / width, 0, BINS - 1).astype(np.int64)
        elif part.itemsize == 8:
            bins = (part - part.dtype.type(low)).astype(np.int64)  # uint64 may not fit int64 before
        else:
            bins = part.astype(np.int64) - int(low)
        counts += np.bincount(bins, minlength=BINS)
    occupied = np.flatnonzero(counts)
    if exact:
        return Histogram(occupied.astype(np.float64) + low, occupied, counts[occupied])
    share = (occupied + 1) / BINS
    return Histogram(low * (1 - share) + high * share, occupied, counts[occupied])


def _usable(flat: Array, padding: float | None) -> Iterator[Array]:
    """Chunks of the samples that count: finite and not padding; floats in float64."""
    for start in range(0, flat.size, _CHUNK):
        part = flat[start : start + _CHUNK]
        if padding is not None:
            part = part[part != padding]
        if np.issubdtype(part.dtype, np.floating):
            part = part[np.isfinite(part)].astype(np.float64)
        if part.size:
            yield part


def _limits(flat: Array, padding: float | None) -> tuple[float, float]:
    """Least and greatest usable sample; zeros where there is none."""
    found = [(part.min().item(), part.max().item()) for part in _usable(flat, padding)]
    return (min(low for low, _ in found), max(high for _, high in found)) if found else (0, 0)
