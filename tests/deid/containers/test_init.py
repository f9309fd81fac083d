"""What all containers promise: damaged bytes are refused by name or cleaned, and cleaning twice changes nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO

import nibabel as nib
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from radlake.core.fault import ItemError
from radlake.deid.containers import copied, exactly, jpeg, nifti, png, tiff
from radlake.formats.source import Source

GREY = np.random.default_rng(0).integers(0, 256, (24, 24)).astype(np.uint8)


def _nifti(stream: BinaryIO, out: BinaryIO) -> object:
    return nifti.clean(Source("a.nii", data=stream.read()), out)


def _saved(form: str) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "Quuxberg", 6
    Image.fromarray(GREY).save(out, form, exif=exif)
    return out.getvalue()


def _pages() -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, GREY, photometric="minisblack", description="Quuxberg", rowsperstrip=5)
    return out.getvalue()


CASES: dict[str, tuple[Callable[[BinaryIO, BinaryIO], object], bytes]] = {
    "nifti": (_nifti, nib.Nifti1Image(np.stack([GREY] * 2), np.eye(4)).to_bytes()),
    "png": (png.clean, _saved("PNG")),
    "jpeg": (jpeg.clean, _saved("JPEG")),
    "tiff": (tiff.clean, _pages()),
}


@pytest.mark.parametrize("name", CASES)
@given(damage=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4), cut=st.integers(0, 800))
def test_damaged_bytes_are_refused_by_name_or_cleaned(name: str, damage: list[tuple[int, int]], cut: int) -> None:
    clean, data = CASES[name]
    bad = bytearray(data)
    for place, value in damage:
        bad[place % len(bad)] = value
    try:
        clean(io.BytesIO(bytes(bad[: len(bad) - cut % len(bad)])), out := io.BytesIO())
    except ItemError as error:
        assert error.code != "unexpected"
    else:
        assert len(out.getvalue()) <= len(bad) + 1000


@pytest.mark.parametrize("name", CASES)
def test_cleaning_what_is_clean_changes_nothing(name: str) -> None:
    clean, data = CASES[name]
    once, twice = io.BytesIO(), io.BytesIO()
    clean(io.BytesIO(data), once)
    clean(io.BytesIO(once.getvalue()), twice)
    assert once.getvalue() == twice.getvalue()
    assert b"Quuxberg" not in once.getvalue()


def test_pieces_are_whole_or_named_as_missing() -> None:
    out = io.BytesIO()
    copied(io.BytesIO(b"abcdef"), out, 4)
    assert (out.getvalue(), exactly(io.BytesIO(b"abc"), 2)) == (b"abcd", b"ab")
    with pytest.raises(ItemError, match="expected 7 bytes of pixels, found 6"):
        copied(io.BytesIO(b"abcdef"), out, 7)
    with pytest.raises(ItemError, match="header"):
        exactly(io.BytesIO(b"a"), 2)


def test_a_disk_that_fails_is_told() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "path of a patient")

    for name, (clean, _) in CASES.items():
        if name != "nifti":  # it reads through the door of the readers, which has a test of its own
            with pytest.raises(ItemError) as caught:
                clean(Broken(b"abc"), io.BytesIO())
            assert "patient" not in str(caught.value)
