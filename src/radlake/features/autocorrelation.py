"""How alike near voxels are (family "autocorrelation"): Moran's I and Geary's C over all pairs of a region.

Sums over pairs are convolutions with the inverse distance, taken by FFT: the result is that of the double sum.
"""

from __future__ import annotations

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.image import FloatArray
from radlake.features.morphology import NO_INTENSITY, ONE_VOXEL
from radlake.features.roi import Roi, Values
from radlake.imaging.arguments import Spacing

_LIMIT = 1 << 25  # samples of the padded grid: about 1.3 GiB of working memory
CONSTANT = Term("all values in the region are equal")
TOO_LARGE = Term("the region's box is too large for sums over all pairs; resample it to larger voxels")


def autocorrelation(roi: Roi) -> Values:
    """Moran's I (1: like beside like, near 0: at random) and Geary's C (below 1: like beside like), without unit.

    Pairs are weighted by the inverse of their distance in mm; voxels of the intensity mask count.

    Parameters
    ----------
    roi : Roi
        With intensities; two or three axes.

    Raises
    ------
    ItemError
        `not_finite` when a value inside is NaN or infinite.
    ValueError
        When the roi has no intensities.

    References
    ----------
    IBSI arXiv:1612.07003, 3.1.28 (N365) and 3.1.29 (NPT7).

    Examples
    --------
    >>> values = autocorrelation(Roi(np.ones((1, 3), bool), (1.0, 1.0), np.array([[1.0, 1.0, 2.0]])))
    >>> round(values["morph_moran_i"], 6), round(values["morph_geary_c"], 6)
    (-0.4, 0.9)
    """
    if roi.intensity is None:
        raise ValueError("autocorrelation needs an image")
    mask = roi.intensity_mask()
    inside = roi.intensity[mask].astype(np.float64)
    if not np.isfinite(inside).all():
        raise ItemError("not_finite")
    why = _undefined(inside, mask.shape)
    if why is not None:
        return {"morph_moran_i": why, "morph_geary_c": why}
    member = mask.astype(np.float64)
    deviation = np.zeros(mask.shape)
    deviation[mask] = inside - inside.mean()
    near_deviation, near_member = _weighted_sums(deviation, member, spacing=roi.spacing)
    squares = deviation**2
    total, weights = float(squares.sum()), float((member * near_member).sum())
    products = float((deviation * near_deviation).sum())
    # Sum of w (x_i - x_j)^2 over ordered pairs, multiplied out
    differences = 2 * (float((squares * near_member).sum()) - products)
    n = inside.size
    return {
        "morph_moran_i": n / weights * products / total,
        "morph_geary_c": (n - 1) / (2 * weights) * differences / total,
    }


def _undefined(inside: FloatArray, shape: tuple[int, ...]) -> Term | None:
    """Why there is no value, if there is none."""
    if inside.size < 2:
        return ONE_VOXEL if inside.size else NO_INTENSITY
    if np.ptp(inside) == 0:
        return CONSTANT
    return TOO_LARGE if np.prod(_padded(shape), dtype=np.float64) > _LIMIT else None


def _padded(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Sides of a grid in which no pair meets round the edge, and that FFTs are fast on."""
    from scipy.fft import next_fast_len

    return tuple(next_fast_len(2 * n - 1, real=True) for n in shape)


def _weighted_sums(*fields: FloatArray, spacing: Spacing) -> list[FloatArray]:
    """For each field: at every voxel the sum over all others of the field divided by the distance in mm."""
    from scipy import fft

    size = _padded(fields[0].shape)
    squared = np.zeros((1,) * len(size))
    for axis, (length, step) in enumerate(zip(size, spacing, strict=True)):
        offset = np.minimum(np.arange(length), length - np.arange(length)) * step
        squared = squared + (offset**2).reshape([-1 if a == axis else 1 for a in range(len(size))])
    origin = (0,) * len(size)
    squared[origin] = np.inf  # a voxel is no neighbour of itself
    kernel = fft.rfftn(1.0 / np.sqrt(squared))
    crop = tuple(slice(n) for n in fields[0].shape)
    return [fft.irfftn(fft.rfftn(field, size) * kernel, size)[crop] for field in fields]
