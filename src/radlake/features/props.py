"""Shape of plane regions under scikit-image's names (family "props"): what `skimage.measure.regionprops` measures.

Lengths are in millimetres for pixels of any spacing. `radlake.features.planar` measures the outline of marching squares
instead, which converges to the true area and is not bound to square pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import Term
from radlake.core.image import BoolArray
from radlake.features.hull import convex_hull, largest_distance
from radlake.features.mesh import cell_counts
from radlake.features.moments import axis_lengths, moments
from radlake.features.planar import ONE_PIXEL
from radlake.features.roi import Roi, Values, largest_plane
from radlake.imaging.arguments import Spacing

ROUND = Term("the region extends alike in all directions: it has no orientation")
NOT_SQUARE = Term("scikit-image's perimeter is defined for square pixels; planar_perimeter for all")
# Pairs of corners of a cell of 2 x 2 pixels (bits of `cell_counts`) along rows, columns and both diagonals.
_PAIRS = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3),), ((1, 2),))
# Weight of a border pixel by its 4-neighbours and diagonal neighbours on the border (Benkrid, Crookes).
_STRAIGHT, _SLANTED, _MIXED = 1.0, float(np.sqrt(2)), (1 + float(np.sqrt(2))) / 2
_STEPS = {5: _STRAIGHT, 7: _STRAIGHT, 15: _STRAIGHT, 17: _STRAIGHT, 25: _STRAIGHT, 27: _STRAIGHT, 21: _SLANTED,
          33: _SLANTED, 13: _MIXED, 23: _MIXED}  # fmt: skip


def props(roi: Roi) -> Values:
    """Shape features of a plane region, or of the largest slice of a volume, by name.

    Parameters
    ----------
    roi : Roi
        At least one pixel inside.

    Returns
    -------
    dict
        Values in the units of `radlake.features.names`; a Term where a feature does not exist for such a region.

    References
    ----------
    scikit-image, `skimage.measure.regionprops`, whose values these are; perimeter: Benkrid, Crookes, Design and FPGA
    implementation of a perimeter estimator; Crofton perimeter, for pixels of any sides: Legland, Kieu, Devaux (2007),
    Computation of Minkowski measures on 2D and 3D binary images, Image Anal Stereol 26:83-92; Euler number (regions
    less holes, diagonal neighbours joined): Gray (1971), Local properties of binary images, IEEE Trans Comput C-20.

    Examples
    --------
    >>> found = props(Roi(np.ones((4, 2), bool), (1.0, 1.0)))
    >>> found["props_area"], found["props_extent"], found["props_euler_number"], found["props_orientation"]
    (8.0, 1.0, 1.0, 0.0)
    """
    plane = largest_plane(roi)
    mask, spacing = plane.mask, plane.spacing
    pixel, cells = spacing[0] * spacing[1], cell_counts(mask)
    convex = convex_mask(mask)
    area, hull_area, box_area = (float(n) * pixel for n in (mask.sum(), convex.sum(), mask.size))
    return {
        "props_area": area,
        "props_area_bbox": box_area,
        "props_area_convex": hull_area,
        "props_area_filled": float(_filled(mask).sum()) * pixel,
        **_ellipse(mask, spacing),
        "props_equivalent_diameter_area": float(np.sqrt(4 * area / np.pi)),
        "props_euler_number": _euler(cells),
        "props_extent": area / box_area,
        "props_feret_diameter_max": largest_distance(convex_hull(convex, spacing).vertices),
        "props_perimeter": _perimeter(mask) * spacing[0] if spacing[0] == spacing[1] else NOT_SQUARE,
        "props_perimeter_crofton": _crofton(cells, spacing),
        "props_solidity": area / hull_area,
    }


def convex_mask(mask: BoolArray) -> BoolArray:
    """Pixels whose centre lies in the convex hull of the middles of the mask's outer pixel edges, border included.

    Parameters
    ----------
    mask : (y, x) bool array
        At least one pixel inside.

    Examples
    --------
    >>> convex_mask(np.array([[True, False, True], [True, True, True]])).tolist()
    [[True, True, True], [True, True, True]]
    """
    corners = np.rint(convex_hull(mask, (2.0, 2.0)).vertices).astype(np.int64)  # whole numbers: halves of a pixel
    following = np.roll(corners, -1, axis=0)
    turn = corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]
    step = (following - corners) * np.sign(turn.sum())
    y, x = 2 * np.arange(mask.shape[0])[:, None, None], 2 * np.arange(mask.shape[1])[None, :, None]
    inside = np.ones(mask.shape, np.bool_)
    for (top, left), (down, right) in zip(corners.tolist(), step.tolist(), strict=True):
        inside &= (down * (x - left) - right * (y - top) >= 0)[..., 0]
    return inside


def _filled(mask: BoolArray) -> BoolArray:
    """The mask with its holes, background joined across diagonals as scikit-image does."""
    import cv2

    outside = np.pad((~mask).astype(np.uint8), 1, constant_values=1)
    _, parts = cv2.connectedComponents(outside, connectivity=8)
    return np.asarray(parts[1:-1, 1:-1] != parts[0, 0])


def _ellipse(mask: BoolArray, spacing: Spacing) -> Values:
    """Axes, eccentricity and orientation of the ellipse with the region's second moments."""
    place = moments(mask, spacing)
    spread = place.covariance * (place.voxels - 1) / place.voxels  # divided by n, not n - 1
    major, minor = axis_lengths(spread)
    unlike, slant = spread[0, 0] - spread[1, 1], spread[0, 1]
    return {
        "props_axis_major_length": major,
        "props_axis_minor_length": minor,
        "props_eccentricity": float(np.sqrt(1 - (minor / major) ** 2)) if major else ONE_PIXEL,
        "props_orientation": ROUND if unlike == slant == 0 else _angle(unlike, slant),
    }


def _angle(unlike: float, slant: float) -> float:
    """Angle between the rows' axis and the major one, anticlockwise, -pi/2 to pi/2."""
    return float(np.arctan2(2 * slant, unlike)) / 2


def _euler(cells: NDArray[np.int64]) -> float:
    """Regions less holes, from how often each cell of 2 x 2 pixels occurs."""
    single, triple = cells[[1, 2, 4, 8]].sum(), cells[[7, 11, 13, 14]].sum()
    return float(single - triple - 2 * cells[[6, 9]].sum()) / 4


def _perimeter(mask: BoolArray) -> float:
    """Length of the line through the border pixels' centres, in pixels."""
    import cv2

    inside = np.pad(mask.astype(np.uint8), 2)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    border = inside - cv2.erode(inside, cross)
    kernel = np.array([[10, 2, 10], [2, 1, 2], [10, 2, 10]], np.float32)
    codes = cv2.filter2D(border, -1, kernel, borderType=cv2.BORDER_CONSTANT)
    counts = np.bincount(codes[border > 0], minlength=50)
    return float(sum(int(counts[code]) * length for code, length in _STEPS.items()))


def _crofton(cells: NDArray[np.int64], spacing: Spacing) -> float:
    """Perimeter from how often lines in four directions cross the border."""
    down, across = spacing
    slope, diagonal = float(np.arctan2(down, across)), float(np.hypot(down, across))
    # Distance of the lines, and the angle that each direction stands for.
    between = (down, across, down * across / diagonal, down * across / diagonal)
    angles = (slope, np.pi / 2 - slope, np.pi / 4, np.pi / 4)
    patterns = np.arange(16)
    total = 0.0
    for pairs, gap, angle in zip(_PAIRS, between, angles, strict=True):
        crossings = sum(int(cells @ ((patterns >> a ^ patterns >> b) & 1)) for a, b in pairs)
        total += crossings / len(pairs) / 2 * gap * angle
    return total
