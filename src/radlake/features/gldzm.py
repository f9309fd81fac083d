"""Grey level distance zones (family "gldzm"): how deep in the region zones of one level lie, in 16 numbers each."""

from __future__ import annotations

from collections.abc import Sequence

from radlake.features.names import GLDZM
from radlake.features.roi import Roi, Values
from radlake.features.texture import DEFAULT_AGGREGATIONS, Aggregation
from radlake.features.zones import zone_features

_NAMES = tuple(f.name for f in GLDZM)


def gldzm(roi: Roi, *, aggregations: Sequence[Aggregation] = DEFAULT_AGGREGATIONS) -> Values:
    """Distance zone features by name, without unit; distances in steps along the axes to outside the region.

    The distance of a zone is the least of its voxels, measured in the morphological mask.

    Parameters
    ----------
    roi : Roi
        With intensities.
    aggregations : sequence of {"2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"}
        Zones have no direction: only the dimension counts ("2D", "2_5D", "3D"). A plane knows "2D".

    References
    ----------
    IBSI arXiv:1612.07003, 3.9; Thibault et al. (2014), Advanced statistical matrices for texture characterization, IEEE
    Trans Biomed Eng 61:630-637.

    Examples
    --------
    The zone in the middle of 3 x 3 pixels lies at distance 2, the ring round it at 1:

    >>> import numpy as np
    >>> image = np.array([[1, 1, 1], [1, 2, 1], [1, 1, 1]])
    >>> gldzm(Roi(image > 0, (1.0, 1.0), image))["dzm_lde_2D"]
    2.5
    """
    return zone_features(roi, _NAMES, aggregations, lambda zones: zones.distance)
