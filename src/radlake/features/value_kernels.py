"""Compiled measures of the values of a region: statistics, histogram and volume curve.

Importing this module loads compiled code, so import it inside functions only. NaN stands for what has no value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, part

Numbers = NDArray[np.int64]
Measures = NDArray[np.float64]
Ascending = NDArray[np.float32] | NDArray[np.float64]

_BLOCK = 4096  # values summed by themselves: rounding does not add up over millions
_PERCENTS = (10.0, 25.0, 50.0, 75.0, 90.0)


@part
def _percentiles(levels: Ascending, counts: Numbers) -> Measures:
    """The five percentiles of `_PERCENTS`, linear between the two nearest values (Hyndman and Fan 1996, type 7)."""
    found, up_to = np.empty(5), np.cumsum(counts)
    size = up_to[-1] if len(counts) else len(levels)
    for k in range(5):
        place = _PERCENTS[k] / 100 * (size - 1)
        below = np.int64(place)
        above = min(below + 1, size - 1)
        if len(counts):
            below_at, above_at = np.searchsorted(up_to, below, "right"), np.searchsorted(up_to, above, "right")
        else:
            below_at, above_at = below, above
        low, high = np.float64(levels[below_at]), np.float64(levels[above_at])
        found[k] = low + (high - low) * (place - below)
    return found


@part
def _averages(levels: Ascending, counts: Numbers) -> tuple[float, float, np.int64]:
    """Mean of the values and of their squares, and their number."""
    total = squares = 0.0
    size = np.int64(0)
    for start in range(0, len(levels), _BLOCK):
        first = second = 0.0
        for k in range(start, min(start + _BLOCK, len(levels))):
            times = counts[k] if len(counts) else np.int64(1)
            value = np.float64(levels[k])
            first += times * value
            second += times * (value * value)
            size += times
        total += first
        squares += second
    return total / size, squares / size, size


@part
def _deviations(
    levels: Ascending, counts: Numbers, mean: float, median: float, p10: float, p90: float
) -> tuple[float, float, float, float]:
    """Sums of squared and absolute deviations from the mean and of those from the median; mean between p10 and p90."""
    square = from_mean = from_median = between = 0.0
    middle = np.int64(0)
    for start in range(0, len(levels), _BLOCK):
        a = b = c = d = 0.0
        for k in range(start, min(start + _BLOCK, len(levels))):
            times = counts[k] if len(counts) else np.int64(1)
            value = np.float64(levels[k])
            off = value - mean
            a += times * (off * off)
            b += times * abs(off)
            c += times * abs(value - median)
            if p10 <= value <= p90:
                d += times * value
                middle += times
        square += a
        from_mean += b
        from_median += c
        between += d
    return square, from_mean, from_median, between / middle if middle else np.nan


@part
def _higher(
    levels: Ascending, counts: Numbers, centre: tuple[float, float, float], p10: float, p90: float
) -> tuple[float, float, float]:
    """Sums of third and fourth powers of deviations, and mean absolute deviation between p10 and p90.

    `centre` is the mean, the standard deviation that deviations are divided by, and the mean between p10 and p90.
    Scaled before they are raised: large intensities would overflow, small ones vanish.
    """
    mean, deviation, middle = centre
    third = fourth = robust = 0.0
    inside = np.int64(0)
    for start in range(0, len(levels), _BLOCK):
        a = b = c = 0.0
        for k in range(start, min(start + _BLOCK, len(levels))):
            times = counts[k] if len(counts) else np.int64(1)
            value = np.float64(levels[k])
            scaled = (value - mean) / deviation
            a += times * (scaled * scaled * scaled)
            b += times * ((scaled * scaled) * (scaled * scaled))
            if p10 <= value <= p90:
                c += times * abs(value - middle)
                inside += times
        third += a
        fourth += b
        robust += c
    return third, fourth, robust / inside if inside else np.nan


@compiled("float64[::1](float64[::1], int64[::1])", "float64[::1](float32[::1], int64[::1])")
def statistics(levels: Ascending, counts: Numbers) -> Measures:
    """The 18 statistics of ascending values, each with how often it occurs (no counts: once), in IBSI's order.

    Skewness and kurtosis of equal values are 0, as IBSI asks. NaN: no value between the 10th and 90th percentile, a
    mean or a sum of quartiles of 0.

    References
    ----------
    IBSI arXiv:1612.07003, 3.3.1 to 3.3.18.
    """
    mean, square, size = _averages(levels, counts)
    p10, p25, median, p75, p90 = _percentiles(levels, counts)
    least, greatest = np.float64(levels[0]), np.float64(levels[-1])
    squares, from_mean, from_median, middle = _deviations(levels, counts, mean, median, p10, p90)
    variance = squares / size if least < greatest else 0.0
    deviation = np.sqrt(variance)
    third, fourth, robust = _higher(levels, counts, (mean, deviation if variance > 0 else 1.0, middle), p10, p90)
    return np.array(
        [
            mean,
            variance,
            third / size if variance > 0 else 0.0,
            fourth / size - 3 if variance > 0 else 0.0,
            median,
            least,
            p10,
            p90,
            greatest,
            p75 - p25,
            greatest - least,
            from_mean / size,
            robust,
            from_median / size,
            deviation / mean if mean != 0 else np.nan,
            (p75 - p25) / (p75 + p25) if p75 + p25 != 0 else np.nan,
            square * size,
            np.sqrt(square),
        ]
    )


@compiled(
    "uint16[::1](float64[::1], float64, float64, float64, int64)",
    "uint16[::1](float32[::1], float64, float64, float64, int64)",
)
def levels(
    values: NDArray[np.floating], least: float, greatest: float, width: float, number: int
) -> NDArray[np.uint16]:
    """Grey levels, from 1, of values in bins of a width from `least` on; width 0: so many bins up to `greatest`."""
    found = np.ones(len(values), np.uint16)
    span = greatest - least
    for k in range(len(values)):
        value = np.float64(values[k])
        if width > 0:
            found[k] += np.uint16((value - least) / width)
        elif span > 0:
            # The greatest value ends the last bin instead of beginning another.
            found[k] += np.uint16(min(number * ((value - least) / span), number - 1.0))
    return found


@compiled("float64[::1](int64[::1])")
def histogram(counts: Numbers) -> Measures:
    """Mode, entropy, uniformity, greatest gradient and its level, least gradient and its level, of counts of levels.

    Counts are those of levels 1, 2, 3 ...; of several modes the one next to the mean counts, of two as near the lower.
    A gradient is half the difference of the two neighbours, at the ends the difference to the only one; a single level
    has none (NaN).

    References
    ----------
    IBSI arXiv:1612.07003, 3.4.10, 3.4.18 to 3.4.23.
    """
    n, total, most = len(counts), counts.sum(), counts.max()
    mode, nearest, mean, entropy, uniformity = 0, np.inf, 0.0, 0.0, 0.0
    for k in range(n):
        mean += counts[k] * (k + 1)
    mean /= total
    for k in range(n):
        if counts[k]:
            p = counts[k] / total
            entropy -= p * np.log2(p)
            uniformity += p * p
        if counts[k] == most and abs(k + 1 - mean) < nearest:
            mode, nearest = k + 1, abs(k + 1 - mean)
    found = np.array([mode, entropy + 0.0, uniformity, np.nan, np.nan, np.nan, np.nan])
    if n < 2:
        return found
    for k in range(n):
        before, after = max(k - 1, 0), min(k + 1, n - 1)
        gradient = np.float64(counts[after] - counts[before]) / (after - before)
        if k == 0 or gradient > found[3]:
            found[3], found[4] = gradient, k + 1
        if k == 0 or gradient < found[5]:
            found[5], found[6] = gradient, k + 1
    return found


@compiled("float64[::1](int64[::1], float64, float64)")
def volume_curve(counts: Numbers, start: float, step: float) -> Measures:
    """V10, V90, I10, I90, V10 - V90, I10 - I90 and the area under the curve, of counts of bins in ascending order.

    A bin stands for the intensity start + step times its index. A volume fraction is that of the first intensity that
    reaches a share of the span; an intensity the least that at most this fraction of the volume reaches, or the
    greatest where more does.

    References
    ----------
    IBSI arXiv:1612.07003, 3.5.1 to 3.5.5.
    """
    n = len(counts)
    volume = np.empty(n)
    above = np.int64(0)
    for k in range(n - 1, -1, -1):
        above += counts[k]
        volume[k] = above
    volume /= above
    found = np.empty(7)
    for k, share in enumerate((0.1, 0.9)):
        at = 0
        while n > 1 and at / (n - 1) < share:
            at += 1
        few = 0
        while few < n - 1 and volume[few] > share:
            few += 1
        found[k], found[2 + k] = volume[at], start + few * step
    found[4], found[5], found[6] = found[0] - found[1], found[2] - found[3], 0.0
    for k in range(n - 1):
        found[6] += (volume[k] + volume[k + 1]) / 2
    if n > 1:
        found[6] /= n - 1
    return found
