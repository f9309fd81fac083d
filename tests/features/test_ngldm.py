"""Dependences: the matrices that the IBSI manual prints, and a plane by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.features.discretise import Binning
from radlake.features.ngldm import ngldm
from radlake.features.roi import Roi, region_of_interest
from tests.features.phantom import cells, matrices, phantom


@pytest.mark.parametrize("kind", ["dependences", "dependences in planes"])
def test_matrices_are_those_of_the_manual(shared: Path, kind: str) -> None:
    image, mask, spacing = phantom(shared, "ibsi1_digital_phantom")
    texture = region_of_interest(image, mask, spacing=spacing, binning=Binning(bin_width=1)).texture
    assert texture is not None
    if kind == "dependences":
        found = [texture.neighbourhoods.dependence.sum(axis=0)]
    else:
        found = [*texture.neighbourhoods_in_planes.dependence]
    assert [cells(counts) for counts in found] == matrices(shared, kind)


def test_a_plane_by_hand() -> None:
    image = np.array([[1, 1], [1, 2]])
    found = ngldm(Roi(image > 0, (1.0, 1.0), image, binning=Binning(bin_width=1)))
    # three voxels of level 1 with dependence 3, one of level 2 with 1
    assert found["ngl_hde_2D"] == (3 * 9 + 1) / 4
    assert found["ngl_lgce_2D"] == (3 + 1 / 4) / 4
    assert found["ngl_dc_perc_2D"] == 1.0
    assert found["ngl_dc_energy_2D"] == pytest.approx(9 / 16 + 1 / 16)
