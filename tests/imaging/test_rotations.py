"""Right-angle rotations of separable kernels, against rotating the image."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.imaging.rotations import pooled, right_angles, separable_response

RNG = np.random.default_rng(4)
# kernels of even length as those of wavelets, and of odd length, without symmetry
EVEN, OTHER, ODD = (
    (RNG.normal(size=4),),
    (RNG.normal(size=2), RNG.normal(size=4)),
    (RNG.normal(size=3),),
)


def _rotated(volume: np.ndarray, turns: tuple[int, int, int]) -> np.ndarray:
    for count, axes in zip(turns, ((0, 1), (1, 2), (0, 2)), strict=True):
        volume = np.rot90(volume, count, axes)
    return volume


def test_there_are_4_rotations_in_the_plane_and_24_in_space_all_different() -> None:
    for directions, count in ((2, 4), (3, 24)):
        found = right_angles(directions)
        assert len(set(found)) == count
        assert found[0].source == tuple(range(directions))
        assert not any(found[0].mirrored)
        for rotation in found:
            matrix = np.zeros((directions, directions))
            matrix[range(directions), rotation.source] = np.where(rotation.mirrored, -1, 1)
            assert np.linalg.det(matrix) == pytest.approx(1)


@pytest.mark.parametrize("pooling", ["average", "max"])
@pytest.mark.parametrize("turns", [(1, 0, 0), (0, 1, 0), (0, 0, 3), (1, 2, 3)])
@pytest.mark.parametrize("chains", [(EVEN, ODD, OTHER), (EVEN, EVEN, ODD), (ODD, ODD, ODD)])
def test_a_pooled_response_turns_with_the_image(chains: tuple, turns: tuple[int, int, int], pooling: str) -> None:
    volume = RNG.normal(size=(9, 9, 9)).astype(np.float32)
    turned = separable_response(np.ascontiguousarray(_rotated(volume, turns)), chains, pooling, "wrap")  # type: ignore[arg-type]
    response = separable_response(volume, chains, pooling, "wrap")  # type: ignore[arg-type]
    # float32 sums in another order
    np.testing.assert_allclose(turned, _rotated(response, turns), atol=1e-5)


def test_without_pooling_kernels_go_along_x_y_and_z() -> None:
    pulse = np.zeros((7, 7, 7), np.float32)
    pulse[3, 3, 3] = 1
    x, y, z = ((np.array(k, np.float64),) for k in ([1, 2, 3], [4, 5, 6], [7, 8, 9]))
    response = separable_response(pulse, [x, y, z], None, "constant")
    assert response[2:5, 3, 3].tolist() == [7 * 2 * 5, 8 * 2 * 5, 9 * 2 * 5]
    assert response[3, 2:5, 3].tolist() == [4 * 2 * 8, 5 * 2 * 8, 6 * 2 * 8]
    assert response[3, 3, 2:5].tolist() == [1 * 5 * 8, 2 * 5 * 8, 3 * 5 * 8]


def test_two_kernels_filter_planes_of_a_volume() -> None:
    volume = RNG.normal(size=(3, 8, 6)).astype(np.float32)
    response = separable_response(volume, [EVEN, ODD], "max", "reflect")
    assert np.array_equal(response[1], separable_response(volume[1], [EVEN, ODD], "max", "reflect"))


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ItemError, match="expected an image with 3 axes, found 2"):
        separable_response(np.zeros((4, 4), np.float32), [ODD] * 3, None, "reflect")
    with pytest.raises(ValueError, match="pooling must be 'average' or 'max'"):
        pooled([(np.zeros(2, np.float32), 1)], "mean")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="border must be one of"):
        separable_response(np.zeros((4, 4), np.float32), [ODD] * 2, None, "mirrored")  # type: ignore[arg-type]
