"""Region properties by hand and, one by one, against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import regionprops, regionprops_table
from skimage.morphology import convex_hull_image

from radlake.core.fault import Term
from radlake.features import extract, extract_labels
from radlake.features.names import PROPS
from radlake.features.props import convex_mask, props
from radlake.features.roi import region_of_interest

PERIMETERS = ("props_perimeter", "props_perimeter_crofton")  # theirs are in pixels
ANY_SIDES = [f.name for f in PROPS if f.name not in PERIMETERS]


def _blob(seed: int, shape: tuple[int, int] = (30, 34)) -> np.ndarray:
    found = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2.5) > 0.02
    found[3, 4] = found[20, 9] = True
    return found


def test_an_l_by_hand() -> None:
    mask = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 1]], bool)
    found = props(region_of_interest(None, mask, spacing=(2.0, 1.0)))
    assert found["props_area"] == 5 * 2
    assert found["props_area_bbox"] == 9 * 2
    assert found["props_extent"] == pytest.approx(5 / 9)
    assert found["props_euler_number"] == 1
    assert found["props_equivalent_diameter_area"] == pytest.approx(np.sqrt(40 / np.pi))
    assert isinstance(found["props_perimeter"], Term)


def test_holes_are_counted_and_filled() -> None:
    ring = np.ones((5, 7), bool)
    ring[2, 2] = ring[2, 4] = False
    found = props(region_of_interest(None, ring))
    assert found["props_euler_number"] == -1
    assert found["props_area_filled"] == found["props_area_bbox"] == 35
    ring[0, 0] = ring[1, 1] = False  # across diagonals this background is one hole less
    assert props(region_of_interest(None, ring))["props_area_filled"] == regionprops(ring.astype(int))[0].area_filled


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 0.5), (2.0, 0.7)])
def test_values_are_those_of_scikit_image(seed: int, spacing: tuple[float, float]) -> None:
    mask = _blob(seed)
    found = props(region_of_interest(None, mask, spacing=spacing))
    theirs = regionprops(mask.astype(int), spacing=spacing)[0]
    for name in ANY_SIDES:
        assert found[name] == pytest.approx(theirs[name.removeprefix("props_")], rel=1e-9), name
    if spacing[0] == spacing[1]:
        pixels = regionprops(mask.astype(int))[0]
        for name in PERIMETERS:
            expected = pixels[name.removeprefix("props_")] * spacing[0]
            assert found[name] == pytest.approx(expected, rel=1e-9), name


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9))
def test_the_convex_mask_is_that_of_scikit_image(seed: int, rows: int, columns: int) -> None:
    mask = np.random.default_rng(seed).random((rows, columns)) > 0.6
    mask[[0, -1], 0] = mask[0, -1] = True
    assert np.array_equal(convex_mask(mask), convex_hull_image(mask))


def test_crofton_nears_the_perimeter_of_an_ellipse_whatever_the_pixels() -> None:
    y, x = np.ogrid[:400, :900]
    ellipse = ((y - 200) * 2.0 / 300) ** 2 + ((x - 450) * 0.7 / 250) ** 2 < 1  # half axes 300 and 250 mm
    expected = np.pi * (3 * 550 - np.sqrt((3 * 300 + 250) * (300 + 3 * 250)))  # Ramanujan
    found = props(region_of_interest(None, ellipse, spacing=(2.0, 0.7)))
    # four directions stand for all: a few per cent where they are not 45 degrees apart
    assert found["props_perimeter_crofton"] == pytest.approx(expected, rel=0.05)


def test_a_label_map_gives_the_names_of_scikit_images_table() -> None:
    labels = ndimage.label(_blob(3))[0]
    names = ["area", "eccentricity", "solidity", "feret_diameter_max", "euler_number"]
    labels[np.isin(labels, [k for k in range(1, labels.max() + 1) if (labels == k).sum() < 5])] = 0
    theirs = regionprops_table(labels, properties=["label", *names])
    table = extract_labels(None, labels, families=["props"]).to_pydict()
    found = {(i, n): v for i, n, v in zip(table["label"], table["name"], table["value"], strict=True)}
    for k, label in enumerate(theirs["label"].tolist()):
        for name in names:
            assert found[label, f"props_{name}"] == pytest.approx(theirs[name][k], rel=1e-9)


def test_of_a_volume_the_largest_slice_is_measured_where_asked_for() -> None:
    volume = np.stack([_blob(1) & (np.arange(34) < 12), _blob(1), np.zeros((30, 34), bool)])
    assert extract(None, volume, families=["props"], as_dict=True) == extract(
        None, _blob(1), families=["props"], as_dict=True
    )
    image = np.arange(volume.size, dtype=float).reshape(volume.shape)
    by_preset = extract(image, volume, preset="default", as_dict=True)
    assert not any(name.startswith(("props_", "hu_", "lbp_")) for name in by_preset)
    assert "props_area" in extract(image[1], volume[1], preset="default", as_dict=True)


def test_one_pixel_and_a_square_have_reasons_where_there_is_no_value() -> None:
    single = props(region_of_interest(None, np.ones((1, 1), bool)))
    assert {n for n, v in single.items() if isinstance(v, Term)} == {"props_eccentricity", "props_orientation"}
    assert isinstance(props(region_of_interest(None, np.ones((4, 4), bool)))["props_orientation"], Term)
