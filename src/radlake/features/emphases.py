"""Measures of tables that count (grey level, extent): runs by length, zones by size or distance, dependences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


def sparse(matrix: NDArray[np.integer]) -> tuple[Numbers, Numbers, Numbers]:
    """Levels, extents and counts of the cells of a matrix that are not 0; both indices count from 1.

    Examples
    --------
    >>> [a.tolist() for a in sparse(np.array([[0, 3], [5, 0]]))]
    [[1, 2], [2, 1], [3, 5]]
    """
    level, extent = np.nonzero(matrix)
    return level + 1, extent + 1, matrix[level, extent].astype(np.int64)


def counted(level: NDArray[np.integer], extent: NDArray[np.integer]) -> tuple[Numbers, Numbers, Numbers]:
    """Levels, extents and counts of a list of (level, extent), each pair once.

    Examples
    --------
    >>> [a.tolist() for a in counted(np.array([1, 2, 1]), np.array([7, 1, 7]))]
    [[1, 2], [7, 1], [2, 1]]
    """
    base = int(extent.max(initial=0)) + 1
    code, count = np.unique(level.astype(np.int64) * base + extent, return_counts=True)
    return code // base, code % base, count.astype(np.int64)


def emphases(level: Numbers, extent: Numbers, count: Numbers, voxels: int) -> tuple[float, ...]:
    """The 17 measures of a table in IBSI's order, without unit; run, zone and distance tables know the first 16.

    Emphasis of short, long, low, high, short low, short high, long low, long high; non-uniformity of levels and
    normalised, of extents and normalised; percentage; variance of levels and of extents; entropy; energy.

    Parameters
    ----------
    level, extent, count : (n,) int arrays
        Cells that are not empty: grey level, extent (length, size, distance, dependence), how often; each cell once.
    voxels : int
        Voxels that the table describes (once for each direction merged).

    References
    ----------
    IBSI arXiv:1612.07003, 3.7 (run length), 3.8 (size zone), 3.9 (distance zone), 3.11 (dependence).

    Examples
    --------
    Two runs of level 1, of lengths 1 and 3:

    >>> values = emphases(np.array([1, 1]), np.array([1, 3]), np.array([1, 1]), voxels=4)
    >>> round(values[0], 4), values[1], values[12]
    (0.5556, 5.0, 0.5)
    """
    total = int(count.sum())
    if total == 0:
        return (float("nan"),) * 17
    p = count / total
    i2, j2 = level.astype(np.float64) ** 2, extent.astype(np.float64) ** 2
    levels = np.bincount(level, count)
    extents = np.bincount(np.unique(extent, return_inverse=True)[1], count)
    level_square, extent_square = float((levels**2).sum()), float((extents**2).sum())
    return (
        float((p / j2).sum()),
        float((p * j2).sum()),
        float((p / i2).sum()),
        float((p * i2).sum()),
        float((p / (i2 * j2)).sum()),
        float((p * i2 / j2).sum()),
        float((p * j2 / i2).sum()),
        float((p * i2 * j2).sum()),
        level_square / total,
        level_square / total**2,
        extent_square / total,
        extent_square / total**2,
        total / voxels,
        _variance(p, level),
        _variance(p, extent),
        float(-(p * np.log2(p)).sum()) + 0.0,
        float((p**2).sum()),
    )


def _variance(p: NDArray[np.float64], value: Numbers) -> float:
    """Variance of values with probabilities."""
    return float((p * (value - (p * value).sum()) ** 2).sum())
