"""Marching cubes without a mesh, against scikit-image's mesh and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage.measure import find_contours, marching_cubes, mesh_surface_area

from radlake.features import shape_kernels
from radlake.features.mesh import _cube_table, cell_counts, mesh_area_volume

masks = arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 6)] * 3))


def _scikit_image(mask: np.ndarray, spacing: tuple[float, float, float]) -> tuple[float, float]:
    vertices, faces, _, _ = marching_cubes(np.pad(mask, 1).astype(float), 0.5, spacing=spacing)
    a, b, c = (vertices[faces[:, i]].astype(float) for i in range(3))
    return mesh_surface_area(vertices, faces), abs((np.cross(b, c) * a).sum() / 6)


def _ball(size: int, radius: float, spacing: tuple[float, ...]) -> np.ndarray:
    grids = np.ogrid[tuple(slice(size) for _ in spacing)]
    return sum(((g - (size - 1) / 2) * s) ** 2 for g, s in zip(grids, spacing, strict=True)) < radius**2


def test_one_voxel_is_an_octahedron() -> None:
    # Vertices half a voxel from the centre: volume 8 * (1/6) * (1/2)^3, area 8 * (sqrt(3) / 4) * (1 / sqrt(2))^2
    area, volume = mesh_area_volume(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0))
    assert (area, volume) == pytest.approx((np.sqrt(3), 1 / 6), rel=1e-14)


def test_a_box_is_a_box_with_cut_edges() -> None:
    # 2 x 2 x 2 voxels: sides of 2 less 12 edges and 8 corners cut off, counted by pieces of 1/8 of a voxel
    area, volume = mesh_area_volume(np.ones((2, 2, 2), bool), (1.0, 1.0, 1.0))
    corners, edges, faces = 8 * np.sqrt(3) / 8, 12 * np.sqrt(2) / 2, 6
    assert area == pytest.approx(corners + edges + faces, rel=1e-14)
    assert volume == pytest.approx(8 / 48 + 12 / 8 + 6 / 2 + 1, rel=1e-14)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.8, 0.8)])
def test_balls_agree_with_scikit_image(spacing: tuple[float, float, float]) -> None:
    mask = _ball(25, 9.3, spacing)
    area, volume = mesh_area_volume(mask, spacing)
    expected_area, expected_volume = _scikit_image(mask, spacing)
    assert volume == pytest.approx(expected_volume, rel=1e-5)
    # Hexagons have two equal triangulations on cubic voxels, unequal ones here: averaged by us, one chosen by Lewiner
    assert area == pytest.approx(expected_area, rel=1e-6 if spacing[0] == spacing[1] else 1e-3)


def test_the_surface_of_a_ball_approaches_the_ball_from_marching_cubes_side() -> None:
    area, volume = mesh_area_volume(_ball(81, 38.2, (1.0, 1.0, 1.0)), (1.0, 1.0, 1.0))
    assert volume == pytest.approx(4 / 3 * np.pi * 38.2**3, rel=2e-3)
    # Voxel surfaces stay about 9 % too large however fine: a known bias of binary marching cubes
    assert 1.05 < area / (4 * np.pi * 38.2**2) < 1.12


@settings(max_examples=40)
@given(masks, st.permutations([0, 1, 2]), st.lists(st.booleans(), min_size=3, max_size=3))
def test_turning_and_mirroring_change_nothing(mask: np.ndarray, order: list[int], flips: list[bool]) -> None:
    spacing = (2.0, 0.7, 1.1)
    turned = np.flip(mask.transpose(order), [a for a in range(3) if flips[a]])
    here = mesh_area_volume(mask, spacing)
    there = mesh_area_volume(turned, tuple(spacing[a] for a in order))
    assert here == pytest.approx(there, rel=1e-12, abs=1e-12)


def test_the_surface_is_closed() -> None:
    # In each cell the surface and the inside part of the six faces enclose a solid: its area vectors add up to zero.
    # The inside part of a face follows from its four corners, so two neighbouring cells always agree on it.
    table = _cube_table()
    corners = np.array([[k >> 2 & 1, k >> 1 & 1, k & 1] for k in range(8)])
    shares = {0: 0, 1: 1 / 8, 3: 7 / 8, 4: 1}
    for cell in range(256):
        inside = corners[[bool(cell >> k & 1) for k in range(8)]]
        own = table.cell == cell
        total = (table.normal[own] * table.weight[own, None]).sum(axis=0) / 2
        for axis in range(3):
            for side in (0, 1):
                face = np.delete(inside[inside[:, axis] == side], axis, axis=1)
                diagonal = len(face) == 2 and np.all(face.sum(axis=0) == 1) and np.ptp(face, axis=0).all()
                share = (3 / 4 if diagonal else 1 / 2) if len(face) == 2 else shares[len(face)]
                total[axis] += share * (2 * side - 1)
        assert np.abs(total).max() < 1e-12, cell


@settings(max_examples=30)
@given(arrays.arrays(np.bool_, st.tuples(st.integers(1, 8), st.integers(1, 8))))
def test_outlines_agree_with_scikit_image(mask: np.ndarray) -> None:
    spacing = (2.0, 0.5)
    contours = find_contours(np.pad(mask, 1).astype(float), 0.5, fully_connected="high")
    points = [c * spacing for c in contours]
    length = sum(np.sqrt((np.diff(p, axis=0) ** 2).sum(axis=1)).sum() for p in points)
    area = sum((p[:-1, 0] * p[1:, 1] - p[1:, 0] * p[:-1, 1]).sum() / 2 for p in points)
    assert shape_kernels.outline(mask, *spacing)[:2] == pytest.approx((length, abs(area)), rel=1e-9, abs=1e-9)


@settings(max_examples=30)
@given(masks)
def test_every_cell_is_counted_once(mask: np.ndarray) -> None:
    counts = cell_counts(mask)
    assert counts.sum() == np.prod([n + 1 for n in mask.shape])
    inside = np.array([bin(k).count("1") for k in range(256)])
    assert (counts * inside).sum() == 8 * mask.sum()
