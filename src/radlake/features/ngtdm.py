"""Neighbourhood grey tone difference (family "ngtdm"): how far voxels lie from their neighbours' mean, in 5 numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    Vector,
    average,
    dimensions,
    for_axes,
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
        names = [f"{name}_{dimension}" for name in _NAMES]
        texture = roi.texture
        values |= (
            dict.fromkeys(names, NO_INTENSITY) if texture is None else average(names, _vectors(texture, dimension))
        )
    return values


def _vectors(texture: Texture, dimension: Dimension) -> Iterator[Vector]:
    """Features of each matrix of a dimension."""
    if dimension == "2D":
        tables = texture.neighbourhoods_in_planes
        yield from (tone_differences(tables.tone[z], tables.valid[z]) for z in np.flatnonzero(texture.voxels))
        return
    tables = texture.neighbourhoods if dimension == "3D" else texture.neighbourhoods_in_planes
    yield tone_differences(tables.tone.sum(axis=0), tables.valid.sum(axis=0))


def tone_differences(tone: NDArray[np.float64], count: NDArray[np.int64]) -> tuple[float, ...]:
    """Coarseness, contrast, busyness, complexity and strength of a tone difference matrix.

    Parameters
    ----------
    tone : (levels,) array
        Sum over voxels of a level of the distance to the mean of their neighbours.
    count : (levels,) int array
        Voxels of a level that have neighbours; NaN for all features when there are none.

    References
    ----------
    IBSI arXiv:1612.07003, 3.10.1 to 3.10.5 (QCDE, 65HE, NQ30, HDEZ, 1X9X).

    Examples
    --------
    >>> tone_differences(np.array([1.0, 1.0]), np.array([2, 2]))
    (1.0, 0.125, 1.0, 0.5, 1.0)
    """
    total = int(count.sum())
    if total == 0:
        return (float("nan"),) * 5
    used = np.flatnonzero(count)
    s, p, level = tone[used], count[used] / total, used + 1.0
    weighted, summed, n = float(p @ s), float(s.sum()), len(used)
    apart = np.subtract.outer(level, level)
    mixed = float((np.outer(p, p) * apart**2).sum())
    busy = float(np.abs(np.subtract.outer(level * p, level * p)).sum())
    either, scaled = np.add.outer(p, p), np.add.outer(p * s, p * s)
    return (
        1 / weighted if weighted else _COARSEST,
        mixed / (n * (n - 1)) * summed / total if n > 1 else 0.0,
        weighted / busy if busy else 0.0,
        float((np.abs(apart) * scaled / either).sum()) / total,
        float((either * apart**2).sum()) / summed if summed else 0.0,
    )
