"""Intensities to grey levels 1, 2, 3 ...: bins of one width, or one number of bins."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array
from radlake.features.sample import steps

MOST_LEVELS = 1024  # texture matrices grow with the square of it
_BINS = 32
_EXACT = 1 << 53  # whole numbers below are exact in float64
_TABLE = 1 << 16  # integers that span less are looked up


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
    bins = bins_of(float(values.min()), float(values.max()), binning, low=low)
    return bins.levels(values), bins.number


class Bins(NamedTuple):
    """How values between two bounds become levels: width is that of a bin, absent where there are `number` of them."""

    least: float
    greatest: float
    width: float | None
    number: int

    @property
    def span(self) -> float:
        """Greatest less least value, in the unit of the image."""
        return self.greatest - self.least

    def levels(self, values: Array) -> NDArray[np.uint16]:
        """Levels of values, from 1."""
        from radlake.features import value_kernels

        whole = values.dtype.kind in "iu" and max(-self.least, self.greatest) < _EXACT
        if whole and self.span < min(_TABLE, len(values)):
            # Each whole number is binned once; the values are looked up.
            first = math.ceil(self.least)
            table = self.levels(np.arange(first, self.greatest + 1))
            return table[steps(values, first)]
        exact = np.ascontiguousarray(values, None if values.dtype == np.float32 else np.float64)
        return value_kernels.levels(exact, self.least, self.greatest, self.width or 0.0, self.number)


def bins_of(least: float, greatest: float, binning: Binning, *, low: float | None = None) -> Bins:
    """The bins of a region, from its least and greatest value, in the unit of the image.

    Parameters
    ----------
    least, greatest : float
        Of the voxels that count.
    binning, low
        As for `discretise`.

    Raises
    ------
    ItemError
        As `discretise`.

    Examples
    --------
    >>> bins_of(-10.0, 40.0, Binning(bin_width=25)).number
    3
    """
    if not np.isfinite(greatest - least):
        raise ItemError("not_finite")
    width = binning.bin_width
    if width is None:
        return Bins(least, greatest, None, binning.bin_count or _BINS)
    start = least if low is None else low
    if (greatest - start) / width >= MOST_LEVELS:
        raise ItemError("too_many_levels")
    return Bins(start, greatest, width, int(np.floor((greatest - start) / width)) + 1)
