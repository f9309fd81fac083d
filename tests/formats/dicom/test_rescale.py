"""Meaning of stored samples: hand-computed values, types and the fate of MONOCHROME1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from radlake.core.fault import ItemError
from radlake.formats.dicom.rescale import (
    Rescale,
    may_widen,
    modality_lut,
    planned_type,
    rescale_of,
    stored_range,
    widened,
)


def test_integer_slopes_keep_integers() -> None:
    values = Rescale(2.0, -10.0, 0, 4095)(np.array([0, 4095], np.uint16))
    assert values.dtype == np.int32
    assert values.tolist() == [-10, 8180]


def test_fractional_slopes_give_float32() -> None:
    values = Rescale(0.5, 0.25)(np.array([3], np.int16))
    assert values.dtype == np.float32
    assert values.tolist() == [1.75]


def test_an_integer_result_beyond_32_bits_does_not_wrap() -> None:
    assert Rescale(70000.0, 0.0, 0, 65535)(np.array([65535], np.uint16)).tolist() == [70000 * 65535]


def test_the_suv_factor_is_applied_only_where_the_image_is_in_suv() -> None:
    row = {"rescale_slope": 2.0, "rescale_intercept": 1.0, "suv_factor": 0.5, "bits_stored": 16}
    assert rescale_of(row, "SUVbw").value(10) == 10.5
    assert rescale_of(row, "Bq/mL").value(10) == 21.0


def test_monochrome1_is_turned_round_within_the_stored_range() -> None:
    row = {"photometric": "MONOCHROME1", "bits_stored": 12, "rescale_intercept": -100.0}
    assert rescale_of(row, "a.u.").value(0) == 4095 - 100
    assert rescale_of(row, "a.u.").value(4095) == -100


def test_monochrome1_with_a_physical_unit_keeps_its_values() -> None:
    row = {"photometric": "MONOCHROME1", "bits_stored": 12, "rescale_intercept": -1024.0}
    assert rescale_of(row, "HU").value(24) == -1000


@pytest.mark.parametrize("slope", [None, 0.0, float("nan"), float("inf")])
def test_an_impossible_slope_counts_as_absent(slope: float | None) -> None:
    assert rescale_of({"rescale_slope": slope, "rescale_intercept": float("nan")}, "HU").value(7) == 7.0


@pytest.mark.parametrize(
    ("row", "unit", "expected"),
    [
        ({"bits_stored": 8}, "a.u.", "u1"),
        ({"bits_stored": 12, "rescale_intercept": -1024.0}, "HU", "i2"),
        ({"bits_stored": 16, "pixel_signed": True}, "HU", "i2"),
        ({"bits_stored": 16, "rescale_slope": 0.7}, "a.u.", "f4"),
        ({"bits_stored": 12, "has_modality_lut": True}, "a.u.", "f4"),
        ({"bits_stored": 64, "float_pixels": True}, "a.u.", "f4"),
        ({"bits_stored": 16, "photometric": "PALETTE COLOR"}, "a.u.", "u1"),
        ({"bits_stored": 16, "bits_allocated": 16, "samples": 3, "photometric": "RGB"}, "a.u.", "u2"),
    ],
)
def test_the_planned_type_is_the_narrowest_that_suits_the_header(row: dict[str, Any], unit: str, expected: str) -> None:
    assert planned_type(row, unit) == np.dtype(expected)


def test_sixteen_unsigned_bits_may_widen_and_twelve_may_not() -> None:
    assert may_widen({"bits_stored": 16}, "HU")
    assert not may_widen({"bits_stored": 12}, "HU")


@settings(max_examples=60)
@given(st.sampled_from(["u1", "i2", "i4", "f4"]), st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=5))
def test_widened_holds_both_the_old_and_the_new_values(kind: str, values: list[int]) -> None:
    array = np.arange(3).astype(kind)
    plane = np.array(values, dtype=np.int64)
    wide = widened(array, plane)
    assert (wide == np.arange(3)).all()
    if wide.dtype.kind != "f":
        assert (plane.astype(wide.dtype) == plane).all()


def test_widened_leaves_the_array_alone_when_the_plane_fits() -> None:
    array = np.zeros(2, np.int16)
    assert widened(array, np.array([-5, 7], np.int32)) is array


def test_stored_range_bounds_absurd_bit_counts() -> None:
    assert stored_range({"bits_stored": 9999}) == (0, 2**64 - 1)


def _with_lut(bits: int) -> Dataset:
    """A dataset with a modality lookup table that squares its four inputs."""
    item = Dataset()
    item.LUTDescriptor = [4, 0, bits]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = [0, 1, 4, 9]
    item["LUTData"].VR = "US"
    item.ModalityLUTType = "US"
    ds = Dataset()
    ds.PixelRepresentation = 0
    ds.ModalityLUTSequence = [item]
    return ds


def test_a_modality_table_is_looked_up() -> None:
    assert modality_lut(np.array([0, 2, 3], np.uint16), _with_lut(16), turned=False).tolist() == [0.0, 4.0, 9.0]


def test_a_modality_table_is_mirrored_for_monochrome1() -> None:
    assert modality_lut(np.array([3], np.uint16), _with_lut(16), turned=True).tolist() == [65535.0 - 9.0]


def test_a_damaged_modality_table_is_a_fault() -> None:
    ds = _with_lut(16)
    del ds.ModalityLUTSequence[0].LUTDescriptor
    with pytest.raises(ItemError, match="could not be decoded"):
        modality_lut(np.zeros(1, np.uint16), ds, turned=False)
