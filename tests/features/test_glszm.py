"""Size zones: the matrices that the IBSI manual prints, and zones by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.features.discretise import Binning
from radlake.features.glszm import glszm
from radlake.features.roi import Roi
from tests.features.phantom import matrices, phantom
from tests.features.test_zones import counted_zones


@pytest.mark.parametrize("kind", ["sizes", "sizes in planes"])
def test_matrices_are_those_of_the_manual(shared: Path, kind: str) -> None:
    image, mask, spacing = phantom(shared, "ibsi1_digital_phantom")
    assert counted_zones(image, mask, spacing, deep=kind == "sizes", by="size") == matrices(shared, kind)


def test_two_slices_by_hand() -> None:
    image = np.array([[[1, 1, 2]], [[2, 2, 1]]])
    roi = Roi(image > 0, (1.0, 1.0, 1.0), image, binning=Binning(bin_width=1))
    found = glszm(roi, aggregations=["2D_avg", "2_5D_avg", "3D_avg"])
    # planes: sizes 2 and 1 twice; volume: the zones of each level touch over corners
    assert found["szm_lze_2D"] == found["szm_lze_2_5D"] == 2.5
    assert found["szm_lze_3D"] == 9.0
    assert (found["szm_z_perc_2_5D"], found["szm_z_perc_3D"]) == (4 / 6, 2 / 6)
    assert (found["szm_glnu_2D"], found["szm_glnu_2_5D"]) == (1.0, 2.0)
