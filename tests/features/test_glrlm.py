"""Run lengths: the matrices that the IBSI manual prints, and one row by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from radlake.features.discretise import Binning
from radlake.features.glrlm import glrlm
from radlake.features.roi import Roi, region_of_interest
from radlake.features.texture import Aggregation
from tests.features.phantom import cells, matrices, phantom, tables


@pytest.mark.parametrize(
    ("kind", "aggregation"), [("runs in planes", "2D_avg"), ("runs", "3D_avg"), ("runs merged", "3D_comb")]
)
def test_matrices_are_those_of_the_manual(shared: Path, kind: str, aggregation: Aggregation) -> None:
    image, mask, spacing = phantom(shared, "ibsi1_digital_phantom")
    texture = region_of_interest(image, mask, spacing=spacing, binning=Binning(bin_width=1)).texture
    assert texture is not None
    found = tables(texture, aggregation, "runs")
    assert Counter(cells(m) for m, _ in found) == Counter(matrices(shared, kind))


def test_a_row_by_hand() -> None:
    image = np.array([[1, 1, 1, 2]])
    found = glrlm(Roi(image > 0, (1.0, 1.0), image, binning=Binning(bin_width=1)), aggregations=["2D_comb"])
    # along the row runs of 3 and 1, in three directions 4 runs of 1: 14 runs, 16 voxels counted
    assert found["rlm_r_perc_2D_comb"] == 14 / 16
    assert found["rlm_lre_2D_comb"] == pytest.approx((9 + 13) / 14)
    assert found["rlm_hgre_2D_comb"] == pytest.approx((10 + 4 * 4) / 14)
    assert found["rlm_glnu_2D_comb"] == pytest.approx((10**2 + 4**2) / 14)


def test_long_runs_in_large_regions_are_counted_whole() -> None:
    image = np.ones((2, 3, 3000))
    found = glrlm(Roi(image > 0, (1.0, 1.0, 1.0), image), aggregations=["3D_avg"])
    # 1 direction runs along x, in 12 every run is shorter than 4
    assert found["rlm_lre_3D_avg"] == pytest.approx(3000**2 / 13, rel=1e-5)
