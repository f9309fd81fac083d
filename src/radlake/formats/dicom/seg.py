"""DICOM Segmentation objects to masks on the grid of an image (PS3.3 A.51 and C.8.20).

Binary, fractional and label-map segmentations, sparse ones (empty frames left out) and overlapping segments. Frames
are placed by their positions in space, never by their number.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import BoolArray, Geometry, Image
from radlake.core.stage import Row
from radlake.formats.dicom.dataset import integer_of, items_of, value_of
from radlake.formats.dicom.decode import stored_frame
from radlake.formats.dicom.frames import Frames, open_frames
from radlake.formats.labelmap import regions, spatial_shape
from radlake.formats.source import MIB
from radlake.formats.stacks import normal_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_MEMORY_BYTES = 2 << 30
_MAX_FRACTION = 255
_ON_GRID = 0.1  # of a sample: a frame that lies this close to the image's samples is copied, not resampled
_MAX_PLANES = 10_000
_NO_PLACE = Term("a segmentation without positions")

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Frame:
    """Where a frame lies and which segment it shows; a label map's frames show all (None)."""

    index: int
    segment: int | None
    position: Floats | None
    orientation: Floats | None
    spacing: Floats | None


def load_regions(member: Row, image: Image, *, memory_bytes: int = _MEMORY_BYTES) -> list[tuple[str, BoolArray]]:
    """Segments of a SEG object as masks on the image's grid; those that mark nothing there are left out.

    Fractional values count from half of their maximum. Frames that lie on the image's samples are copied; others are
    sampled at the nearest neighbour.

    Parameters
    ----------
    member : Row
        Row of `instances` with `uri`, and `rois`: cleaned names in the order of the Segment Sequence.
    image : Image
        Gives the grid; time and colour axes are left out.
    memory_bytes : int
        Most that the masks may take together.

    Returns
    -------
    list of (str, bool array)
        Name and mask, in the order of the Segment Sequence.

    Raises
    ------
    ItemError
        ``empty_mask``, ``misaligned_mask``, ``unsupported_structure``, ``too_large``, or as opening the pixels.
    """
    with open_frames(member) as frames:
        dataset = frames.dataset
        numbers = [integer_of(item, "SegmentNumber") or 0 for item in items_of(dataset, "SegmentSequence")]
        names = _names(member.get("rois") or [], len(numbers))
        needed = max(1, len(numbers)) * math.prod(spatial_shape(image))
        if needed > memory_bytes:
            raise ItemError("too_large", needed_mib=-(-needed // MIB), limit_mib=memory_bytes // MIB)
        placed = _placed(dataset, frames.count)
        offsets = _offsets(placed, frames, image)
        if offsets is None:
            masks = _resampled(frames, placed, image, numbers, memory_bytes=memory_bytes)
        else:
            masks = _copied(frames, placed, offsets, image, numbers)
    found = [(name, masks[n]) for name, n in zip(names, numbers, strict=True) if n in masks and masks[n].any()]
    if not found:
        raise ItemError("misaligned_mask", what=Term("no segment marks a voxel of the image"))
    return found


def _names(rois: Sequence[str], count: int) -> list[str]:
    """A name for each segment."""
    return [rois[i] if i < len(rois) and rois[i] else f"segment_{i + 1}" for i in range(count)]


def _placed(dataset: Dataset, count: int) -> list[_Frame]:
    """Frames from the functional groups; what a frame does not say itself it shares (PS3.3 C.7.6.16)."""
    shared = next(iter(items_of(dataset, "SharedFunctionalGroupsSequence")), None)
    own = items_of(dataset, "PerFrameFunctionalGroupsSequence")
    labelled = value_of(dataset, "SegmentationType") == "LABELMAP"
    found = []
    for index in range(min(count, max(len(own), 1))):
        groups = [g for g in (own[index] if index < len(own) else None, shared) if g is not None]
        segment = _macro(groups, "SegmentIdentificationSequence", "ReferencedSegmentNumber")
        found.append(
            _Frame(
                index,
                None if labelled else int(segment[0]) if segment is not None else 1,
                _sized(_macro(groups, "PlanePositionSequence", "ImagePositionPatient"), 3),
                _sized(_macro(groups, "PlaneOrientationSequence", "ImageOrientationPatient"), 6),
                _sized(_macro(groups, "PixelMeasuresSequence", "PixelSpacing"), 2),
            )
        )
    return found


def _macro(groups: Sequence[Any], sequence: str, keyword: str) -> Floats | None:
    """Numbers of an attribute in a functional group, the frame's own before the shared one."""
    for group in groups:
        for item in items_of(group, sequence):
            value = value_of(item, keyword)
            if value is not None:
                return np.atleast_1d(np.asarray(value, dtype=np.float64))
    return None


def _sized(values: Floats | None, count: int) -> Floats | None:
    """The values when there are exactly `count` finite ones."""
    return values if values is not None and values.size == count and np.isfinite(values).all() else None


def _matrix(geometry: Geometry) -> Floats:
    """(4, 4) matrix from (z, y, x, 1) to LPS millimetres; a plane gets its normal as z axis, 1 mm thick."""
    if geometry.ndim == 3:
        return geometry.affine
    down, right = (np.asarray(d) for d in geometry.direction)
    return np.column_stack([np.append(np.cross(right, down), 0.0), geometry.affine])


def _offsets(placed: Sequence[_Frame], frames: Frames, image: Image) -> NDArray[np.int64] | None:
    """(frames, 3) index (z, y, x) of each frame's first sample on the image; None where a frame lies between samples.

    Frames without a place in space fit only an image of one plane and equal size.
    """
    shape = spatial_shape(image)
    if any(f.position is None or f.orientation is None or f.spacing is None for f in placed):
        if value_of(frames.dataset, "TotalPixelMatrixRows") is not None:
            raise ItemError("unsupported_structure", what=Term("a tiled whole-slide segmentation"))
        if image.time_axis is not None or shape != (frames.layout.rows, frames.layout.columns):
            raise ItemError("unsupported_structure", what=_NO_PLACE)
        return np.zeros((len(placed), 3), dtype=np.int64)
    to_index = np.linalg.inv(_matrix(image.geometry))
    found = np.empty((len(placed), 3))
    last = np.array([frames.layout.rows - 1, frames.layout.columns - 1])
    for row, frame in enumerate(placed):
        corners = to_index @ np.column_stack([_plane_matrix(frame) @ [0, 0, 1], _plane_matrix(frame) @ [*last, 1]])
        found[row] = corners[:3, 0]
        whole = np.rint(corners[:3])
        if np.abs(corners[:3] - whole).max() > _ON_GRID or (whole[:, 1] - whole[:, 0] != [0, *last]).any():
            return None
    return np.rint(found).astype(np.int64)


def _plane_matrix(frame: _Frame) -> Floats:
    """(4, 3) matrix from (row, column, 1) to LPS millimetres (PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1)."""
    if frame.position is None or frame.orientation is None or frame.spacing is None:
        raise ItemError("unsupported_structure", what=_NO_PLACE)
    matrix = np.zeros((4, 3))
    matrix[:3, 0] = frame.orientation[3:] * frame.spacing[0]
    matrix[:3, 1] = frame.orientation[:3] * frame.spacing[1]
    matrix[:3, 2] = frame.position
    matrix[3, 2] = 1.0
    return matrix


def _shown(frames: Frames, frame: _Frame, numbers: Sequence[int]) -> list[tuple[int, BoolArray]]:
    """(segment number, mask) of what a frame shows."""
    stored = stored_frame(frames, frame.index)
    if frame.segment is None:
        present = set(np.unique(stored).tolist())
        return [(n, stored == n) for n in numbers if n in present]
    if value_of(frames.dataset, "SegmentationType") == "FRACTIONAL":
        most = integer_of(frames.dataset, "MaximumFractionalValue") or _MAX_FRACTION
        return [(frame.segment, 2 * stored.astype(np.int32) >= most)]
    return [(frame.segment, stored != 0)]


def _copied(
    frames: Frames, placed: Sequence[_Frame], offsets: NDArray[np.int64], image: Image, numbers: Sequence[int]
) -> dict[int, BoolArray]:
    """Masks by segment number from frames that lie on the image's samples; parts outside the image are cut off."""
    shape = spatial_shape(image)
    depth, height, width = shape if len(shape) == 3 else (1, *shape)
    masks: dict[int, BoolArray] = {}
    for frame, (z, y, x) in zip(placed, offsets.tolist(), strict=True):
        if not 0 <= z < depth:
            continue
        for number, shown in _shown(frames, frame, numbers):
            mask = masks.setdefault(number, np.zeros((depth, height, width), dtype=bool))
            target = mask[z, max(0, y) : y + shown.shape[0], max(0, x) : x + shown.shape[1]]
            top, left = max(0, -y), max(0, -x)
            target |= shown[top : top + target.shape[0], left : left + target.shape[1]]
    return {number: mask.reshape(shape) for number, mask in masks.items()}


def _resampled(
    frames: Frames, placed: Sequence[_Frame], image: Image, numbers: Sequence[int], *, memory_bytes: int
) -> dict[int, BoolArray]:
    """Masks by segment number from frames on a grid of their own, at the nearest neighbour."""
    geometry, planes = _own_grid(placed, frames.dataset)
    shape = (int(planes.max()) + 1, frames.layout.rows, frames.layout.columns)
    if math.prod(shape) > memory_bytes:
        raise ItemError("too_large", needed_mib=math.prod(shape) // MIB, limit_mib=memory_bytes // MIB)
    by_segment: dict[int, list[int]] = defaultdict(list)
    for row, frame in enumerate(placed):
        for number in numbers if frame.segment is None else [frame.segment]:
            by_segment[number].append(row)
    masks: dict[int, BoolArray] = {}
    for number, rows in by_segment.items():
        volume = np.zeros(shape, dtype=np.uint8)
        for row in rows:
            for shown_number, shown in _shown(frames, placed[row], numbers):
                if shown_number == number:
                    volume[planes[row]] |= shown
        if volume.any():
            masks[number] = regions(Image(volume, geometry, "label", "label"), image, memory_bytes=memory_bytes)[0][1]
    return masks


def _own_grid(placed: Sequence[_Frame], dataset: Dataset) -> tuple[Geometry, NDArray[np.int64]]:
    """Even grid that all frames lie on, and the plane number of each; sparse objects leave planes empty."""
    first = placed[0]
    matrix, normal = _plane_matrix(first), normal_of(np.asarray(first.orientation))
    if any(np.abs(np.asarray(f.orientation) - np.asarray(first.orientation)).max() > 1e-3 for f in placed):
        raise ItemError("misaligned_mask", what=Term("its frames have several orientations"))
    depth = np.array([np.asarray(f.position) @ normal for f in placed])
    steps = np.diff(np.unique(np.round(depth, 3)))
    shared = items_of(dataset, "SharedFunctionalGroupsSequence")
    stated = _macro(shared, "PixelMeasuresSequence", "SpacingBetweenSlices")
    thickness = _macro(shared, "PixelMeasuresSequence", "SliceThickness")  # frames of a SEG tile space without gaps
    step = float(
        stated[0]
        if stated is not None
        else steps.min()
        if steps.size
        else thickness[0]
        if thickness is not None
        else 1.0
    )
    planes = np.rint((depth - depth.min()) / step).astype(np.int64)
    if planes.max() > _MAX_PLANES:
        raise ItemError("misaligned_mask", what=Term("its frames are too far apart"))
    origin = np.asarray(placed[int(depth.argmin())].position)
    axes = (normal, np.asarray(first.orientation)[3:], np.asarray(first.orientation)[:3])
    spacing = (step, float(np.linalg.norm(matrix[:3, 0])), float(np.linalg.norm(matrix[:3, 1])))
    direction = tuple((float(a[0]), float(a[1]), float(a[2])) for a in axes)
    return Geometry(spacing, (float(origin[0]), float(origin[1]), float(origin[2])), direction), planes
