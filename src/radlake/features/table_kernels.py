"""Compiled measures of texture tables, many tables in one call.

Importing this module loads compiled code, so import it inside functions only. Tables come as (n, ...) arrays and give
(n, measures) float64; a table without an entry gives NaN. Tables of counts may be weighted: sums are doubles, in which
counts stay exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, part

Numbers = NDArray[np.int64]
Measures = NDArray[np.float64]


@part
def _emphases(level: Numbers, extent: Numbers, count: Measures, voxels: float, out: Measures) -> None:
    """The 17 measures of one table given by its cells, each once; see `emphases`."""
    total, most_level, most_extent = 0.0, np.int64(0), np.int64(0)
    for k in range(len(count)):
        total += count[k]
        most_level, most_extent = max(most_level, level[k]), max(most_extent, extent[k])
    out[:] = np.nan
    if total == 0:
        return
    out[:] = 0
    levels, extents = np.zeros(most_level + 1), np.zeros(most_extent + 1)
    mean_level = mean_extent = 0.0
    for k in range(len(count)):
        p = count[k] / total
        i2, j2 = np.float64(level[k]) ** 2, np.float64(extent[k]) ** 2
        out[0] += p / j2
        out[1] += p * j2
        out[2] += p / i2
        out[3] += p * i2
        out[4] += p / (i2 * j2)
        out[5] += p * i2 / j2
        out[6] += p * j2 / i2
        out[7] += p * i2 * j2
        out[15] -= p * np.log2(p)
        out[16] += p * p
        mean_level += p * level[k]
        mean_extent += p * extent[k]
        levels[level[k]] += count[k]
        extents[extent[k]] += count[k]
    for k in range(len(levels)):
        out[8] += levels[k] ** 2
    for k in range(len(extents)):
        out[10] += extents[k] ** 2
    for k in range(len(count)):
        p = count[k] / total
        out[13] += p * (level[k] - mean_level) ** 2
        out[14] += p * (extent[k] - mean_extent) ** 2
    out[9], out[11] = out[8] / total**2, out[10] / total**2
    out[8], out[10] = out[8] / total, out[10] / total
    out[12] = total / voxels
    out[15] += 0.0  # no -0.0


@compiled(
    "float64[:,::1](uint32[:,:,::1], int64[::1])",
    "float64[:,::1](int64[:,:,::1], int64[::1])",
    "float64[:,::1](float64[:,:,::1], float64[::1])",
)
def emphases(tables: NDArray[Any], voxels: NDArray[Any]) -> Measures:
    """The 17 measures of each table (n, levels, extents) in IBSI's order, without unit; indices count from 1.

    Emphasis of short, long, low, high, short low, short high, long low, long high; non-uniformity of levels and
    normalised, of extents and normalised; percentage; variance of levels and of extents; entropy; energy. An extent is
    a run's length, a zone's size or distance, a dependence; only dependences know the energy. `voxels` (n,) is the
    number that each table describes, once for each direction merged, and as often as that is weighted.

    References
    ----------
    IBSI arXiv:1612.07003, 3.7 (run length), 3.8 (size zone), 3.9 (distance zone), 3.11 (dependence).
    """
    n, levels, extents = tables.shape
    out = np.empty((n, 17))
    level, extent = np.empty(levels * extents, np.int64), np.empty(levels * extents, np.int64)
    count = np.empty(levels * extents)
    for t in range(n):
        cells = 0
        for i in range(levels):
            for j in range(extents):
                if tables[t, i, j]:
                    level[cells], extent[cells], count[cells] = i + 1, j + 1, tables[t, i, j]
                    cells += 1
        _emphases(level[:cells], extent[:cells], count[:cells], voxels[t], out[t])
    return out


@compiled("uint32[:,:,::1](int32[:], int32[:], int32[:], int64, int64, int64)")
def zone_tables(
    plane: NDArray[np.int32], level: NDArray[np.int32], extent: NDArray[np.int32], parts: int, levels: int, longest: int
) -> NDArray[np.uint32]:
    """Zones by level and extent, from 1, in tables (parts, levels, longest) of each plane, or in one of all."""
    found = np.zeros((parts, levels, longest), np.uint32)
    for k in range(len(level)):
        found[plane[k] if parts > 1 else 0, level[k] - 1, extent[k] - 1] += np.uint32(1)
    return found


@compiled("float64[:,::1](int64[::1], int64, int64, int64[::1])")
def emphases_of_list(codes: Numbers, levels: int, extents: int, voxels: Numbers) -> Measures:
    """The 17 measures of each table from a sorted list of (table * levels + level) * extents + extent, one a zone."""
    n = len(voxels)
    out = np.empty((n, 17))
    level, extent, count = np.empty(len(codes), np.int64), np.empty(len(codes), np.int64), np.empty(len(codes))
    k = 0
    for t in range(n):
        cells = 0
        while k < len(codes) and codes[k] // (levels * extents) == t:
            first = k
            while k < len(codes) and codes[k] == codes[first]:
                k += 1
            rest = codes[first] % (levels * extents)
            level[cells], extent[cells], count[cells] = rest // extents, rest % extents, k - first
            cells += 1
        _emphases(level[:cells], extent[:cells], count[:cells], voxels[t], out[t])
    return out


@part
def _entropy(counts: Measures, total: float) -> float:
    """Entropy in bits of counts."""
    found = 0.0
    for c in counts:
        if c:
            p = c / total
            found -= p * np.log2(p)
    return found + 0.0


@part
def _spread(counts: Measures, total: float, first: int, out: Measures) -> None:
    """Average, variance and entropy of values from `first` with counts."""
    mean = 0.0
    for k in range(len(counts)):
        mean += counts[k] / total * (first + k)
    variance = 0.0
    for k in range(len(counts)):
        variance += counts[k] / total * (first + k - mean) ** 2
    out[0], out[1], out[2] = mean, variance, _entropy(counts, total)


@part
def _closeness(difference: Measures, total: float, out: Measures) -> None:
    """Contrast, dissimilarity, inverse differences and their moments, plain and normalised, inverse variance."""
    n = len(difference)
    out[:] = 0
    for k in range(n):
        p = difference[k] / total
        out[0] += p * k * k
        out[1] += p * k
        out[2] += p / (1 + k)
        out[3] += p / (1 + k / n)
        out[4] += p / (1 + k * k)
        out[5] += p / (1 + (k / n) ** 2)
        if k:
            out[6] += p / (k * k)


@compiled("float64[:,::1](uint32[:,:,::1])", "float64[:,::1](int64[:,:,::1])", "float64[:,::1](float64[:,:,::1])")
def cooccurrences(tables: NDArray[Any]) -> Measures:
    """The 25 co-occurrence measures of each table (n, levels, levels) of pairs, in the order of the names.

    Pairs are counted in one direction and made symmetric here; for a symmetric matrix both HXY1 and HXY2 are twice the
    entropy of the margin.

    References
    ----------
    IBSI arXiv:1612.07003, 3.6.1 to 3.6.25.
    """
    n, levels, _ = tables.shape
    out = np.empty((n, 25))
    for t in range(n):
        pairs, row = tables[t], out[t]
        margin, difference, summed = np.zeros(levels), np.zeros(levels), np.zeros(2 * levels - 1)
        both = 0.0  # every pair twice, once each way
        for i in range(levels):
            for j in range(levels):
                c = np.float64(pairs[i, j])
                if c:
                    both += 2 * c
                    margin[i] += c
                    margin[j] += c
                    difference[abs(i - j)] += 2 * c
                    summed[i + j] += 2 * c
        row[:] = np.nan
        if both == 0:
            continue
        greatest = joint = energy = product = 0.0
        for i in range(levels):
            for j in range(i + 1):
                c = np.float64(pairs[i, j]) + np.float64(pairs[j, i])
                if c:
                    greatest = max(greatest, c)
                    p, times = c / both, 1 if i == j else 2
                    joint -= times * p * np.log2(p)
                    energy += times * p * p
                    product += times * p * (i + 1) * (j + 1)
        single = _entropy(margin, both)
        mean = variance = 0.0
        for i in range(levels):
            mean += margin[i] / both * (i + 1)
        for i in range(levels):
            variance += margin[i] / both * (i + 1 - mean) ** 2
        row[0], row[1], row[2], row[3] = greatest / both, mean, variance, joint
        _spread(difference, both, 0, row[4:7])
        _spread(summed, both, 2, row[7:10])
        row[10] = energy
        _closeness(difference, both, row[11:18])
        row[18] = (product - mean**2) / variance if variance > 0 else np.nan
        row[19] = product
        row[20:23] = 0
        for k in range(len(summed)):
            off, p = k + 2 - 2 * mean, summed[k] / both
            row[20] += p * off**2
            row[21] += p * off**3
            row[22] += p * off**4
        row[23] = (joint - 2 * single) / single if single > 0 else np.nan
        row[24] = np.sqrt(max(0.0, 1 - np.exp(-2 * (2 * single - joint))))
    return out


@compiled("float64[:,::1](float64[:,::1], int64[:,::1], float64)")
def tone_differences(tones: Measures, counts: Numbers, coarsest: float) -> Measures:
    """Coarseness, contrast, busyness, complexity and strength of each table (n, levels).

    `tones` holds the summed distances of a level's voxels to the mean of their neighbours, `counts` its voxels with
    neighbours; a region without any difference has the coarseness `coarsest`.

    References
    ----------
    IBSI arXiv:1612.07003, 3.10.1 to 3.10.5 (QCDE, 65HE, NQ30, HDEZ, 1X9X).
    """
    n, levels = tones.shape
    out = np.empty((n, 5))
    for t in range(n):
        total, used, weighted, summed = np.int64(0), 0, 0.0, 0.0
        for i in range(levels):
            total += counts[t, i]
            used += counts[t, i] > 0
            summed += tones[t, i]
            weighted += counts[t, i] * tones[t, i]
        if total == 0:
            out[t] = np.nan
            continue
        weighted /= total
        mixed = busy = complexity = strength = 0.0
        for i in range(levels):
            if counts[t, i] == 0:
                continue
            pi, si = counts[t, i] / total, tones[t, i]
            for j in range(i):
                if counts[t, j]:
                    pj, sj, apart = counts[t, j] / total, tones[t, j], float(i - j)
                    mixed += 2 * pi * pj * apart**2
                    busy += 2 * abs((i + 1) * pi - (j + 1) * pj)
                    complexity += 2 * apart * (pi * si + pj * sj) / (pi + pj)
                    strength += 2 * (pi + pj) * apart**2
        out[t, 0] = 1 / weighted if weighted > 0 else coarsest
        out[t, 1] = mixed / (used * (used - 1)) * summed / total if used > 1 else 0.0
        out[t, 2] = weighted / busy if busy > 0 else 0.0
        out[t, 3] = complexity / total
        out[t, 4] = strength / summed if summed > 0 else 0.0
    return out
