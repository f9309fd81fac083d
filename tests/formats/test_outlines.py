"""Outlines to masks: exact rules at the border, against shapely, in any orientation."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Geometry
from radlake.formats.outlines import Boundary, rasterise

UNIT = Geometry((1.0, 1.0, 1.0))
BOUNDARIES: tuple[Boundary, ...] = ("include", "exclude", "centre")


def ring(*points: tuple[float, float], z: float = 0.0) -> NDArray[np.float64]:
    """Outline through (x, y) points at one height."""
    return np.array([(x, y, z) for x, y in points], dtype=np.float64)


def square(low: float, high: float, z: float = 0.0) -> NDArray[np.float64]:
    return ring((low, low), (high, low), (high, high), (low, high), z=z)


def test_a_triangle_gives_the_pixels_counted_by_hand() -> None:
    triangle = ring((0, 0), (4, 0), (0, 4))
    rows = {b: rasterise([triangle], UNIT, (1, 6, 6), boundary=b)[0].sum(axis=1).tolist() for b in BOUNDARIES}
    assert rows["include"] == [5, 4, 3, 2, 1, 0]
    assert rows["exclude"] == [0, 2, 1, 0, 0, 0]
    assert rows["centre"] == [4, 3, 2, 1, 0, 0]


@settings(max_examples=60)
@given(
    points=st.lists(st.tuples(st.integers(-6, 40), st.integers(-6, 40)), min_size=3, max_size=9, unique=True),
    scale=st.sampled_from([1, 2, 4]),
)
def test_borders_agree_with_shapely_for_any_simple_polygon(points: list[tuple[int, int]], scale: int) -> None:
    corners = [(x / scale, y / scale) for x, y in points]  # quarters are exact in fixed point
    polygon = shapely.Polygon(corners)
    if not polygon.is_valid or polygon.area == 0:
        return
    y, x = np.mgrid[:32, :32]
    centres = shapely.points(x, y)
    got = {b: rasterise([ring(*corners)], UNIT, (1, 32, 32), boundary=b)[0] for b in BOUNDARIES}
    assert np.array_equal(got["include"], shapely.covers(polygon, centres))
    assert np.array_equal(got["exclude"], shapely.contains_properly(polygon, centres))
    assert (got["exclude"] <= got["centre"]).all()
    assert (got["centre"] <= got["include"]).all()


@settings(max_examples=30)
@given(cut=st.integers(1, 19), slope=st.integers(-3, 3))
def test_two_regions_that_share_an_edge_share_no_pixel_and_leave_none(cut: int, slope: int) -> None:
    left = ring((0, 0), (cut, 0), (cut + slope, 20), (0, 20))
    right = ring((cut, 0), (30, 0), (30, 20), (cut + slope, 20))
    whole = rasterise([ring((0, 0), (30, 0), (30, 20), (0, 20))], UNIT, (1, 24, 32))
    parts = [rasterise([part], UNIT, (1, 24, 32)) for part in (left, right)]
    assert not (parts[0] & parts[1]).any()
    assert np.array_equal(parts[0] | parts[1], whole)


def test_an_outline_inside_another_is_a_hole_whose_border_follows_the_rule() -> None:
    holes = [square(1, 9), square(3, 7)]
    counts = {b: int(rasterise(holes, UNIT, (1, 12, 12), boundary=b).sum()) for b in BOUNDARIES}
    assert counts == {"include": 81 - 9, "exclude": 49 - 25, "centre": 64 - 16}


def test_a_keyhole_outline_gives_its_hole() -> None:
    keyhole = ring((1, 1), (9, 1), (9, 9), (1, 9), (1, 5), (3, 5), (3, 7), (7, 7), (7, 3), (3, 3), (3, 5), (1, 5))
    assert np.array_equal(
        rasterise([keyhole], UNIT, (1, 12, 12)), rasterise([square(1, 9), square(3, 7)], UNIT, (1, 12, 12))
    )


def test_an_outline_that_is_stored_twice_counts_once() -> None:
    assert rasterise([square(1, 4), square(1, 4)], UNIT, (1, 6, 6)).sum() == 9


def test_planes_go_to_the_nearest_slice_and_unite_there() -> None:
    outlines = [square(1, 3, z=0.8), square(2, 5, z=1.2), square(1, 3, z=2.5), square(1, 3, z=9), square(1, 3, z=-0.7)]
    mask = rasterise(outlines, UNIT, (4, 8, 8))
    assert mask.sum(axis=(1, 2)).tolist() == [0, 4 + 9 - 1, 4, 0]


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_mask_moves_with_the_grid_in_any_orientation(boundary: Boundary) -> None:
    rng = np.random.default_rng(3)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    direction = (rotation[0], rotation[1] + 0.2 * rotation[0], -rotation[2])  # sheared and mirrored
    rows = tuple((float(d[0]), float(d[1]), float(d[2])) for d in (v / np.linalg.norm(v) for v in direction))
    oblique = Geometry((2.5, 0.7, 0.6), origin=(-120.0, 33.3, 7.1), direction=rows)
    outlines = [square(3, 11, z=1), ring((2, 2), (13, 5), (7, 12), z=2)]
    moved = [np.c_[o[:, ::-1], np.ones(len(o))] @ oblique.affine[:3].T for o in outlines]
    assert np.array_equal(
        rasterise(moved, oblique, (4, 16, 16), boundary=boundary),
        rasterise(outlines, UNIT, (4, 16, 16), boundary=boundary),
    )


def test_points_and_lines_enclose_nothing_but_lie_on_their_pixels() -> None:
    strokes = [ring((2, 2)), ring((4, 1), (4, 4))]
    assert not rasterise(strokes, UNIT, (1, 6, 6)).any()
    assert np.argwhere(rasterise(strokes, UNIT, (1, 6, 6), boundary="include")[0]).tolist() == [
        [1, 4],
        [2, 2],
        [2, 4],
        [3, 4],
        [4, 4],
    ]


def test_an_outline_larger_than_the_grid_is_cut_at_its_border() -> None:
    assert rasterise([square(-500, 500)], UNIT, (1, 7, 9)).all()


def test_many_edges_over_many_rows_are_worked_off_in_batches() -> None:
    x = np.linspace(0, 1500, 1501)
    comb = np.c_[x, np.where(np.arange(len(x)) % 2, 1499.5, 0.5), np.zeros_like(x)]
    outline = np.concatenate([comb, [[1500, 1600, 0], [0, 1600, 0]]])
    mask = rasterise([outline], UNIT, (1, 1601, 1501))
    assert mask[0, :1500].mean() == pytest.approx(0.5, abs=0.01)
    assert mask[0, 1500:1600, :1500].all()


def test_no_outline_gives_an_empty_mask() -> None:
    assert not rasterise([], UNIT, (2, 3, 4)).any()
    assert not rasterise([np.empty((0, 3))], UNIT, (2, 3, 4)).any()


@pytest.mark.parametrize(
    "outline",
    [
        ring((0, 0), (np.nan, 1), (2, 2)),
        ring((0, 0), (np.inf, 1), (2, 2)),
        ring((0, 0), (1e300, 1), (2, 2)),
        np.array([[0.0, 0, 0], [0, 0, 3], [0, 4, 3]]),
    ],
)
def test_impossible_and_tilted_outlines_are_refused(outline: NDArray[np.float64]) -> None:
    with pytest.raises(ItemError) as caught:
        rasterise([outline], UNIT, (4, 4, 4))
    assert caught.value.code == "misaligned_mask"


def test_outlines_too_far_away_for_exact_integers_are_refused() -> None:
    with pytest.raises(ItemError) as caught:
        rasterise([square(0, 9e5)], Geometry((1.0, 0.5, 0.5)), (1, 4, 4))
    assert caught.value.code == "misaligned_mask"


def test_a_grid_without_volume_or_with_two_axes_is_refused() -> None:
    flat = Geometry((1.0, 1.0, 1.0), direction=((0, 0, 1), (0, 1, 0), (0, 1, 0)))
    with pytest.raises(ItemError) as caught:
        rasterise([square(0, 2)], flat, (1, 4, 4))
    assert caught.value.code == "contradictory_header"
    with pytest.raises(ValueError, match="3 axes"):
        rasterise([square(0, 2)], Geometry((1.0, 1.0)), (1, 4, 4))
