"""Where frames lie: offset tables, fragments, bits, and what happens when bytes are missing."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import JPEG2000Lossless

from radlake.core.fault import ItemError
from radlake.core.stage import Row
from radlake.formats.dicom.frames import Layout, open_frames

ReadRows = Callable[[Path], list[Row]]
WriteDicom = Callable[..., Path]
CODESTREAMS = [b"\xff\x4f" + bytes([n]) * (10 + 2 * n) + b"\xff\xd9" for n in range(3)]


def _row(path: Path, **changes: object) -> Row:
    """The least that opening needs to know."""
    return {"uri": str(path), "rows": 2, "columns": 3, "bits_allocated": 8, "bits_stored": 8} | changes


def _encapsulated(ds: Dataset, value: bytes) -> None:
    """Put encapsulated pixel data into a dataset."""
    ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
    ds.PixelData = value
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True


@pytest.fixture
def three_frames() -> np.ndarray:
    return np.arange(18, dtype=np.uint8).reshape(3, 2, 3)


def test_native_frames_follow_each_other(write_dicom: WriteDicom, three_frames: np.ndarray) -> None:
    with open_frames(_row(write_dicom(three_frames))) as frames:
        assert [frames.coded(i) for i in range(frames.count)] == [f.tobytes() for f in three_frames]


@pytest.mark.parametrize("bot", [True, False])
@pytest.mark.parametrize("fragments", [1, 2])
def test_fragments_are_dealt_out_to_their_frames(
    write_dicom: WriteDicom, three_frames: np.ndarray, *, bot: bool, fragments: int
) -> None:
    value = encapsulate(CODESTREAMS, fragments_per_frame=fragments, has_bot=bot)
    path = write_dicom(three_frames, prepare=lambda ds: _encapsulated(ds, value))
    with open_frames(_row(path)) as frames:
        assert [frames.coded(i).rstrip(b"\0") for i in range(3)] == CODESTREAMS


def test_an_extended_offset_table_is_used(write_dicom: WriteDicom, three_frames: np.ndarray) -> None:
    value, offsets, lengths = encapsulate_extended(CODESTREAMS)

    def prepare(ds: Dataset) -> None:
        _encapsulated(ds, value)
        ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = offsets, lengths

    with open_frames(_row(write_dicom(three_frames, prepare=prepare))) as frames:
        assert frames.coded(2).rstrip(b"\0") == CODESTREAMS[2]


def test_a_missing_frame_is_counted(write_dicom: WriteDicom, three_frames: np.ndarray) -> None:
    value = encapsulate(CODESTREAMS[:1])
    path = write_dicom(three_frames, prepare=lambda ds: _encapsulated(ds, value))
    with open_frames(_row(path)) as frames, pytest.raises(ItemError, match="expected 3 frames, found 1"):
        frames.coded(2)


def test_a_short_native_file_names_both_sizes(write_dicom: WriteDicom, three_frames: np.ndarray) -> None:
    path = write_dicom(three_frames)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ItemError, match="expected 18 bytes of pixels, found 13"), open_frames(_row(path)):
        pass


def test_a_fragment_that_ends_with_the_file_is_truncated(write_dicom: WriteDicom, three_frames: np.ndarray) -> None:
    path = write_dicom(three_frames[0], prepare=lambda ds: _encapsulated(ds, encapsulate([bytes(100)])))
    path.write_bytes(path.read_bytes()[:-40])
    with open_frames(_row(path)) as frames, pytest.raises(ItemError) as error:
        frames.coded(0)
    assert error.value.code == "truncated_pixels"


def test_a_file_without_pixels_is_a_fault(write_dicom: WriteDicom, three_frames: np.ndarray) -> None:
    path = write_dicom(three_frames, PixelData=None)
    with pytest.raises(ItemError, match="has none"), open_frames(_row(path)):
        pass


def test_a_length_beyond_the_file_takes_no_memory(write_dicom: WriteDicom, three_frames: np.ndarray) -> None:
    path = write_dicom(three_frames, NumberOfFrames=2_000_000_000)
    with pytest.raises(ItemError, match="expected 12000000000 bytes"), open_frames(_row(path)):
        pass


def test_frames_of_bits_may_begin_inside_a_byte(write_dicom: WriteDicom) -> None:
    bits = np.arange(3 * 2 * 3) % 3 == 0
    packed = np.packbits(bits, bitorder="little").tobytes() + b"\0"
    path = write_dicom(np.zeros((3, 2, 3), np.uint8), PixelData=packed, BitsAllocated=1, BitsStored=1)
    with open_frames(_row(path, bits_allocated=1, bits_stored=1)) as frames:
        assert [s[0].length for s in frames.spans] == [1, 2, 2]


@pytest.mark.parametrize("changes", [{"rows": 0}, {"columns": None}, {"bits_allocated": 7}])
def test_an_impossible_layout_is_refused(
    write_dicom: WriteDicom, three_frames: np.ndarray, changes: dict[str, int | None]
) -> None:
    with pytest.raises(ItemError), open_frames(_row(write_dicom(three_frames), **changes)):
        pass


def test_garbage_is_an_unreadable_header_or_has_no_pixels(tmp_path: Path) -> None:
    path = tmp_path / "garbage.dcm"
    for seed in range(40):
        path.write_bytes(b"\0" * 128 + b"DICM" + np.random.default_rng(seed).bytes(300))
        with pytest.raises(ItemError) as error, open_frames(_row(path)):
            pass
        assert error.value.code in {"unreadable_header", "no_pixels"}


def test_layout_counts_subsampled_colour_as_two_samples() -> None:
    assert Layout(4, 6, samples=3, allocated=8, photometric="YBR_FULL_422").frame_bytes == 48


def test_undefined_item_lengths_end_the_walk(write_dicom: WriteDicom, three_frames: np.ndarray) -> None:
    value = encapsulate(CODESTREAMS[:1]) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    path = write_dicom(three_frames[0], prepare=lambda ds: _encapsulated(ds, value))
    with open_frames(_row(path)) as frames:
        assert len(frames.spans) == 1
