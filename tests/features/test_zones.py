"""Features of zones: planes one by one, merged, and the volume."""

from __future__ import annotations

from collections import Counter

import numpy as np

from radlake.features.discretise import Binning
from radlake.features.glszm import glszm
from radlake.features.roi import region_of_interest
from tests.features.phantom import Cells


def counted_zones(
    image: np.ndarray, mask: np.ndarray, spacing: tuple[float, ...], *, deep: bool, by: str
) -> list[Cells]:
    """The cells of the zone matrix of each plane, or of the volume."""
    texture = region_of_interest(image, mask, spacing=spacing, binning=Binning(bin_width=1)).texture
    assert texture is not None
    zones = texture.zones if deep else texture.zones_in_planes
    parts = [zones.plane >= 0] if deep else [zones.plane == z for z in range(len(texture.voxels))]
    lists = (zip(zones.level[part].tolist(), getattr(zones, by)[part].tolist(), strict=True) for part in parts)
    return [frozenset((float(i), float(j), float(n)) for (i, j), n in Counter(some).items()) for some in lists]


def test_planes_without_voxels_do_not_count_in_the_mean() -> None:
    image = np.array([[[1, 1, 2]], [[0, 0, 0]], [[1, 2, 2]]])
    roi = region_of_interest(image, image > 0, binning=Binning(bin_width=1))
    assert glszm(roi, aggregations=["2D_avg"])["szm_lze_2D"] == 2.5


def test_zones_in_planes_are_the_zones_of_each_slice() -> None:
    image = np.random.default_rng(8).integers(0, 3, (5, 7, 6))
    whole = counted_zones(image, image > 0, (1.0, 1.0, 1.0), deep=False, by="size")
    each = [
        counted_zones(image[z : z + 1], image[z : z + 1] > 0, (1.0,) * 3, deep=False, by="size")[0] for z in range(5)
    ]
    assert whole == each
