"""Faces in series whose files say that none can be recognised: does a nose or a chin stand out in front of a head?

Nothing of the cleaner is used. Slices are put together here, the head is what is no air, and in each level the first
tissue in the middle is held against the first tissue at both sides: a forehead curves back by a few millimetres there,
a plane that was cut not at all, a nose or a chin by more than a centimetre.

Limits: the top of the head must be in the field, and the nose look along an axis of the scan, as far as 25 degrees.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from radlake.core.fault import ItemError
from radlake.deid.verify.dicom_parts import Opened, elements, texts

_CLAIM = "113102"  # PS3.16 CID 7050: Clean Recognizable Visual Features Option
_MODALITIES = frozenset({"CT", "MR"})
_FEWEST = 12  # slices in which a face can be seen
_PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
_GRID_MM = 2.0  # pixels are left out down to this
_SKIN_HU, _SKIN_SHARE = -300.0, 0.2  # between air and skin; on MR a share of what bright tissue has
_CROWN_CM2, _CUT_CM2 = 4.0, 25.0  # areas of the first level of a head, and of one whose top is missing
_SKULL_MM = (30.0, 110.0)  # below the top
_WIDTH_MM, _ADULT_MM = (85.0, 210.0), 150.0  # of heads
_FACE_MM = (55.0, 240.0)  # below the top: from the bridge of the nose of a bowed head to the chin of a raised one
_MIDDLE_MM, _SIDE_MM = 6.0, (22.0, 60.0)  # from the middle: where nose and chin are; where cheeks are
_STANDS_OUT_MM, _TALL_MM = 9.0, 12.0
_FACE_HALF_MM = 45.0  # from the middle to the side of a face; a level that is narrower is neck


class Volume(NamedTuple):
    """A volume seen from above, front and right.

    Parameters
    ----------
    array : (down, back, left) float array
        HU on CT, any unit on MR.
    spacing : floats
        Millimetres along the axes.
    modality : str
    """

    array: NDArray[np.float32]
    spacing: tuple[float, float, float]
    modality: str


def claims(file: Opened) -> str | None:
    """UID of the series of a slice that says of itself that no face can be recognised; None for any other file."""
    dataset = file.dataset
    if file.pixels is None or next(iter(texts(dataset, "Modality")), "").strip() not in _MODALITIES:
        return None
    said = next(iter(texts(dataset, "RecognizableVisualFeatures")), "").strip() == "NO" or any(
        tag == 0x00080100 and place.startswith("(0012,0064)") and _CLAIM in texts(owner, tag)
        for place, owner, tag, _ in elements(dataset)
    )
    return next(iter(texts(dataset, "SeriesInstanceUID")), None) if said else None


def shows_face(paths: Iterable[Path]) -> bool:
    """Whether a nose or a chin is seen in the slices of a series; False where they make no volume of a head.

    Raises
    ------
    ItemError
        ``unreadable_file`` when a slice that has a place in space cannot be read: it is not taken for clean.
    """
    try:
        planes = [plane for path in paths for plane in _planes(dcmread(path))]
    except Exception:  # noqa: BLE001 - pydicom documents no closed list of what odd files can raise
        raise ItemError("unreadable_file") from None
    return any(stands_out(volume) for volume in _volumes(planes))


def stands_out(volume: Volume) -> bool:
    """Whether something in the middle of the face stands out against what is beside it.

    Examples
    --------
    >>> stands_out(Volume(np.full((40, 40, 40), -1000, np.float32), (5.0, 5.0, 5.0), "CT"))
    False
    """
    tissue = _tissue(volume)
    down, back, left = volume.spacing
    areas = tissue.sum(axis=(1, 2)) * back * left / 100
    top = int(np.argmax(areas >= _CROWN_CM2))
    if areas.max(initial=0) < _CROWN_CM2 or areas[0] > _CUT_CM2:
        return False
    columns = np.flatnonzero(tissue[_levels(top, _SKULL_MM, down)].any(axis=(0, 1)))
    width = float(np.ptp(columns) * left) if columns.size else 0.0
    if not _WIDTH_MM[0] <= width <= _WIDTH_MM[1]:
        return False
    scale, middle = width / _ADULT_MM, float(columns[0] + columns[-1]) / 2
    levels = tissue[_levels(top, _FACE_MM, down / scale)]
    aside = np.asarray((np.arange(tissue.shape[2]) - middle) * left / scale)
    run = longest = 0
    for level in levels:
        run = run + 1 if _relief(level, aside) * back >= _STANDS_OUT_MM * scale else 0
        longest = max(longest, run)
    return longest * down >= _TALL_MM * scale


def _relief(level: NDArray[np.bool_], aside: NDArray[np.floating[Any]]) -> float:
    """Rows by which the middle of a level lies in front of both its sides; 0 where there is nothing to compare."""
    there: NDArray[np.bool_] = np.asarray(level.any(axis=0))
    front = np.where(there, level.argmax(axis=0), np.inf)
    sides = [front[(side >= _SIDE_MM[0]) & (side <= _SIDE_MM[1])].min(initial=np.inf) for side in (aside, -aside)]
    wide = all(there[side >= _FACE_HALF_MM].any() for side in (aside, -aside))
    nearest = float(np.median(front[np.abs(aside) <= _MIDDLE_MM]))
    return min(sides) - nearest if wide and np.isfinite([*sides, nearest]).all() else 0.0


def _tissue(volume: Volume) -> NDArray[np.bool_]:
    """The largest connected part that is no air."""
    from scipy import ndimage

    bright = float(np.percentile(volume.array, 98))
    threshold = _SKIN_HU if volume.modality == "CT" else _SKIN_SHARE * bright
    labels, count = ndimage.label(ndimage.binary_opening(volume.array > threshold))
    sizes = np.bincount(labels.reshape(-1), minlength=2)
    sizes[0] = 0
    found: NDArray[np.bool_] = (labels == sizes.argmax()) & (count > 0)
    return found


def _levels(top: int, below_mm: tuple[float, float], step: float) -> slice:
    """Levels that lie so far below the top."""
    return slice(top + round(below_mm[0] / step), top + round(below_mm[1] / step))


class _Plane(NamedTuple):
    """A slice in space: LPS millimetres of its first pixel, directions along a row and a column, spacing, samples."""

    position: NDArray[np.float64]
    across: NDArray[np.float64]
    spacing: tuple[float, float]
    samples: NDArray[np.float32]
    modality: str


def _volumes(planes: Iterable[_Plane]) -> Iterator[Volume]:
    """Slices of a series in space, each size and direction by itself, as a scout is no part of the volume."""
    alike: defaultdict[tuple[Any, ...], list[_Plane]] = defaultdict(list)
    for plane in planes:
        alike[plane.samples.shape, plane.spacing, *np.round(plane.across.reshape(-1), 2).tolist()].append(plane)
    for found in alike.values():
        if len(found) >= _FEWEST and (volume := _volume(found)) is not None:
            yield volume


def _volume(planes: list[_Plane]) -> Volume | None:
    """Parallel slices of one size in space; None where they lie in one place, or no axis is nearest to each of LPS."""
    across, (rows, columns) = planes[0].across, planes[0].spacing
    normal = np.cross(*across)
    placed = sorted(planes, key=lambda plane: float(normal @ plane.position))
    step = float(np.median(np.diff([float(normal @ plane.position) for plane in placed])))
    stack = np.stack([plane.samples for plane in placed])
    axes = np.array([normal, across[1], across[0]])
    wanted = np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]], float)  # LPS: down, back, left
    order = [int(np.abs(axes @ direction).argmax()) for direction in wanted]
    if len(set(order)) < 3 or step <= 0:
        return None
    flips = [
        slice(None, None, 1 if axes[axis] @ towards > 0 else -1) for axis, towards in zip(order, wanted, strict=True)
    ]
    z, y, x = ((step, rows, columns)[axis] for axis in order)
    return Volume(stack.transpose(order)[tuple(flips)], (z, y, x), planes[0].modality)


def _planes(dataset: Dataset) -> list[_Plane]:
    """Planes of an object of one frame, or of many (PS3.3 C.7.6.16), in steps of about two millimetres.

    None without a place in space: nothing can be rebuilt from such.
    """
    frames = [_groups(dataset, number) for number in range(int(dataset.get("NumberOfFrames") or 1))]
    if not all(_said(groups, name, None) is not None for groups in frames for name in _PLACE):
        return []
    samples = np.asarray(pixel_array(dataset), np.float32).reshape(-1, int(dataset.Rows), int(dataset.Columns))
    found = []
    for groups, frame in zip(frames, samples, strict=True):
        position, orientation, spacing = (np.array(_said(groups, name, None), float) for name in _PLACE)
        slope, intercept = float(_said(groups, "RescaleSlope", 1)), float(_said(groups, "RescaleIntercept", 0))
        (rows, columns), (down, right) = spacing.tolist(), np.maximum(1, np.rint(_GRID_MM / spacing).astype(int))
        values = frame[::down, ::right] * np.float32(slope) + np.float32(intercept)
        steps = (rows * int(down), columns * int(right))
        found.append(_Plane(position, orientation.reshape(2, 3), steps, values, str(dataset.Modality)))
    return found


def _groups(dataset: Dataset, number: int) -> list[Dataset]:
    """A data set and, of an object of many frames, what its functional groups say of one."""
    groups = [dataset]
    if "PerFrameFunctionalGroupsSequence" in dataset:
        for group in (dataset.PerFrameFunctionalGroupsSequence[number], *dataset.SharedFunctionalGroupsSequence):
            groups += [item for sequence in group if sequence.VR == "SQ" for item in sequence.value]
    return groups


def _said(groups: list[Dataset], keyword: str, otherwise: Any) -> Any:
    """What the first of some data sets that has an attribute says."""
    return next((group[keyword].value for group in groups if keyword in group), otherwise)
