"""Masks as DICOM Segmentation objects: equal to the bit when read, with no text but that of their source."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest

from radlake.core.image import Geometry, Image
from radlake.formats import load_regions, scan_file
from radlake.formats.dicom.seg_write import CannotSegment, seg_bytes
from radlake.formats.read import members_of, read_image, row_of
from radlake.formats.source import Source
from tests import archive

NAME = "Secret^Person"


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Five slices whose files are in no order."""
    folder = tmp_path / "系列 one"
    for place, number in enumerate((4, 1, 5, 2, 3)):
        archive.ct_slice(folder / f"{place}.dcm", number, identify=lambda d: setattr(d, "PatientName", NAME))
    return folder


def _written(series: Path, labels: np.ndarray, tmp_path: Path) -> tuple[Image, Path]:
    image, out = read_image(series), tmp_path / "mask.dcm"
    mask = Image(labels, image.geometry, kind="label", unit="label")
    out.write_bytes(seg_bytes(mask, image, members_of(series), step="segment.otsu", version="1.2"))
    return image, out


def test_a_mask_reads_back_to_the_bit(series: Path, tmp_path: Path) -> None:
    image = read_image(series)
    mask = image.array > 0
    mask[1] = False  # a slice without the object is left out of the file
    _, out = _written(series, mask, tmp_path)
    [(_, found)] = load_regions(row_of(scan_file(Source(str(out)))[0], str(out)), image)
    assert np.array_equal(found, mask)


def test_labels_become_segments(series: Path, tmp_path: Path) -> None:
    labels = np.zeros((5, 48, 48), np.uint8)
    labels[2, 5:9, 5:9], labels[3, 20:30, 20:22] = 1, 7
    image, out = _written(series, labels, tmp_path)
    found = load_regions(row_of(scan_file(Source(str(out)))[0], str(out)), image)
    assert [np.array_equal(mask, labels == n) for (_, mask), n in zip(found, (1, 7), strict=True)] == [True, True]
    header = pydicom.dcmread(out)
    assert [s.SegmentLabel for s in header.SegmentSequence] == ["otsu 1", "otsu 7"]


def test_the_object_names_its_slices_and_repeats_only_what_the_source_says(series: Path, tmp_path: Path) -> None:
    _, out = _written(series, np.ones((5, 48, 48), bool), tmp_path)
    header = pydicom.dcmread(out)
    sources = {pydicom.dcmread(p).SOPInstanceUID for p in series.iterdir()}
    assert {
        i.ReferencedSOPInstanceUID for i in header.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    } == sources
    assert (header.Modality, header.PatientName) == ("SEG", NAME)
    assert not header.get("ContentCreatorName")
    source = pydicom.dcmread(next(series.iterdir()))
    texts = {str(e.value) for e in header if e.VR in ("LO", "SH", "PN", "ST", "LT", "UT") and e.value}
    ours = {"radlake", "1.2", "0", "SEGMENTATION", "segment otsu"}
    assert texts - ours <= {str(e.value) for e in source}


def test_equal_masks_get_equal_uids_and_others_do_not(series: Path, tmp_path: Path) -> None:
    full, half = np.ones((5, 48, 48), bool), np.ones((5, 48, 48), bool)
    half[:, 24:] = False
    uids = [pydicom.dcmread(_written(series, m, tmp_path)[1]).SOPInstanceUID for m in (full, full, half)]
    assert uids[0] == uids[1] != uids[2]


def test_warnings_do_not_quote_the_patient(series: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        _written(series, np.ones((5, 48, 48), bool), tmp_path)
    assert not [w for w in seen if "Secret" in str(w.message)]


def test_what_has_no_slices_to_refer_to_is_refused(series: Path, tmp_path: Path) -> None:
    image, members = read_image(series), members_of(series)
    mask = Image(image.array > 0, image.geometry, kind="label", unit="label")
    moved = Image(mask.array, Geometry((9.0, 1.0, 1.0)), kind="label", unit="label")
    empty = Image(np.zeros_like(mask.array), image.geometry, kind="label", unit="label")
    png = [members[0] | {"format": "png"}]
    for what, where, words in (
        (image, members, "holds masks"),
        (moved, members, "no longer lies"),
        (empty, members, "is empty"),
        (mask, png, "refers to DICOM files"),
        (mask, members[:2], "one slice a file"),
    ):
        with pytest.raises(CannotSegment, match=words):
            seg_bytes(what, image, where, step="segment.otsu", version="1")


def test_a_source_that_lacks_its_class_is_refused_in_our_words(series: Path) -> None:
    image, members = read_image(series), members_of(series)
    for path in series.iterdir():
        header = pydicom.dcmread(path)
        del header.StudyInstanceUID
        header.save_as(path)
    mask = Image(image.array > 0, image.geometry, kind="label", unit="label")
    with pytest.raises(CannotSegment, match="must repeat") as problem:
        seg_bytes(mask, image, members, step="segment.otsu", version="1")
    assert "Secret" not in str(problem.value)
