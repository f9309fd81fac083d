"""Opening files for their content: deflated ones are bounded, damaged values are null."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from radlake.core.fault import ItemError
from radlake.formats.dicom.dataset import float_of, integer_of, items_of, open_dataset, value_of

WriteDicom = Callable[..., Path]
DEFLATED = str(DeflatedExplicitVRLittleEndian)


def _deflated(ds: Dataset) -> None:
    """Have the dataset written deflated."""
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian


def test_a_deflated_dataset_is_inflated_up_to_its_pixels(write_dicom: WriteDicom) -> None:
    path = write_dicom(np.arange(6, dtype=np.uint8).reshape(2, 3), prepare=_deflated)
    with open_dataset({"uri": str(path), "transfer_syntax": DEFLATED, "pixel_bytes": 6}) as (stream, ds):
        assert (ds.Rows, ds.Columns, ds.original_encoding) == (2, 3, (False, True))
        assert stream.read(4) == b"\xe0\x7f\x10\x00"


def test_a_deflate_bomb_stops_at_its_limit(write_dicom: WriteDicom) -> None:
    path = write_dicom(np.zeros((2, 3), np.uint8), prepare=_deflated)
    whole = path.read_bytes()
    end_of_meta = whole.index(DEFLATED.encode()) + len(DEFLATED)
    deflate = zlib.compressobj(9, wbits=-15)
    bomb = deflate.compress(bytes(70 << 20)) + deflate.flush()
    start = next(i for i in range(end_of_meta, end_of_meta + 400) if _inflates(whole[i:]))
    path.write_bytes(whole[:start] + bomb)
    with (
        pytest.raises(ItemError) as error,
        open_dataset({"uri": str(path), "transfer_syntax": DEFLATED, "pixel_bytes": 6}),
    ):
        pass
    assert error.value.code == "bomb"


def _inflates(data: bytes) -> bool:
    """Whether raw deflate data begins here and holds a DICOM element."""
    try:
        return zlib.decompressobj(-15).decompress(data, 2) == b"\x08\x00"
    except zlib.error:
        return False


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ItemError, match="could not be opened"), open_dataset({"uri": str(tmp_path / "none.dcm")}):
        pass


def test_values_that_are_absent_or_empty_are_none() -> None:
    ds = Dataset()
    ds.RescaleSlope = None
    assert value_of(ds, "RescaleSlope") is None
    assert float_of(ds, "RescaleSlope") is None
    assert integer_of(ds, "Rows") is None
    assert items_of(ds, "SegmentSequence") == []


def test_values_of_the_wrong_kind_are_none() -> None:
    ds = Dataset()
    ds.StudyDescription = "twelve"
    assert integer_of(ds, "StudyDescription") is None
    assert items_of(ds, "StudyDescription") == []


def test_items_of_a_sequence_are_listed() -> None:
    ds = Dataset()
    ds.SegmentSequence = [Dataset(), Dataset()]
    assert len(items_of(ds, "SegmentSequence")) == 2
