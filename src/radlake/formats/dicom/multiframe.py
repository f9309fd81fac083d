"""Places and stacks of the frames in one object: enhanced multi-frame, nuclear medicine, dose grids.

A stack number is equal for frames that belong to one volume at one time: same orientation, echo, b-value, image type.
Frames that repeat a position within such a group are told apart by whatever the header says differs between them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from radlake.formats.dicom.elements import Elements
from radlake.formats.dicom.placement import normal, orientation, spacing, vector

Keys = list[Hashable]

# PS3.3 C.7.6.17: dimensions that only count along the stack
_ALONG_THE_STACK = {0x00200032, 0x00209057, 0x00201041, 0x00209301, 0x00209056, 0x00200037}
_FRAME_TYPES = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence")
_NM_GROUPS = ("EnergyWindowVector", "DetectorVector")
_NM_TIMES = ("RRIntervalVector", "TimeSlotVector", "PhaseVector")


class Groups:
    """Functional groups of an enhanced object: a frame's own, else the shared ones (PS3.3 C.7.6.16)."""

    def __init__(self, elements: Elements) -> None:
        self.frames = elements.items("PerFrameFunctionalGroupsSequence")
        if not self.frames and elements.items("SharedFunctionalGroupsSequence"):
            self.frames = [Elements()]  # tiled slides state their frames by a rule (PS3.3 C.7.6.17.3)
        self.dimensions = [item.tag("DimensionIndexPointer") for item in elements.items("DimensionIndexSequence")]
        self._shared = elements.first("SharedFunctionalGroupsSequence")

    def of(self, frame: Elements, *path: str) -> Elements:
        """First item at the end of a path of sequences."""
        holder = frame if path[0] in frame.sequences else self._shared
        for name in path:
            holder = holder.first(name)
        return holder

    def common(self, keyword: str, *path: str) -> float | None:
        """A number that all frames share, or None."""
        values = {self.of(frame, *path).number(keyword) for frame in self.frames}
        return values.pop() if len(values) == 1 else None


def enhanced(elements: Elements, count: int) -> dict[str, Any]:
    """Columns of an object of `count` frames with functional groups; empty for others.

    Numbers that differ between frames are left out.
    """
    groups = Groups(elements)
    if not groups.frames:
        return {}
    first = groups.frames[0]
    columns: dict[str, Any] = {
        **spacing(groups.of(first, "PixelMeasuresSequence")),
        **_frame_places(groups),
        "slice_thickness": groups.common("SliceThickness", "PixelMeasuresSequence"),
        "echo_time": groups.common("EffectiveEchoTime", "MREchoSequence"),
        "b_value": groups.common("DiffusionBValue", "MRDiffusionSequence"),
        "window_center": groups.of(first, "FrameVOILUTSequence").number("WindowCenter"),
        "window_width": groups.of(first, "FrameVOILUTSequence").number("WindowWidth"),
        "rescale_slope": groups.common("RescaleSlope", "PixelValueTransformationSequence"),
        "rescale_intercept": groups.common("RescaleIntercept", "PixelValueTransformationSequence"),
    }
    if len(groups.frames) != count:  # which frame a group describes is then anybody's guess
        columns = {name: value for name, value in columns.items() if not name.startswith("frame_")}
    return {name: value for name, value in columns.items() if value is not None}


def rescale_type(elements: Elements) -> str | None:
    """RescaleType in the functional groups of the first frame."""
    groups = Groups(elements)
    first = groups.frames[0] if groups.frames else Elements()
    return groups.of(first, "PixelValueTransformationSequence").text("RescaleType")


def _frame_places(groups: Groups) -> dict[str, Any]:
    """Positions, orientations and stacks of the frames of an enhanced object."""
    positions = [vector(groups.of(f, "PlanePositionSequence"), "ImagePositionPatient", 3) for f in groups.frames]
    orientations = [orientation(groups.of(f, "PlaneOrientationSequence")) for f in groups.frames]
    columns: dict[str, Any] = {"position": positions[0], "orientation": orientations[0]}
    if all(positions) and len(positions) > 1:
        columns["frame_positions"] = [x for p in positions if p for x in p]
    if all(orientations) and any(o != orientations[0] for o in orientations):
        columns["frame_orientations"] = [x for o in orientations if o for x in o]
    if len(positions) > 1:
        fixed = [(_rounded(o), *_physics(groups, f)) for o, f in zip(orientations, groups.frames, strict=True)]
        columns["frame_stack"] = stack_numbers(fixed, [_rounded(p) for p in positions], _varying(groups))
    return columns


def _physics(groups: Groups, frame: Elements) -> tuple[Hashable, ...]:
    """What separates two frames whatever their places: echo, b-value, stack, type of image."""
    types = next((groups.of(frame, name) for name in _FRAME_TYPES if groups.of(frame, name).values), None)
    return (
        groups.of(frame, "MREchoSequence").number("EffectiveEchoTime"),
        groups.of(frame, "MRDiffusionSequence").number("DiffusionBValue"),
        groups.of(frame, "FrameContentSequence").text("StackID"),
        tuple(types.texts("FrameType")) if types else None,
    )


def _varying(groups: Groups) -> list[Keys]:
    """What may separate frames at one place, one list over the frames for each: time, phase, gradient, dimensions."""
    gradient = ("MRDiffusionSequence", "DiffusionGradientDirectionSequence")
    frames = groups.frames
    contents = [groups.of(f, "FrameContentSequence") for f in frames]
    lists: list[Keys] = [
        [content.number("TemporalPositionIndex") for content in contents],
        [groups.of(f, "CardiacSynchronizationSequence").number("NominalCardiacTriggerDelayTime") for f in frames],
        [tuple(groups.of(f, *gradient).numbers("DiffusionGradientOrientation")) for f in frames],
    ]
    indices = [content.numbers("DimensionIndexValues") for content in contents]
    for place, pointer in enumerate(groups.dimensions):
        if pointer not in _ALONG_THE_STACK and all(len(values) > place for values in indices):
            lists.append([values[place] for values in indices])
    return lists


def stack_numbers(fixed: Sequence[Hashable], positions: Sequence[Hashable], varying: Sequence[Keys]) -> list[int]:
    """Number of the stack of each frame, counted from 0 in the order of their first frames.

    Parameters
    ----------
    fixed : sequence, one entry a frame
        Frames with different entries never share a stack.
    positions : sequence, one entry a frame
        Place of the frame; None where unknown.
    varying : sequence of lists, one entry a frame each
        Used, fewest values first, as long as a stack still holds two frames at one place.

    Examples
    --------
    >>> stack_numbers(["a"] * 4, [0, 0, 1, 1], [[1, 2, 1, 2], [1, 2, 3, 4]])
    [0, 1, 0, 1]
    """
    keys: Keys = list(fixed)
    if None not in positions:
        for values in sorted(varying, key=lambda v: len(set(v))):
            repeats = _repeats(keys, positions)
            finer: Keys = list(zip(keys, values, strict=True))
            if repeats and _repeats(finer, positions) < repeats:
                keys = finer
    order = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return [order[key] for key in keys]


def _repeats(keys: Sequence[Hashable], positions: Sequence[Hashable]) -> int:
    """Frames that lie where another one of their group already lies."""
    return len(keys) - len(set(zip(keys, positions, strict=True)))


def _rounded(numbers: Sequence[float] | None) -> tuple[float, ...] | None:
    """Numbers to the micrometre, so that the noise of text formatting does not count."""
    return None if numbers is None else tuple(round(x, 3) + 0.0 for x in numbers)


def nuclear(elements: Elements, frames: int) -> dict[str, Any]:
    """Columns of a nuclear medicine object (PS3.3 C.8.4.8, C.8.4.15): places of reconstructed slices, and stacks."""
    detector = elements.first("DetectorInformationSequence")
    position = vector(elements, "ImagePositionPatient", 3) or vector(detector, "ImagePositionPatient", 3)
    six = orientation(elements) or orientation(detector)
    vectors = {name: elements.numbers(name) for name in ("SliceVector", *_NM_GROUPS, *_NM_TIMES)}
    vectors = {name: values for name, values in vectors.items() if len(values) == frames}
    columns: dict[str, Any] = {"position": position, "orientation": six}
    # Negative spacing means against the normal (PS3.3 C.8.4.15.1.1).
    gap = elements.number("SpacingBetweenSlices")
    is_volume = any(term.startswith("RECON") for term in elements.texts("ImageType"))
    names: tuple[str, ...] = _NM_GROUPS
    if is_volume and position and six and gap and frames > 1 and "SliceVector" in vectors:
        offsets = [(number - 1.0) * gap for number in vectors["SliceVector"]]
        columns["frame_positions"] = _along(position, normal(six), offsets)
        names += _NM_TIMES
    if frames > 1 and vectors:
        keys: Keys = list(zip(*(vectors.get(name, [0.0] * frames) for name in names), strict=True))
        columns["frame_stack"] = stack_numbers(keys, [None] * frames, [])
    return {name: value for name, value in columns.items() if value is not None}


def dose(elements: Elements, frames: int) -> dict[str, Any]:
    """Places of the planes of a dose grid (PS3.3 C.8.8.3.2); empty where they are not stated."""
    position, six = vector(elements, "ImagePositionPatient", 3), orientation(elements)
    offsets = elements.numbers("GridFrameOffsetVector")
    if position is None or six is None or len(offsets) != frames or frames < 2:
        return {}
    if offsets[0] == 0.0:  # along the normal, from the first plane
        return {"frame_positions": _along(position, normal(six), offsets)}
    return {"frame_positions": _along(position, [0.0, 0.0, 1.0], [z - position[2] for z in offsets])}


def _along(start: Sequence[float], direction: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """Points at offsets along a direction, one after the other in a flat list."""
    return [p + d * offset for offset in offsets for p, d in zip(start, direction, strict=True)]
