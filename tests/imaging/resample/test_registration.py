"""Rigid registration: known turns and shifts are found again; equal input, equal bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging.resample import register, rigid, to_grid
from radlake.imaging.resample.registration import Rigid, laid


def _head(shape: tuple[int, ...] = (24, 48, 44), spacing: tuple[float, ...] = (3.0, 1.5, 1.5)) -> Image:
    """Blobs without any symmetry, in a frame that is turned against the patient's."""
    rng = np.random.default_rng(4)
    grid = np.indices(shape) * np.reshape(spacing, (-1,) + (1,) * len(shape))
    extent = np.array(shape) * spacing
    array = np.zeros(shape)
    for _ in range(14):
        centre, width = extent * rng.uniform(0.25, 0.75, len(shape)), extent.min() * rng.uniform(0.08, 0.2)
        array += rng.uniform(50, 200) * np.exp(
            -sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) / (2 * width**2)
        )
    axes = Rotation.from_euler("xyz", [4, -3, 8], degrees=True).as_matrix()[::-1]
    direction = tuple(tuple(row) for row in axes[-len(shape) :])
    return Image(array.astype(np.float32), Geometry(spacing, (-30.0, 12.0, 80.0), direction), kind="mr")


def _centre(image: Image) -> np.ndarray:
    return image.geometry.affine[:3] @ [*((np.array(image.array.shape) - 1) / 2), 1.0]


def _moved(image: Image, turn: Rotation, shift: tuple[float, float, float]) -> tuple[Image, np.ndarray]:
    """The image turned about its centre and shifted, and the matrix of that."""
    matrix, centre = np.eye(4), _centre(image)
    matrix[:3, :3] = turn.as_matrix()
    matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
    return laid(image, Rigid(np.linalg.inv(matrix), 0.0)), matrix


@pytest.mark.parametrize("measure", ["mutual_information", "squares"])
def test_a_known_turn_and_shift_of_a_volume_is_found(measure: str) -> None:
    fixed = _head()
    moving, truth = _moved(fixed, Rotation.from_euler("xyz", [5, -4, 7], degrees=True), (6.0, -4.0, 5.0))
    found = rigid(moving, fixed, measure=measure, start="places")  # type: ignore[arg-type]
    corners = np.array([fixed.geometry.affine @ [*c, 1] for c in np.ndindex(2, 2, 2) for c in [np.array(c) * 40]])
    # a fifth of the finest voxel, at corners of the volume
    assert np.abs((corners @ found.matrix.T - corners @ truth.T)[:, :3]).max() < 0.3
    again = rigid(moving, fixed, measure=measure, start="places")  # type: ignore[arg-type]
    assert np.array_equal(again.matrix, found.matrix)


def test_a_registered_image_lies_on_the_grid_of_the_other() -> None:
    fixed = _head()
    moving, _ = _moved(fixed, Rotation.from_euler("z", 6, degrees=True), (3.0, 2.0, 0.0))
    before = to_grid(moving, fixed)
    after = register(moving, fixed, start="places")
    assert after.geometry == fixed.geometry
    inner = (slice(4, -4), slice(8, -8), slice(8, -8))
    assert np.abs(after.array - fixed.array)[inner].mean() < 0.05 * np.abs(before.array - fixed.array)[inner].mean()


def test_slices_are_turned_in_their_plane() -> None:
    fixed = _head((64, 60), (1.0, 1.2))
    normal = np.cross(*fixed.geometry.direction)
    moving, _ = _moved(
        fixed, Rotation.from_rotvec(np.radians(8) * normal), tuple(5 * np.array(fixed.geometry.direction[1]))
    )
    after = register(moving, fixed)
    assert after.geometry == fixed.geometry
    assert np.corrcoef(after.array[8:-8, 8:-8].ravel(), fixed.array[8:-8, 8:-8].ravel())[0, 1] > 0.999


def test_another_modality_is_registered_by_mutual_information() -> None:
    fixed = _head()
    other = fixed.with_array((np.sqrt(fixed.array.max() - fixed.array) * 30).astype(np.float32))
    moving, truth = _moved(other, Rotation.from_euler("y", 5, degrees=True), (4.0, 3.0, -4.0))
    found = rigid(moving, fixed, start="places")
    centre = np.append(_centre(fixed), 1)
    assert np.abs(found.matrix @ centre - truth @ centre).max() < 0.5


def test_what_cannot_be_registered_is_refused() -> None:
    head = _head()
    with pytest.raises(ItemError, match="no voxel"):
        rigid(head.with_array(np.zeros_like(head.array)), head)
    with pytest.raises(ItemError, match="not finite"):
        rigid(head, head.with_array(np.where(head.array > 100, np.nan, head.array)))
    with pytest.raises(ItemError, match="do not overlap"):
        rigid(replace(head, geometry=replace(head.geometry, origin=(900.0, 0.0, 0.0))), head, start="places")
    with pytest.raises(ValueError, match="two volumes or two slices"):
        rigid(head, Image(head.array[0], Geometry((1.0, 1.0))))
    with pytest.raises(ValueError, match="levels"):
        rigid(head, head, levels=())
    with pytest.raises(ValueError, match="unknown measure"):
        rigid(head, head, measure="cubes")  # type: ignore[arg-type]


def test_the_bits_do_not_depend_on_the_shape_of_memory() -> None:
    head = _head((20, 24, 28))
    shifted = replace(head, geometry=replace(head.geometry, origin=(-27.0, 12.0, 80.0)))
    fortran = head.with_array(np.asfortranarray(head.array))
    assert np.array_equal(rigid(shifted, head, levels=(1,)).matrix, rigid(shifted, fortran, levels=(1,)).matrix)
