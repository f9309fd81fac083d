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
    Barber, Dobkin, Huhdanpaa (1996), The quickhull algorithm for convex hulls, ACM TOMS 22:469-483 (three axes); Andrew
    (1979), Another efficient algorithm for convex hulls in two dimensions, Information Processing Letters 9:216-219.

    Examples
    --------
    >>> hull = convex_hull(np.ones((1, 3), bool), (1.0, 1.0))
    >>> hull.volume
    2.5
    """
    from radlake.features import shape_kernels

    half = np.asarray(spacing) / 2
    if mask.ndim == 2:
        vertices = shape_kernels.plane_corners(mask) * half
        following = np.concatenate([vertices[1:], vertices[:1]])
        cross = vertices[:, 0] * following[:, 1] - vertices[:, 1] * following[:, 0]
        length = np.sqrt(((following - vertices) ** 2).sum(axis=1)).sum()
        return Hull(vertices, float(length), float(abs(cross.sum()) / 2))
    from scipy.spatial import ConvexHull

    # Hulls keep their faces under scaling: found on the integers, where nothing is nearly flat.
    points = shape_kernels.corners(mask)
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
    from radlake.features import shape_kernels

    return shape_kernels.greatest_distance(np.ascontiguousarray(points, np.float64))
