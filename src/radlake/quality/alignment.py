"""Small pictures of equal size against each other: eight orientations, separable zoom and shift, and the correlation
that the best zoom and shift leave. Works on batches, so that a cohort costs matrix products, not loops.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 48  # pixels of a picture: enough to tell two radiographs of one patient apart, 2.3 kB
ORIENTATIONS = 8
JUDGED = (0.6, 1.2)  # band of Gaussian widths, pixels, whose agreement decides: anatomy that all people share is wider
WIDEST = 0.15  # a crop of 7% on both sides zooms by 0.14; pictures that need more are no crop of each other

Maps = NDArray[np.float32]
Floats = NDArray[np.float64]


class Pass(NamedTuple):
    """One pass of the alignment: pairs below `least` correlation leave before its rounds of Gauss-Newton steps.

    Parameters
    ----------
    band : (float, float)
        Gaussian widths of `details`, pixels of the pooled picture.
    pooled : int
        Pixels that are averaged along each axis first.
    """

    band: tuple[float, float]
    pooled: int
    least: float
    rounds: int


# benchmarks/duplicates.py: planted crops start above 0.62 and reach 0.84 after two coarse rounds
PASSES = (Pass((0.75, 2.0), 2, 0.6, 2), Pass((0.8, 2.5), 1, 0.7, 3))


def oriented(pictures: Maps, orientation: int) -> Maps:
    """One of the eight rotations by 90 degrees and mirror images of (..., y, x) pictures; 0 leaves them.

    Examples
    --------
    >>> oriented(np.arange(4, dtype=np.float32).reshape(2, 2), 1)
    array([[1., 3.],
           [0., 2.]], dtype=float32)
    """
    turned = pictures[..., ::-1] if orientation >= 4 else pictures
    return np.rot90(turned, orientation % 4, axes=(-2, -1))


def zoomed(pictures: Maps, warp: Floats) -> tuple[Maps, Maps]:
    """Pictures sampled on a zoomed and shifted grid, bilinear, and the weight (0 to 1) of samples inside them.

    Parameters
    ----------
    pictures : (n, y, x) float array
        Square pictures.
    warp : (n, 2, 2) float array
        For the y, then the x axis: scale and shift. Position u in -1..1 (pixel centres) is read at scale * u + shift.

    Examples
    --------
    >>> ramp = np.tile(np.arange(4, dtype=np.float32), (1, 4, 1))
    >>> zoomed(ramp, np.array([[[1.0, 0.0], [0.5, 0.0]]]))[0][0, 0]
    array([0.75, 1.25, 1.75, 2.25], dtype=float32)
    """
    side = pictures.shape[-1]
    along = [_matrix(side, warp[:, axis]) for axis in (0, 1)]
    values: Maps = np.matmul(np.matmul(along[0], pictures), along[1].transpose(0, 2, 1))
    weight: Maps = along[0].sum(axis=2)[:, :, None] * along[1].sum(axis=2)[:, None, :]
    return values, weight


def details(pictures: Maps, band: tuple[float, float]) -> Maps:
    """Structures between two Gaussian widths (pixels), brought to equal strength everywhere.

    Dividing by the local strength makes the result independent of brightness, contrast and smooth shading.

    References
    ----------
    Marr and Hildreth (1980), Theory of edge detection (difference of Gaussians); local contrast normalisation as in
    Jarrett et al. (2009), What is the best multi-stage architecture for object recognition?, section 2.1.
    """
    fine = _smooth(pictures, band[0]) - _smooth(pictures, band[1])
    strength = np.sqrt(_smooth(fine * fine, 2 * band[1]))
    floor = 0.1 * fine.std(axis=(-2, -1), keepdims=True) + 1e-4  # pictures have unit deviation
    return np.asarray(fine / (strength + floor), dtype=np.float32)


def correlate(moving: Maps, fixed: Maps, warp: Floats) -> tuple[Floats, Floats]:
    """Correlation of details after the best zoom and shift, per pair, and that zoom and shift.

    Gauss-Newton on zoom and shift per axis with free gain and offset, coarse details first (`PASSES`); then the
    correlation of the finest details (`JUDGED`). Pairs that leave on the way, or need more than `WIDEST`, get 0.

    Parameters
    ----------
    moving, fixed : (n, y, x) float array
        Pictures, already in one orientation.
    warp : (n, 2, 2) float array
        Where to start, see `zoomed`.

    References
    ----------
    Lucas and Kanade (1981), IJCAI 674; zero-mean correlation as the criterion: Evangelidis and Psarakis (2008), IEEE
    TPAMI 30:1858.
    """
    warp, left = warp.copy(), np.arange(len(moving))
    for step in PASSES:
        m, f = (details(_pooled(p[left], step.pooled), step.band) for p in (moving, fixed))
        worth = masked_correlation(*zoomed(m, warp[left]), f) >= step.least
        left, m, f = left[worth], m[worth], f[worth]
        if left.size == 0:
            return np.zeros(len(moving)), warp
        for _ in range(step.rounds):
            warp[left] = np.clip(warp[left] + _newton(m, f, warp[left]), _LOWEST, _HIGHEST)
    left = left[np.abs(warp[left] - [1.0, 0.0]).max(axis=(1, 2)) < WIDEST]
    score = np.zeros(len(moving))
    score[left] = judge(moving[left], fixed[left], warp[left])
    return score, warp


def judge(moving: Maps, fixed: Maps, warp: Floats) -> Floats:
    """Correlation (n,) of the finest details of aligned pairs."""
    return masked_correlation(*zoomed(details(moving, JUDGED), warp), details(fixed, JUDGED))


def masked_correlation(values: Maps, weight: Maps, fixed: Maps) -> Floats:
    """Correlation coefficient of (n, y, x) pictures over the samples of full weight; 0 where there are too few."""
    inside = (weight > 0.99).astype(np.float32)
    count = np.maximum(inside.sum(axis=(1, 2)), 1.0)
    a, b = ((x - ((x * inside).sum(axis=(1, 2)) / count)[:, None, None]) * inside for x in (values, fixed))
    norm = np.sqrt((a * a).sum(axis=(1, 2)) * (b * b).sum(axis=(1, 2)))
    product = (a * b).sum(axis=(1, 2))
    valid = (norm > 1e-3 * count) & (count > 0.5 * fixed.shape[-1] ** 2)
    return np.where(valid, product / np.maximum(norm, 1e-6), 0.0).astype(np.float64)


_LOWEST, _HIGHEST = np.array([0.7, -0.3]), np.array([1.4, 0.3])  # where a diverging pair is stopped
_LONGEST = 0.06  # of a step: the linear model holds for about one structure width


def _newton(moving: Maps, fixed: Maps, warp: Floats) -> Floats:
    """Gauss-Newton step (n, 2, 2) of scale and shift per axis."""
    side = fixed.shape[-1]
    u = np.linspace(-1, 1, side, dtype=np.float32)
    values, weight = zoomed(moving, warp)
    half = (side - 1) / 2
    dy, dx = (np.gradient(values, axis=axis) * half / warp[:, axis - 1, 0, None, None] for axis in (1, 2))
    columns = [dy * u[:, None], dy, dx * u, dx, values, np.ones_like(values)]
    inside = weight > 0.99
    jacobian = np.stack([np.where(inside, c, 0).reshape(len(values), -1) for c in columns], axis=2).astype(np.float32)
    residual = np.where(inside, fixed - values, 0).reshape(len(values), -1, 1).astype(np.float32)
    transposed = jacobian.transpose(0, 2, 1)
    normal = (transposed @ jacobian).astype(np.float64)
    ridge = 1e-4 * np.trace(normal, axis1=1, axis2=2)[:, None, None] / 6 + 1e-9
    solved = np.linalg.solve(normal + ridge * np.eye(6), (transposed @ residual).astype(np.float64))
    step: Floats = np.clip(solved[:, :4, 0].reshape(-1, 2, 2), -_LONGEST, _LONGEST)
    return step


def _pooled(pictures: Maps, times: int) -> Maps:
    """Means of `times` x `times` pixels."""
    n, side = len(pictures), pictures.shape[-1] // times
    means: Maps = pictures.reshape(n, side, times, side, times).mean(axis=(2, 4))
    return means


def _matrix(side: int, warp: Floats) -> Maps:
    """Bilinear sampling along one axis as (n, side, side) matrices; rows outside the picture sum to less than 1."""
    u = np.linspace(-1, 1, side)
    at = (warp[:, :1] * u + warp[:, 1:] + 1) * (side - 1) / 2
    matrix: Maps = np.maximum(0, 1 - np.abs(at[:, :, None] - np.arange(side))).astype(np.float32)
    return matrix


def _smooth(pictures: Maps, sigma: float) -> Maps:
    """Gaussian smoothing of (..., y, x) pictures with mirrored borders, as two matrix products."""
    matrix = _gaussian(pictures.shape[-1], sigma)
    smooth: Maps = np.matmul(np.matmul(matrix, pictures), matrix.T)
    return smooth


def _gaussian(side: int, sigma: float) -> Maps:
    """Gaussian smoothing of `side` samples as a matrix whose rows sum to 1; borders mirror (d c b a | a b c d)."""
    reach = int(4 * sigma + 0.5)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    matrix = np.zeros((side, side))
    for offset, tap in zip(range(-reach, reach + 1), taps / taps.sum(), strict=True):
        source = np.mod(np.arange(side) + offset, 2 * side)
        np.add.at(matrix, (np.arange(side), np.minimum(source, 2 * side - 1 - source)), tap)
    return matrix.astype(np.float32)
