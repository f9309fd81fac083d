"""Distance zones: the matrices that the IBSI manual prints, and a box by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.features.discretise import Binning
from radlake.features.gldzm import gldzm
from radlake.features.roi import Roi
from tests.features.phantom import matrices, phantom
from tests.features.test_zones import counted_zones


@pytest.mark.parametrize("kind", ["distances", "distances in planes"])
def test_matrices_are_those_of_the_manual(shared: Path, kind: str) -> None:
    image, mask, spacing = phantom(shared, "ibsi1_digital_phantom")
    assert counted_zones(image, mask, spacing, deep=kind == "distances", by="distance") == matrices(shared, kind)


def test_the_core_of_a_box_lies_deeper_than_its_shell() -> None:
    image = np.ones((5, 5, 5), int)
    image[2, 2, 2] = 2
    found = gldzm(
        Roi(image > 0, (1.0, 1.0, 1.0), image, binning=Binning(bin_width=1)), aggregations=["2D_avg", "3D_avg"]
    )
    assert found["dzm_lde_3D"] == (1 + 9) / 2
    assert found["dzm_zd_var_3D"] == 1.0
    # four slices of one zone at distance 1, one slice with the core at distance 3
    assert found["dzm_lde_2D"] == pytest.approx((4 * 1 + 5) / 5)
