"""Padding of volumes against numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.imaging import threads
from radlake.imaging.kernels.padding import padded

NUMPY = {"reflect": "symmetric", "nearest": "edge", "mirror": "reflect", "wrap": "wrap", "constant": "constant"}


@pytest.mark.parametrize("border", NUMPY)
@settings(max_examples=25)
@given(shape=st.tuples(*[st.integers(1, 5)] * 3), size=st.tuples(*[st.sampled_from([1, 3, 5, 9])] * 3))
def test_volumes_go_on_as_by_numpy(border: str, shape: tuple[int, ...], size: tuple[int, ...]) -> None:
    array = np.arange(1, np.prod(shape) + 1, dtype=np.int16).reshape(shape)
    expected = np.pad(array, [(side // 2, side // 2) for side in size], mode=NUMPY[border])
    assert np.array_equal(padded(array, size, border), expected)
    with threads(2):
        assert np.array_equal(padded(array, size, border), expected)


@pytest.mark.parametrize("dtype", ["?", "i1", ">i2", "f2", "u4", "f4", ">f8", "i8", "u8"])
def test_every_dtype_and_layout_is_kept(dtype: str) -> None:
    samples = np.random.default_rng(3).integers(0, 256, 60 * np.dtype(dtype).itemsize, np.uint8)
    plain = (samples & 1).view(bool) if dtype == "?" else samples.view(dtype)  # all bits, so that none can be lost
    array = np.asfortranarray(plain.reshape(3, 4, 5))[:, ::-1]
    before = array.copy()
    for border, mode in NUMPY.items():
        found = padded(array, (3, 1, 5), border)
        expected = np.pad(array, [(1, 1), (0, 0), (2, 2)], mode=mode)
        assert found.dtype == array.dtype
        assert found.tobytes() == expected.tobytes()
    assert array.tobytes() == before.tobytes()
