"""Convex hulls of regions and the diameters that follow from them.

Points are the vertices of the marching-cubes surface: halfway between a sample inside and its neighbour outside. They
are kept as integers in half samples, so that hulls are exact whatever the spacing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import BoolArray, FloatArray
from radlake.imaging.arguments import Spacing

# One half sample forth and back along each axis, by number of axes.
_STEPS = {axes: np.concatenate([np.eye(axes, dtype=np.int32), -np.eye(axes, dtype=np.int32)]) for axes in (2, 3)}
_BLOCK = 64  # points compared with all others at a time: their distances stay in the cache


class Hull(NamedTuple):
    """Convex hull: its vertices (n, axes) in millimetres, surface area (mm2) and volume (mm3).

    For a plane the area is the perimeter (mm) and the volume the area (mm2).
    """

    vertices: NDArray[np.float64]
    area: float
    volume: float


def convex_hull(mask: BoolArray, spacing: Spacing) -> Hull:
    """Convex hull of the marching-cubes (marching-squares) vertices of a mask.

    Parameters
    ----------
    mask : (z, y, x) or (y, x) bool array
        At least one sample inside.
    spacing : tuple of floats
        Millimetres along each axis.

    References
    ----------
    Barber, Dobkin, Huhdanpaa (1996), The quickhull algorithm for convex hulls, ACM TOMS 22:469-483 (three axes);
    Sklansky (1982), Finding the convex hull of a simple polygon, Pattern Recognition Letters 1:79-83 (planes).

    Examples
    --------
    >>> hull = convex_hull(np.ones((1, 3), bool), (1.0, 1.0))
    >>> hull.volume
    2.5
    """
    points = _extreme_points(mask)
    half = np.asarray(spacing) / 2
    if mask.ndim == 2:
        vertices = points[_plane_corners(points)] * half
        following = np.concatenate([vertices[1:], vertices[:1]])
        cross = vertices[:, 0] * following[:, 1] - vertices[:, 1] * following[:, 0]
        length = np.sqrt(((following - vertices) ** 2).sum(axis=1)).sum()
        return Hull(vertices, float(length), float(abs(cross.sum()) / 2))
    from scipy.spatial import ConvexHull

    # Hulls keep their faces under scaling: found on the integers, where nothing is nearly flat.
    hull = ConvexHull(points)
    a, b, c = (points[hull.simplices[:, i]] * half for i in range(3))
    area = np.sqrt((np.cross(b - a, c - a) ** 2).sum(axis=1)).sum() / 2
    return Hull(points[hull.vertices] * half, float(area), float(hull.volume * np.prod(half)))


def largest_distance(points: FloatArray) -> float:
    """Greatest distance between any two points, shape (n, axes), in their unit.

    Examples
    --------
    >>> largest_distance(np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0]]))
    5.0
    """
    # About their middle, so that squares lose nothing to a far origin; |a - b|^2 = |a|^2 + |b|^2 - 2 a.b finds the
    # pair of each block, and its distance is then taken directly.
    centred = points - points.mean(axis=0)
    squares = (centred**2).sum(axis=1)
    greatest = 0.0
    for start in range(0, len(centred), _BLOCK):
        block = centred[start : start + _BLOCK]
        squared = squares[None, start:] - 2 * block @ centred[start:].T
        squared += squares[start : start + _BLOCK, None]
        i, j = divmod(int(squared.argmax()), squared.shape[1])
        greatest = max(greatest, float(((block[i] - centred[start + j]) ** 2).sum()))
    return float(np.sqrt(greatest))


def least_width(vertices: FloatArray) -> float:
    """Least distance of two parallel lines that hold a convex polygon between them (least Feret diameter).

    Parameters
    ----------
    vertices : (n, 2) array
        Corners of a convex polygon in turn, n >= 3.

    References
    ----------
    Toussaint (1983), Solving geometric problems with the rotating calipers, Proc. IEEE MELECON: one of the lines lies
    on a side of the polygon.

    Examples
    --------
    >>> least_width(np.array([[0.0, 0.0], [0.0, 5.0], [2.0, 5.0], [2.0, 0.0]]))
    2.0
    """
    sides = np.concatenate([vertices[1:], vertices[:1]]) - vertices
    lengths = np.sqrt((sides**2).sum(axis=1))
    normals = np.stack([-sides[:, 1], sides[:, 0]], axis=1)[lengths > 0] / lengths[lengths > 0, None]
    along = vertices @ normals.T
    return float((along.max(axis=0) - along.min(axis=0)).min())


def _extreme_points(mask: BoolArray) -> NDArray[np.int32]:
    """Surface vertices that can lie on the hull, in half samples; among them points inside the hull.

    A vertex on the hull lies half a step from a sample that is a corner of the hull of all samples, and such a sample
    is the first or last of its row.
    """
    hit = mask.any(axis=-1)
    rows = mask[hit]
    first = rows.argmax(axis=-1)
    last = rows.shape[-1] - 1 - rows[:, ::-1].argmax(axis=-1)
    place = np.argwhere(hit)
    ends = np.empty((2, len(place), mask.ndim), np.int32)
    ends[..., :-1] = 2 * place
    ends[0, :, -1], ends[1, :, -1] = 2 * first, 2 * last
    samples: NDArray[np.int32] = ends.reshape(-1, mask.ndim)
    if mask.ndim == 3:
        samples = _corners_of_planes(samples)
    points = (samples[:, None] + _STEPS[mask.ndim]).reshape(-1, mask.ndim)
    return points if mask.ndim == 2 else _corners_of_planes(points)


def _corners_of_planes(points: NDArray[np.int32]) -> NDArray[np.int32]:
    """Only the corners of each plane's own hull: nothing else can be a corner of the whole."""
    ordered = points[np.argsort(points[:, 0], kind="stable")]
    starts = np.flatnonzero(np.diff(ordered[:, 0], prepend=ordered[0, 0] - 1))
    groups = np.split(np.ascontiguousarray(ordered[:, 1:]), starts[1:])
    kept = [start + _plane_corners(group) for start, group in zip(starts, groups, strict=True)]
    return np.asarray(ordered[np.concatenate(kept)])


def _plane_corners(points: NDArray[np.int32]) -> NDArray[np.intp]:
    """Which of integer points in a plane are corners of their convex hull, in turn."""
    import cv2

    return np.asarray(cv2.convexHull(points, returnPoints=False), np.intp).reshape(-1)
