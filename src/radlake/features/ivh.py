"""IBSI intensity-volume histogram (family "ivh"): which part of a region has at least some intensity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.features.discretise import Binning, discretise
from radlake.features.morphology import NO_INTENSITY
from radlake.features.names import IVH
from radlake.features.roi import Roi, Values

_BINS = 1000  # IBSI: for values that are not discrete, and have no bin width that fits their unit
_MOST_BINS = 1 << 20


class Curve(NamedTuple):
    """Intensities of the bins in ascending order (unit of the image) and the volume fraction at each or above."""

    intensity: NDArray[np.float64]
    volume: NDArray[np.float64]


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
    values = roi.values
    if values.size == 0:
        return {f.name: NO_INTENSITY for f in IVH}
    low = None if roi.intensity_range is None else roi.intensity_range[0]
    count = roi.binning.ivh_bin_count
    if count is not None:
        # Levels begin at 1 and are integers: each is a bin of its own.
        values = discretise(values, Binning(bin_count=count))[0]
    return _measures(curve(values, width=roi.binning.ivh_bin_width, low=low))


def curve(values: NDArray[np.generic], *, width: float | None = None, low: float | None = None) -> Curve:
    """Intensity-volume curve of values, intensities in the unit of the image.

    Parameters
    ----------
    values : (n,) array
        Intensities, at least one.
    width : float, optional
        Of a bin; then an intensity is the middle of its bin.
    low : float, optional
        Where the first bin begins; otherwise at the least value.

    Examples
    --------
    >>> curve(np.array([3, 4, 4, 6])).volume.tolist()
    [1.0, 0.75, 0.25, 0.25]
    """
    least, greatest = float(values.min()), float(values.max())
    if not np.isfinite(greatest - least):
        raise ItemError("not_finite")
    discrete = width is None and greatest - least < _MOST_BINS and _whole(values)
    if discrete:
        start, step, middle = least, 1.0, 0.0
    elif width is not None:
        start, step, middle = least if low is None else low, width, 0.5
    else:
        start, step, middle = least, (greatest - least) / _BINS or 1.0, 0.5
    if (greatest - start) / step > _MOST_BINS:
        raise ItemError("too_many_levels")
    bins = np.floor((values.astype(np.float64) - start) / step).astype(np.int64)
    if not discrete and width is None:
        bins = np.minimum(bins, _BINS - 1)  # the greatest value ends the last bin
    counts = np.bincount(bins)
    volume = np.cumsum(counts[::-1])[::-1] / len(values)
    return Curve(start + (np.arange(len(counts), dtype=np.float64) + middle) * step, volume)


def _whole(values: NDArray[np.generic]) -> bool:
    """Whether all values are whole numbers, in whatever type a file stores them."""
    return values.dtype.kind in "iub" or bool((values == np.rint(values)).all())


def _measures(found: Curve) -> Values:
    """The 7 features of a curve (3.5.1 to 3.5.5)."""
    intensity, volume = found
    span = intensity[-1] - intensity[0]
    fraction = (intensity - intensity[0]) / span if span else np.ones(1)
    v10, v90 = (float(volume[np.argmax(fraction >= f)]) for f in (0.1, 0.9))
    i10, i90 = (_intensity_at(found, f) for f in (0.1, 0.9))
    return {
        "ivh_v10": v10,
        "ivh_v90": v90,
        "ivh_i10": i10,
        "ivh_i90": i90,
        "ivh_diff_v10_v90": v10 - v90,
        "ivh_diff_i10_i90": i10 - i90,
        "ivh_auc": float(np.trapezoid(volume, fraction)),
    }


def _intensity_at(found: Curve, fraction: float) -> float:
    """Least intensity that at most this fraction of the volume reaches; the greatest where more does."""
    few = found.volume <= fraction
    return float(found.intensity[np.argmax(few)] if few.any() else found.intensity[-1])
