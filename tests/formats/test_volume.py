from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.fault import ItemError
from radlake.core.image import Geometry
from radlake.formats.source import Source
from radlake.formats.volume import (
    Volume,
    checked,
    geometry_from_axes,
    place,
    read_samples,
    rescaled_dtype,
    skip_lines,
)

GRID = Geometry((3.0, 2.0, 1.0))


@settings(max_examples=60)
@given(
    st.sampled_from(["u1", "i1", "i2", ">u2"]),
    st.integers(-40, 40).filter(bool),
    st.integers(-40_000, 40_000),
)
def test_whole_slopes_lose_no_value(code: str, slope: int, intercept: int) -> None:
    dtype = np.dtype(code)
    bounds = np.iinfo(dtype)
    stored = np.array([bounds.min, bounds.max, 0, 1], dtype).reshape(1, 2, 2)
    volume = Volume(stored.shape, "zyx", dtype, GRID, float(slope), float(intercept))
    values = read_samples(io.BytesIO(stored.tobytes()), volume, memory_bytes=1 << 20)
    np.testing.assert_array_equal(values, stored.astype(np.int64) * slope + intercept)
    assert values.dtype == volume.value_dtype


def test_fractions_give_floats_as_wide_as_the_samples_need() -> None:
    assert rescaled_dtype(np.dtype("i2"), 0.5, 0.0) == np.float32
    assert rescaled_dtype(np.dtype("i4"), 0.5, 0.0) == np.float64
    assert rescaled_dtype(np.dtype("f4"), 2.0, 0.0) == np.float32


def test_axes_are_brought_into_one_order() -> None:
    stored = np.arange(2 * 3 * 4 * 5 * 3, dtype=np.uint8).reshape(3, 2, 3, 4, 5)
    volume = Volume(stored.shape, "ctzyx", stored.dtype, GRID)
    values = read_samples(io.BytesIO(stored.tobytes()), volume, memory_bytes=1 << 20)
    np.testing.assert_array_equal(values, np.moveaxis(stored, 0, -1))
    assert values.flags.c_contiguous


def test_memory_is_refused_before_it_is_taken() -> None:
    volume = Volume((1 << 10, 1 << 10, 1 << 10), "zyx", np.dtype("f8"), GRID)
    with pytest.raises(ItemError, match="needs about 8192 MiB, the limit is 1 MiB"):
        read_samples(io.BytesIO(), volume, memory_bytes=1 << 20)


@pytest.mark.parametrize(
    ("shape", "code"), [((0, 1, 1), "contradictory_header"), ((1 << 21, 1, 1), "contradictory_header")]
)
def test_impossible_extents_are_refused(shape: tuple[int, ...], code: str) -> None:
    with pytest.raises(ItemError) as caught:
        checked(Volume(shape, "zyx", np.dtype("u1"), GRID), Source("a", data=b"x"))
    assert caught.value.code == code


def test_geometry_wants_steps_that_go_somewhere() -> None:
    found = geometry_from_axes([np.array([0.0, 0, 2]), np.array([0.0, -3, 0])], np.array([1.0, -0.0, 2]))
    assert (found.spacing, found.origin) == ((2.0, 3.0), (1.0, 0.0, 2.0))
    assert found.direction == ((0.0, 0.0, 1.0), (0.0, -1.0, 0.0))
    for wrong in (np.zeros(3), np.array([np.nan, 0, 0])):
        with pytest.raises(ItemError):
            geometry_from_axes([wrong], np.zeros(3))


def test_place_uses_the_order_of_dicom() -> None:
    columns = place(GRID)
    assert columns["orientation"] == [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    assert (columns["spacing_z"], columns["spacing_y"], columns["spacing_x"]) == (3.0, 2.0, 1.0)
    assert "spacing_z" not in place(Geometry((2.0, 1.0)))


def test_skipping_lines_ends_with_the_stream() -> None:
    stream = io.BytesIO(b"a\nb\nc")
    skip_lines(stream, 2)
    assert stream.read() == b"c"
    skip_lines(stream, 1 << 62)
