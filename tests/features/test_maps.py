"""Maps of features: equal to the feature of each window, compiled or not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from radlake.core.fault import ItemError, Term
from radlake.core.image import Geometry, Image
from radlake.features import extract, feature_map
from radlake.features.discretise import Binning
from radlake.features.glcm import glcm
from radlake.features.names import GLCM, STATISTICS
from radlake.features.roi import Roi, region_of_interest

RNG = np.random.default_rng(6)
IMAGE = RNG.integers(0, 100, (4, 7, 8)).astype(np.int16)
MASK = RNG.random((4, 7, 8)) > 0.25
NAMES = [f.name for f in GLCM]


def _windows(mask: np.ndarray, radius: int) -> dict[tuple[int, ...], np.ndarray]:
    """The part of the region in the window of each of its voxels."""
    grid = np.indices(mask.shape)
    return {
        tuple(p): mask & (np.abs(grid - p.reshape(-1, *(1,) * mask.ndim)) <= radius).all(axis=0)
        for p in np.argwhere(mask)
    }


def test_a_row_by_hand() -> None:
    found = feature_map(np.array([[1.0, 5.0, 3.0, 9.0]]), np.array([[1, 1, 1, 0]]), "stat_range", radius_vox=1)
    assert found[0, :3].tolist() == [4.0, 4.0, 2.0]
    assert np.isnan(found[0, 3])


def test_the_mean_is_that_of_a_box_filter() -> None:
    whole = np.ones(IMAGE.shape, bool)
    found = feature_map(IMAGE, whole, "stat_mean", radius_vox=1)
    expected = ndimage.uniform_filter(IMAGE.astype(float), 3)
    inner = (slice(1, -1),) * 3
    assert found[inner] == pytest.approx(expected[inner])


@settings(max_examples=8)
@given(st.sampled_from([f.name for f in STATISTICS]), st.integers(1, 3), st.booleans())
def test_statistics_are_those_of_each_window(name: str, radius: int, plane: bool) -> None:
    image, mask = (IMAGE[1], MASK[1]) if plane else (IMAGE, MASK)
    found = feature_map(image, mask, name, radius_vox=radius)
    assert np.isnan(found[~mask]).all()
    for place, window in [*_windows(mask, radius).items()][::9]:
        expected = extract(image, window, families=("intensity",), as_dict=True)[name]
        assert found[place] == pytest.approx(np.nan if expected is None else expected, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("plane", [False, True])
def test_merged_pairs_are_those_of_each_window_with_the_levels_of_the_region(plane: bool) -> None:
    image, mask = (IMAGE[1], MASK[1]) if plane else (IMAGE, MASK)
    texture = region_of_interest(image, mask, binning=Binning(bin_width=10)).texture
    assert texture is not None
    levels = np.zeros(mask.shape, np.uint16)
    inner = texture.levels[1:-1, 1:-1, 1:-1].reshape(mask.shape)
    levels[mask] = inner[mask]
    suffix = "2D_comb" if plane else "3D_comb"
    for name in ("cm_contrast", "cm_joint_entr", "cm_corr"):
        found = feature_map(image, mask, name, radius_vox=1, bin_width=10)
        for place, window in [*_windows(mask, 1).items()][::11]:
            roi = Roi(window, (1.0,) * mask.ndim, levels, binning=Binning(bin_width=1), intensity_range=(1, 99))
            expected = glcm(roi, aggregations=[suffix])[f"{name}_{suffix}"]
            assert found[place] == pytest.approx(np.nan if isinstance(expected, Term) else expected, nan_ok=True)


@pytest.mark.parametrize(
    "name", ["cm_contrast_3D_avg", "rlm_sre", "szm_zs_var", "ngt_contrast", "ngl_lde", "ih_entropy"]
)
def test_any_other_feature_is_measured_window_by_window(name: str) -> None:
    image, mask = IMAGE[:2, :4, :4], MASK[:2, :4, :4]
    found = feature_map(image, mask, name, radius_vox=3, bin_width=10)
    # A window that holds the whole region measures the region.
    family = {"cm": "glcm", "rl": "glrlm", "sz": "glszm", "ng": "ngtdm", "ih": "histogram"}[name[:2]]
    family = "ngldm" if name.startswith("ngl") else family
    values = extract(image, mask, families=(family,), bin_width=10, aggregations=("3D_avg", "3D_comb"), as_dict=True)
    full = name if name in values else next(n for n in values if n in (f"{name}_3D", f"{name}_3D_comb"))
    assert found[mask] == pytest.approx(values[full])


def test_a_merged_feature_of_a_whole_window_is_that_of_the_region() -> None:
    image, mask = IMAGE[:3, :3, :3], np.ones((3, 3, 3), bool)
    values = extract(image, mask, families=("glcm",), bin_width=10, as_dict=True)
    for name in NAMES:
        assert feature_map(image, mask, name, radius_vox=2, bin_width=10)[1, 1, 1] == values[f"{name}_3D_comb"]


def test_images_keep_their_grid_and_names_without_a_map_are_told() -> None:
    image = Image(IMAGE, Geometry((3.0, 1.0, 1.0)), "ct", "HU")
    found = feature_map(image, MASK, "stat_var")
    assert isinstance(found, Image)
    assert (found.geometry, found.kind, found.array.shape) == (image.geometry, "other", IMAGE.shape)
    for name in ("morph_volume", "cm_contrst", "stat_mean_3D_avg"):
        with pytest.raises(ValueError, match="there is no map of"):
            feature_map(image, MASK, name)
    with pytest.raises(ValueError, match="resample or filter the image first"):
        feature_map(image, MASK, "stat_mean", filters=["log sigma_mm=1.5"])
    with pytest.raises(ValueError, match="at least 1"):
        feature_map(image, MASK, "stat_mean", radius_vox=0)
    with pytest.raises(ItemError, match="no voxel"):
        feature_map(IMAGE, np.zeros(MASK.shape, bool), "stat_mean")
    with pytest.raises(ItemError, match="not finite"):
        feature_map(np.full(MASK.shape, np.nan), MASK, "stat_mean")
