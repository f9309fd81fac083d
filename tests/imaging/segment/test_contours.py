"""Moving contours: scikit-image as oracle for Chan and Vese, known shapes for geodesic contours."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.segmentation import morphological_chan_vese, morphsnakes

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging.agreement import dice
from radlake.imaging.segment import chan_vese, geodesic

RNG = np.random.default_rng(3)
SPACING = (2.0, 0.8, 1.0)


def _oval(shape: tuple[int, ...] = (40, 50), reach: float = 12) -> np.ndarray:
    grid = [np.arange(n) - n // 2 for n in shape]
    axes = np.meshgrid(*grid, indexing="ij")
    return sum((a / (1 + 0.2 * i)) ** 2 for i, a in enumerate(axes)) < reach**2


def _ball(radius: float) -> np.ndarray:
    grid = np.indices((25, 61, 49)) - np.array([12, 30, 24])[:, None, None, None]
    return ((grid * np.array(SPACING)[:, None, None, None]) ** 2).sum(axis=0) < radius**2


@pytest.mark.parametrize("shape", [(40, 50), (12, 30, 28)])
@pytest.mark.parametrize("smoothing", [0, 1, 3])
def test_regions_are_scikit_images(shape: tuple[int, ...], smoothing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = np.where(_oval(shape, 9), 100.0, 40.0) + RNG.normal(0, 40, shape)
    start = _oval(shape, 4)
    sup, inf = morphsnakes.sup_inf, morphsnakes.inf_sup
    turns = morphsnakes._fcycle([lambda u: sup(inf(u)), lambda u: inf(sup(u))])
    # scikit-image goes on with the turn at which the last call stopped
    monkeypatch.setattr(morphsnakes, "_curvop", turns)
    theirs = morphological_chan_vese(scene, 12, init_level_set=start, smoothing=smoothing)
    ours = chan_vese(scene, initial=start, iterations=12, smoothing=smoothing)
    assert np.array_equal(ours, theirs > 0)


def test_an_even_object_without_edges_is_found() -> None:
    truth = _oval()
    scene = np.where(truth, 100.0, 40.0) + RNG.normal(0, 25, truth.shape)
    found = chan_vese(scene, initial=_oval(reach=5), iterations=200, smoothing=2)
    assert dice(found, truth) > 0.95


def test_a_contour_stops_at_the_edge_of_a_ball_in_millimetres() -> None:
    truth = _ball(15.0)
    volume = Image(np.where(truth, 200, 50).astype(np.int16), Geometry(SPACING), kind="mr")
    start = volume.with_array(_ball(7.0), kind="label")
    found = geodesic(volume, initial=start, sigma_mm=1.0, edge=15.0, iterations=300)
    assert (found.array.dtype, found.kind, found.geometry) == (np.bool_, "label", volume.geometry)
    assert dice(found.array, truth) > 0.95


@pytest.mark.parametrize(
    "function", [chan_vese, lambda image, initial: geodesic(image, initial=initial, sigma_mm=1.0, edge=1.0)]
)
def test_what_cannot_be_started_is_refused(function: object) -> None:
    array = np.arange(25.0).reshape(5, 5)
    cases = (
        (array, np.zeros((5, 5)), "empty_mask"),
        (array, np.ones((5, 5)), "empty_mask"),
        (array, np.eye(4), "misaligned_mask"),
        (np.where(array > 3, np.nan, array), np.eye(5), "not_finite"),
    )
    for picture, start, code in cases:
        with pytest.raises(ItemError) as problem:
            function(picture, initial=start)  # type: ignore[operator]
        assert problem.value.code == code


def test_numbers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="iterations"):
        chan_vese(np.eye(4), initial=np.eye(4), iterations=0)
    with pytest.raises(ValueError, match="edge"):
        geodesic(np.eye(4), initial=np.eye(4), sigma_mm=1.0, edge=0.0)
    with pytest.raises(ValueError, match="its own spacing"):
        chan_vese(Image(np.eye(4), Geometry((1.0, 1.0))), initial=np.eye(4), spacing=(1, 1))


def test_a_single_slice_and_a_vanishing_mask_end_quietly() -> None:
    flat = np.zeros((1, 6, 6))
    start = np.zeros(flat.shape, bool)
    start[0, 2, 2] = True
    assert chan_vese(flat, initial=start, iterations=5).shape == flat.shape


def test_a_contour_on_one_slice_of_a_volume_is_that_of_the_plane() -> None:
    y, x = np.indices((40, 40)) - 20
    disc, start = np.where(np.hypot(y, x) < 12, 100.0, 0.0), np.hypot(y, x) < 6
    options = {"sigma_mm": 1.0, "edge": 5.0}
    plane = geodesic(disc, initial=start, **options)
    volume = geodesic(disc[None], initial=start[None], **options)
    # curvature in space counts half of that in the plane: corners of a sample or two
    assert np.count_nonzero(plane ^ volume[0]) < 0.02 * plane.sum()
