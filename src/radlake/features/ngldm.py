"""Neighbouring grey level dependence (family "ngldm"): how many neighbours are alike, in 17 numbers each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.features.morphology import NO_INTENSITY
from radlake.features.names import NGLDM
from radlake.features.roi import Roi, Values
from radlake.features.texture import (
    DEFAULT_AGGREGATIONS,
    Aggregation,
    Dimension,
    Texture,
    average,
    dimensions,
    for_axes,
    full_names,
)

_NAMES = tuple(f.name for f in NGLDM)


def ngldm(roi: Roi, *, aggregations: Sequence[Aggregation] = DEFAULT_AGGREGATIONS) -> Values:
    """Dependence features by name, without unit; neighbours at distance 1 are dependent when their level is equal.

    Parameters
    ----------
    roi : Roi
        With intensities.
    aggregations : sequence of {"2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"}
        Neighbourhoods have no direction: only the dimension counts ("2D", "2_5D", "3D"). A plane knows "2D".

    References
    ----------
    IBSI arXiv:1612.07003, 3.11; Sun, Wee (1983), Neighboring gray level dependence matrix for texture classification,
    Computer Vision, Graphics and Image Processing 23:341-352.

    Examples
    --------
    Each of 4 pixels has one neighbour of its own level: its dependence, with itself, is 2.

    >>> image = np.array([[1, 1, 2, 2]])
    >>> ngldm(Roi(image > 0, (1.0, 1.0), image))["ngl_hde_2D"]
    4.0
    """
    values: Values = {}
    for dimension in dimensions(for_axes(aggregations, roi.mask.ndim)):
        names = full_names(_NAMES, dimension)
        texture = roi.texture
        values |= (
            dict.fromkeys(names, NO_INTENSITY) if texture is None else average(names, [_measures(texture, dimension)])
        )
    return values


def _measures(texture: Texture, dimension: Dimension) -> NDArray[np.float64]:
    """Features of each matrix of a dimension."""
    from radlake.features import table_kernels

    counts = (texture.neighbourhoods if dimension == "3D" else texture.neighbourhoods_in_planes).dependence
    if dimension == "2D":
        return table_kernels.emphases(np.ascontiguousarray(counts), texture.voxels)
    return table_kernels.emphases(counts.sum(axis=0, dtype=np.int64, keepdims=True), texture.voxels.sum(keepdims=True))
