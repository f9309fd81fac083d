"""Grey level co-occurrence (family "glcm"): how often two levels are neighbours, in 25 numbers for each aggregation."""

from __future__ import annotations

from collections.abc import Sequence

from radlake.features.morphology import NO_INTENSITY
from radlake.features.names import GLCM
from radlake.features.roi import Roi, Values
from radlake.features.texture import DEFAULT_AGGREGATIONS, Aggregation, average, by_direction, for_axes, full_names

_NAMES = tuple(f.name for f in GLCM)


def glcm(roi: Roi, *, aggregations: Sequence[Aggregation] = DEFAULT_AGGREGATIONS) -> Values:
    """Co-occurrence features by name, without unit: neighbours at distance 1, matrices symmetric.

    Parameters
    ----------
    roi : Roi
        With intensities.
    aggregations : sequence of {"2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"}
        How directions and slices are put together; a plane knows the first two.

    References
    ----------
    IBSI arXiv:1612.07003, 3.6; Haralick, Shanmugam, Dinstein (1973), Textural features for image classification, IEEE
    Trans SMC 3:610-621.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1, 1, 2, 2]])
    >>> round(glcm(Roi(image > 0, (1.0, 1.0), image))["cm_contrast_2D_comb"], 3)
    320.333
    """
    from radlake.features import table_kernels

    values: Values = {}
    for aggregation in for_axes(aggregations, roi.mask.ndim):
        names = full_names(_NAMES, aggregation)
        texture = roi.texture
        if texture is None:
            values |= dict.fromkeys(names, NO_INTENSITY)
            continue
        matrices = by_direction(texture, aggregation, lambda lines: lines.pairs)
        values |= average(names, (table_kernels.cooccurrences(pairs) for pairs, _ in matrices))
    return values
