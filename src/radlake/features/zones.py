"""Features of zones, by size or by distance: what the families "glszm" and "gldzm" share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.features.morphology import NO_INTENSITY
from radlake.features.roi import Roi, Values
from radlake.features.texture import Aggregation, Dimension, Texture, Zones, average, dimensions, for_axes, full_names

_FEW_CELLS = 1 << 14  # of tables of which each cell is looked at; those of larger ones are listed
_Extent = Callable[[Zones], NDArray[np.int32]]


def zone_features(roi: Roi, names: tuple[str, ...], aggregations: Sequence[Aggregation], extent: _Extent) -> Values:
    """The 16 features of zones by name, without unit: slice by slice (2D), slices merged (2_5D), the volume (3D).

    Parameters
    ----------
    roi : Roi
        With intensities.
    names : tuple of str
        Names of the 16 features, without the dimension.
    aggregations : sequence of aggregations
        Of which only the dimension counts.
    extent : callable
        What zones are counted by.
    """
    values: Values = {}
    for dimension in dimensions(for_axes(aggregations, roi.mask.ndim)):
        full = full_names(names, dimension)
        texture = roi.texture
        values |= (
            dict.fromkeys(full, NO_INTENSITY)
            if texture is None
            else average(full, [_measures(texture, dimension, extent)])
        )
    return values


def _measures(texture: Texture, dimension: Dimension, extent: _Extent) -> NDArray[np.float64]:
    """Features of each matrix of a dimension."""
    from radlake.features import table_kernels

    zones = texture.zones if dimension == "3D" else texture.zones_in_planes
    extents = extent(zones)
    base, voxels = int(extents.max()) + 1, texture.voxels
    parts = len(voxels) if dimension == "2D" else 1
    if dimension != "2D":
        voxels = voxels.sum(keepdims=True)
    if parts * texture.count * base <= _FEW_CELLS:
        tables = table_kernels.zone_tables(zones.plane, zones.level, extents, parts, texture.count, base - 1)
        return table_kernels.emphases(tables, voxels)
    codes = zones.level.astype(np.int64) * base + extents
    if dimension == "2D":
        codes += zones.plane.astype(np.int64) * ((texture.count + 1) * base)
    codes.sort()
    return table_kernels.emphases_of_list(codes, texture.count + 1, base, voxels)
