"""A head of ellipsoids, in millimetres as an adult's: skull with brain, face with nose and chin, ears, neck."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.pixels.utils import compress, set_pixel_data
from pydicom.uid import EnhancedMRImageStorage, generate_uid

from radlake.core.image import Geometry, Image

HEIGHT, DEPTH, WIDTH = 260.0, 250.0, 200.0
_TOP, _FRONT, _MIDDLE = 20.0, 125.0, 100.0  # of the head below the top, middle of the skull behind the front, middle


class Head(NamedTuple):
    """A volume with axes up, back, left, and what belongs to what."""

    image: Image
    brain: np.ndarray
    nose: np.ndarray
    ears: np.ndarray


def head(step: Sequence[float] = (2.0, 2.0, 2.0), *, nod: float = 0.0, hu: bool = False, seed: int = 0) -> Head:
    """A head in air with noise; it nods by degrees, above 0 with the chin up."""
    counts = [int(extent / s) for extent, s in zip((HEIGHT, DEPTH, WIDTH), step, strict=True)]
    up, back, left = np.meshgrid(*[np.arange(n) * s for n, s in zip(counts, step, strict=True)], indexing="ij")
    down, turn = HEIGHT - up - _TOP, np.deg2rad(nod)
    below, behind, aside = down - 100, back - _FRONT, left - _MIDDLE  # from the middle of the skull
    below, behind = (
        below * np.cos(turn) - behind * np.sin(turn),
        below * np.sin(turn) + behind * np.cos(turn),
    )

    def ball(at: Sequence[float], radii: Sequence[float]) -> np.ndarray:
        place = zip((below, behind, aside), at, radii, strict=True)
        return np.asarray(sum(((x - c) / r) ** 2 for x, c, r in place) <= 1)

    skull, brain = ball((-10, 0, 0), (90, 95, 76)), ball((-14, 4, 0), (72, 80, 64)) & (below < 20)
    nose, chin = ball((46, -92, 0), (22, 22, 14)), ball((116, -74, 0), (18, 22, 24))
    ears = (ball((40, 12, 80), (30, 8, 18)) | ball((40, 12, -80), (30, 8, 18))) & (np.abs(aside) > 70)
    neck = (np.hypot(behind - 20, aside) < 55) & (below > 40)
    face = ball((55, -20, 0), (85, 72, 62))
    tissue = skull | nose | chin | ears | neck | face
    values = np.where(brain, 600, np.where(tissue, 400, 0)) + np.random.default_rng(seed).normal(0, 10, tissue.shape)
    values = np.where(brain, 35, np.where(tissue, 60, -1000)) + values / 100 if hu else np.abs(values)
    geometry = Geometry(tuple(step), direction=((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)))
    kind, unit = ("ct", "HU") if hu else ("mr", "a.u.")
    return Head(
        Image(values.astype(np.int16), geometry, kind=kind, unit=unit), brain, nose & ~skull & ~face, ears & ~skull
    )


def write_slices(
    shown: Image, folder: Path, syntax: str = "", series: str = "1.2.826.0.1.3680043.8.498.7"
) -> list[Path]:
    """A head as axial slices of CT or MR, one file each, in an order that names do not tell; from bottom to top."""
    folder.mkdir(parents=True, exist_ok=True)
    dataset = dcmread(str(get_testdata_file("CT_small.dcm" if shown.unit == "HU" else "MR_small.dcm")))
    dataset.BodyPartExamined, dataset.SeriesInstanceUID = "HEAD", series
    step, *dataset.PixelSpacing = shown.geometry.spacing
    dataset.SliceThickness, dataset.ImageOrientationPatient = step, [1, 0, 0, 0, 1, 0]
    for gone in ("SpacingBetweenSlices", "SmallestImagePixelValue", "LargestImagePixelValue"):
        dataset.pop(gone, None)
    low = -1024 if shown.unit == "HU" else 0
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, low
    paths = []
    for number, plane in enumerate(shown.array):
        set_pixel_data(dataset, (plane - low).astype(np.uint16), "MONOCHROME2", 16, generate_instance_uid=False)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(
            entropy_srcs=[series, str(number)]
        )
        dataset.InstanceNumber, dataset.ImagePositionPatient = number + 1, [0, 0, number * step]
        if syntax:
            compress(dataset, syntax, generate_instance_uid=False)
        paths.append(folder / f"{number * 37 % 101:03}.dcm")
        dataset.save_as(paths[-1])
        if syntax:
            dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    return paths


def write_enhanced(shown: Image, path: Path) -> None:
    """A head as one enhanced MR object: its axial slices are frames, from top to bottom."""
    dataset = dcmread(str(get_testdata_file("MR_small.dcm")))
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    dataset.BodyPartExamined, dataset.NumberOfFrames = "HEAD", len(shown.array)
    step, *spacing = shown.geometry.spacing
    for gone in ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices", "ImagePositionPatient",
                 "ImageOrientationPatient", "SmallestImagePixelValue", "LargestImagePixelValue"):  # fmt: skip
        dataset.pop(gone, None)
    shared, measures, turned = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness, turned.ImageOrientationPatient = spacing, step, [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [turned]
    dataset.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for number in range(len(shown.array)):
        frame, place, content = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient, content.StackID = [0, 0, (len(shown.array) - 1 - number) * step], "1"
        content.InStackPositionNumber, content.DimensionIndexValues = number + 1, [1, number + 1]
        frame.PlanePositionSequence, frame.FrameContentSequence = [place], [content]
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = frames
    set_pixel_data(dataset, shown.array[::-1].astype(np.uint16), "MONOCHROME2", 16, generate_instance_uid=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path)
