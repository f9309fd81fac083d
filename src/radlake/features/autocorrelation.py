"""How alike near voxels are (family "autocorrelation"): Moran's I and Geary's C over all pairs of a region.

Sums over pairs are convolutions with the inverse distance, and only their totals are wanted. By Parseval's theorem
these are sums over frequencies, so nothing is transformed back, and the volume is never held padded along z: planes are
transformed first, then some columns of them at a time. The result is that of the double sum.
"""

from __future__ import annotations

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.image import BoolArray, FloatArray
from radlake.features.morphology import NO_INTENSITY, ONE_VOXEL
from radlake.features.roi import Roi, Values
from radlake.imaging.arguments import Spacing

_LIMIT = 1 << 26  # samples of the padded grid: about 1.2 GiB of working memory
_CHUNK = 1 << 20  # samples of the padded grid transformed along z at a time
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
    """Sides of a grid in which no pair meets round the edge, and that FFTs are fast on; the first one even."""
    from scipy.fft import next_fast_len

    first, *rest = shape
    return 2 * next_fast_len(first, real=True), *(next_fast_len(2 * n - 1, real=True) for n in rest)


def _pair_sums(deviation: FloatArray, mask: BoolArray, spacing: Spacing) -> tuple[float, float, float]:
    """Sums of d_i w_ij d_j, of w_ij and of d_i^2 w_ij over all ordered pairs of different voxels of the mask, in 1/mm.

    References
    ----------
    Oppenheim, Schafer (2010), Discrete-time signal processing, 3rd ed., 8.6.5 (Parseval) and 8.8 (the transform of an
    even sequence is a cosine transform).
    """
    from scipy import fft

    shape = (1, *mask.shape)[-3:]
    depth, height, width = _padded(shape)
    planes = np.empty((3, shape[0], height, width // 2 + 1), np.complex128)
    for z, (values, inside) in enumerate(zip(deviation.reshape(shape), mask.reshape(shape), strict=True)):
        for field, found in zip((values, inside.astype(np.float64), values**2), planes, strict=True):
            found[z] = fft.rfft2(field, (height, width))
    kernel = _kernel_planes(shape, (height, width), spacing)
    # A real transform holds half of the frequencies along x: all but the first and, of even lengths, the last twice.
    twice = np.full(kernel.shape[2], 2.0)
    twice[0] = 1.0
    if width % 2 == 0:
        twice[-1] = 1.0
    sums = np.zeros(3)
    step = max(1, _CHUNK // (depth * kernel.shape[2]))
    for start in range(0, height, step):
        rows = slice(start, start + step)
        even = np.zeros((depth // 2 + 1, *kernel[:, rows].shape[1:]))
        even[: len(kernel)] = kernel[:, rows]
        half = fft.dct(even, type=1, axis=0)
        weight = np.concatenate([half, half[-2:0:-1]]) * twice
        d, m, s = (fft.fft(plane[:, rows], depth, axis=0) for plane in planes)
        sums += [float((weight * (a.real * b.real + a.imag * b.imag)).sum()) for a, b in ((d, d), (m, m), (s, m))]
    products, weights, squares = (sums / (depth * height * width)).tolist()
    return products, weights, squares


def _kernel_planes(shape: tuple[int, ...], size: tuple[int, int], spacing: Spacing) -> FloatArray:
    """Transforms of the planes of the inverse distance at z = 0, 1, 2 ... steps; real, because planes are even."""
    from scipy import fft

    *above, down, across = spacing
    squared = np.zeros((1, 1))
    for axis, (length, step) in enumerate(zip(size, (down, across), strict=True)):
        offset = np.minimum(np.arange(length), length - np.arange(length)) * step
        squared = squared + (offset**2).reshape([-1 if a == axis else 1 for a in range(2)])
    found = np.empty((shape[0], size[0], size[1] // 2 + 1))
    for z in range(shape[0]):
        distance = squared + (z * above[0]) ** 2 if above else squared.copy()
        if z == 0:
            distance[0, 0] = np.inf  # a voxel is no neighbour of itself
        found[z] = fft.rfft2(1.0 / np.sqrt(distance)).real
    return found
