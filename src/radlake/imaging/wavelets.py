"""Separable wavelets without decimation: what is slow and what is fast along each axis, at one scale after another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array
from radlake.imaging.arguments import Border, ImageOrArray, Spacing, on_spatial_axes
from radlake.imaging.rotations import Chain, Pooling, separable_response


def wavelet(
    image: ImageOrArray,
    *,
    family: str = "db3",
    bands: str = "LLH",
    level: int = 1,
    pooling: Pooling | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """One band of a stationary wavelet decomposition, in the unit of the input; float32.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype. NaN spreads as far as the kernels reach.
    family : str
        Orthogonal wavelet by its name in PyWavelets: "haar", "db2" to "db38", "sym2" to "sym20", "coif1" to "coif17".
    bands : str
        Low (L) or high (H) pass along x, y and z: "LLH"; two letters for planes, or to filter a volume plane by plane.
    level : int
        From 1. Levels before are low passes; kernels are spread by zeros instead of taking every other sample away.
    pooling : {"average", "max"}, optional
        Over all right-angle rotations of the kernels; without, the kernels as they are.
    spacing : floats, optional
        Not used: kernels are in voxels. Resample images whose voxels differ first.
    channel_axis, border
        As in `radlake.imaging.laws.laws`.

    Raises
    ------
    ItemError
        `too_few_axes`: the image has fewer.
    ValueError
        For an unknown wavelet, other letters, or a level below 1.

    References
    ----------
    Mallat (2009), A Wavelet Tour of Signal Processing, 3rd ed., section 5.2 (the algorithme a trous); IBSI reference
    manual 2 (arXiv:2006.05470), separable wavelets.

    Examples
    --------
    >>> wavelet(np.array([[1.0, 1, 5, 5]]), family="haar", bands="HL", border="nearest").round(6).tolist()
    [[0.0, -4.0, 0.0, 0.0]]
    """
    chains = chains_of(family, bands, level)

    def respond(array: Array, _steps: Spacing) -> Array:
        if array.size == 0:
            return array.astype(np.float32)
        return separable_response(array.astype(np.float32), chains, pooling, border)

    return on_spatial_axes(image, respond, spacing=spacing, channel_axis=channel_axis)


def chains_of(family: str, bands: str, level: int) -> list[Chain]:
    """Kernels of a wavelet, one chain a direction, x first, and a kernel a level; equal letters share theirs.

    Raises
    ------
    ValueError
        For an unknown wavelet, other letters or a level below 1.

    Examples
    --------
    >>> [[kernel.size for kernel in chain] for chain in chains_of("db2", "LH", 2)]
    [[4, 8], [4, 8]]
    """
    import pywt

    if family not in pywt.wavelist(kind="discrete") or not pywt.Wavelet(family).orthogonal:
        raise ValueError(f"family must name an orthogonal wavelet, such as 'haar', 'db3' or 'coif1'; got {family!r}")
    if len(bands) not in (2, 3) or set(bands.upper()) - {"L", "H"}:
        raise ValueError(f"bands must be two or three letters L or H, got {bands!r}")
    if level < 1:
        raise ValueError(f"level must be at least 1, got {level}")
    kernels = pywt.Wavelet(family)
    low, high = (np.array(taps, np.float64) for taps in (kernels.dec_lo, kernels.dec_hi))
    before = tuple(_spread(low, k) for k in range(level - 1))
    chains = {"L": (*before, _spread(low, level - 1)), "H": (*before, _spread(high, level - 1))}
    return [chains[letter] for letter in bands.upper()]


def _spread(kernel: NDArray[np.float64], times: int) -> NDArray[np.float64]:
    """The kernel with 2^times - 1 zeros after each sample."""
    spread = np.zeros((kernel.size, 1 << times))
    spread[:, 0] = kernel
    return spread.reshape(-1)
