"""Every transfer syntax against pydicom's own decoders, and damaged codestreams against time and memory."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom import data, dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from radlake.core.fault import ItemError
from radlake.core.stage import Row
from radlake.formats.dicom.decode import jpeg_2000_header, jpeg_header, stored_frame
from radlake.formats.dicom.elements import silent_pydicom
from radlake.formats.dicom.frames import open_frames

ReadRows = Callable[[Path], list[Row]]
WriteDicom = Callable[..., Path]
SYNTAX = "1.2.840.10008.1.2."
WHEEL = Path(data.__file__).parent / "test_files"


def _decodable() -> list[str]:
    """Names of the files in pydicom's wheel whose pixels pydicom can decode."""
    found = []
    with silent_pydicom():
        for path in sorted(WHEEL.glob("*.dcm")):
            try:
                ds = dcmread(path)
                ds.pixel_array  # noqa: B018 - does it decode?
            except Exception:  # noqa: BLE001 - whatever pydicom cannot decode is no oracle
                continue
            found.append(path.name)
    return found


@pytest.mark.parametrize("name", _decodable())
def test_stored_frames_equal_pydicom(name: str, read_rows: ReadRows) -> None:
    path = WHEEL / name
    with silent_pydicom():
        ds = dcmread(path)
        theirs = ds.pixel_array
    row = read_rows(path)[0]
    with open_frames(row) as frames:
        ours = np.stack([stored_frame(frames, i) for i in range(frames.count)])
    # pydicom rounds the colour matrix and libjpeg the upsampling: one grey level
    tolerance = 1 if ds.PhotometricInterpretation.startswith("YBR_FULL") else 0
    assert np.abs(ours.reshape(theirs.shape).astype(float) - theirs).max() <= tolerance


def test_nine_lossless_syntaxes_hold_the_same_slice(shared: Path, read_rows: ReadRows) -> None:
    folder = shared / "dicom" / "transfer_syntaxes" / "ct_same_image"
    lossless = ("1.2", "1.2.1", "1.2.2", "1.2.1.99", "1.2.5", "1.2.4.57", "1.2.4.70", "1.2.4.80", "1.2.4.90")
    slices = []
    for syntax in lossless:
        (path,) = folder.glob(f"*_1.2.840.10008.{syntax}.dcm")
        with open_frames(read_rows(path)[0]) as frames:
            slices.append(stored_frame(frames, 0))
    assert all((s == slices[0]).all() and s.dtype == np.int16 for s in slices)


@pytest.mark.parametrize(("syntax", "most"), [("4.81", 1), ("4.91", 5), ("4.51", 36), ("4.53", 36), ("4.55", 36)])
def test_lossy_syntaxes_stay_close_to_the_lossless_slice(
    shared: Path, read_rows: ReadRows, load_images: Callable[..., list], syntax: str, most: int
) -> None:
    folder = shared / "dicom" / "transfer_syntaxes" / "ct_same_image"
    values = []
    for each in ("1.2.1", f"1.2.{syntax}"):
        (path,) = folder.glob(f"*_1.2.840.10008.{each}.dcm")
        values.append(load_images(read_rows(path))[0][1].array.astype(float))
    assert np.abs(values[1] - values[0]).max() <= most  # JPEG with 12 bits at the quality that dcmtk chose: 36 HU


@pytest.fixture
def ramp() -> np.ndarray:
    return (np.arange(48 * 40).reshape(48, 40) * 2 % 4096).astype(np.uint16)


def _compressed(ds: Dataset, coded: bytes, syntax: str) -> None:
    """Replace the pixels by one coded frame."""
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate([coded])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        (SYNTAX + "4.80", imagecodecs.jpegls_encode),
        (SYNTAX + "4.90", imagecodecs.jpeg2k_encode),
        (SYNTAX + "4.110", lambda a: imagecodecs.jpegxl_encode(a, lossless=True)),
        (SYNTAX + "8.1", lambda a: imagecodecs.zlib_encode(a.tobytes())[2:-4]),
        (SYNTAX + "1.98", lambda a: a.tobytes()),
    ],
)
def test_what_was_encoded_comes_back(
    write_dicom: WriteDicom, read_rows: ReadRows, ramp: np.ndarray, syntax: str, encode: Callable[[np.ndarray], bytes]
) -> None:
    # pydicom does not write the newest syntaxes, so the file says JPEG 2000 and the syntax is replaced.
    path = write_dicom(ramp, prepare=lambda ds: _compressed(ds, bytes(encode(ramp)), SYNTAX + "4.90"))
    with open_frames(read_rows(path)[0]) as frames:
        assert (stored_frame(replace(frames, syntax=syntax), 0) == ramp).all()


@pytest.mark.parametrize("sign", [False, True])
def test_the_sign_comes_from_the_header_where_the_codec_knows_none(
    write_dicom: WriteDicom, read_rows: ReadRows, *, sign: bool
) -> None:
    values = np.array([[-2000, 5], [0, 2047]], np.int16)
    coded = imagecodecs.jpegls_encode(values.view(np.uint16) & 0xFFFF)
    path = write_dicom(
        values, PixelRepresentation=int(sign), prepare=lambda ds: _compressed(ds, coded, SYNTAX + "4.80")
    )
    with open_frames(read_rows(path)[0]) as frames:
        assert stored_frame(frames, 0).tolist() == (values if sign else values.view(np.uint16)).tolist()


def test_bits_that_are_not_in_use_are_cleared(write_dicom: WriteDicom, read_rows: ReadRows) -> None:
    overlay_above = np.array([[0xF123, 0x8001]], np.uint16)
    path = write_dicom(overlay_above, BitsStored=12)
    with open_frames(read_rows(path)[0]) as frames:
        assert stored_frame(frames, 0).tolist() == [[0x123, 0x001]]


def test_samples_below_the_highest_bit_are_shifted_down(write_dicom: WriteDicom, read_rows: ReadRows) -> None:
    path = write_dicom(np.array([[0x1230, 0xFFF0]], np.uint16), BitsStored=12, HighBit=15)
    with open_frames(read_rows(path)[0]) as frames:
        assert stored_frame(frames, 0).tolist() == [[0x123, 0xFFF]]


def test_an_unregistered_syntax_is_not_quoted(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    path = write_dicom(ramp, prepare=lambda ds: _compressed(ds, b"x", "1.3.6.1.4.1.999.7"))
    row = {"uri": str(path), "rows": 48, "columns": 40, "bits_allocated": 16, "bits_stored": 16}
    with open_frames(row) as frames, pytest.raises(ItemError) as error:
        stored_frame(frames, 0)
    assert str(error.value) == "transfer syntax (private) has no decoder here"


def test_video_is_named_as_unsupported(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    path = write_dicom(ramp, prepare=lambda ds: _compressed(ds, b"x", SYNTAX + "4.100"))
    row = {"uri": str(path), "rows": 48, "columns": 40, "bits_allocated": 16, "bits_stored": 16}
    with open_frames(row) as frames, pytest.raises(ItemError, match="MPEG2"):
        stored_frame(frames, 0)


@pytest.mark.parametrize(
    ("syntax", "encode"), [("4.80", imagecodecs.jpegls_encode), ("4.90", imagecodecs.jpeg2k_encode)]
)
def test_a_picture_of_another_size_is_refused_before_decoding(
    write_dicom: WriteDicom, read_rows: ReadRows, ramp: np.ndarray, syntax: str, encode: Callable[..., bytes]
) -> None:
    large = encode(np.zeros((4000, 4000), np.uint16))
    path = write_dicom(ramp, prepare=lambda ds: _compressed(ds, large, SYNTAX + syntax))
    with open_frames(read_rows(path)[0]) as frames, pytest.raises(ItemError, match="size of the compressed picture"):
        stored_frame(frames, 0)


def test_a_huge_frame_from_a_few_bytes_is_a_bomb(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    path = write_dicom(ramp, Rows=65535, Columns=65535, prepare=lambda ds: _compressed(ds, b"\0" * 64, SYNTAX + "5"))
    row = {"uri": str(path), "rows": 65535, "columns": 65535, "bits_allocated": 16, "bits_stored": 16}
    with open_frames(row) as frames, pytest.raises(ItemError) as error:
        stored_frame(frames, 0)
    assert error.value.code == "bomb"


@pytest.mark.parametrize(
    "name", ["MR_small_RLE.dcm", "examples_jpeg2k.dcm", "SC_rgb_jpeg_lossy_gdcm.dcm", "JPEG-lossy.dcm"]
)
def test_damaged_codestreams_raise_nothing_but_faults(name: str, read_rows: ReadRows, tmp_path: Path) -> None:
    whole = bytearray((WHEEL / name).read_bytes())
    row = read_rows(WHEEL / name)[0]
    rng = np.random.default_rng(1)
    path = tmp_path / "damaged.dcm"
    for _ in range(25):
        damaged = whole.copy()
        for at in rng.integers(len(whole) // 2, len(whole), size=20):
            damaged[at] = int(rng.integers(256))
        path.write_bytes(damaged[: int(rng.integers(len(whole) // 2, len(whole)))])
        try:
            with open_frames(row | {"uri": str(path)}) as frames:
                stored_frame(frames, 0)
        except ItemError:
            pass


def test_jpeg_header_reads_size_and_colour_space() -> None:
    coded = imagecodecs.jpeg8_encode(np.zeros((8, 16, 3), np.uint8))
    head = jpeg_header(coded)
    assert (head.rows, head.columns, head.samples, head.precision, head.ybr) == (8, 16, 3, 8, True)


@pytest.mark.parametrize("coded", [b"", b"\xff\xd8", b"\xff\xd8\xff\xc0\x00\x04\x08", b"\x00" * 50])
def test_a_codestream_without_a_frame_header_is_undecodable(coded: bytes) -> None:
    with pytest.raises(ItemError, match="could not be decoded"):
        jpeg_header(coded)
    with pytest.raises(ItemError, match="could not be decoded"):
        jpeg_2000_header(coded)


@pytest.mark.parametrize("header", [(99, 64), (1, 10_000_000), (2, 64, 32), (1, 3), (15, *[64] * 15)])
def test_damaged_rle_headers_are_faults(write_dicom: WriteDicom, read_rows: ReadRows, header: tuple[int, ...]) -> None:
    coded = struct.pack("<16I", *header, *[0] * (16 - len(header))) + b"\xf1\x07" * 9
    path = write_dicom(np.zeros((8, 9), np.uint8), prepare=lambda ds: _compressed(ds, coded, SYNTAX + "5"))
    with open_frames(read_rows(path)[0]) as frames, pytest.raises(ItemError):
        stored_frame(frames, 0)
