"""Local intensity: spheres by hand, what lies round the region, and what has no sphere."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.features.extract import extract
from radlake.features.morphology import NO_INTENSITY
from radlake.features.peak import NO_SPHERE, RADIUS_MM, TOO_FINE, peak, sphere_means
from radlake.features.roi import region_of_interest

SPACING = (7.0, 4.0, 4.0)  # a sphere holds its centre and one voxel on each side along y and x, corners included


def _peaks(image: np.ndarray, mask: np.ndarray, **more: object) -> tuple[object, object]:
    found = peak(region_of_interest(image, mask, spacing=SPACING, **more))  # type: ignore[arg-type]
    return found["loc_peak_loc"], found["loc_peak_glob"]


def test_the_sphere_has_a_cubic_centimetre() -> None:
    assert 4 / 3 * np.pi * RADIUS_MM**3 == pytest.approx(1000)
    assert np.hypot(4, 4) < RADIUS_MM < 7


def test_the_surroundings_count_and_the_edge_does_not() -> None:
    image = np.zeros((1, 5, 5))
    image[0, 2, 2] = image[0, 2, 3] = 9.0
    mask = np.zeros((1, 5, 5), bool)
    mask[0, 2, 2] = True
    assert _peaks(image, mask) == (2.0, 2.0)
    corner = np.zeros((1, 5, 5), bool)
    corner[0, 0, 0] = True
    assert _peaks(np.full((1, 5, 5), 3.0), corner) == (3.0, 3.0)


def test_the_brightest_voxel_is_not_where_the_brightest_sphere_is() -> None:
    image = np.zeros((1, 3, 9))
    image[0, 1, 1] = 10.0
    image[0, :, 5:8] = 5.0
    assert _peaks(image, np.ones((1, 3, 9), bool)) == (pytest.approx(10 / 9), 5.0)


def test_of_several_brightest_voxels_the_highest_sphere_counts() -> None:
    image = np.zeros((1, 3, 9))
    image[0, 1, 1] = image[0, 1, 6] = image[0, 1, 7] = 9.0
    assert _peaks(image, np.ones((1, 3, 9), bool))[0] == 2.0


def test_values_outside_that_are_not_finite_do_not_count() -> None:
    image = np.full((1, 3, 3), 4.0)
    image[0, 0, 0] = np.nan
    mask = np.zeros((1, 3, 3), bool)
    mask[0, 1, 1] = True
    assert _peaks(image, mask) == (4.0, 4.0)
    with pytest.raises(ItemError, match="not finite"):
        _peaks(image, np.ones((1, 3, 3), bool))


def test_what_has_no_sphere_says_so() -> None:
    assert _peaks(np.ones((1, 2, 2)), np.ones((1, 2, 2), bool), intensity_range=(5, 6)) == (NO_INTENSITY, NO_INTENSITY)
    plane = Image(np.ones((3, 3)), Geometry((1.0, 1.0)))
    assert set(extract(plane, np.ones((3, 3), bool), families=("peak",), as_dict=True).values()) == {None}
    assert set(peak(region_of_interest(np.ones((2, 2, 2)), np.ones((2, 2, 2), bool))).values()) == {NO_SPHERE}


def test_tiny_voxels_take_no_more_than_the_image_holds() -> None:
    tiny = region_of_interest(np.ones((9, 9, 9)), np.ones((9, 9, 9), bool), spacing=(1e-5, 1e-9, 1e-300))
    assert peak(tiny) == {"loc_peak_loc": 1.0, "loc_peak_glob": 1.0}


def test_too_many_tiny_voxels_say_so_at_once() -> None:
    image = np.broadcast_to(np.uint8(1), (200, 300, 8))
    mask = np.zeros(image.shape, bool)
    mask[0, 0, 0] = mask[-1, -1, -1] = True
    fine = region_of_interest(image, mask, spacing=(0.01, 0.01, 0.01))
    assert set(peak(fine).values()) == {TOO_FINE}


def test_moving_region_and_image_together_changes_nothing() -> None:
    rng = np.random.default_rng(6)
    image, mask = rng.random((4, 12, 13)), np.zeros((4, 12, 13), bool)
    mask[1:3, 3:8, 4:9] = True
    here = extract(image, mask, families=("peak",), spacing=(3.0, 2.0, 2.0), as_dict=True)
    around = [np.pad(a, 9, constant_values=fill) for a, fill in ((image, np.nan), (mask, False))]
    assert here == extract(*around, families=("peak",), spacing=(3.0, 2.0, 2.0), as_dict=True)


def test_spheres_inside_the_image_are_those_of_a_larger_one_cut_off_nowhere() -> None:
    rng = np.random.default_rng(5)
    image = rng.normal(size=(9, 11, 13))
    spacing, radius = (2.0, 1.0, 1.0), 2.3
    box = {"radius_mm": radius, "corner": (2, 3, 4), "shape": (4, 5, 6)}
    inside = sphere_means(image, spacing, **box)
    holed = image.copy()
    holed[1, 1, 2] = np.nan  # in no sphere, but near enough that the voxels of each are counted
    assert inside == pytest.approx(sphere_means(holed, spacing, **box), rel=1e-12)
    centre = np.add((2, 3, 4), (2, 1, 0)) * spacing
    where = np.stack(np.meshgrid(*map(np.arange, image.shape), indexing="ij"), -1) * spacing
    assert inside[2, 1, 0] == pytest.approx(image[((where - centre) ** 2).sum(-1) <= radius**2].mean())
