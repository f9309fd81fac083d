"""Closed planar outlines in millimetres to masks: the rasteriser behind RTSTRUCT and the LIDC annotations.

Outlines are mapped to index coordinates and rounded to 1/32768 of a pixel; from there everything is exact in 64-bit
integers, so that the answer for a pixel centre on the outline is a rule and not an accident of rounding. Reading
outlines from files and naming the regions happens elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import BoolArray, Geometry

Boundary = Literal["include", "exclude", "centre"]
Ints = NDArray[np.int64]

_ONE = 2**15  # fixed-point units in a pixel: published masks hold pixels whose centre lies 1/45000 inside an outline
_FARTHEST = 2**15  # pixels: products of two differences stay below 2**63
_FARTHEST_MM = 1e6  # a kilometre: also refuses what is no number
_SAME_PLANE = 0.01  # slices: outlines nearer than this in z belong to one plane
_BATCH = 2**20  # pixels (or crossings) held at once


class _Edges(NamedTuple):
    """Edges of all outlines in fixed point: plane number, start and end as (y, x)."""

    plane: Ints
    start: Ints
    end: Ints


class _Box(NamedTuple):
    """Pixels that the outlines can touch: first row and column, and one past the last."""

    top: int
    left: int
    bottom: int
    right: int


def rasterise(
    contours: Sequence[NDArray[np.floating]],
    geometry: Geometry,
    shape: tuple[int, int, int],
    *,
    boundary: Boundary = "centre",
) -> BoolArray:
    """Mask of the voxels whose centres lie inside closed planar outlines.

    Outlines of one plane are combined by the even-odd rule: an outline inside another is a hole, a keyhole outline
    gives its hole, an outline that is stored twice counts once. A plane goes to the nearest slice; planes that meet in
    one slice are united; outlines more than half a spacing beyond the first or last slice are left out.

    Parameters
    ----------
    contours : sequence of (N, 3) float arrays
        Vertices (x, y, z) in LPS millimetres; the last vertex is joined to the first.
    geometry : Geometry
        Grid of the mask; three spatial axes in any orientation, sheared ones included.
    shape : (Z, Y, X)
        Samples along each axis.
    boundary : {"include", "exclude", "centre"}
        What happens to pixel centres on an outline (closer than 1/65536 pixel). "include": they are inside (the region
        is closed). "exclude": they are outside (the region is open). "centre": those on the top and left edge are
        inside, those on the bottom and right edge are not, so that regions which share an edge share no pixel.

    Returns
    -------
    (Z, Y, X) bool array
        All false where no outline encloses a pixel centre.

    Raises
    ------
    ItemError
        `misaligned_mask` when an outline is not parallel to the slices, lies absurdly far away or has a coordinate
        that is no number; `contradictory_header` when the directions of the grid span no volume.
    ValueError
        When the grid has two axes.

    References
    ----------
    Foley et al. (1990), Computer Graphics, 2nd ed., section 3.6 (scan conversion of polygons, half-open edges).
    DICOM PS3.3 C.8.8.6 (ROI Contour module: CLOSED_PLANAR, keyhole).

    Examples
    --------
    >>> square = np.array([[1.0, 1, 0], [3, 1, 0], [3, 3, 0], [1, 3, 0]])
    >>> grid = Geometry((1.0, 1.0, 1.0))
    >>> [int(rasterise([square], grid, (1, 5, 5), boundary=b).sum()) for b in ("include", "exclude", "centre")]
    [9, 1, 4]
    """
    mask = np.zeros(shape, dtype=np.bool_)
    placed = _place(contours, geometry)
    planes, depths = _planes(placed)
    slices = np.floor(depths + 0.5 - _SAME_PLANE).astype(np.int64)  # halfway goes down, whatever the rounding
    edges = _edges(placed, planes, keep=(slices >= 0) & (slices < shape[0]))
    if not edges.plane.size:
        return mask
    box = _box(edges, shape)
    for some, first, last in _batches(edges, box):
        inside = _parity(some, first, last, box)
        if boundary != "centre":
            _mark(inside, some, first, box, value=boundary == "include")
        for plane, picture in enumerate(inside, start=first):
            mask[slices[plane], box.top : box.bottom, box.left : box.right] |= picture
    return mask


def _place(contours: Sequence[NDArray[np.floating]], geometry: Geometry) -> list[NDArray[np.float64]]:
    """Outlines in index coordinates (z, y, x), each one once."""
    if geometry.ndim != 3:
        raise ValueError(f"outlines need a grid with 3 axes, got {geometry.ndim}")
    matrix = geometry.affine
    try:
        inverse = np.linalg.inv(matrix[:3, :3])
    except np.linalg.LinAlgError:
        raise ItemError("contradictory_header", what=Term("directions that span no volume")) from None
    seen: dict[bytes, NDArray[np.float64]] = {}
    for contour in contours:
        points = np.asarray(contour, dtype=np.float64).reshape(-1, 3)
        if not (np.abs(points) < _FARTHEST_MM).all():
            raise ItemError("misaligned_mask", what=Term("an outline has impossible coordinates"))
        if points.size:
            seen.setdefault(points.tobytes(), (points - matrix[:3, 3]) @ inverse.T)
    return list(seen.values())


def _planes(placed: list[NDArray[np.float64]]) -> tuple[Ints, NDArray[np.float64]]:
    """Plane number of each outline, and the depth of each plane in slices."""
    for points in placed:
        if not (np.abs(points) < _FARTHEST).all():
            raise ItemError("misaligned_mask", what=Term("an outline lies far outside the image"))
        if np.ptp(points[:, 0]) > 0.5:
            raise ItemError("misaligned_mask", what=Term("an outline is not parallel to the slices"))
    depths = np.array([points[:, 0].mean() for points in placed])
    order = np.argsort(depths, kind="stable")
    new = np.diff(depths[order], prepend=-np.inf) > _SAME_PLANE
    planes = np.empty(len(placed), dtype=np.int64)
    planes[order] = np.cumsum(new) - 1
    return planes, depths[order][new]


def _edges(placed: list[NDArray[np.float64]], planes: Ints, *, keep: BoolArray) -> _Edges:
    """Edges in fixed point, sorted by plane; planes outside `keep` are left out."""
    chosen = [i for i in np.argsort(planes, kind="stable") if keep[planes[i]]]
    if not chosen:
        empty = np.empty((0, 2), dtype=np.int64)
        return _Edges(empty[:, 0], empty, empty)
    rings = [np.rint(placed[i][:, 1:] * _ONE).astype(np.int64) for i in chosen]
    numbers = np.repeat(planes[chosen], [len(r) for r in rings])
    return _Edges(numbers, np.concatenate(rings), np.concatenate([np.roll(r, -1, axis=0) for r in rings]))


def _box(edges: _Edges, shape: tuple[int, int, int]) -> _Box:
    """Bounding box of the edges, cut at the border of the grid."""
    low = np.clip(edges.start.min(axis=0) // _ONE, 0, shape[1:])
    high = np.clip(edges.start.max(axis=0) // _ONE + 1, 0, shape[1:])
    return _Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def _batches(edges: _Edges, box: _Box) -> Iterator[tuple[_Edges, int, int]]:
    """Edges cut into runs of planes whose pictures fit into `_BATCH` pixels: (edges, first plane, last plane + 1)."""
    step = max(1, _BATCH // max(1, (box.bottom - box.top) * (box.right - box.left)))
    for first in range(int(edges.plane[0]), int(edges.plane[-1]) + 1, step):
        cut = slice(*np.searchsorted(edges.plane, [first, first + step]))
        if cut.start < cut.stop:
            last = int(edges.plane[cut][-1]) + 1
            yield _Edges(edges.plane[cut], edges.start[cut], edges.end[cut]), first, last


def _ragged(low: Ints, high: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Which range and which integer, for every integer of the ranges [low, high); a bounded number at a time."""
    counts = np.maximum(high - low, 0)
    ends = np.cumsum(counts)
    cuts = np.searchsorted(ends, np.arange(_BATCH, int(counts.sum()), _BATCH))
    for some in np.split(np.arange(len(low)), cuts):
        which = np.repeat(some, counts[some])
        before = np.repeat(np.cumsum(counts[some]) - counts[some], counts[some])
        yield which, low[which] + np.arange(len(which)) - before


def _parity(edges: _Edges, first: int, last: int, box: _Box) -> BoolArray:
    """Even-odd rule for planes [first, last): (planes, rows, columns) of the box."""
    height, width = box.bottom - box.top, box.right - box.left
    upward = edges.start[:, 0] > edges.end[:, 0]
    top = np.where(upward[:, None], edges.end, edges.start)
    span = np.where(upward[:, None], edges.start, edges.end) - top
    # Half-open in y: a row through a vertex meets exactly one of the two edges there.
    low = np.maximum(-(-top[:, 0] // _ONE), box.top)
    high = np.minimum(-(-(top[:, 0] + span[:, 0]) // _ONE), box.bottom)
    toggles = np.zeros((last - first) * height * (width + 1), dtype=np.uint8)
    for edge, row in _ragged(low, high):
        over = (row * _ONE - top[edge, 0]) * span[edge, 1]
        # Half-open in x: the first pixel centre at or right of the crossing.
        fixed = top[edge, 1] * span[edge, 0] + over
        column = np.clip(-(-fixed // (span[edge, 0] * _ONE)) - box.left, 0, width)
        where = ((edges.plane[edge] - first) * height + row - box.top) * (width + 1) + column
        np.add.at(toggles, where, 1)
    turns = toggles.reshape(last - first, height, width + 1)[:, :, :width] & 1
    return np.bitwise_xor.accumulate(turns, axis=2).astype(np.bool_)


def _mark(inside: BoolArray, edges: _Edges, first: int, box: _Box, *, value: bool) -> None:
    """Set the pixels whose centres lie on an edge, in place."""
    span = edges.end - edges.start
    steep = np.abs(span[:, 0]) >= np.abs(span[:, 1])
    for major, minor, chosen in ((0, 1, steep), (1, 0, ~steep)):
        plane, start, delta = edges.plane[chosen], edges.start[chosen], span[chosen]
        low = -(-np.minimum(start[:, major], start[:, major] + delta[:, major]) // _ONE)
        high = np.maximum(start[:, major], start[:, major] + delta[:, major]) // _ONE + 1
        begin, end = (box.top, box.bottom) if major == 0 else (box.left, box.right)
        for edge, place in _ragged(np.maximum(low, begin), np.minimum(high, end)):
            length = np.where(delta[edge, major] == 0, 1, delta[edge, major])  # an edge that is a point has no length
            over = (place * _ONE - start[edge, major]) * delta[edge, minor]
            fixed = start[edge, minor] * length + over
            other, rest = np.divmod(fixed, length * _ONE)
            spot = (place, other) if major == 0 else (other, place)
            row, column = spot[0] - box.top, spot[1] - box.left
            hit = (rest == 0) & (row >= 0) & (row < inside.shape[1]) & (column >= 0) & (column < inside.shape[2])
            inside[plane[edge[hit]] - first, row[hit], column[hit]] = value
