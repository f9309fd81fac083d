"""Size, centre and second moments of masks, in exact integers, and the axes that follow from them."""

from __future__ import annotations

import math
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

    Sums are taken in integers: the result does not depend on where in the array the region lies.

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
    from radlake.features import shape_kernels

    axes = mask.ndim
    count, *found = shape_kernels.sums(mask if axes == 3 else mask[None]).tolist()
    first, (zz, yy, xx, zy, zx, yx) = found[3 - axes : 3], found[3:]
    second = [row[3 - axes :] for row in ([zz, zy, zx], [zy, yy, yx], [zx, yx, xx])[3 - axes :]]
    # n - 1, as the reference values have it; one voxel has no extent
    divisor = count * max(count - 1, 1)
    covariance = [
        [(count * second[a][b] - first[a] * first[b]) / divisor * spacing[a] * spacing[b] for b in range(axes)]
        for a in range(axes)
    ]
    return Moments(count, np.array(first) / count, np.array(covariance, np.float64))


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
    if len(covariance) == 2:
        (a, b), (_, d) = covariance.tolist()
        middle, reach = (a + d) / 2, math.hypot((a - d) / 2, b)
        values = [middle + reach, middle - reach]
    else:
        values = np.linalg.eigvalsh(covariance)[::-1].tolist()
    return tuple(4 * math.sqrt(v) if v > _NEGLIGIBLE * values[0] else 0.0 for v in values)
