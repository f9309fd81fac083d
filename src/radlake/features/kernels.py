"""Compiled passes over grey levels that fill the texture matrices; nothing here knows features.

Importing this module compiles it once per installation (seconds) and loads it from the cache afterwards, so import it
inside functions only. Level arrays are (z, y, x), have a border of one voxel of 0, and are 0 outside the region.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.imaging.kernels.compiled import compiled, part

Levels = NDArray[np.uint16]


@part
def _ends(row: Levels) -> tuple[int, int]:
    """First voxel of a row (border left out) that has a level, and the one after the last."""
    first, last = 1, len(row) - 1
    while first < last and row[first] == 0:
        first += 1
    while last > first and row[last - 1] == 0:
        last -= 1
    return first, last


@compiled("Tuple((uint32[:,:,:,::1], uint32[:,:,:,::1]))(uint16[:,:,::1], int64[:,::1], int64, int64, boolean)")
def pairs_and_runs(
    levels: Levels, offsets: NDArray[np.int64], count: int, longest: int, by_plane: bool
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Pairs (p, n, count, count) and runs (p, n, count, longest) along n offsets; index 0 is level 1 and length 1.

    p is the number of planes (border left out) with `by_plane`, where no offset may leave its plane, else 1. Offsets
    (dz, dy, dx) point backwards: their first number that is not 0 is -1. So the run that ends at the voxel behind is
    known, and one count a voxel and offset tells all: its level with the level behind where that differs, with its
    place in its run where it is the same. Runs of length k are voxels in place k less those in place k + 1.
    """
    depth, height, width = levels.shape
    n, planes = len(offsets), depth - 2 if by_plane else 1
    across = count + longest + 2
    seen = np.zeros((planes, n, count + 1, across), np.uint32)
    place = np.zeros((2, n, height, width), np.uint32)  # in the run so far, in this plane and the one before
    cells = np.zeros(width, np.uint32)
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            first, last = _ends(levels[z, y])
            here, m = levels[z, y, first:last], last - first
            for d in range(n):
                dz, dy, dx = offsets[d]
                behind = levels[z + dz, y + dy, first + dx : last + dx]
                so_far, before = place[z & 1, d, y, first:last], place[(z + dz) & 1, d, y + dy, first + dx : last + dx]
                # Arithmetic in place of branches, which noise makes hard to foretell; counted in a loop of its own, so
                # that this one is done for many voxels at once.
                for x in range(m):
                    a, b = np.uint32(here[x]), np.uint32(behind[x])
                    same = np.uint32((a == b) & (a != 0))
                    k = same * before[x] + np.uint32(1)
                    so_far[x] = k
                    cells[x] = a * np.uint32(across) + b + same * (np.uint32(count) + k - b)
                table = seen[z - 1 if by_plane else 0, d].reshape(-1)
                for x in range(m):
                    table[cells[x]] += np.uint32(1)
    pairs = np.zeros((planes, n, count, count), np.uint32)
    runs = np.zeros((planes, n, count, longest), np.uint32)
    for p in range(planes):
        for d in range(n):
            for level in range(1, count + 1):
                row, alike, begun = seen[p, d, level], np.uint32(0), np.uint32(0)
                for other in range(count + 1):
                    begun += row[other]
                    if other > 0:
                        pairs[p, d, level - 1, other - 1] = row[other]
                for length in range(2, longest + 1):
                    alike += row[count + length]
                    runs[p, d, level - 1, length - 1] = row[count + length] - row[count + length + 1]
                pairs[p, d, level - 1, level - 1] = alike
                runs[p, d, level - 1, 0] = begun - row[count + 2]
    return pairs, runs


@compiled("int64[::1](uint16[:,:,::1])")
def voxels(levels: Levels) -> NDArray[np.int64]:
    """Voxels with a level in every plane, border left out."""
    depth, height, _ = levels.shape
    found = np.zeros(depth - 2, np.int64)
    for z in range(depth - 2):
        for y in range(1, height - 1):
            for level in levels[z + 1, y]:
                found[z] += level != 0
    return found


@compiled("uint16[:,:,::1](boolean[:,:,:], uint16[::1])")
def in_place(mask: NDArray[np.bool_], levels: NDArray[np.uint16]) -> Levels:
    """Levels of the voxels inside, given in order, where they lie, with a border of 0."""
    depth, height, width = mask.shape
    grid, n = np.zeros((depth + 2, height + 2, width + 2), np.uint16), 0
    for z in range(depth):
        for y in range(height):
            row, inside = grid[z + 1, y + 1], mask[z, y]
            for x in range(width):
                if inside[x]:
                    row[x + 1] = levels[n]
                    n += 1
    return grid


@compiled("uint16[:,:,::1](boolean[:,:,:], boolean)")
def border_distance(mask: NDArray[np.bool_], deep: bool) -> Levels:
    """Steps along the axes (not along the first without `deep`) to the nearest voxel outside, with a border of 0.

    Two passes, forwards and backwards (Rosenfeld and Pfaltz 1968).
    """
    depth, height, width = mask.shape
    steps = np.zeros((depth + 2, height + 2, width + 2), np.uint16)
    for z in range(depth):
        for y in range(height):
            here, up, inside = steps[z + 1, y + 1], steps[z + 1, y], mask[z, y]
            above = steps[z, y + 1] if deep else up
            for x in range(width):
                if inside[x]:
                    here[x + 1] = min(here[x], up[x + 1], above[x + 1]) + np.uint16(1)
    for z in range(depth, 0, -1):
        for y in range(height, 0, -1):
            here, down = steps[z, y], steps[z, y + 1]
            below = steps[z + 1, y] if deep else down
            for x in range(width, 0, -1):
                here[x] = min(here[x], min(here[x + 1], down[x], below[x]) + np.uint16(1))
    return steps


@compiled("Tuple((uint32[:,:,::1], float64[:,::1], int64[:,::1]))(uint16[:,:,::1], int64, boolean)")
def neighbourhoods(
    levels: Levels, count: int, deep: bool
) -> tuple[NDArray[np.uint32], NDArray[np.float64], NDArray[np.int64]]:
    """For every plane (border left out) and level: dependence counts, summed tone differences, voxels with neighbours.

    Shapes (z, count + 1, 28), (z, count + 1) twice. A dependence is the number of voxels of equal level in the 3 x 3
    (deep: 3 x 3 x 3) neighbourhood, the centre included; a tone difference that to the mean of the neighbours inside.
    """
    depth, height, width = levels.shape
    reach = 1 if deep else 0
    dependence = np.zeros((depth - 2, count + 1, 28), np.uint32)
    tone = np.zeros((depth - 2, count + 1), np.float64)
    valid = np.zeros((depth - 2, count + 1), np.int64)
    equal, total, inside = np.zeros(width, np.uint16), np.zeros(width, np.uint16), np.zeros(width, np.uint16)
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            here = levels[z, y]
            equal[:] = 0
            total[:] = 0
            inside[:] = 0
            for dz in range(-reach, reach + 1):
                for dy in range(-1, 2):
                    row = levels[z + dz, y + dy]
                    for dx in range(-1, 2):
                        for x in range(1, width - 1):
                            equal[x] += np.uint16(here[x] == row[x + dx])
                            total[x] += row[x + dx]
                            inside[x] += np.uint16(row[x + dx] != 0)
            for x in range(1, width - 1):
                level = here[x]
                if level:
                    dependence[z - 1, level, equal[x]] += np.uint32(1)
                    if inside[x] > 1:
                        mean = (np.float64(total[x]) - level) / (inside[x] - 1)
                        tone[z - 1, level] += abs(level - mean)
                        valid[z - 1, level] += 1
    return dependence, tone, valid


@compiled("float64[::1](float64[:,:,::1], complex128[:,:,::1], complex128[:,:,::1], complex128[:,:,::1])")
def weighted_products(
    weight: NDArray[np.float64], d: NDArray[np.complex128], m: NDArray[np.complex128], s: NDArray[np.complex128]
) -> NDArray[np.float64]:
    """Sums of w |d|^2, w |m|^2 and of the real part of w s m*, of spectra along z and y.

    `weight` is even in both: the first half of it is given.
    """
    depth, height, columns = d.shape
    found = np.zeros(3)
    for z in range(depth):
        plane = np.zeros(3)
        for y in range(height):
            w = weight[min(z, depth - z), min(y, height - y)]
            a, b, c = d[z, y], m[z, y], s[z, y]
            first = second = third = 0.0
            for x in range(columns):
                first += w[x] * (a[x].real * a[x].real + a[x].imag * a[x].imag)
                second += w[x] * (b[x].real * b[x].real + b[x].imag * b[x].imag)
                third += w[x] * (c[x].real * b[x].real + c[x].imag * b[x].imag)
            plane[0] += first
            plane[1] += second
            plane[2] += third
        found += plane
    return found


@compiled("void(float64[:,:,::1], int64[:,::1], int64[::1], float64[:,:,::1])")
def sphere_sums(
    sums: NDArray[np.float64], rows: NDArray[np.int64], margin: NDArray[np.int64], total: NDArray[np.float64]
) -> None:
    """Add up spheres round the voxels of a box from running sums along x.

    `sums` reaches `margin` (z, y, x) voxels beyond the box on each side, and has one more along x, 0 first. Each of
    `rows` is (dz, dy, reach along x).
    """
    depth, height, width = total.shape
    for z in range(depth):
        for y in range(height):
            here = total[z, y]
            for k in range(len(rows)):
                dz, dy, reach = rows[k]
                row = sums[z + margin[0] + dz, y + margin[1] + dy]
                first, last = row[margin[2] - reach :], row[margin[2] + reach + 1 :]
                for x in range(width):
                    here[x] += last[x] - first[x]
