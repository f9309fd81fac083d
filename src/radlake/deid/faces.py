"""Whether a face could be rebuilt from an image: heads on CT and MR whose voxels are small enough.

A flag, made from what is known beside the pixels. `deface` removes faces.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from radlake.core.image import Image
from radlake.deid.ledger import Faces
from radlake.formats.dicom.dataset import float_of, integer_of, value_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_MODALITIES = frozenset({"CT", "MR"})
# Schwarz et al. (2019), NEJM 381:1684: 83% of faces were recognised from research MR of about 1 mm. Clinical slices of
# 5 mm still show the profile, so the bounds lie on the safe side.
_FINEST_PLANE_MM, _THICKEST_SLICE_MM = 2.0, 5.0
_HEAD_FIELD_MM = (150.0, 350.0)  # fields of view in which a head fits, where nothing says what was examined
_HEAD = re.compile(
    r"head|brain|skull|face|facial|orbit|sinus|neuro|cereb|mprage|mp2rage|stroke|iac|pituitary|temporal|jaw|"
    r"mandible|maxilla|dental|nasal|nose|eye|ear\b|hnc|cranio|schaedel|schädel|hirn|kopf|tete|tête|cabeza|crane|crâne",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"whole\s?body|wholebody", re.IGNORECASE)
_TELLS = ("BodyPartExamined", "StudyDescription", "SeriesDescription", "ProtocolName", "SequenceName")


def faces(dataset: Dataset) -> Faces:
    """Whether a face could be rebuilt from the object, or from the series it belongs to.

    Where nothing says which part of the body was examined, the field of view decides: a head may be in it.

    Parameters
    ----------
    dataset : pydicom.Dataset
        A raw one: its descriptions are looked at.

    Returns
    -------
    {"none", "recognizable"}

    Examples
    --------
    >>> from pydicom.dataset import Dataset
    >>> head = Dataset()
    >>> head.Modality, head.BodyPartExamined, head.PixelSpacing, head.SliceThickness = "MR", "BRAIN", [1, 1], 1
    >>> faces(head)
    'recognizable'
    """
    if str(value_of(dataset, "Modality") or "") not in _MODALITIES or not _is_fine(dataset):
        return "none"
    if "LOCALIZER" in str(value_of(dataset, "ImageType") or ""):
        return "none"
    told = " ".join(str(value_of(dataset, name) or "") for name in _TELLS)
    if _HEAD.search(told) or _WHOLE.search(told):
        return "recognizable"
    return "none" if value_of(dataset, "BodyPartExamined") or not _fits_a_head(dataset) else "recognizable"


def in_volume(image: Image, body_part: str | None) -> Faces:
    """Whether a face could be rebuilt from a volume.

    Parameters
    ----------
    image : Image
    body_part : str, optional
        What was examined; without, the field of view decides.

    Examples
    --------
    >>> import numpy as np
    >>> from radlake.core.image import Geometry
    >>> in_volume(Image(np.zeros((160, 256, 256)), Geometry((1.0, 1.0, 1.0)), kind="mr"), None)
    'recognizable'
    """
    spacing, sizes = image.geometry.spacing, image.array.shape
    if image.kind not in {"ct", "mr"} or image.array.ndim != 3 or not image.geometry.calibrated:
        return "none"
    if max(spacing) > _THICKEST_SLICE_MM or sorted(spacing)[1] > _FINEST_PLANE_MM:
        return "none"
    if body_part:
        return "recognizable" if _HEAD.search(body_part) or _WHOLE.search(body_part) else "none"
    field = max(step * count for step, count in zip(spacing, sizes, strict=True))
    return "recognizable" if _HEAD_FIELD_MM[0] <= field <= _HEAD_FIELD_MM[1] else "none"


def _is_fine(dataset: Dataset) -> bool:
    """Whether voxels are small enough; True where their size is unknown."""
    thickness = float_of(dataset, "SpacingBetweenSlices") or float_of(dataset, "SliceThickness")
    spacing = _spacing(dataset)
    thin = thickness is None or abs(thickness) <= _THICKEST_SLICE_MM
    return thin and (spacing is None or max(spacing) <= _FINEST_PLANE_MM)


def _fits_a_head(dataset: Dataset) -> bool:
    """Whether the field of view has the size of a head; True where it is unknown."""
    spacing, rows, columns = _spacing(dataset), integer_of(dataset, "Rows"), integer_of(dataset, "Columns")
    if spacing is None or not rows or not columns:
        return True
    low, high = _HEAD_FIELD_MM
    return low <= max(rows * spacing[0], columns * spacing[1]) <= high


def _spacing(dataset: Dataset) -> tuple[float, float] | None:
    """Distances of rows and of columns in millimetres; None where they are not stated."""
    value = value_of(dataset, "PixelSpacing")
    try:
        return float(value[0]), float(value[1])
    except (TypeError, ValueError, IndexError):
        return None
