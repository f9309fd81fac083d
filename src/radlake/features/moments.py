"""Size, centre and second moments of masks, in exact integers, and the axes that follow from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import BoolArray
from radlake.imaging.arguments import Spacing

_NEGLIGIBLE = 1e-12  # eigenvalues below this share of the greatest are rounding, not extent


class Moments(NamedTuple):
    """Number of voxels, centre (index along each axis) and covariance of positions (mm2; divided by n - 1)."""

    voxels: int
    centre: NDArray[np.float64]
    covariance: NDArray[np.float64]


def moments(mask: BoolArray, spacing: Spacing) -> Moments:
    """Moments of the positions of all samples inside a mask.

    Sums are taken over the mask's projections on pairs of axes, in integers: no list of positions is made, and the
    result does not depend on where in the array the region lies.

    Parameters
    ----------
    mask : (z, y, x) or (y, x) bool array
        At least one sample inside.
    spacing : tuple of floats
        Millimetres along each axis.

    References
    ----------
    IBSI arXiv:1612.07003, 3.1 (PCA-based morphological features).

    Examples
    --------
    >>> moments(np.ones((1, 3), bool), (1.0, 3.0)).covariance.tolist()
    [[0.0, 0.0], [0.0, 9.0]]
    """
    axes = mask.ndim
    first = [0] * axes
    second = [[0] * axes for _ in range(axes)]
    count = 0
    for a in range(axes):
        for b in range(a + 1, axes):
            rest = tuple(k for k in range(axes) if k not in (a, b))
            projected = mask.sum(axis=rest, dtype=np.int64)
            i, j = np.arange(mask.shape[a]), np.arange(mask.shape[b])
            rows, columns = projected.sum(axis=1), projected.sum(axis=0)
            count = int(rows.sum())
            first[a], first[b] = int(i @ rows), int(j @ columns)
            second[a][a], second[b][b] = int(i * i @ rows), int(j * j @ columns)
            second[a][b] = second[b][a] = int(i @ projected @ j)
    exact = [[count * second[a][b] - first[a] * first[b] for b in range(axes)] for a in range(axes)]
    # n - 1, as the reference values have it; one voxel has no extent
    divisor = count * max(count - 1, 1)
    covariance = np.array(exact, np.float64) / divisor * np.outer(spacing, spacing)
    return Moments(count, np.array(first) / count, covariance)


def axis_lengths(covariance: NDArray[np.float64]) -> tuple[float, ...]:
    """Lengths of the principal axes in millimetres, greatest first: 4 sqrt(eigenvalue).

    Parameters
    ----------
    covariance : (axes, axes) array
        Of positions, mm2.

    References
    ----------
    IBSI arXiv:1612.07003, 3.1.12 to 3.1.14 (TDIC, P9VJ, 7J51).

    Examples
    --------
    >>> axis_lengths(np.diag([1.0, 4.0]))
    (8.0, 4.0)
    """
    values = np.linalg.eigvalsh(covariance)[::-1]
    values = np.where(values > _NEGLIGIBLE * values[0], values, 0.0)
    return tuple(float(4 * np.sqrt(v)) for v in values)
