"""Grey level size zones (family "glszm"): how large connected zones of one level are, in 16 numbers each."""

from __future__ import annotations

from collections.abc import Sequence

from radlake.features.names import GLSZM
from radlake.features.roi import Roi, Values
from radlake.features.texture import DEFAULT_AGGREGATIONS, Aggregation
from radlake.features.zones import zone_features

_NAMES = tuple(f.name for f in GLSZM)


def glszm(roi: Roi, *, aggregations: Sequence[Aggregation] = DEFAULT_AGGREGATIONS) -> Values:
    """Size zone features by name, without unit; sizes in voxels, zones joined over faces, edges and corners.

    Parameters
    ----------
    roi : Roi
        With intensities.
    aggregations : sequence of {"2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"}
        Zones have no direction: only the dimension counts ("2D", "2_5D", "3D"). A plane knows "2D".

    References
    ----------
    IBSI arXiv:1612.07003, 3.8; Thibault et al. (2014), Advanced statistical matrices for texture characterization, IEEE
    Trans Biomed Eng 61:630-637.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1, 1, 2, 2]])
    >>> glszm(Roi(image > 0, (1.0, 1.0), image))["szm_lze_2D"]
    4.0
    """
    return zone_features(roi, _NAMES, aggregations, lambda zones: zones.size)
