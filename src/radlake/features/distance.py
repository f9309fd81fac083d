"""Distance of voxels to the border of a region, inside and outside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import BoolArray


def signed_distance(inside: BoolArray, steps: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance (mm) to the nearest voxel inside; inside, the negative one to the nearest outside. Never 0.

    The image's end counts as outside.

    Parameters
    ----------
    inside : (z, y, x) or (y, x) bool array
        At least one voxel.
    steps : floats
        Millimetres along each axis, between the centres of voxels.

    References
    ----------
    Felzenszwalb, Huttenlocher (2012), Distance transforms of sampled functions, Theory of Computing 8:415-428.

    Examples
    --------
    >>> signed_distance(np.array([[False, True, True, True, False, False]]), (9.0, 2.0)).tolist()
    [[2.0, -2.0, -4.0, -2.0, 2.0, 4.0]]
    """
    from scipy import ndimage

    padded = np.pad(inside, 1)
    outward, inward = (ndimage.distance_transform_edt(part, sampling=steps) for part in (~padded, padded))
    return np.asarray((outward - inward)[(slice(1, -1),) * inside.ndim])
