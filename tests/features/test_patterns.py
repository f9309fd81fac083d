"""Binary patterns and oriented gradients of regions, against scikit-image on the same pixels."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.feature import hog as their_hog
from skimage.feature import local_binary_pattern

from radlake.core.fault import ItemError, Term
from radlake.features import extract
from radlake.features.names import HOG, LBP
from radlake.features.patterns import HOG_NAMES, LBP_NAMES, hog, lbp
from radlake.features.roi import region_of_interest

RNG = np.random.default_rng(2)
IMAGE = RNG.permutation(30 * 36).reshape(30, 36)  # no pixel equals another: whole numbers, as scikit-image wants them
MASK = np.hypot(*np.mgrid[-15:15, -18:18]) < 12


def test_the_names_are_those_of_the_list() -> None:
    assert [f.name for f in LBP] == [*LBP_NAMES]
    assert [f.name for f in HOG] == [*HOG_NAMES]


@pytest.mark.parametrize(("radius", "points"), [(1, 8), (2, 16)])
def test_shares_are_those_of_scikit_images_patterns_in_the_region(radius: int, points: int) -> None:
    found = lbp(region_of_interest(IMAGE, MASK))
    codes = local_binary_pattern(IMAGE, points, radius, "uniform")[MASK].astype(int)
    theirs = np.bincount(codes, minlength=points + 2) / codes.size
    own = [v for n, v in found.items() if n.startswith(f"lbp_r{radius}_")]
    assert own == pytest.approx(theirs)


def test_a_volume_pools_its_slices_and_leaves_out_what_does_not_count() -> None:
    volume, inside = RNG.permutation(3 * 30 * 36).reshape(3, 30, 36), np.stack([MASK] * 3)
    found = lbp(region_of_interest(volume, inside, intensity_range=(300, 2500)))
    counted = inside & (volume >= 300) & (volume <= 2500)
    codes = np.concatenate(
        [local_binary_pattern(v, 8, 1, "uniform")[m] for v, m in zip(volume, counted, strict=True)]
    ).astype(int)
    assert [v for n, v in found.items() if "r1" in n] == pytest.approx(np.bincount(codes, minlength=10) / codes.size)


def test_gradients_are_those_of_scikit_image_in_the_window() -> None:
    mask = np.zeros((40, 40), bool)
    mask[12:28, 10:26] = True  # a window of 16 x 16: nothing is resampled
    image = RNG.normal(size=(40, 40))
    window = image[12:28, 10:26]
    theirs = their_hog(
        (window - window.mean()) / window.std(), orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2),
        block_norm="L2-Hys",
    )  # fmt: skip
    assert [*hog(region_of_interest(image, mask)).values()] == pytest.approx(theirs, abs=1e-5)


def test_the_window_is_square_in_millimetres_and_goes_on_beyond_the_image() -> None:
    rows, columns = np.ogrid[:20, :60]
    ramp = columns + 0.0 * rows
    inside = np.zeros(ramp.shape, bool)
    inside[8:10, 20:40] = True  # 2 rows of 2 mm, 20 columns of 1 mm: 20 mm are 10 rows
    found = hog(region_of_interest(ramp, inside, spacing=(2.0, 1.0)))
    assert found["hog_top_left_10"] == pytest.approx(0.5, abs=0.02)
    at_the_edge = np.zeros(ramp.shape, bool)
    at_the_edge[:2, :20] = True
    assert np.isfinite([*hog(region_of_interest(ramp, at_the_edge, spacing=(2.0, 1.0))).values()]).all()


def test_brightness_and_contrast_do_not_count() -> None:
    families = ("lbp", "hog")
    here = extract(IMAGE, MASK, families=families, as_dict=True)
    there = extract(IMAGE * 4 + 8, MASK, families=families, as_dict=True)
    assert there == pytest.approx(here, abs=1e-5)


def test_a_region_at_the_border_has_no_patterns_and_values_must_be_finite() -> None:
    row = np.zeros((5, 5), bool)
    row[0] = True
    assert all(isinstance(v, Term) for v in lbp(region_of_interest(IMAGE[:5, :5], row)).values())
    broken = IMAGE.astype(float)
    broken[14, 18] = np.nan
    for family in (lbp, hog):
        with pytest.raises(ItemError, match="not finite"):
            family(region_of_interest(broken, MASK))
