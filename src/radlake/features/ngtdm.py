"""Neighbourhood grey tone difference (family "ngtdm"): how far voxels lie from their neighbours' mean, in 5 numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.features.morphology import NO_INTENSITY
from radlake.features.names import NGTDM
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

_NAMES = tuple(f.name for f in NGTDM)
_COARSEST = 1e6  # IBSI: the coarseness of a region without any difference


def ngtdm(roi: Roi, *, aggregations: Sequence[Aggregation] = DEFAULT_AGGREGATIONS) -> Values:
    """Grey tone difference features by name, without unit; neighbours at distance 1.

    Parameters
    ----------
    roi : Roi
        With intensities.
    aggregations : sequence of {"2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"}
        Neighbourhoods have no direction: only the dimension counts ("2D", "2_5D", "3D"). A plane knows "2D".

    References
    ----------
    IBSI arXiv:1612.07003, 3.10; Amadasun, King (1989), Textural features corresponding to textural properties, IEEE
    Trans SMC 19:1264-1273.

    Examples
    --------
    >>> image = np.ones((2, 2), int)
    >>> ngtdm(Roi(image > 0, (1.0, 1.0), image))["ngt_coarseness_2D"]
    1000000.0
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

    tables = texture.neighbourhoods if dimension == "3D" else texture.neighbourhoods_in_planes
    tone, valid = tables.tone, tables.valid
    if dimension != "2D":
        tone, valid = tone.sum(axis=0, keepdims=True), valid.sum(axis=0, keepdims=True)
    return table_kernels.tone_differences(np.ascontiguousarray(tone), np.ascontiguousarray(valid), _COARSEST)
