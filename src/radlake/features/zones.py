"""Features of zones, by size or by distance: what the families "glszm" and "gldzm" share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.features.emphases import counted, emphases
from radlake.features.morphology import NO_INTENSITY
from radlake.features.roi import Roi, Values
from radlake.features.texture import Aggregation, Dimension, Texture, Vector, Zones, average, dimensions, for_axes

_Extent = Callable[[Zones], NDArray[np.int32]]


def zone_features(roi: Roi, names: Sequence[str], aggregations: Sequence[Aggregation], extent: _Extent) -> Values:
    """The 16 features of zones by name, without unit: slice by slice (2D), slices merged (2_5D), the volume (3D).

    Parameters
    ----------
    roi : Roi
        With intensities.
    names : sequence of str
        Names of the 16 features, without the dimension.
    aggregations : sequence of aggregations
        Of which only the dimension counts.
    extent : callable
        What zones are counted by.
    """
    values: Values = {}
    for dimension in dimensions(for_axes(aggregations, roi.mask.ndim)):
        full = [f"{name}_{dimension}" for name in names]
        texture = roi.texture
        values |= (
            dict.fromkeys(full, NO_INTENSITY)
            if texture is None
            else average(full, _vectors(texture, dimension, extent))
        )
    return values


def _vectors(texture: Texture, dimension: Dimension, extent: _Extent) -> Iterator[Vector]:
    """Features of each matrix of a dimension."""
    if dimension == "2D":
        zones = texture.zones_in_planes
        used = np.flatnonzero(texture.voxels)
        starts = np.searchsorted(zones.plane, used)  # zones are listed plane by plane
        for z, first, last in zip(used, starts, [*starts[1:], len(zones.plane)], strict=True):
            here = slice(first, last)
            yield emphases(*counted(zones.level[here], extent(zones)[here]), int(texture.voxels[z]))[:16]
        return
    zones = texture.zones if dimension == "3D" else texture.zones_in_planes
    yield emphases(*counted(zones.level, extent(zones)), int(texture.voxels.sum()))[:16]
