"""Colour models against pydicom's conversion and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import data, dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, convert_color_space

from radlake.core.fault import ItemError
from radlake.formats.dicom.colour import Palette, expand_422, palette_of, ybr_to_rgb


def test_ybr_to_rgb_agrees_with_pydicom_to_one_grey_level() -> None:
    ybr = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    theirs = convert_color_space(ybr, "YBR_FULL", "RGB")
    assert np.abs(ybr_to_rgb(ybr).astype(int) - theirs).max() <= 1  # they round the matrix, we do not


def test_grey_has_no_colour_difference() -> None:
    grey = np.array([[0, 128, 128], [200, 128, 128]], np.uint8)
    assert ybr_to_rgb(grey).tolist() == [[0, 0, 0], [200, 200, 200]]


def test_subsampled_pixels_share_their_colour_with_the_neighbour() -> None:
    flat = np.array([1, 2, 50, 60, 3, 4, 70, 80], np.uint8)
    assert expand_422(flat, 2, 2)[:, :, 1:].tolist() == [[[50, 60], [50, 60]], [[70, 80], [70, 80]]]


def test_palette_of_agrees_with_pydicom() -> None:
    ds = dcmread(Path(data.__file__).parent / "test_files" / "examples_palette.dcm")
    theirs = apply_color_lut(ds.pixel_array, ds)
    assert (palette_of(ds)(ds.pixel_array) == (theirs >> 8 if theirs.dtype.itemsize > 1 else theirs)).all()


def test_a_palette_clips_indices_outside_its_table() -> None:
    palette = Palette(np.array([[1, 1, 1], [2, 2, 2]], np.uint8), first=10)
    assert palette(np.array([0, 10, 11, 500])).tolist() == [[1, 1, 1], [1, 1, 1], [2, 2, 2], [2, 2, 2]]


def test_a_missing_palette_is_a_fault() -> None:
    with pytest.raises(ItemError, match="could not be decoded"):
        palette_of(Dataset())
