from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import dcmread

from radlake import deid
from radlake.core.fault import ItemError
from radlake.deid import pixels
from radlake.deid.dataset_file import open_object, write_object
from radlake.deid.stored_pixels import ENCODERS, JPEG_LS_LOSSLESS, blank, blanked

KEY = b"k" * 32
FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
BOX = (3, 5, 11, 21)
# One of each: native little, big and implicit, several frames, RLE, JPEG-LS, JPEG 2000, colours by plane and by pixel.
KEPT = [
    "CT_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "rtdose.dcm", "MR_small_RLE.dcm",
    "MR_small_jpeg_ls_lossless.dcm", "SC_rgb_rle_2frame.dcm", "examples_rgb_color.dcm", "image_dfl.dcm",
    "MR_small_jp2klossless.dcm",
]  # fmt: skip


def rewrite(source: Path, dest: Path) -> None:
    """A cleaned copy with one box blanked in every frame."""
    with open_object(source) as found:
        clean, _ = deid.deidentify(found.dataset, key=KEY)
        done = blanked(pixels.frames_in(found), [BOX], clean)
        write_object(clean, dest, found, done.parts)
        assert clean.file_meta.TransferSyntaxUID == done.syntax


@pytest.mark.parametrize("name", KEPT)
def test_only_the_box_changes_and_the_syntax_stays(name: str, tmp_path: Path, quiet: None) -> None:
    rewrite(FOLDER / name, tmp_path / "out.dcm")
    before, after = dcmread(FOLDER / name), dcmread(tmp_path / "out.dcm")
    assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    old, new = before.pixel_array.copy(), after.pixel_array.copy()
    top, left, bottom, right = BOX
    axes = (Ellipsis, slice(top, bottom), slice(left, right))
    box = axes if before.SamplesPerPixel == 1 else (*axes, slice(None))
    darkest = 0 if before.SamplesPerPixel == 3 else None
    frames = old.reshape(-1, *old.shape[-2:]) if darkest is None else [old]
    assert all(np.isin(new[box], [darkest] if darkest is not None else [f.min() for f in frames]).ravel())
    old[box] = new[box] = 0
    np.testing.assert_array_equal(new, old)


def test_a_lossy_jpeg_is_decoded_once_and_kept_without_loss(tmp_path: Path, quiet: None) -> None:
    source = FOLDER / "SC_rgb_jpeg_gdcm.dcm"
    rewrite(source, tmp_path / "out.dcm")
    after = dcmread(tmp_path / "out.dcm")
    assert after.file_meta.TransferSyntaxUID == JPEG_LS_LOSSLESS
    assert (after.PhotometricInterpretation, after.PlanarConfiguration) == ("RGB", 0)
    from radlake.formats.dicom.decode import stored_frame

    with open_object(source) as found:
        expected = blank(stored_frame(pixels.frames_in(found), 0), [BOX], "RGB")
    with open_object(tmp_path / "out.dcm") as found:
        np.testing.assert_array_equal(stored_frame(pixels.frames_in(found), 0), expected)


@pytest.mark.parametrize("syntax", sorted(ENCODERS))
@pytest.mark.parametrize("kind", ["u1", "u2", "i2"])
def test_every_encoder_is_without_loss(syntax: str, kind: str) -> None:
    from radlake.deid.stored_pixels import _encoded
    from radlake.formats.dicom.frames import Layout

    bits = 8 * np.dtype(kind).itemsize
    info = np.iinfo(kind)
    samples = np.random.default_rng(0).integers(info.min, info.max, (17, 23), kind, endpoint=True)
    layout = Layout(17, 23, allocated=bits, stored=bits, high_bit=bits - 1, signed=kind == "i2")
    coded = _encoded(samples, syntax, layout)  # compares with what decoding gives
    assert len(coded) % 2 == 0


def test_subsampled_colours_are_blanked_in_whole_pairs() -> None:
    from radlake.deid.stored_pixels import _blank_native
    from radlake.formats.dicom.frames import Layout

    layout = Layout(2, 4, samples=3, allocated=8, stored=8, high_bit=7, photometric="YBR_FULL_422")
    before = bytes(range(100, 116))
    after = _blank_native(before, [(0, 1, 1, 2)], layout)
    assert after[:4] == bytes((0, 0, 128, 128))
    assert after[4:] == before[4:]


def test_black_is_the_darkest_value_of_the_frame() -> None:
    plane = np.array([[3, 9], [5, 7]])
    assert blank(plane, [(0, 0, 1, 2)], "MONOCHROME1").tolist() == [[9, 9], [5, 7]]
    assert blank(plane, [(0, 0, 1, 2)], "MONOCHROME2").tolist() == [[3, 3], [5, 7]]
    assert plane.tolist() == [[3, 9], [5, 7]]


def test_samples_of_one_bit_are_refused(tmp_path: Path, quiet: None) -> None:
    with pytest.raises(ItemError) as caught:
        rewrite(FOLDER / "liver_1frame.dcm", tmp_path / "out.dcm")
    assert caught.value.code == "unsupported_format"
    assert not (tmp_path / "out.dcm").exists()


def test_the_element_has_the_length_it_states(tmp_path: Path) -> None:
    rewrite(FOLDER / "CT_small.dcm", tmp_path / "out.dcm")
    data = (tmp_path / "out.dcm").read_bytes()
    place = data.index(b"\xe0\x7f\x10\x00OW")
    assert struct.unpack_from("<L", data, place + 8)[0] == len(data) - place - 12
