"""Values looked up or computed piece by piece are those of the operation itself."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.imaging import threads
from radlake.imaging.kernels.pointwise import pointwise

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", ">i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("size", [0, 1, 70_000, 200_001])
def test_results_are_those_of_the_operation_on_the_whole(dtype: str, size: int) -> None:
    array = RNG.integers(-200, 200, size).astype(dtype)
    expected = (np.sqrt(np.abs(array.astype(np.float64))) - 3).astype(np.float32)
    for count in (1, 3):
        with threads(count):
            found = pointwise(array, lambda part: np.sqrt(np.abs(part.astype(np.float64))) - 3, np.float32)
        assert found.dtype == np.float32
        assert np.array_equal(found, expected)


def test_all_values_of_sixteen_bits_find_their_own_result() -> None:
    array = np.arange(-32768, 32768, dtype=np.int16).repeat(2)
    assert np.array_equal(
        pointwise(array, lambda part: part.astype(np.int32) * 3, np.int32), array.astype(np.int32) * 3
    )


def test_shape_order_and_input_are_kept() -> None:
    array = np.asfortranarray(RNG.integers(0, 9, (300, 20, 30)).astype(np.int16))[::2]
    before = array.copy()
    assert np.array_equal(pointwise(array, lambda part: part + part, np.int16), before * 2)
    assert np.array_equal(array, before)
    assert pointwise(np.zeros((0, 3)), np.sqrt, np.float64).shape == (0, 3)


def test_a_table_is_made_once_whatever_the_size() -> None:
    calls: list[int] = []

    def noted(part: np.ndarray) -> np.ndarray:
        calls.append(part.size)
        return part

    pointwise(np.tile(np.array([-3, 4], np.int8), 150_000), noted, np.int8)
    assert calls == [8]
    pointwise(np.zeros(100, np.int8), noted, np.int8)
    assert calls == [8, 100]


def test_a_fault_of_the_operation_is_that_of_the_whole() -> None:
    def refuse(_part: np.ndarray) -> np.ndarray:
        raise ValueError("no")

    with threads(2), pytest.raises(ValueError, match="no"):
        pointwise(np.zeros(200_000, np.float32), refuse, np.float32)
