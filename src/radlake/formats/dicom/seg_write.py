"""A mask as a DICOM Segmentation object that refers to the slices it was made from (PS3.3 A.51), by highdicom.

The object repeats the patient and study of its source, as the standard wants: it is as identifying as the source is,
and no more. Nothing else of the source's text goes into it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.core.image import Image
from radlake.core.stage import Row

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# DICOM PS3.16 CID 7162: families of algorithms, by the family or method of ours
_FAMILIES = {
    "edges": ("123103", "Edge Detection"),
    "morphology": ("123104", "Morphological Operations"),
    "mask": ("123104", "Morphological Operations"),
    "otsu": ("123105", "Histogram Analysis"),
    "foreground": ("123105", "Histogram Analysis"),
    "li": ("123105", "Histogram Analysis"),
    "triangle": ("123105", "Histogram Analysis"),
    "multi_otsu": ("123105", "Histogram Analysis"),
    "k_means": ("123107", "Cluster Analysis"),
    "gaussian_mixture": ("123107", "Cluster Analysis"),
    "chan_vese": ("123111", "Deformable Models"),
    "geodesic": ("123111", "Deformable Models"),
}
_OTHER = ("123101", "Neighborhood Analysis")
# PS3.3 C.7.1.1 and C.7.2.1, Type 2, which cleaning often takes out altogether
_MAY_BE_EMPTY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_SERIES_NUMBER = 300  # of masks: far from those that scanners give
_ROOT = "2.25."  # PS3.5 B.2: a UID from 128 bits, here of a hash, so that equal masks get equal UIDs


class CannotSegment(UsageError):  # noqa: N818 - names the problem
    """The mask cannot become a Segmentation object; the message says why and what to write instead."""


def seg_bytes(mask: Image, source: Image, members: Sequence[Row], *, step: str, version: str) -> bytes:
    """The bytes of a DICOM file that holds a mask, or the classes of a label image, as segments.

    Parameters
    ----------
    mask : Image
        Bool, or labels from 1, on the grid of the source.
    source : Image
        What the mask was made from.
    members : sequence of Row
        Its slices, as `radlake.formats.read.members_of` gives them.
    step : str
        How it was made, such as "segment.otsu": names the segments and the algorithm.
    version : str
        Of the program.

    Raises
    ------
    CannotSegment
        When the source is not DICOM, the mask lies on another grid or is empty, the slices are of a kind that
        Segmentation objects cannot refer to, or highdicom is not installed.
    """
    _check(mask, source, members)
    try:
        import highdicom
    except ImportError:
        raise CannotSegment("DICOM Segmentation needs highdicom: pip install 'radlake[seg]'") from None
    headers = [_header(str(row["uri"])) for row in members]
    labels = (mask.array if source.geometry.ndim == 3 else mask.array[None]).astype(np.uint16)
    numbers = [int(n) for n in np.unique(labels) if n > 0]
    planes = np.stack([labels == n for n in numbers], axis=-1)
    name = step.replace(".", " ")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote the patient's name
            segmentation = highdicom.seg.Segmentation(
                source_images=headers,
                pixel_array=planes,
                segmentation_type="BINARY",
                segment_descriptions=[_segment(highdicom, number, numbers, step, version) for number in numbers],
                series_instance_uid=_uid(headers, planes, f"series {step}"),
                series_number=_SERIES_NUMBER,
                sop_instance_uid=_uid(headers, planes, step),
                instance_number=1,
                manufacturer="radlake",
                manufacturer_model_name="radlake",
                software_versions=version,
                device_serial_number="0",
                content_label="SEGMENTATION",
                content_description=name,
                series_description=name,
            )
    except (AttributeError, TypeError, ValueError, KeyError):  # their words may quote the header
        raise CannotSegment(
            "these slices lack what a Segmentation must repeat (SOP class, patient, study, place); write .nii.gz"
        ) from None
    held = io.BytesIO()
    segmentation.save_as(held)
    return held.getvalue()


def _check(mask: Image, source: Image, members: Sequence[Row]) -> None:
    """Refuse what has no slices to refer to."""
    if any(row["format"] != "dicom" or row.get("member_name") for row in members):
        raise CannotSegment("a DICOM Segmentation refers to DICOM files, and IN is none; write .nii.gz")
    if mask.array.dtype.kind not in "bui" or mask.kind != "label":
        raise CannotSegment("a DICOM Segmentation holds masks, and this is an image; write .nii.gz")
    if mask.geometry != source.geometry or mask.array.shape != source.array.shape:
        raise CannotSegment("the mask no longer lies on the slices of IN; write .nii.gz")
    if source.geometry.ndim == 3 and len(members) not in (1, len(source.array)):
        raise CannotSegment("the volume is not one slice a file; write .nii.gz")
    if len(members) == 1 and source.geometry.ndim == 3 and _out_of_order(members[0], len(source.array)):
        raise CannotSegment("the frames of IN were sorted anew; write .nii.gz")
    if not mask.array.any():
        raise CannotSegment("the mask is empty: a Segmentation needs a voxel")


def _out_of_order(member: Row, planes: int) -> bool:
    """Whether the planes of a volume are not the frames of its file in their order."""
    return list(member.get("frames") or range(planes)) != list(range(planes))


def _header(uri: str) -> Dataset:
    """A source without its pixels, which are not needed; what must be there but may be empty is."""
    from pydicom import dcmread

    header = dcmread(Path(uri), stop_before_pixels=True)
    for keyword in _MAY_BE_EMPTY:
        if keyword not in header:
            setattr(header, keyword, None)
    return header


def _segment(highdicom: Any, number: int, numbers: Sequence[int], step: str, version: str) -> Any:
    """What the segment of a label is and how it was made."""
    from pydicom.sr.coding import Code

    family, method = step.split(".")
    value, meaning = _FAMILIES.get(method, _FAMILIES.get(family, _OTHER))
    tissue = Code("85756007", "SCT", "Tissue")
    return highdicom.seg.SegmentDescription(
        segment_number=numbers.index(number) + 1,
        segment_label=method if len(numbers) == 1 else f"{method} {number}",
        segmented_property_category=tissue,
        segmented_property_type=tissue,
        algorithm_type="AUTOMATIC",
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name=step, version=version, family=Code(value, "DCM", meaning)
        ),
    )


def _uid(headers: Sequence[Dataset], planes: NDArray[np.bool_], step: str) -> str:
    """A UID that follows from the slices, the mask and how it was made."""
    digest = sha256(step.encode())
    for header in headers:
        digest.update(str(header.SOPInstanceUID).encode())
    digest.update(np.packbits(planes).tobytes())
    return _ROOT + str(int.from_bytes(digest.digest()[:16], "big"))
