"""Grey tone differences: the matrices that the IBSI manual prints, features by hand, flat regions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.features.discretise import Binning
from radlake.features.ngtdm import ngtdm
from radlake.features.roi import Roi, region_of_interest
from radlake.features.texture import NO_VALUE
from tests.features.phantom import matrices, phantom


@pytest.mark.parametrize("kind", ["tones", "tones in planes"])
def test_matrices_are_those_of_the_manual(shared: Path, kind: str) -> None:
    image, mask, spacing = phantom(shared, "ibsi1_digital_phantom")
    texture = region_of_interest(image, mask, spacing=spacing, binning=Binning(bin_width=1)).texture
    assert texture is not None
    tables = texture.neighbourhoods if kind == "tones" else texture.neighbourhoods_in_planes
    planes = (
        [(tables.tone.sum(0), tables.valid.sum(0))]
        if kind == "tones"
        else [*zip(tables.tone, tables.valid, strict=True)]
    )
    for (tone, valid), expected in zip(planes, matrices(shared, kind), strict=True):
        found = {(level + 1.0, round(float(tone[level]), 6), float(valid[level])) for level in np.flatnonzero(valid)}
        assert found == expected


def test_flat_regions_and_single_voxels() -> None:
    flat = ngtdm(Roi(np.ones((1, 2, 2), bool), (1.0, 1.0, 1.0), np.ones((1, 2, 2))))
    assert [*flat.values()] == [1e6, 0.0, 0.0, 0.0, 0.0]
    alone = ngtdm(Roi(np.ones((1, 1), bool), (1.0, 1.0), np.ones((1, 1))))
    assert set(alone.values()) == {NO_VALUE}
