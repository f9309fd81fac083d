"""Filters given by their transfer functions: band passes of Simoncelli and the Riesz transform."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.imaging.arguments import Border, known_border
from radlake.imaging.kernels.padding import padded
from radlake.imaging.rotations import Rotation

Values = NDArray[np.float32]
Frequencies = Sequence[NDArray[np.float64]]
Transfer = Callable[[Frequencies], NDArray[np.generic]]

_MARGIN = 64  # most samples that the image goes on outside: responses to what is farther away are below 1e-3


def filtered(
    array: Values,
    transfer: Transfer,
    axes: int,
    border: Border,
    before: Callable[[Values], Values] = lambda wide: wide,
) -> Values:
    """Response of a filter whose transfer function is given, along the last axes of an array.

    Parameters
    ----------
    array : (z, y, x) or (y, x) float32 array, not empty
    transfer : callable
        Takes radians per sample along each of these axes, arrays that broadcast against each other; returns factors.
    axes : int
        2 or 3.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        Where it is not "wrap", the image goes on for half its size each way, 64 samples at most.
    before : callable
        Applied to the image that goes on outside, before its transform.

    Raises
    ------
    ItemError
        `not_finite`: a transform would spread NaN over the whole image.

    Notes
    -----
    Frequencies run from -pi to pi in n even steps, both ends included, as in the reference maps of the IBSI. For even
    n no sample is at 0, and the response has a small imaginary part, which is dropped. No filter here lets a constant
    through, so the mean is taken away whatever its sample would be given.
    """
    from scipy import fft

    if not np.isfinite(array).all():
        raise ItemError("not_finite")
    sides = array.shape[-axes:]
    known_border(border)
    reach = [0 if border == "wrap" or side == 1 else min(side // 2, _MARGIN) for side in sides]
    size = (1,) * (array.ndim - axes) + tuple(2 * r + 1 for r in reach)
    wide = before(padded(array, size, border))
    frequencies = _frequencies(wide.shape[-axes:])
    result = np.empty(array.shape, np.float32)
    inner = tuple(slice(r, r + n) for r, n in zip(reach, sides, strict=True))
    for place in np.ndindex(array.shape[:-axes]):
        spectrum = fft.fftn(wide[place])
        spectrum[(0,) * axes] = 0
        for k in range(len(spectrum)):  # factors of the whole volume would take several times the spectrum
            spectrum[k] *= transfer([frequencies[0][k : k + 1], *frequencies[1:]])[0]
        result[place] = fft.ifftn(spectrum, overwrite_x=True).real[inner]
    return result


def simoncelli_band(frequencies: Frequencies, level: int) -> NDArray[np.float64]:
    """Transfer function of a band pass: cos(pi / 2 log2(2 w / pi)) from pi / 4 to pi, halved at every level.

    References
    ----------
    Portilla and Simoncelli (2000), A parametric texture model based on joint statistics of complex wavelet
    coefficients, Int J Comput Vis 40:49-70, equation 3.

    Examples
    --------
    >>> simoncelli_band([np.array([0.0, np.pi / 4, np.pi / 2, np.pi])], 1).round(6).tolist()
    [0.0, 0.0, 1.0, 0.0]
    """
    scaled = _length(frequencies) * 2.0 ** (level - 1)
    inside = (scaled > np.pi / 4) & (scaled <= np.pi)
    octaves = np.log2(2 * scaled / np.pi, out=np.ones_like(scaled), where=inside)
    return np.where(inside, np.cos(np.pi / 2 * octaves), 0.0)


def riesz_factors(frequencies: Frequencies, order: Sequence[int]) -> NDArray[np.complex128]:
    """Transfer function of a Riesz transform of that order along each axis; 0 at frequency 0.

    References
    ----------
    Unser and Van De Ville (2010), Wavelet steerability and the higher-order Riesz transform, IEEE TIP 19:636-652;
    IBSI reference manual 2 (arXiv:2006.05470), Riesz transforms.

    Examples
    --------
    >>> riesz_factors([np.array([[1.0]]), np.array([[0.0, 1.0]])], (1, 0)).round(3).tolist()
    [[-1j, -0.707j]]
    """
    total = sum(order)
    length = _length(frequencies)
    direction = np.sqrt(math.factorial(total) / math.prod(math.factorial(n) for n in order)) * np.ones_like(length)
    for frequency, n in zip(frequencies, order, strict=True):
        cosine = np.divide(frequency, length, out=np.zeros_like(length), where=length > 0)
        direction = direction * cosine**n
    return np.where(length > 0, (-1j) ** total * direction, 0)


def rotated_order(order: Sequence[int], rotation: Rotation) -> tuple[tuple[int, ...], int]:
    """Order of a Riesz transform that is rotated, and the sign of its response.

    Examples
    --------
    >>> rotated_order((2, 1, 0), Rotation((1, 0, 2), (True, False, False)))
    ((1, 2, 0), -1)
    """
    turned = tuple(order[source] for source in rotation.source)
    odd = sum(n for n, mirrored in zip(turned, rotation.mirrored, strict=True) if mirrored) % 2
    return turned, -1 if odd else 1


def _frequencies(sides: Sequence[int]) -> list[NDArray[np.float64]]:
    """Radians per sample along each axis, in the order of a discrete Fourier transform; 0 for a single sample."""
    found = []
    for axis, n in enumerate(sides):
        steps = np.fft.ifftshift(np.linspace(-np.pi, np.pi, n)) if n > 1 else np.zeros(1)
        found.append(steps.reshape([-1 if a == axis else 1 for a in range(len(sides))]))
    return found


def _length(frequencies: Frequencies) -> NDArray[np.float64]:
    """Euclidean length."""
    return np.sqrt(sum(np.square(f) for f in frequencies))
