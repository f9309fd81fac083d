"""Smallest oriented box and smallest ellipsoid round a region (family "enclosure"), and how well it fills them.

IBSI defines these four densities but gives no reference values, because programs approximate both bodies differently.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import Term
from radlake.core.image import FloatArray
from radlake.features.hull import convex_hull
from radlake.features.mesh import mesh_area_volume
from radlake.features.morphology import ellipsoid_area
from radlake.features.names import ENCLOSURE
from radlake.features.roi import Roi, Values

PLANE = Term("a plane region has no enclosing body")
_TOLERANCE = 1e-6  # of the ellipsoid: relative excess of the farthest point
_STEPS = 100_000
_SUPPORT = 1e-12


def enclosure(roi: Roi) -> Values:
    """Volume and area density in the smallest oriented box and the smallest ellipsoid, without unit.

    Both hold the marching-cubes mesh. The box is the smallest of those with one side on a face of the convex hull and
    another along one of that face's outline: for rare bodies (a regular tetrahedron) a smaller one exists.

    Parameters
    ----------
    roi : Roi
        A volume; intensities are not needed.

    References
    ----------
    IBSI arXiv:1612.07003, 3.1.19 (ZH1A), 3.1.20 (IQYR), 3.1.23 (SWZ1), 3.1.24 (BRI8).

    Examples
    --------
    >>> values = enclosure(Roi(np.ones((4, 4, 4), bool), (1.0, 1.0, 1.0)))
    >>> 0.8 < values["morph_vol_dens_ombb"] < 1
    True
    """
    if roi.mask.ndim != 3:
        return {f.name: PLANE for f in ENCLOSURE}
    area, volume = mesh_area_volume(roi.mask, roi.spacing)
    points = convex_hull(roi.mask, roi.spacing).vertices
    a, b, c = smallest_box(points)
    p, q, r = smallest_ellipsoid(points)
    return {
        "morph_vol_dens_ombb": volume / (a * b * c),
        "morph_area_dens_ombb": area / (2 * (a * b + a * c + b * c)),
        "morph_vol_dens_mvee": volume / (4 / 3 * np.pi * p * q * r),
        "morph_area_dens_mvee": area / ellipsoid_area(p, q, r),
    }


def smallest_box(points: FloatArray) -> tuple[float, float, float]:
    """Sides of the smallest oriented box round points (n, 3) with a side on a face of their hull, greatest first.

    References
    ----------
    O'Rourke (1985), Finding minimal enclosing boxes, Int J Comput Inf Sci 14:183-199 (an edge of the hull lies in each
    of two neighbouring sides); Freeman, Shapira (1975), CACM 18:409-413 (rectangles in the plane).

    Examples
    --------
    >>> corners = np.array([*np.ndindex(2, 2, 2)]) * [1.0, 2.0, 3.0]
    >>> [round(side, 6) for side in smallest_box(corners)]
    [3.0, 2.0, 1.0]
    """
    from scipy.spatial import ConvexHull

    hull = ConvexHull(points)
    normals = np.unique(np.round(hull.equations[:, :3], 9), axis=0)
    best, smallest = (0.0, 0.0, 0.0), np.inf
    for normal in normals:
        # Any two directions across the normal make a frame.
        frame = np.linalg.svd(normal[None])[2]
        along = points @ frame.T
        height = float(np.ptp(along[:, 0]))
        length, breadth = _smallest_rectangle(along[:, 1:])
        if height * length * breadth < smallest:
            smallest, best = height * length * breadth, (height, length, breadth)
    a, b, c = sorted(best, reverse=True)
    return a, b, c


def _smallest_rectangle(points: FloatArray) -> tuple[float, float]:
    """Sides of the smallest rectangle round points of a plane; one lies on a side of their hull."""
    from scipy.spatial import ConvexHull

    corners = points[ConvexHull(points).vertices]
    sides = np.roll(corners, -1, axis=0) - corners
    sides /= np.sqrt((sides**2).sum(axis=1, keepdims=True))
    length = np.ptp(corners @ sides.T, axis=0)
    breadth = np.ptp(corners @ np.stack([-sides[:, 1], sides[:, 0]]), axis=0)
    k = int((length * breadth).argmin())
    return float(length[k]), float(breadth[k])


def smallest_ellipsoid(points: FloatArray) -> tuple[float, float, float]:
    """Half axes of the smallest ellipsoid round points (n, 3), in their unit, greatest first.

    References
    ----------
    Khachiyan (1996), Rounding of polytopes in the real number model, Math Oper Res 21:307-320, with the away steps of
    Todd, Yildirim (2007), Discrete Applied Mathematics 155:1731-1744. Relative error of the volume below 1e-5.

    Examples
    --------
    >>> axes = np.diag([3.0, 2.0, 1.0])
    >>> [round(a, 3) for a in smallest_ellipsoid(np.concatenate([axes, -axes]))]
    [3.0, 2.0, 1.0]
    """
    # About their middle and in units of their extent: the result does not depend on place and scale.
    centre, scale = points.mean(axis=0), np.ptp(points, axis=0)
    unit = (points - centre) / scale
    weight = _optimal_weights(np.column_stack([unit, np.ones(len(unit))]))
    middle = unit.T @ weight
    spread = ((unit.T * weight) @ unit - np.outer(middle, middle)) * np.outer(scale, scale)
    a, b, c = np.sqrt(3 * np.linalg.eigvalsh(spread))[::-1]
    return float(a), float(b), float(c)


def _optimal_weights(lifted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of points (n, d) that make the determinant of their second moments greatest (D-optimal design)."""
    n, d = lifted.shape
    weight = np.full(n, 1 / n)
    for _ in range(_STEPS):
        inverse = np.linalg.inv((lifted.T * weight) @ lifted)
        far = ((lifted @ inverse) * lifted).sum(axis=1)
        out = int(far.argmax())
        near = int(np.where(weight > _SUPPORT, far, np.inf).argmin())
        above, below = far[out] / d - 1, 1 - far[near] / d
        if max(above, below) < _TOLERANCE:
            break
        if above >= below:
            step, k = (far[out] - d) / (d * (far[out] - 1)), out
        else:
            # Away from a point that lies too deep, at most until it has no weight left.
            step, k = -min((d - far[near]) / (d * (far[near] - 1)), weight[near] / (1 - weight[near])), near
        weight *= 1 - step
        weight[k] += step
    return weight
