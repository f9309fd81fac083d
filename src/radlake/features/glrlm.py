"""Grey level run lengths (family "glrlm"): how long lines of one level are, in 16 numbers for each aggregation."""

from __future__ import annotations

from collections.abc import Sequence

from radlake.features.morphology import NO_INTENSITY
from radlake.features.names import GLRLM
from radlake.features.roi import Roi, Values
from radlake.features.texture import DEFAULT_AGGREGATIONS, Aggregation, average, by_direction, for_axes, full_names

_NAMES = tuple(f.name for f in GLRLM)


def glrlm(roi: Roi, *, aggregations: Sequence[Aggregation] = DEFAULT_AGGREGATIONS) -> Values:
    """Run length features by name, without unit; lengths in voxels.

    Parameters
    ----------
    roi : Roi
        With intensities.
    aggregations : sequence of {"2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"}
        How directions and slices are put together; a plane knows the first two.

    References
    ----------
    IBSI arXiv:1612.07003, 3.7; Galloway (1975), Texture analysis using gray level run lengths, Computer Graphics and
    Image Processing 4:172-179.

    Examples
    --------
    Along the row there are 2 runs of 2 voxels, in the three other directions 4 of 1 voxel:

    >>> import numpy as np
    >>> image = np.array([[1, 1, 2, 2]])
    >>> glrlm(Roi(image > 0, (1.0, 1.0), image), aggregations=["2D_avg"])["rlm_lre_2D_avg"]
    1.75
    """
    from radlake.features import table_kernels

    values: Values = {}
    for aggregation in for_axes(aggregations, roi.mask.ndim):
        names = full_names(_NAMES, aggregation)
        texture = roi.texture
        if texture is None:
            values |= dict.fromkeys(names, NO_INTENSITY)
            continue
        matrices = by_direction(texture, aggregation, lambda lines: lines.runs)
        values |= average(names, (table_kernels.emphases(runs, voxels) for runs, voxels in matrices))
    return values
