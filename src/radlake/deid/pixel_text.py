"""Whether the pixels of an image can carry readable text about a person, judged from its header alone.

"clean": this kind of object cannot; "unsure": it normally does not, but some do; "unchecked": it may, and nobody has
looked. Only clean (or redacted) pixels are shown or released.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from radlake.core.image import BoolArray
from radlake.core.stage import Row
from radlake.formats.dicom.dataset import integer_of, value_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

State = Literal["clean", "unsure", "unchecked"]

_CT_MR_PET_NM = "1.2.840.10008.5.1.4.1.1."
# PS3.4 B.5: objects that a scanner reconstructs. Colour and secondary-capture classes are not among them.
_RECONSTRUCTED = frozenset(
    _CT_MR_PET_NM + tail
    for tail in (
        "2", "2.1", "2.2",  # CT, enhanced, legacy converted
        "4", "4.1", "4.4",  # MR, enhanced, legacy converted
        "128", "128.1", "130",  # PET, legacy converted, enhanced
        "20",  # nuclear medicine
    )
)  # fmt: skip
_COMPUTED = frozenset(_CT_MR_PET_NM + tail for tail in ("30", "66.4", "66.7", "481.2"))  # maps, SEG, dose: no writing
_VOLUME_FORMATS = frozenset({"nifti", "nrrd", "metaimage", "npy", "npz"})
_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
_READABLE_PIXELS = 32  # a readable letter takes five by seven pixels: in 32 columns no name fits a second time
_LEAST_BITS = 9  # CT and MR in eight bits are as a rule captures of a screen
_EDGES = ("MinX0", "MinY0", "MaxX1", "MaxY1")
_CAPTURED = frozenset({"SCREEN SAVE", "CSA 3D EDITOR", "DOSE_INFO", "RENDERED", "CT_SOM5 PROT"})


def state(row: Row) -> State:
    """What the pixels of one member can show, from its row of `instances`.

    Examples
    --------
    >>> state({"format": "dicom", "sop_class": "1.2.840.10008.5.1.4.1.1.2", "photometric": "MONOCHROME2"})
    'clean'
    >>> state({"format": "dicom", "modality": "US"}), state({"format": "nifti", "slices": 40})
    ('unchecked', 'clean')
    """
    if row.get("burned_in") == "YES":
        return "unchecked"
    if row.get("format") == "dicom":
        return _dicom_state(row)
    grey = (row.get("samples") or 1) == 1
    small = 0 < max(row.get("rows") or 0, row.get("columns") or 0) <= _READABLE_PIXELS
    if row.get("format") in _VOLUME_FORMATS and grey and ((row.get("slices") or 1) > 1 or small):
        return "clean"
    return "unchecked"


def is_computed(row: Row) -> bool:
    """Whether an object holds computed maps (segmentations, dose), on which nobody writes."""
    return row.get("sop_class") in _COMPUTED


def margin(dataset: Dataset, shape: tuple[int, int]) -> BoolArray | None:
    """Pixels outside all regions of an ultrasound picture, where machines print names; None where no region is stated.

    Parameters
    ----------
    dataset : pydicom.Dataset
    shape : (rows, columns)

    References
    ----------
    PS3.3 C.8.5.5.1.1: a region's corners are columns and rows from 0, both inside it.

    Examples
    --------
    >>> from pydicom.dataset import Dataset
    >>> region, picture = Dataset(), Dataset()
    >>> region.RegionLocationMinX0, region.RegionLocationMinY0 = 1, 1
    >>> region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 2, 1
    >>> picture.SequenceOfUltrasoundRegions = [region]
    >>> margin(picture, (2, 3)).astype(int).tolist()
    [[1, 1, 1], [1, 0, 0]]
    """
    regions = value_of(dataset, "SequenceOfUltrasoundRegions")
    outside = np.ones(shape, bool)
    for region in regions if isinstance(regions, Sequence) else ():
        left, top, right, bottom = (integer_of(region, f"RegionLocation{edge}") for edge in _EDGES)
        if left is None or top is None or right is None or bottom is None or min(left, top) < 0:
            return None
        outside[top : bottom + 1, left : right + 1] = False
    return None if outside.all() or not outside.any() else outside


def row_of(dataset: Dataset) -> Row:
    """What `state` and `formats.dicom.frames` ask of a DICOM object, as in its row of `instances`."""
    kind = value_of(dataset, "ImageType")
    return {
        "format": "dicom",
        "sop_class": str(value_of(dataset, "SOPClassUID") or ""),
        "photometric": str(value_of(dataset, "PhotometricInterpretation") or ""),
        "image_type": "\\".join(map(str, kind)) if isinstance(kind, Sequence) and not isinstance(kind, str) else kind,
        "rows": integer_of(dataset, "Rows"),
        "columns": integer_of(dataset, "Columns"),
        "samples": integer_of(dataset, "SamplesPerPixel"),
        "bits_allocated": integer_of(dataset, "BitsAllocated"),
        "bits_stored": integer_of(dataset, "BitsStored"),
        "pixel_signed": integer_of(dataset, "PixelRepresentation") == 1,
        "burned_in": str(value_of(dataset, "BurnedInAnnotation") or ""),
    }


def _dicom_state(row: Row) -> State:
    """By SOP class, then by signs that an object of a clean class is a capture of a screen."""
    if row.get("sop_class") in _COMPUTED:
        return "clean"
    if row.get("sop_class") not in _RECONSTRUCTED or row.get("photometric") not in _GREY:
        return "unchecked"
    kind = set((row.get("image_type") or "").split("\\"))
    if kind & _CAPTURED:
        return "unchecked"
    if "SECONDARY" in kind or (row.get("bits_stored") or 16) < _LEAST_BITS:
        return "unsure"
    return "clean"
