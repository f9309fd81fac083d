"""The grid of each kind of image: a picture, a volume format, Siemens mosaics, a stack of planes. No files are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from math import isfinite
from typing import Any

import numpy as np

from radlake.core.image import Geometry, Vector
from radlake.core.stage import Row
from radlake.formats.stacks import ALIKE, Floats, Plane, Stack, alike, line_of, normal_of

_SAME_MOSAIC_MM = 0.1
OF_GROUP = ("format", "kind", "unit", "rows", "columns", "samples", "echo_time", "b_value", "localizer")


@dataclass(frozen=True)
class Use:
    """Frames that one instance gives, in order; None: all of them."""

    row: Row
    frames: list[int] | None


@dataclass(frozen=True)
class Found:
    """One image before it has an id."""

    signature: str
    uses: list[Use]
    geometry: Geometry
    slices: int | None = None
    times: int | None = None
    spacing_known: tuple[bool, bool] = (True, True)  # between slices, within them


def _finite(values: Any, count: int) -> Floats | None:
    """The values as an array when there are exactly `count` finite ones."""
    if values is None or len(values) != count:
        return None
    array = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    return array if np.isfinite(array).all() else None


def _directions(values: Any, count: int) -> Floats | None:
    """Direction pairs (`count` x 6), each direction of unit length; None where they span no plane."""
    flat = _finite(values, 6 * count)
    if flat is None:
        return None
    pairs = flat.reshape(count, 2, 3)
    lengths = np.linalg.norm(pairs, axis=2, keepdims=True)
    if (np.abs(lengths - 1) > 0.01).any():
        return None
    pairs = pairs / lengths
    skew = np.abs((pairs[:, 0] * pairs[:, 1]).sum(axis=1))
    return pairs.reshape(count, 6) if (skew < 0.01).all() else None


def planes_of(row: Row) -> list[Plane]:
    """Planes of an instance; empty where positions or orientations are missing."""
    count = row.get("frames") or 1
    positions = _finite(row.get("frame_positions"), 3 * count)
    orientations = _directions(row.get("frame_orientations"), count)
    if positions is None and count == 1:
        positions = _finite(row.get("position"), 3)
    if orientations is None:
        single = _directions(row.get("orientation"), 1)
        orientations = None if single is None else np.broadcast_to(single, (count, 6))
    if positions is None or orientations is None:
        return []
    numbers = range(count) if count > 1 else [None]
    return [Plane(row, n, p, o) for n, p, o in zip(numbers, positions.reshape(-1, 3), orientations, strict=True)]


def plane_of_mosaic(row: Row) -> Plane:
    """A mosaic as the plane of its whole picture; the scanner's axes where it says nothing."""
    position = _finite(row.get("position"), 3)
    orientation = _directions(row.get("orientation"), 1)
    return Plane(
        row,
        None,
        np.zeros(3) if position is None else position,
        np.array([1.0, 0, 0, 0, 1, 0]) if orientation is None else orientation[0],
    )


def alike_planes(planes: list[Plane]) -> list[list[Plane]]:
    """Planes that may make one stack: equal attributes, alike in orientation and spacing."""
    exact: dict[tuple[Any, ...], list[Plane]] = defaultdict(list)
    for plane in planes:
        exact[_attributes(plane)].append(plane)
    groups = []
    for members in exact.values():
        vectors = np.array([[*p.orientation, *_log_spacing(p.row)] for p in members])
        parts: dict[int, list[Plane]] = defaultdict(list)
        for number, plane in zip(alike(vectors, tolerance=ALIKE), members, strict=True):
            parts[number].append(plane)
        groups += list(parts.values())
    return groups


def _attributes(plane: Plane) -> tuple[Any, ...]:
    """What must be equal within a stack."""
    row = plane.row
    stacks = row.get("frame_stack")
    stack = stacks[plane.frame] if stacks and plane.frame is not None and plane.frame < len(stacks) else None
    colour = row.get("photometric") == "PALETTE COLOR"
    return *(row.get(n) for n in OF_GROUP), colour, row.get("image_type") if row.get("kind") == "mr" else None, stack


def _log_spacing(row: Row) -> tuple[float, float]:
    """Logarithms of the spacings, so that a difference is a ratio; 0 where unknown."""
    y, x = _positive(row.get("spacing_y")), _positive(row.get("spacing_x"))
    return (float(np.log(y)), float(np.log(x))) if y and x else (0.0, 0.0)


def place_of(row: Row) -> tuple[str, int]:
    """File and member of a row."""
    return row["file_id"], row.get("member") or 0


def _positive(value: float | None) -> float | None:
    """The value when it can be a spacing."""
    return value if value is not None and isfinite(value) and value > 0 else None


def _vector(values: Iterable[float]) -> Vector:
    """Three floats as a tuple."""
    x, y, z = (float(v) for v in values)
    return x, y, z


def _in_plane(row: Row) -> tuple[tuple[float, float], bool]:
    """(y, x) spacing and whether it is known."""
    y, x = _positive(row.get("spacing_y")), _positive(row.get("spacing_x"))
    return ((y, x), True) if y and x else ((1.0, 1.0), False)


def _signature(kind: str, row: Row, *more: Any) -> str:
    """Text that names an image within its series: the same when later slices of it arrive."""
    return "|".join([kind, *(str(row.get(n)) for n in OF_GROUP), *map(str, more)])


def of_picture(row: Row) -> Found:
    """A single picture or a cine loop: time is its only third axis."""
    times = row.get("frames") or 1
    spacing, known = _in_plane(row)
    return Found(
        _signature("picture", row, row.get("instance_id") or place_of(row)),
        [Use(row, None)],
        Geometry(spacing, calibrated=known),
        times=times if times > 1 else None,
        spacing_known=(False, known),
    )


def of_volume(row: Row) -> Found:
    """An image of a volume format, on the grid that its header states."""
    (y, x), known = _in_plane(row)
    z = _positive(row.get("spacing_z"))
    position = _finite(row.get("position"), 3)
    axes = _finite([*(row.get("slice_direction") or []), *(row.get("orientation") or [])], 9)
    direction = () if axes is None else (_vector(axes[:3]), _vector(axes[6:]), _vector(axes[3:6]))
    times = row.get("frames") or 1
    return Found(
        _signature("volume", row, row.get("instance_id") or place_of(row)),
        [Use(row, None)],
        Geometry((z or 1.0, y, x), _vector((0, 0, 0) if position is None else position), direction, known and bool(z)),
        slices=row["slices"],
        times=times if times > 1 else None,
        spacing_known=(bool(z), known),
    )


def of_mosaics(planes: list[Plane]) -> list[Found]:
    """Siemens mosaics of one grid and place: the tiles are slices, the pictures time points."""
    places = alike(np.array([p.position for p in planes]), tolerance=0.1)
    parts: dict[int, list[Plane]] = defaultdict(list)
    for place, plane in zip(places, planes, strict=True):
        parts[place].append(plane)
    return [_mosaic_stack(sorted(part, key=lambda p: p.time_key)) for part in parts.values()]


def _mosaic_stack(planes: list[Plane]) -> Found:
    """One time series of mosaics.

    Notes
    -----
    The stated position is that of the whole picture laid around the centre of a tile, so the first tile begins half
    the difference further (nibabel, "DICOM mosaic"): p + R[:, :2] @ ((pictures - tiles) / 2 * spacing).
    """
    row, first = planes[0].row, planes[0]
    tiles = int(row["mosaic_tiles"])
    side = int(np.ceil(np.sqrt(tiles)))
    (y, x), known = _in_plane(row)
    z = _positive(row.get("spacing_z"))
    normal = _finite(row.get("slice_direction"), 3)
    normal = normal_of(first.orientation) if normal is None else normal
    height, width = row["rows"] // side, row["columns"] // side
    right, down = first.orientation[:3], first.orientation[3:]
    origin = first.position + right * (x * (row["columns"] - width) / 2) + down * (y * (row["rows"] - height) / 2)
    return Found(
        _signature("mosaic", row, *np.round(first.orientation, 2)),
        [Use(p.row, None) for p in planes],
        Geometry(
            (z or 1.0, y, x), _vector(origin), (_vector(normal), _vector(down), _vector(right)), known and bool(z)
        ),
        slices=tiles,
        times=len(planes) if len(planes) > 1 else None,
        spacing_known=(bool(z), known),
    )


def of_stack(stack: Stack) -> Found:
    """Planes in space as one image: two axes when there is one place, else three."""
    volume = stack.planes[0]
    first = volume[0]
    spacing, known = _in_plane(first.row)
    down, right = _vector(first.orientation[3:]), _vector(first.orientation[:3])
    origin = _vector(first.position)
    if len(volume) == 1:
        geometry = Geometry(spacing, origin, (down, right), known)
    else:
        line = line_of(np.array([p.position for p in volume]))
        geometry = Geometry((line.spacing, *spacing), origin, (line.direction, down, right), known)
    return Found(
        _signature("stack", first.row, _attributes(first)[-1], *np.round(first.orientation, 2)),
        _uses([p for point in stack.planes for p in point]) + [Use(p.row, []) for p in stack.extra],
        geometry,
        slices=len(volume) if len(volume) > 1 else None,
        times=len(stack.planes) if len(stack.planes) > 1 else None,
        spacing_known=(len(volume) > 1, known),
    )


def _uses(planes: list[Plane]) -> list[Use]:
    """Planes in order as runs of frames of one instance."""
    uses = []
    for _, run in groupby(planes, key=lambda p: place_of(p.row)):
        members = list(run)
        frames = [p.frame for p in members if p.frame is not None]
        uses.append(Use(members[0].row, frames or None))
    return uses
