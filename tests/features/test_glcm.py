"""Co-occurrence: the matrices that the IBSI manual prints, features by hand, an independent implementation."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from radlake.features.discretise import Binning
from radlake.features.glcm import glcm
from radlake.features.roi import Roi, region_of_interest
from radlake.features.texture import NO_VALUE, Aggregation
from tests.features.phantom import cells, matrices, phantom, tables


@pytest.mark.parametrize(
    ("kind", "aggregation"), [("pairs in planes", "2D_avg"), ("pairs", "3D_avg"), ("pairs merged", "3D_comb")]
)
def test_matrices_are_those_of_the_manual(shared: Path, kind: str, aggregation: Aggregation) -> None:
    image, mask, spacing = phantom(shared, "ibsi1_digital_phantom")
    texture = region_of_interest(image, mask, spacing=spacing, binning=Binning(bin_width=1)).texture
    assert texture is not None
    found = [m.astype(int) for m, _ in tables(texture, aggregation, "pairs")]
    assert Counter(cells(m + m.T) for m in found) == Counter(matrices(shared, kind))


def test_features_are_those_of_scikit_image_where_it_has_them() -> None:
    from skimage.feature import graycomatrix, graycoprops

    image = np.random.default_rng(4).integers(1, 7, (9, 11)).astype(np.uint8)
    found = glcm(Roi(image > 0, (1.0, 1.0), image, binning=Binning(bin_width=1)), aggregations=["2D_avg"])
    theirs = graycomatrix(image, [1], [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4], 7, symmetric=True, normed=True)
    pairs = {
        "contrast": "contrast", "dissimilarity": "dissimilarity", "inv_diff_mom": "homogeneity", "energy": "ASM",
        "corr": "correlation", "joint_avg": "mean", "joint_var": "variance",
    }  # fmt: skip
    for name, other in pairs.items():
        assert found[f"cm_{name}_2D_avg"] == pytest.approx(graycoprops(theirs, other).mean()), name


def test_a_single_level_has_no_correlation_and_a_single_voxel_no_pair() -> None:
    flat = glcm(Roi(np.ones((3, 3), bool), (1.0, 1.0), np.ones((3, 3))))
    assert flat["cm_contrast_2D_comb"] == 0.0
    assert flat["cm_energy_2D_comb"] == 1.0
    assert flat["cm_corr_2D_comb"] == flat["cm_info_corr1_2D_comb"] == NO_VALUE
    alone = glcm(Roi(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0), np.ones((1, 1, 1))))
    assert set(alone.values()) == {NO_VALUE}


def test_a_plane_without_pairs_does_not_count_in_the_mean() -> None:
    image = np.array([[[1, 2, 1]], [[0, 1, 0]]])
    roi = region_of_interest(image, image > 0, binning=Binning(bin_width=1))
    assert glcm(roi, aggregations=["2D_avg"])["cm_contrast_2D_avg"] == 1.0
