"""Padding plane by plane against numpy's."""

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
