"""Intensities to grey levels 1, 2, 3 ...: bins of one width, or one number of bins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array

MOST_LEVELS = 1024  # texture matrices grow with the square of it
_BINS = 32
_CHUNK = 1 << 18  # values widened at a time: they stay in the cache


@dataclass(frozen=True)
class Binning:
    """How intensities become grey levels.

    Parameters
    ----------
    bin_width : float or None
        Width of a bin in the unit of the image, greater than 0 (IBSI fixed bin size): for calibrated units (HU, SUV).
    bin_count : int or None
        Number of bins over the range of the region, 1 to 1,024 (IBSI fixed bin number): for arbitrary units. Without
        either there are 32 bins.
    ivh_bin_width : float or None
        Width of a bin of the intensity-volume histogram. None: each integer by itself, other values in 1,000 bins.
    ivh_bin_count : int or None
        So many bins of the intensity-volume histogram instead, 1 to 1,024; its intensities are then bin numbers.

    Raises
    ------
    ValueError
        When both a width and a count are given, or one is out of its range.
    """

    bin_width: float | None = None
    bin_count: int | None = None
    ivh_bin_width: float | None = None
    ivh_bin_count: int | None = None

    def __post_init__(self) -> None:
        for name, width, count in (
            ("bin", self.bin_width, self.bin_count),
            ("ivh_bin", self.ivh_bin_width, self.ivh_bin_count),
        ):
            if width is not None and count is not None:
                raise ValueError(f"give {name}_width (calibrated units) or {name}_count (arbitrary units), not both")
            if width is not None and not (np.isfinite(width) and width > 0):
                raise ValueError(f"{name}_width must be greater than 0, got {width}")
            if count is not None and not 1 <= count <= MOST_LEVELS:
                raise ValueError(f"{name}_count must lie between 1 and {MOST_LEVELS:,}, got {count}")

    @property
    def known(self) -> dict[str, float | int]:
        """What was chosen, for the identity of settings; nothing where all is left to the defaults."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def discretise(values: Array, binning: Binning, *, low: float | None = None) -> tuple[NDArray[np.uint16], int]:
    """Grey levels (without unit) of intensities, and the number of levels N_g.

    Parameters
    ----------
    values : (n,) array
        Intensities of the voxels that count, at least one.
    binning : Binning
        Width or number of bins.
    low : float, optional
        Where the first bin of fixed width begins, in the unit of the image: the lower bound of the re-segmentation
        range. Without it, the least value.

    Returns
    -------
    (n,) uint16 array and int
        Levels from 1, and their number: that of the bins asked for, or with a bin width the greatest level.

    Raises
    ------
    ItemError
        `not_finite`; `too_many_levels` when the bins are so narrow that more than 1,024 would be needed.

    References
    ----------
    IBSI arXiv:1612.07003, 2.7 (Q3RU fixed bin size, K15C fixed bin number).

    Examples
    --------
    >>> levels, count = discretise(np.array([-10.0, 14.9, 15.0, 40.0]), Binning(bin_width=25))
    >>> levels.tolist(), count
    ([1, 1, 2, 3], 3)
    """
    least, greatest = float(values.min()), float(values.max())
    if not np.isfinite(greatest - least):
        raise ItemError("not_finite")
    levels = np.ones(len(values), np.uint16)
    if binning.bin_width is not None:
        start = least if low is None else low
        if (greatest - start) / binning.bin_width >= MOST_LEVELS:
            raise ItemError("too_many_levels")
        for part, exact in _parts(values):
            levels[part] += np.floor((exact - start) / binning.bin_width).astype(np.uint16)
        return levels, int(levels.max())
    count = binning.bin_count or _BINS
    if greatest > least:
        for part, exact in _parts(values):
            bins = np.floor(count * ((exact - least) / (greatest - least)))
            # The greatest value ends the last bin instead of beginning another.
            levels[part] += np.minimum(bins, count - 1).astype(np.uint16)
    return levels, count


def _parts(values: Array) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Values widened to float64, some at a time."""
    for start in range(0, len(values), _CHUNK):
        part = slice(start, start + _CHUNK)
        yield part, values[part].astype(np.float64)
