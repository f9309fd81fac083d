"""IBSI local intensity (family "peak"): the mean in a sphere of 1 cm3, which takes in what lies round the region."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array
from radlake.features.morphology import NO_INTENSITY
from radlake.features.roi import Roi, Values
from radlake.imaging.arguments import Spacing

RADIUS_MM = float((3000 / (4 * np.pi)) ** (1 / 3))  # of 1 cm3
_MOST_ROWS = 1 << 36  # rows of voxels added up for all spheres: about half a minute
TOO_FINE = Term("the voxels are too small for a sphere of 1 cm3 round each; resample to larger ones")
NO_SPHERE = Term("a sphere of 1 cm3 needs a volume with spacing in millimetres")


def peak(roi: Roi) -> Values:
    """Local and global intensity peak, in the unit of the image.

    The local one is that at the brightest voxel of the region (the highest, where several are equal), the global one
    the highest at any of its voxels. Voxels outside the region count in the means; beyond the image's edge, and where
    values are not finite, nothing does.

    Parameters
    ----------
    roi : Roi
        With intensities; spheres reach as far as `surroundings` do.

    Raises
    ------
    ItemError
        `not_finite` when a value inside the region is NaN or infinite.

    References
    ----------
    IBSI arXiv:1612.07003, 3.2.1 (VJGA) and 3.2.2 (0F91); Wahl et al. (2009), From RECIST to PERCIST, J Nucl Med 50
    Suppl 1:122S-150S.

    Examples
    --------
    With 20 mm between voxels each sphere holds its centre only:

    >>> image = np.array([[[1.0, 3.0]]])
    >>> peak(Roi(image > 0, (20.0, 20.0, 20.0), image))
    {'loc_peak_loc': 3.0, 'loc_peak_glob': 3.0}
    """
    if roi.mask.ndim != 3 or not roi.calibrated:
        return {"loc_peak_loc": NO_SPHERE, "loc_peak_glob": NO_SPHERE}
    values = roi.values
    if values.size == 0:
        return {"loc_peak_loc": NO_INTENSITY, "loc_peak_glob": NO_INTENSITY}
    if not np.isfinite(values).all():
        raise ItemError("not_finite")
    around, corner = roi.around(RADIUS_MM)
    if len(_rows(around.shape, roi.spacing, RADIUS_MM)) * roi.mask.size > _MOST_ROWS:
        return {"loc_peak_loc": TOO_FINE, "loc_peak_glob": TOO_FINE}
    means = sphere_means(around, roi.spacing, radius_mm=RADIUS_MM, corner=corner, shape=roi.mask.shape)
    inside = means[roi.intensity_mask()]
    return {"loc_peak_loc": float(inside[values == values.max()].max()), "loc_peak_glob": float(inside.max())}


def sphere_means(
    image: Array, spacing: Spacing, *, radius_mm: float, corner: tuple[int, ...], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Mean of an image in the sphere round each voxel of a box, over the finite voxels inside the image.

    Parameters
    ----------
    image : (z, y, x) array
        Any unit.
    spacing : (z, y, x)
        Millimetres.
    radius_mm : float
        Of the spheres; centres at most this far from a centre are inside.
    corner, shape : tuples of ints
        Of the box within the image.

    Examples
    --------
    >>> sphere_means(np.array([[[1.0, 2.0, 6.0]]]), (1.0, 1.0, 1.0), radius_mm=1.0, corner=(0, 0, 0), shape=(1, 1, 3))
    array([[[1.5, 3. , 4. ]]])
    """
    rows = _rows(image.shape, spacing, radius_mm)
    margin = np.abs(rows).max(axis=0)
    inner, part = _overlap(image.shape, corner, shape, margin)
    near = image[part]
    finite = np.isfinite(near) if image.dtype.kind == "f" else np.ones(near.shape, bool)
    whole = all(edge.stop - edge.start == n + 2 * m for edge, n, m in zip(inner, shape, margin, strict=True))
    if whole and finite.all():
        return np.asarray(_sphere_sums(near, inner, rows, margin, shape) / (2 * rows[:, 2] + 1).sum())
    total, number = (_sphere_sums(f, inner, rows, margin, shape) for f in (np.where(finite, near, 0), finite))
    return np.asarray(total / np.maximum(number, 1))


def _sphere_sums(
    field: Array,
    inner: tuple[slice, ...],
    rows: NDArray[np.int64],
    margin: NDArray[np.int64],
    shape: tuple[int, ...],
) -> NDArray[np.float64]:
    """Sums in the spheres round the voxels of a box; `inner`: where the field lies in the box with its margin."""
    from radlake.features.kernels import sphere_sums

    # Running sums along x: each row of a sphere is then one difference, whatever its length.
    running = np.zeros([n + 2 * m + (axis == 2) for axis, (n, m) in enumerate(zip(shape, margin, strict=True))])
    after = (*inner[:2], slice(inner[2].start + 1, None))
    running[after][..., : field.shape[2]] = field
    np.cumsum(running, axis=2, out=running)
    total = np.zeros(shape)
    sphere_sums(running, rows, margin, total)
    return total


def _overlap(
    image: tuple[int, ...], corner: tuple[int, ...], shape: tuple[int, ...], margin: NDArray[np.int64]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The part of a box with margin that lies in the image, in coordinates of the box and of the image."""
    inner, part = [], []
    for size, start, length, extra in zip(image, corner, shape, margin.tolist(), strict=True):
        first, last = max(start - extra, 0), min(start + length + extra, size)
        inner.append(slice(first - start + extra, last - start + extra))
        part.append(slice(first, last))
    return tuple(inner), tuple(part)


def _rows(shape: tuple[int, ...], spacing: Spacing, radius: float) -> NDArray[np.int64]:
    """Rows (dz, dy) of a sphere's voxels and how far each reaches along x, no farther than an image of that shape."""
    furthest = [int(min(radius / s, n - 1)) for s, n in zip(spacing, shape, strict=True)]
    dz, dy = np.mgrid[-furthest[0] : furthest[0] + 1, -furthest[1] : furthest[1] + 1]
    left = radius**2 - (dz * spacing[0]) ** 2 - (dy * spacing[1]) ** 2
    reach = np.minimum(np.sqrt(np.maximum(left, 0)) / spacing[2], furthest[2]).astype(np.int64)
    return np.asarray(np.stack([dz, dy, reach], axis=-1)[left >= 0], np.int64)
