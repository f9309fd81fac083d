"""IBSI intensity-based statistics (family "intensity"): 18 numbers on the values inside a region."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, FloatArray
from radlake.features.morphology import NO_INTENSITY
from radlake.features.names import STATISTICS
from radlake.features.roi import Roi, Values

_CHUNK = 1 << 20  # values widened to float64 at a time
_LEVELS = 1 << 16  # integers that span no more than this are counted instead of sorted
ZERO_MEAN = Term("the mean is zero")
NO_MIDDLE = Term("no value lies between the 10th and the 90th percentile")
ZERO_QUARTILES = Term("the quartiles sum to zero")


@dataclass(frozen=True, eq=False)
class Sample:
    """Sorted values, each with how often it occurs (None: once each).

    Parameters
    ----------
    levels : (n,) array
        Ascending; in the dtype of the image, or float64 where they are counted.
    counts : (n,) int array or None
        At most 65,536 of them.
    """

    levels: Array
    counts: NDArray[np.int64] | None = None

    @cached_property
    def size(self) -> int:
        """Number of values."""
        return int(self.counts.sum()) if self.counts is not None else len(self.levels)

    @cached_property
    def _weights(self) -> NDArray[np.float64] | None:
        """How often each value occurs, as a factor."""
        return None if self.counts is None else self.counts.astype(np.float64)

    @cached_property
    def _up_to(self) -> NDArray[np.int64]:
        """Number of values up to each, where they are counted."""
        return np.cumsum(self.counts if self.counts is not None else np.ones(len(self.levels), np.int64))

    def average(self, function: Callable[[FloatArray], FloatArray]) -> float:
        """Mean of a function of the values, summed in float64."""
        if self._weights is not None:
            return float(function(self.levels) @ self._weights) / self.size
        total = 0.0
        for start in range(0, len(self.levels), _CHUNK):
            total += float(function(self.levels[start : start + _CHUNK].astype(np.float64)).sum())
        return total / self.size

    def percentiles(self, *percents: float) -> list[float]:
        """Percentiles, linear between the two nearest values (Hyndman and Fan 1996, type 7; numpy's default)."""
        places = [percent / 100 * (self.size - 1) for percent in percents]
        below = [int(place) for place in places]
        values = self._ordered([*below, *(min(index + 1, self.size - 1) for index in below)])
        return [
            low + (high - low) * (place - index)
            for low, high, place, index in zip(values, values[len(below) :], places, below, strict=False)
        ]

    def between(self, low: float, high: float) -> Sample:
        """The values from low to high, bounds included."""
        # bisect, not searchsorted: that would widen all values to the dtype of the bounds.
        first, last = bisect_left(self.levels, low), bisect_right(self.levels, high)
        counts = None if self.counts is None else self.counts[first:last]
        return Sample(self.levels[first:last], counts)

    def _ordered(self, indices: list[int]) -> list[float]:
        """The values at some places in ascending order."""
        places = indices if self.counts is None else self._up_to.searchsorted(indices, "right")
        found: list[float] = self.levels[places].astype(np.float64).tolist()
        return found


def intensity(roi: Roi) -> Values:
    """Intensity statistics of a region by name, in the unit of the image (variance and energy: its square).

    Computed on the intensity mask, without discretisation.

    Parameters
    ----------
    roi : Roi
        With intensities.

    Raises
    ------
    ItemError
        `not_finite` when a value inside is NaN or infinite.
    ValueError
        When the roi has no intensities.

    References
    ----------
    Zwanenburg et al. (2020), arXiv:1612.07003, chapter 3.3.

    Examples
    --------
    >>> values = np.array([[1, 2, 3, 4]], np.int16)
    >>> intensity(Roi(values > 0, (1.0, 1.0), values))["stat_var"]
    1.25
    """
    if roi.intensity is None:
        raise ValueError("the intensity statistics need an image")
    values = roi.intensity[roi.intensity_mask()]
    if values.size == 0:
        return {f.name: NO_INTENSITY for f in STATISTICS}
    return statistics(sample(values, given_away=True))


def sample(values: Array, *, given_away: bool = False) -> Sample:
    """Values as a `Sample`: counted where they are integers of small span, sorted otherwise.

    Parameters
    ----------
    values : array of any shape
        Real numbers.
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
    if not np.issubdtype(values.dtype, np.integer):
        if not np.isfinite(values).all():
            raise ItemError("not_finite")
        return Sample(_sorted(values, in_place=given_away))
    low, high = int(values.min()), int(values.max())
    if high - low >= _LEVELS:
        return Sample(_sorted(values, in_place=given_away))
    counts = np.zeros(high - low + 1, np.int64)
    for start in range(0, values.size, _CHUNK):
        part = values[start : start + _CHUNK]
        # uint64 does not fit int64 before the least value is taken off, small types overflow by it.
        steps = part - values.dtype.type(low) if part.itemsize == 8 else part.astype(np.int64) - low
        counts += np.bincount(steps.astype(np.int64), minlength=len(counts))
    occupied = np.flatnonzero(counts)
    return Sample(occupied.astype(np.float64) + low, counts[occupied])


def _sorted(values: Array, *, in_place: bool) -> Array:
    """All values in ascending order."""
    if not in_place:
        return np.sort(values, axis=None)
    flat = values.reshape(-1)
    flat.sort()
    return flat


def statistics(values: Sample) -> Values:
    """The 18 statistics of IBSI 3.3 by name; values in the unit of the image.

    Skewness and kurtosis of equal values are 0, as IBSI asks.

    Examples
    --------
    >>> statistics(sample(np.array([1, 1, 4])))["stat_mad"]
    1.3333333333333333
    """
    mean, square = (values.average(power) for power in (lambda x: x, np.square))
    median, p10, p25, p75, p90 = values.percentiles(50, 10, 25, 75, 90)
    least, greatest = float(values.levels[0]), float(values.levels[-1])
    variance, skewness, kurtosis = _central_moments(values, mean, least == greatest)
    return {
        "stat_mean": mean,
        "stat_var": variance,
        "stat_skew": skewness,
        "stat_kurt": kurtosis,
        "stat_median": median,
        "stat_min": least,
        "stat_p10": p10,
        "stat_p90": p90,
        "stat_max": greatest,
        "stat_iqr": p75 - p25,
        "stat_range": greatest - least,
        "stat_mad": values.average(lambda x: np.abs(x - mean)),
        "stat_rmad": _robust_deviation(values.between(p10, p90)),
        "stat_medad": values.average(lambda x: np.abs(x - median)),
        "stat_cov": float(np.sqrt(variance)) / mean if mean else ZERO_MEAN,
        "stat_qcod": (p75 - p25) / (p75 + p25) if p75 + p25 else ZERO_QUARTILES,
        "stat_energy": square * values.size,
        "stat_rms": float(np.sqrt(square)),
    }


def _robust_deviation(middle: Sample) -> float | Term:
    """Mean absolute deviation of the values between the 10th and 90th percentile (3.3.13)."""
    if middle.size == 0:
        return NO_MIDDLE
    centre = middle.average(lambda x: x)
    return middle.average(lambda x: np.abs(x - centre))


def _central_moments(values: Sample, mean: float, constant: bool) -> tuple[float, float, float]:
    """Variance (divided by n), skewness, excess kurtosis (3.3.2 to 3.3.4)."""
    if constant:
        return 0.0, 0.0, 0.0
    variance = values.average(lambda x: np.square(x - mean))
    deviation = float(np.sqrt(variance))

    # Scaled before it is raised: large intensities would overflow, small ones vanish. Products, as ** is slow.
    def cubed(x: FloatArray) -> FloatArray:
        scaled = (x - mean) / deviation
        return np.asarray(scaled * scaled * scaled)

    skewness = values.average(cubed)
    kurtosis = values.average(lambda x: np.square(np.square((x - mean) / deviation))) - 3
    return variance, skewness, kurtosis
