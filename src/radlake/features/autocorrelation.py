"""How alike near voxels are (family "autocorrelation"): Moran's I and Geary's C over all pairs of a region.

Sums over pairs are convolutions with the inverse distance, and only their totals are wanted. By Parseval's theorem
these are sums over frequencies, so nothing is transformed back, and the volume is never held padded along z or y: rows
are transformed first, then some frequencies of them at a time. The result is that of the double sum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import BoolArray, FloatArray
from radlake.features.morphology import NO_INTENSITY, ONE_VOXEL
from radlake.features.roi import Roi, Values
from radlake.imaging.arguments import Spacing

_LIMIT = 1 << 26  # samples of the padded grid: about 0.6 GiB of working memory
_CHUNK = 1 << 20  # samples of the padded grid transformed along z and y at a time
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
    deviation = np.zeros(mask.shape)
    deviation[mask] = inside - inside.mean()
    total = float((deviation**2).sum())
    products, weights, squares = _pair_sums(deviation, mask, roi.spacing)
    # Sum of w (x_i - x_j)^2 over ordered pairs, multiplied out
    differences = 2 * (squares - products)
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
    return TOO_LARGE if np.prod(_padded((1, *shape)[-3:]), dtype=np.float64) > _LIMIT else None


def _padded(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Sides of a grid in which no pair meets round the edge, and that FFTs are fast on; the first two even."""
    from scipy.fft import next_fast_len

    *first, last = shape
    return *(2 * next_fast_len(n, real=True) for n in first), next_fast_len(2 * last - 1, real=True)


def _pair_sums(deviation: FloatArray, mask: BoolArray, spacing: Spacing) -> tuple[float, float, float]:
    """Sums of d_i w_ij d_j, of w_ij and of d_i^2 w_ij over all ordered pairs of different voxels of the mask, in 1/mm.

    References
    ----------
    Oppenheim, Schafer (2010), Discrete-time signal processing, 3rd ed., 8.6.5 (Parseval) and 8.8 (the transform of an
    even sequence is a cosine transform).
    """
    from scipy import fft

    from radlake.features import kernels

    shape = (1, *mask.shape)[-3:]
    depth, height, width = _padded(shape)
    rows = np.empty((3, *shape[:2], width // 2 + 1), np.complex128)
    for z, (values, inside) in enumerate(zip(deviation.reshape(shape), mask.reshape(shape), strict=True)):
        for field, found in zip((values, inside.astype(np.float64), values**2), rows, strict=True):
            found[z] = fft.rfft(field, width)
    kernel = _kernel_rows((shape[0], height // 2 + 1, width), spacing)
    # A real transform holds half of the frequencies along x: all but the first and, of even lengths, the last twice.
    twice = np.full(kernel.shape[2], 2.0)
    twice[0] = 1.0
    if width % 2 == 0:
        twice[-1] = 1.0
    sums = np.zeros(3)
    step = max(1, _CHUNK // (depth * height))
    for start in range(0, kernel.shape[2], step):
        columns = slice(start, start + step)
        even = np.zeros((depth // 2 + 1, height // 2 + 1, len(twice[columns])))
        even[: len(kernel)] = kernel[..., columns]
        weight = fft.dctn(even, type=1, axes=(0, 1), overwrite_x=True) * twice[columns]
        d, m, s = (_spectrum(part[..., columns], depth, height) for part in rows)
        sums += kernels.weighted_products(weight, d, m, s)
    products, weights, squares = (sums / (depth * height * width)).tolist()
    return products, weights, squares


def _spectrum(rows: NDArray[np.complex128], depth: int, height: int) -> NDArray[np.complex128]:
    """Transform along y, then along z: what is added along z is 0, and so is its transform along y."""
    from scipy import fft

    planes = fft.fft(rows, height, axis=1)
    return np.ascontiguousarray(fft.fft(planes, depth, axis=0))


def _kernel_rows(size: tuple[int, int, int], spacing: Spacing) -> FloatArray:
    """Transforms along x of the inverse distance at z, y = 0, 1, 2 ... steps; real, because rows are even."""
    from scipy import fft

    *above, down, across = spacing
    x = np.minimum(np.arange(size[2]), size[2] - np.arange(size[2])) * across
    squared = (np.arange(size[1])[:, None] * down) ** 2 + x**2
    found = np.empty((*size[:2], size[2] // 2 + 1))
    for z in range(size[0]):
        distance = squared + (z * above[0]) ** 2 if above else squared.copy()
        if z == 0:
            distance[0, 0] = np.inf  # a voxel is no neighbour of itself
        found[z] = fft.rfft(1.0 / np.sqrt(distance)).real
    return found
