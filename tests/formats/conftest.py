"""Rows as the lake would hold them, straight from files, and small DICOM files written for a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.formats import Source, load_image, scan_file
from radlake.formats.series import Built, build

ReadRows = Callable[[Path], list[Row]]
WriteDicom = Callable[..., Path]
LoadImages = Callable[[Sequence[Row]], list[tuple[Row, Image]]]


def rows_in(path: Path) -> list[Row]:
    """Rows of `instances` for a file; raw identifiers stand in for pseudonyms."""
    rows = []
    for header in scan_file(Source(str(path))):
        who = header.identity
        rows.append(
            header.values
            | {
                "uri": str(path),
                "member_name": header.member_name,
                "file_id": f"fi-{path.name}",
                "member": header.member,
                "format": header.format,
                "role": header.role,
                "instance_id": who.instance_uid,
                "series_id": who.series_uid or "series unknown",
                "referenced_series_id": who.referenced_series_uid,
                "rois": header.rois,
            }
        )
    return rows


def members_of(built: Built, image: Row, rows: Sequence[Row]) -> list[Row]:
    """Members of an image as the engine joins them: instance rows with ordinal and frames."""
    by_place = {(r["file_id"], r["member"]): r for r in rows}
    return [
        by_place[f["file_id"], f["member"]] | {"ordinal": f["ordinal"], "frames": f["frames"]}
        for f in built.file_images
        if f["image_id"] == image["image_id"]
    ]


@pytest.fixture
def read_rows() -> ReadRows:
    """Function from a file to its rows of `instances`."""
    return rows_in


@pytest.fixture
def load_images() -> LoadImages:
    """Function from the rows of one series to its images, each with its row of `images`."""

    def load(rows: Sequence[Row]) -> list[tuple[Row, Image]]:
        built = build(rows)
        return [(image, load_image(members_of(built, image, rows), image)) for image in built.images]

    return load


@pytest.fixture
def write_dicom(tmp_path: Path) -> WriteDicom:
    """Function that writes an array as an uncompressed DICOM file; keyword arguments become attributes.

    An attribute that is None is left out. `name` is the file's name, `colour` says that the last axis holds RGB,
    `prepare` is a function on the dataset before it is written, such as one that compresses.
    """

    def write(
        array: np.ndarray,
        *,
        name: str = "image.dcm",
        colour: bool = False,
        prepare: Callable[[Any], object] | None = None,
        **attributes: Any,
    ) -> Path:
        from pydicom.dataset import FileDataset, FileMetaDataset
        from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = CTImageStorage
        ds = FileDataset(name, {}, file_meta=meta, preamble=b"\0" * 128)
        bits = 8 * array.dtype.itemsize
        values = {
            "SOPClassUID": CTImageStorage,
            "SOPInstanceUID": generate_uid(entropy_srcs=[name]),
            "SeriesInstanceUID": generate_uid(entropy_srcs=["series"]),
            "StudyInstanceUID": generate_uid(entropy_srcs=["study"]),
            "FrameOfReferenceUID": generate_uid(entropy_srcs=["frame of reference"]),
            "PatientID": "1",
            "PatientName": "Test^",
            "Modality": "CT",
            "InstanceNumber": 1,
            "Rows": array.shape[-3 if colour else -2],
            "Columns": array.shape[-2 if colour else -1],
            "SamplesPerPixel": 3 if colour else 1,
            "PlanarConfiguration": 0 if colour else None,
            "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
            "NumberOfFrames": array.shape[0] if array.ndim == (4 if colour else 3) else None,
            "BitsAllocated": bits,
            "BitsStored": bits,
            "HighBit": attributes.get("BitsStored", bits) - 1,
            "PixelRepresentation": int(array.dtype.kind == "i"),
            "PixelSpacing": [1.0, 1.0],
            "ImagePositionPatient": [0.0, 0.0, 0.0],
            "ImageOrientationPatient": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            "PixelData": array.tobytes(),
        } | attributes
        for keyword, value in values.items():
            if value is not None:
                setattr(ds, keyword, value)
        if "PixelData" in ds:
            ds["PixelData"].VR = "OW" if bits > 8 else "OB"
        meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        if prepare is not None:
            prepare(ds)
        path = tmp_path / name
        ds.save_as(path, enforce_file_format=True)
        return path

    return write
