"""Compiled passes over a window round each voxel: its pairs of grey levels, and the statistics of its values.

Importing this module loads compiled code, so import it inside functions only. Volumes are padded so that every window
lies inside; places are (n, 3) indices of the windows' middles, reach is half their side along (z, y, x).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, part

Places = NDArray[np.int64]
_STATISTICS = 18


@compiled("uint32[:,:,::1](uint16[:,:,::1], int64[:,::1], int64[:,::1], int64[::1], int64)")
def window_pairs(
    levels: NDArray[np.uint16], places: Places, offsets: NDArray[np.int64], reach: NDArray[np.int64], count: int
) -> NDArray[np.uint32]:
    """Pairs (n, count, count) inside each window, the offsets merged; index 0 is level 1, level 0 is outside."""
    pairs = np.zeros((len(places), count, count), np.uint32)
    for n in range(len(places)):
        z0, y0, x0 = places[n]
        for z in range(-reach[0], reach[0] + 1):
            for y in range(-reach[1], reach[1] + 1):
                for d in range(len(offsets)):
                    dz, dy, dx = offsets[d]
                    if abs(z + dz) > reach[0] or abs(y + dy) > reach[1]:
                        continue
                    here, there = levels[z0 + z, y0 + y], levels[z0 + z + dz, y0 + y + dy]
                    for x in range(max(-reach[2], -reach[2] - dx), min(reach[2], reach[2] - dx) + 1):
                        a, b = here[x0 + x], there[x0 + x + dx]
                        if a != 0 and b != 0:
                            pairs[n, a - 1, b - 1] += np.uint32(1)
    return pairs


@part
def _percentile(ordered: NDArray[np.float64], share: float) -> float:
    """Percentile of sorted values, linear between the two nearest (Hyndman and Fan 1996, type 7)."""
    place = share * (len(ordered) - 1)
    below = int(place)
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    return float(low + (high - low) * (place - below))


@part
def _deviation(values: NDArray[np.float64], centre: float) -> float:
    """Mean absolute distance from a centre."""
    total = 0.0
    for value in values:
        total += float(abs(value - centre))
    return total / len(values)


@part
def _moments(values: NDArray[np.float64], mean: float) -> tuple[float, float, float]:
    """Variance (divided by n), skewness and excess kurtosis; 0 each where all values are equal."""
    variance = 0.0
    for value in values:
        variance += (value - mean) ** 2
    variance /= len(values)
    if values[0] == values[-1] or variance == 0:
        return 0.0, 0.0, 0.0
    third = fourth = 0.0
    deviation = np.sqrt(variance)
    for value in values:
        scaled = (value - mean) / deviation
        third += scaled**3
        fourth += scaled**4
    return variance, third / len(values), fourth / len(values) - 3


@compiled("float64[:,::1](float64[:,:,::1], boolean[:,:,::1], int64[:,::1], int64[::1])")
def window_statistics(
    image: NDArray[np.float64], mask: NDArray[np.bool_], places: Places, reach: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The 18 statistics of IBSI 3.3, in the order of the names, of the mask's values in each window; NaN for no value.

    The formulas are those of `radlake.features.statistics`.
    """
    out = np.full((len(places), _STATISTICS), np.nan)
    buffer = np.empty((2 * reach[0] + 1) * (2 * reach[1] + 1) * (2 * reach[2] + 1))
    for n in range(len(places)):
        z0, y0, x0 = places[n]
        number = 0
        for z in range(z0 - reach[0], z0 + reach[0] + 1):
            for y in range(y0 - reach[1], y0 + reach[1] + 1):
                for x in range(x0 - reach[2], x0 + reach[2] + 1):
                    if mask[z, y, x]:
                        buffer[number] = image[z, y, x]
                        number += 1
        if number == 0:
            continue
        values = np.sort(buffer[:number])
        row, mean, square = out[n], values.mean(), (values**2).mean()
        p10, p25 = _percentile(values, 0.1), _percentile(values, 0.25)
        p75, p90 = _percentile(values, 0.75), _percentile(values, 0.9)
        median = _percentile(values, 0.5)
        row[0] = mean
        row[1], row[2], row[3] = _moments(values, mean)
        row[4], row[5], row[6], row[7], row[8] = median, values[0], p10, p90, values[-1]
        row[9], row[10] = p75 - p25, values[-1] - values[0]
        row[11], row[13] = _deviation(values, mean), _deviation(values, median)
        middle = values[(values >= p10) & (values <= p90)]
        if len(middle):
            row[12] = _deviation(middle, middle.mean())
        if mean != 0:
            row[14] = np.sqrt(row[1]) / mean
        if p75 + p25 != 0:
            row[15] = (p75 - p25) / (p75 + p25)
        row[16], row[17] = square * number, np.sqrt(square)
    return out
