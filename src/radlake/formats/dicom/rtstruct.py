"""DICOM RT Structure Sets to masks on the grid of an image (PS3.3 A.19 and C.8.8.5, C.8.8.6)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import BoolArray, Geometry, Image
from radlake.core.stage import Row
from radlake.formats.dicom.dataset import integer_of, items_of, open_dataset, value_of
from radlake.formats.labelmap import spatial_shape
from radlake.formats.outlines import rasterise
from radlake.formats.source import MIB

_MEMORY_BYTES = 2 << 30
_CLOSED = {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}  # PS3.3 C.8.8.6.3: both enclose an area; XOR marks holes

Contours = list[NDArray[np.float64]]


def load_regions(member: Row, image: Image, *, memory_bytes: int = _MEMORY_BYTES) -> list[tuple[str, BoolArray]]:
    """Structures of an RTSTRUCT as masks on the image's grid; points, open lines and empty structures are left out.

    A voxel belongs to a structure when its centre lies inside (`radlake.formats.outlines.rasterise`); outlines within
    outlines are holes.

    Parameters
    ----------
    member : Row
        Row of `instances` with `uri`, and `rois`: cleaned names in the order of the Structure Set ROI Sequence.
    image : Image
        Gives the grid; time and colour axes are left out.
    memory_bytes : int
        Most that the masks may take together.

    Returns
    -------
    list of (str, bool array)
        Name and mask, in the order of the Structure Set ROI Sequence.

    Raises
    ------
    ItemError
        ``unsupported_structure`` when nothing is a closed planar outline, ``empty_mask`` when no outline encloses a
        voxel of the image, ``misaligned_mask``, ``too_large``, ``unreadable_header``.
    """
    structures = _structures(member)
    if not structures:
        raise ItemError("unsupported_structure", what=Term("points or open lines"))
    geometry, shape = _grid(image)
    needed = len(structures) * math.prod(shape)
    if needed > memory_bytes:
        raise ItemError("too_large", needed_mib=-(-needed // MIB), limit_mib=memory_bytes // MIB)
    masks = [(name, rasterise(contours, geometry, shape)) for name, contours in structures]
    found = [(name, mask.reshape(spatial_shape(image))) for name, mask in masks if mask.any()]
    if not found:
        raise ItemError("empty_mask")
    return found


def _grid(image: Image) -> tuple[Geometry, tuple[int, int, int]]:
    """Geometry and shape with three axes; a single plane gets its normal as z axis and counts 1 mm thick."""
    shape, geometry = spatial_shape(image), image.geometry
    if not geometry.calibrated:
        raise ItemError("misaligned_mask", what=Term("the image has no physical spacing"))
    if len(shape) == 3:
        return geometry, (shape[0], shape[1], shape[2])
    down, right = geometry.direction
    nx, ny, nz = (float(v) for v in np.cross(right, down))
    thick = Geometry((1.0, *geometry.spacing), geometry.origin, ((nx, ny, nz), down, right))
    return thick, (1, shape[0], shape[1])


def _structures(member: Row) -> list[tuple[str, Contours]]:
    """Name and closed outlines of each structure that has any."""
    rois = member.get("rois") or []
    with open_dataset(member) as (_, dataset):
        by_number: dict[int | None, Contours] = {}
        for item in items_of(dataset, "ROIContourSequence"):
            by_number.setdefault(integer_of(item, "ReferencedROINumber"), []).extend(_closed(item))
        numbers = [integer_of(item, "ROINumber") for item in items_of(dataset, "StructureSetROISequence")]
    names = [rois[i] if i < len(rois) and rois[i] else f"structure_{i + 1}" for i in range(len(numbers))]
    return [(name, by_number[n]) for name, n in zip(names, numbers, strict=True) if by_number.get(n)]


def _closed(structure: Any) -> Contours:
    """Closed planar outlines of one structure, each (N, 3) LPS millimetres with N >= 3."""
    found = []
    for contour in items_of(structure, "ContourSequence"):
        if value_of(contour, "ContourGeometricType") in _CLOSED:
            points = _points(contour)
            if len(points) >= 3:
                found.append(points)
    return found


def _points(contour: Any) -> NDArray[np.float64]:
    """Vertices of an outline, from the undecoded value: converting each number by itself is 20 times slower."""
    try:
        raw = contour.get_item("ContourData").value
        parts: Sequence[Any] = raw.split(b"\\") if isinstance(raw, bytes) else raw
        return np.array(parts).astype(np.float64).reshape(-1, 3)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ItemError("contradictory_header", what=Term("the coordinates of an outline")) from None
