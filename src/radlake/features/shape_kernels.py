"""Compiled passes over masks: cells of their surface, moments, corners of hulls, diameters.

Importing this module loads compiled code, so import it inside functions only. Masks are (z, y, x) or (y, x) and may
touch the array's sides. Vertices of a surface lie half a sample from a sample inside; they are counted in half samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, part

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Measures = NDArray[np.float64]

_NONE = np.int64(1) << 40  # where a line holds no vertex


@compiled("int64[::1](boolean[:,:,:])")
def cells(mask: Mask) -> Numbers:
    """How many cells of 2 x 2 x 2 samples have each pattern: bit 4 z + 2 y + x of a corner that is inside."""
    depth, height, width = mask.shape
    counts = np.zeros(256, np.int64)
    edge = np.zeros(width + 1, np.uint8)  # of the four rows that meet: bits 0, 2, 4, 6 of each sample
    for z in range(depth + 1):
        for y in range(height + 1):
            edge[:] = 0
            for corner in range(4):
                k, j = z - 1 + (corner >> 1), y - 1 + (corner & 1)
                if 0 <= k < depth and 0 <= j < height:
                    row, bit = mask[k, j], np.uint8(1 << 2 * corner)
                    for x in range(width):
                        edge[x] |= np.uint8(row[x]) * bit
            before, known, run = 0, 0, 0  # most cells are like the one before: those are not looked up one by one
            for x in range(width + 1):
                code = before | int(edge[x]) << 1
                if code != known:
                    counts[known] += run
                    known, run = code, 0
                run += 1
                before = int(edge[x])
            counts[known] += run
    return counts


@part
def _plane_cells(mask: Mask) -> Numbers:
    """How many cells of 2 x 2 samples have each pattern: bit 2 y + x of a corner that is inside."""
    height, width = mask.shape
    counts = np.zeros(16, np.int64)
    for y in range(height + 1):
        before = 0
        for x in range(width + 1):
            here = 0
            if x < width:
                here = (int(mask[y - 1, x]) if y else 0) + (4 * int(mask[y, x]) if y < height else 0)
            counts[before + 2 * here] += 1
            before = here
    return counts


@compiled("int64[::1](boolean[:,:,:])")
def sums(mask: Mask) -> Numbers:
    """Number of samples inside, sums of their z, y, x, and of zz, yy, xx, zy, zx, yx (indices)."""
    depth, height, width = mask.shape
    found = np.zeros(10, np.int64)
    for z in range(depth):
        for y in range(height):
            row = mask[z, y]
            n = first = second = np.int64(0)
            for x in range(width):
                inside = np.int64(row[x])
                n += inside
                first += inside * x
                second += inside * (x * x)
            found[0] += n
            found[1] += z * n
            found[2] += y * n
            found[3] += first
            found[4] += z * z * n
            found[5] += y * y * n
            found[6] += second
            found[7] += z * y * n
            found[8] += z * first
            found[9] += y * first
    return found


@part
def _widen(line: Numbers, at: int, first: int, last: int) -> None:
    """Let a line (of which the first and the last vertex are kept) reach from first to last."""
    line[at, 0] = min(line[at, 0], first)
    line[at, 1] = max(line[at, 1], last)


@part
def _ends(row: Mask) -> tuple[int, int]:
    """First and last sample inside of a row; -1 twice where there is none."""
    first, last = 0, len(row) - 1
    while first <= last and not row[first]:
        first += 1
    if first > last:
        return -1, -1
    while not row[last]:
        last -= 1
    return first, last


@part
def _chain(line: Numbers, side: int, at: Numbers) -> int:
    """Which lines have their first (side 0) or last (side 1) vertex on the hull: their number, indices in `at`."""
    sign, n = 1 - 2 * side, 0
    for k in range(len(line)):
        if line[k, 0] == _NONE:
            continue
        while n > 1:
            a, b = at[n - 2], at[n - 1]
            turn = (b - a) * (line[k, side] - line[a, side]) - (k - a) * (line[b, side] - line[a, side])
            if sign * turn > 0:
                break
            n -= 1
        at[n] = k
        n += 1
    return n


@part
def _no_lines(n: int) -> Numbers:
    """Lines without any vertex."""
    line = np.empty((n, 2), np.int64)
    line[:, 0] = _NONE
    line[:, 1] = -_NONE
    return line


@part
def _plane_corners(mask: Mask) -> Numbers:
    """Corners (y, x) of the convex hull of a plane's outline, in turn.

    References
    ----------
    Andrew (1979), Another efficient algorithm for convex hulls in two dimensions, Information Processing Letters
    9:216-219.
    """
    line = _no_lines(2 * len(mask) + 1)
    for y in range(len(mask)):
        first, last = _ends(mask[y])
        if first >= 0:
            _widen(line, 2 * y, 2 * first, 2 * last)
            _widen(line, 2 * y + 1, 2 * first - 1, 2 * last + 1)
            _widen(line, 2 * y + 2, 2 * first, 2 * last)
    at, back = np.empty(len(line), np.int64), np.empty(len(line), np.int64)
    n, m = _chain(line, 0, at), _chain(line, 1, back)
    found, one_side = np.empty((n + m, 2), np.int64), np.ones(len(line), np.bool_)
    for k in range(n):
        found[k, 0], found[k, 1] = at[k] - 1, line[at[k], 0]
        one_side[at[k]] = line[at[k], 0] != line[at[k], 1]
    count = n
    for k in range(m - 1, -1, -1):
        y = back[k]
        if one_side[y]:
            found[count, 0], found[count, 1] = y - 1, line[y, 1]
            count += 1
    return found[:count].copy()


@compiled("int64[::1](boolean[:,:])")
def plane_cells(mask: Mask) -> Numbers:
    """How many cells of 2 x 2 samples have each pattern: bit 2 y + x of a corner that is inside."""
    return _plane_cells(mask)


@compiled("int64[:,::1](boolean[:,:])")
def plane_corners(mask: Mask) -> Numbers:
    """Corners (y, x) of the convex hull of a plane's outline, in turn and in half samples."""
    return _plane_corners(mask)


@part
def _lines_of(mask: Mask) -> Numbers:
    """First and last vertex of each line along x, in half samples: (planes, rows, 2)."""
    depth, height, _ = mask.shape
    line = np.empty((2 * depth + 1, 2 * height + 1, 2), np.int64)
    line[..., 0] = _NONE
    line[..., 1] = -_NONE
    for z in range(depth):
        for y in range(height):
            first, last = _ends(mask[z, y])
            if first >= 0:
                for dz, dy in ((0, 1), (1, 0), (1, 2), (2, 1)):
                    _widen(line[2 * z + dz], 2 * y + dy, 2 * first, 2 * last)
                _widen(line[2 * z + 1], 2 * y + 1, 2 * first - 1, 2 * last + 1)
    return line


@compiled("int32[:,::1](boolean[:,:,:])")
def corners(mask: Mask) -> NDArray[np.int32]:
    """Vertices (z, y, x) of a volume's surface that can be corners of its convex hull; among them some inside it.

    Of each row along x only the ends can be, and of these such that are corners both of what lies in their plane across
    z and of what lies in that across y.
    """
    line = _lines_of(mask)
    planes, rows, _ = line.shape
    votes, at = np.zeros((planes, rows, 2), np.uint8), np.empty(max(planes, rows), np.int64)
    for side in range(2):
        for z in range(planes):
            for k in range(_chain(line[z], side, at)):
                votes[z, at[k], side] += np.uint8(1)
        for y in range(rows):
            for k in range(_chain(line[:, y], side, at)):
                votes[at[k], y, side] += np.uint8(1)
    found, n = np.empty((np.count_nonzero(votes == 2), 3), np.int32), 0
    for z in range(planes):
        for y in range(rows):
            for side in range(2):
                twice = side == 1 and votes[z, y, 0] == 2 and line[z, y, 0] == line[z, y, 1]
                if votes[z, y, side] == 2 and not twice:
                    found[n, 0], found[n, 1], found[n, 2] = z - 1, y - 1, line[z, y, side]
                    n += 1
    return found[:n].copy()


@part
def _greatest_distance(points: Measures) -> float:
    """Greatest distance between any two of n points (n, axes), in their unit.

    From the outermost inwards: two points are no farther apart than their distances from the middle together.
    """
    n, axes = points.shape
    middle = np.zeros(axes)
    for a in range(axes):
        middle[a] = points[:, a].mean()
    away = np.zeros(n)
    for i in range(n):
        for a in range(axes):
            away[i] += (points[i, a] - middle[a]) ** 2
    order = np.argsort(-away)
    ordered, radius = np.empty((axes, n)), np.empty(n)
    for i in range(n):
        radius[i] = np.sqrt(away[order[i]])
        for a in range(axes):
            ordered[a, i] = points[order[i], a]
    best, greatest, squared = 0.0, 0.0, np.empty(n)
    for i in range(1, n):
        near = i
        while near > 0 and radius[i] + radius[near - 1] < best:
            near -= 1
        if near == 0:
            break
        squared[:near] = 0
        for a in range(axes):
            here, row = ordered[a, i], ordered[a]
            for j in range(near):
                squared[j] += (row[j] - here) ** 2
        for j in range(near):
            greatest = max(greatest, squared[j])
        best = np.sqrt(greatest) * (1 - 1e-12)  # rounding must not leave out the farthest pair
    return float(np.sqrt(greatest))


@compiled("float64(float64[:,::1])")
def greatest_distance(points: Measures) -> float:
    """Greatest distance between any two of n points (n, axes), in their unit."""
    return _greatest_distance(points)


@part
def _least_width(vertices: Measures) -> float:
    """Least distance of two parallel lines that hold a convex polygon (n, 2) between them.

    References
    ----------
    Toussaint (1983), Solving geometric problems with the rotating calipers, Proc. IEEE MELECON: one of the lines lies
    on a side of the polygon.
    """
    n, least = len(vertices), np.inf
    for i in range(n):
        following = (i + 1) % n
        down, across = vertices[following, 0] - vertices[i, 0], vertices[following, 1] - vertices[i, 1]
        length = np.sqrt(down * down + across * across)
        low, high = np.inf, -np.inf
        for k in range(n):
            off = (vertices[k, 1] * down - vertices[k, 0] * across) / length
            low, high = min(low, off), max(high, off)
        least = min(least, high - low)
    return float(least)


@compiled("float64[::1](boolean[:,:], float64, float64)")
def outline(mask: Mask, down: float, across: float) -> Measures:
    """Length, area, area of the convex hull, greatest and least diameter, area of the box of a plane's outline, mm.

    The outline is that of marching squares at level 1/2; `down` and `across` are the spacing in mm.

    References
    ----------
    Maple (2003), Geometric design and space planning using the marching squares algorithm, Proc. GMAG, 90-95.
    """
    cut, found = np.sqrt(down * down + across * across) / 2, np.zeros(6)
    # Corners: 1 = (0, 0), 2 = (0, 1), 4 = (1, 0), 8 = (1, 1); 6 and 9 are the joined diagonals.
    lengths = (0.0, cut, cut, across, cut, down, 2 * cut, cut, cut, 2 * cut, down, cut, across, cut, cut, 0.0)
    eighths = (0, 1, 1, 4, 1, 4, 6, 7, 1, 6, 4, 7, 4, 7, 7, 8)
    counts, hull = _plane_cells(mask), _plane_corners(mask)
    inside = np.int64(0)
    for k in range(16):
        found[0] += counts[k] * lengths[k]
        inside += counts[k] * eighths[k]
    twice, n = np.int64(0), len(hull)
    for k in range(n):
        following = hull[(k + 1) % n]
        twice += hull[k, 0] * following[1] - hull[k, 1] * following[0]
    found[1], found[2] = inside / 8 * (down * across), abs(twice) / 8 * (down * across)
    vertices = hull * np.array([down / 2, across / 2])
    found[3], found[4] = _greatest_distance(vertices), _least_width(vertices)
    if n:
        box = (hull[:, 0].max() - hull[:, 0].min()) * (hull[:, 1].max() - hull[:, 1].min())
        found[5] = box / 4 * (down * across)
    return found


@compiled("float64[::1](boolean[:,:,:], float64[::1])")
def weighted(mask: Mask, values: Measures) -> Measures:
    """Sum of the values of the samples inside (in order), and their sums weighted by z, y and x (indices)."""
    depth, height, width = mask.shape
    found, n = np.zeros(4), 0
    for z in range(depth):
        plane = np.zeros(4)
        for y in range(height):
            total = along = 0.0
            row = mask[z, y]
            for x in range(width):
                if row[x]:
                    total += values[n]
                    along += values[n] * x
                    n += 1
            plane[0] += total
            plane[2] += total * y
            plane[3] += along
        plane[1] = plane[0] * z
        found += plane
    return found
