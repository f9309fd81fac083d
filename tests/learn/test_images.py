"""Images in one layout: every way to give them, and clear words where they cannot be used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.core.errors import UsageError
from radlake.learn.images import are_images, images


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((5, 8, 9), "auto", ((5, 1, 8, 9), "yx", 1)),
        ((5, 8, 9, 3), "auto", ((5, 3, 8, 9), "yx", 3)),
        ((5, 8, 9, 1), "auto", ((5, 1, 8, 9), "yx", 1)),
        ((5, 7, 8, 9), "auto", ((5, 1, 7, 8, 9), "zyx", 1)),
        ((5, 7, 8, 9, 4), "auto", ((5, 4, 7, 8, 9), "zyx", 4)),
        ((5, 7, 8, 4), "zyx", ((5, 1, 7, 8, 4), "zyx", 1)),
        ((5, 8, 9, 2), "yxc", ((5, 2, 8, 9), "yx", 2)),
    ],
)
def test_axes_are_understood(shape: tuple[int, ...], axes: Any, expected: tuple[Any, ...]) -> None:
    found = images(np.zeros(shape), axes=axes)
    assert (found.arrays.shape, found.spatial, found.channels) == expected
    assert found.sizes.tolist() == [list(expected[0][2:])] * 5


def test_mixed_sizes_stay_as_they_are() -> None:
    found = images([np.full((8, 9, 3), 2), np.full((6, 5, 3), 7)])
    assert not found.one_size
    assert [a.shape for a in found.arrays] == [(3, 8, 9), (3, 6, 5)]
    assert found.contract() == {
        "kind": "images", "axes": "yx", "channels": 3, "smallest": [6, 5], "largest": [8, 9], "low": 2.0, "high": 7.0,
    }  # fmt: skip


@given(st.integers(1, 4), st.integers(4, 9), st.integers(4, 9), st.sampled_from([np.uint8, np.int16, np.float32]))
def test_a_list_of_equal_images_is_the_array_of_them(n: int, rows: int, columns: int, kind: type) -> None:
    array = np.arange(n * rows * columns, dtype=kind).reshape(n, rows, columns)
    whole, listed = images(array), images(list(array))
    assert np.array_equal(whole.arrays, listed.arrays)
    assert whole.contract() == listed.contract()


def test_tables_are_no_images() -> None:
    assert not are_images([[1.0, 2.0], [3.0, 4.0]])
    assert not are_images(np.zeros((3, 2)))
    assert not are_images([])
    assert are_images(np.zeros((3, 8, 8)))
    assert are_images([np.zeros((8, 8)), np.zeros((8, 9))])
    mixed = np.empty(2, dtype=object)
    mixed[0], mixed[1] = np.zeros((8, 8)), np.zeros((8, 9))
    assert are_images(mixed)


NOT_A_NUMBER = np.zeros((3, 8, 8))
NOT_A_NUMBER[1, 2, 2] = np.nan


@pytest.mark.parametrize(
    ("inputs", "axes", "words"),
    [
        (NOT_A_NUMBER, "auto", "pixels that are not finite .NaN. in 1 of . images, first in image 1; fill them"),
        (np.zeros((3, 1, 1)), "auto", "3 images are too small, the first is image 0 with 1 x 1 pixels; at least 4 x 4"),
        ([np.zeros((8, 8)), np.zeros((8, 8, 3))], "auto", "image 1 has axes yxc and 3 channels, image 0 has yx and 1"),
        ([np.zeros((8, 9)), np.zeros((8, 8, 8))], "auto", "image 1 has axes zyx"),
        (np.zeros((2, 8, 8, 8, 8, 8)), "auto", "got 5 axes"),
        (np.zeros((2, 16, 16, 5)), "auto", "the last axis has 5 entries: no number of channels"),
        (np.zeros((2, 8, 8)), "zyx", "asks for 3 axes an image, got 2"),
        (np.full((2, 8, 8), "x"), "auto", "must hold numbers"),
        ([], "auto", "no images"),
        (np.zeros((0, 8, 8)), "auto", "no images"),
        (None, "auto", "no images"),
    ],
)
def test_what_cannot_be_used_is_told(inputs: Any, axes: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        images(inputs, axes=axes)
