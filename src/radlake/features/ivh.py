"""IBSI intensity-volume histogram (family "ivh"): which part of a region has at least some intensity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.features.discretise import Binning, bins_of
from radlake.features.morphology import NO_INTENSITY
from radlake.features.names import IVH
from radlake.features.roi import Roi, Values
from radlake.features.sample import Sample

_BINS = 1000  # IBSI: for values that are not discrete, and have no bin width that fits their unit
_MOST_BINS = 1 << 20
_NAMES = tuple(f.name for f in IVH)


class Curve(NamedTuple):
    """Voxels of each bin, ascending; a bin stands for start + step x its index, in the unit of the image."""

    counts: NDArray[np.int64]
    start: float
    step: float


def ivh(roi: Roi) -> Values:
    """Intensity-volume histogram features by name: fractions (without unit) and intensities in the image's unit.

    Parameters
    ----------
    roi : Roi
        With intensities. `binning.ivh_bin_width` bins them; without it whole numbers are taken one by one, other values
        in 1,000 bins over their range. With `binning.ivh_bin_count` intensities are bin numbers.

    Raises
    ------
    ItemError
        `too_many_levels` when `ivh_bin_width` is too small for the range of the region.

    References
    ----------
    IBSI arXiv:1612.07003, 3.5; El Naqa et al. (2009), Exploring feature-based approaches in PET images, Pattern
    Recognition 42:1162-1171.

    Examples
    --------
    >>> image = np.array([[1, 1, 2, 5]])
    >>> values = ivh(Roi(image > 0, (1.0, 1.0), image))
    >>> values["ivh_v10"], values["ivh_i90"]
    (0.5, 2.0)
    """
    from radlake.features import value_kernels

    values = roi.sample
    if values is None:
        return dict.fromkeys(_NAMES, NO_INTENSITY)
    count = roi.binning.ivh_bin_count
    if count is not None:
        # Levels begin at 1 and are integers: each is a bin of its own.
        bins = bins_of(values.least, values.greatest, Binning(bin_count=count))
        values = values._replace(levels=bins.levels(values.levels).astype(np.float64))
    found = curve(values, width=roi.binning.ivh_bin_width, low=roi.bin_start)
    return dict(zip(_NAMES, value_kernels.volume_curve(*found).tolist(), strict=True))


def curve(values: Sample, *, width: float | None = None, low: float | None = None) -> Curve:
    """Bins of the intensity-volume curve of values.

    Parameters
    ----------
    values : Sample
        Intensities.
    width : float, optional
        Of a bin, in the unit of the image; an intensity is then the middle of its bin.
    low : float, optional
        Where the first bin begins; otherwise at the least value.

    Raises
    ------
    ItemError
        `too_many_levels` when the width is too small.

    Examples
    --------
    >>> from radlake.features.sample import sample
    >>> curve(sample(np.array([3, 4, 4, 6]))).counts.tolist()
    [1, 2, 0, 1]
    """
    least, greatest = values.least, values.greatest
    discrete = width is None and greatest - least < _MOST_BINS and _whole(values.levels)
    if discrete:
        start, step, middle = least, 1.0, 0.0
    elif width is not None:
        start, step, middle = least if low is None else low, width, 0.5
    else:
        start, step, middle = least, (greatest - least) / _BINS or 1.0, 0.5
    if not (greatest - start) / step <= _MOST_BINS:
        raise ItemError("too_many_levels")
    bins = np.floor((values.levels.astype(np.float64, copy=False) - start) / step).astype(np.int64)
    if not discrete and width is None:
        bins = np.minimum(bins, _BINS - 1)  # the greatest value ends the last bin
    return Curve(values.binned(bins), start + middle * step, step)


def _whole(values: NDArray[np.floating]) -> bool:
    """Whether all values are whole numbers, in whatever type a file stores them."""
    return bool((values == np.rint(values)).all())
