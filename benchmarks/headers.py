"""Reading 36 header values a file: the partial reader against pydicom, in process CPU time.

Makes copies of real CT headers in a temporary folder, each with UIDs and positions of its own, checks that both readers
give the same values, then reads all of them in turns and prints the ratio of the medians.

    python benchmarks/headers.py [--files 300] [--rounds 7] [CT_FILE ...]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
from pydicom.data import get_testdata_file

from radlake.formats.dicom.elements import silent_pydicom
from radlake.formats.dicom.header import scan
from radlake.formats.dicom.reader import read
from radlake.formats.source import Source

TEXTS = tuple(
    """
    SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID StudyDate SeriesDate
    AcquisitionDate StudyTime Modality Manufacturer PatientID PatientSex PatientAge BodyPartExamined
    PhotometricInterpretation
    """.split()  # noqa: SIM905 - as in the standard's own lists
)
NUMBERS = tuple(
    """
    SliceThickness KVP SeriesNumber InstanceNumber AcquisitionNumber SamplesPerPixel NumberOfFrames Rows Columns
    BitsAllocated BitsStored PixelRepresentation WindowCenter WindowWidth RescaleIntercept RescaleSlope
    GantryDetectorTilt
    """.split()  # noqa: SIM905 - as in the standard's own lists
)
VECTORS = ("PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient")
ALL = TEXTS + NUMBERS + VECTORS
Read = Callable[[str], Any]


def by_pydicom(path: str) -> list[Any]:
    """36 values by pydicom."""
    ds = pydicom.dcmread(path, stop_before_pixels=True)
    return [ds.get(keyword) for keyword in ALL]


def by_radlake(path: str) -> list[Any]:
    """The same 36 values by the partial reader."""
    elements = read(Source(path)).elements
    return [
        *[elements.text(keyword) for keyword in TEXTS],
        *[elements.number(keyword) for keyword in NUMBERS],
        *[elements.numbers(keyword) for keyword in VECTORS],
    ]


def header_by_radlake(path: str) -> Any:
    """The whole header of the lake: some 60 columns, identity, known names."""
    return scan(Source(path))


def copies(original: Path, folder: Path, count: int) -> list[str]:
    """Copies with instance UIDs and positions of their own."""
    ds = pydicom.dcmread(original)
    paths = []
    for number in range(count):
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.2.1143.{number}"
        ds.InstanceNumber = number
        if "ImagePositionPatient" in ds:
            ds.ImagePositionPatient[2] = float(number)
        paths.append(str(folder / f"{number:05d}.dcm"))
        ds.save_as(paths[-1])
    return paths


def plain(value: Any) -> Any:
    """A value of either reader in the same Python type."""
    if value in (None, "", []):
        return None
    if isinstance(value, (list, pydicom.multival.MultiValue)):
        return [float(v) for v in value]
    return float(value) if isinstance(value, (int, float)) else str(value).strip()


def check(paths: list[str]) -> None:
    """Refuse to compare readers that disagree."""
    for path in paths[:50]:
        theirs, ours = ([plain(v) for v in reader(path)] for reader in (by_pydicom, by_radlake))
        theirs = [
            v[0] if isinstance(v, list) and not isinstance(o, list) else v for v, o in zip(theirs, ours, strict=True)
        ]
        if theirs != ours:
            raise SystemExit("the readers disagree")


def measure(readers: list[Read], paths: list[str], rounds: int) -> list[float]:
    """Median CPU time in microseconds a file for each reader, taking turns."""
    times: list[list[float]] = [[] for _ in readers]
    for _ in range(rounds):
        for number, reader in enumerate(readers):
            started = time.process_time()
            for path in paths:
                reader(path)
            times[number].append((time.process_time() - started) / len(paths) * 1e6)
    return [statistics.median(series) for series in times]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("originals", nargs="*", type=Path, default=[])
    arguments = parser.parse_args()
    own = [Path(str(get_testdata_file(name))) for name in ("CT_small.dcm", "693_J2KI.dcm")]
    print("file                     elements  pydicom us  radlake us  ratio  whole header us  ratio")
    for original in arguments.originals or own:
        with tempfile.TemporaryDirectory() as folder, silent_pydicom():
            paths = copies(original, Path(folder), arguments.files)
            check(paths)
            theirs, ours, whole = measure([by_pydicom, by_radlake, header_by_radlake], paths, arguments.rounds)
            count = len(pydicom.dcmread(original, stop_before_pixels=True))
        numbers = f"{theirs:11.0f} {ours:11.0f} {theirs / ours:6.1f} {whole:16.0f} {theirs / whole:6.1f}"
        print(f"{original.name[:24]:24} {count:8} {numbers}")


if __name__ == "__main__":
    main()
