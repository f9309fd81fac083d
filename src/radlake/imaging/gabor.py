"""Gabor filters: how much of a wave of one length and direction there is around each voxel, plane by plane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array
from radlake.imaging.arguments import Border, ImageOrArray, Spacing, known_border, on_spatial_axes
from radlake.imaging.kernels.padding import padded
from radlake.imaging.rotations import Pooling, pooled

Values = NDArray[np.float32]
Wave = tuple[float, float, float]

_REACH = 6.0  # kernels end where the envelope is e^-18


def gabor(  # noqa: PLR0913 - a wave is four numbers
    image: ImageOrArray,
    *,
    sigma_mm: float,
    wavelength_mm: float,
    aspect: float = 1.0,
    angle_deg: float = 0.0,
    pooling: Pooling | None = None,
    orthogonal: bool = False,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Modulus of the response to a complex wave under a Gaussian, in the unit of the input; float32.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype, all finite. Volumes are filtered plane by plane.
    sigma_mm : float
        Standard deviation of the envelope along the wave in millimetres, above 0.
    wavelength_mm : float
        Length of the wave in millimetres, above 0; at least two voxels to be seen.
    aspect : float
        The envelope is this many times narrower across the wave, above 0 (gamma).
    angle_deg : float
        Direction of the wave, clockwise from x towards y.
    pooling : {"average", "max"}, optional
        Over all multiples of `angle_deg`, which must divide 360, instead of this one angle.
    orthogonal : bool
        Pool over planes of all three orientations, by `pooling` or the average.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis.
    channel_axis : int, optional
        For arrays: channels are filtered one by one.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        How the image goes on outside, named as in scipy.ndimage; "constant" is zero.

    Raises
    ------
    ItemError
        `not_finite`: a transform would spread NaN over whole planes. `too_few_axes`: a plane has no orthogonal ones.
    ValueError
        For lengths or an aspect that are not above 0, an angle that cannot be pooled, or an unknown border.

    References
    ----------
    Daugman (1985), Uncertainty relation for resolution in space, spatial frequency, and orientation, J Opt Soc Am A
    2:1160-1169; IBSI reference manual 2 (arXiv:2006.05470), Gabor filters.

    Examples
    --------
    >>> stripes = np.tile(np.cos(np.arange(48) * np.pi / 2), (48, 1))  # along x, a period of 4 mm
    >>> along, across = (gabor(stripes, sigma_mm=4, wavelength_mm=4, angle_deg=a)[24, 24] for a in (0, 90))
    >>> round(float(along / (np.pi * 4**2)), 2), round(float(across), 2)
    (1.0, 0.0)
    """
    for name, value in (("sigma_mm", sigma_mm), ("wavelength_mm", wavelength_mm), ("aspect", aspect)):
        if not 0 < value < np.inf:
            raise ValueError(f"{name} must be above 0 and finite, got {value}")
    angles = _angles(angle_deg, pooling)
    known_border(border)

    def respond(array: Array, steps: Spacing) -> Array:
        if orthogonal and array.ndim != 3:
            raise ItemError("too_few_axes", expected=3, found=array.ndim)
        if array.size == 0:
            return array.astype(np.float32)
        if not np.isfinite(array).all():
            raise ItemError("not_finite")
        planes = ((1, 2), (0, 1), (0, 2)) if orthogonal else ((array.ndim - 2, array.ndim - 1),)
        wave = (sigma_mm, wavelength_mm, aspect)
        return pooled(_responses(array.astype(np.float32), steps, planes, wave, angles, border), pooling or "average")

    return on_spatial_axes(image, respond, spacing=spacing, channel_axis=channel_axis)


def _angles(angle_deg: float, pooling: Pooling | None) -> dict[float, int]:
    """Angles with how often they count; half a turn changes nothing, so at most half of them are left."""
    if pooling is None:
        return {float(np.deg2rad(angle_deg)): 1}
    count = round(360 / angle_deg) if angle_deg > 0 else 0
    if count < 1 or abs(count * angle_deg - 360) > 1e-6:
        raise ValueError(f"angle_deg must divide 360 to be pooled, got {angle_deg}")
    found: dict[float, int] = {}
    for k in range(count):
        half = float(np.pi * (2 * k % count) / count)
        found[half] = found.get(half, 0) + 1
    return found


def _responses(
    array: Values,
    steps: Spacing,
    planes: Sequence[tuple[int, int]],
    wave: Wave,
    angles: dict[float, int],
    border: Border,
) -> Iterator[tuple[Values, int]]:
    """Responses of all planes and angles with how often they count."""
    for axes in planes:
        pixel = steps[axes[0]], steps[axes[1]]
        for angle, count in angles.items():
            kernel = _kernel(wave, angle, pixel)
            response = _modulus(np.moveaxis(array, axes, (-2, -1)), kernel, border)
            yield np.ascontiguousarray(np.moveaxis(response, (-2, -1), axes)), count


def _kernel(wave: Wave, angle: float, pixel: tuple[float, float]) -> NDArray[np.complex128]:
    """Samples of the wave under its envelope."""
    sigma, wavelength, aspect = wave
    reach = _REACH * sigma * max(1.0, 1 / aspect)
    y, x = (np.arange(-int(reach / s), int(reach / s) + 1) * s for s in pixel)
    along = x * np.cos(angle) + y[:, None] * np.sin(angle)
    across = x * np.sin(angle) - y[:, None] * np.cos(angle)
    envelope = np.exp(-(along**2 + (aspect * across) ** 2) / (2 * sigma**2))
    return np.asarray(envelope * np.exp(2j * np.pi / wavelength * along))


def _modulus(planes: Values, kernel: NDArray[np.complex128], border: Border) -> Values:
    """Absolute value of the convolution along the last two axes."""
    from scipy import fft

    size = [fft.next_fast_len(n + k - 1) for n, k in zip(planes.shape[-2:], kernel.shape, strict=True)]
    factors = fft.fft2(kernel, size).astype(np.complex64)
    response = np.empty(planes.shape, np.float32)
    inner = tuple(slice(k - 1, k - 1 + n) for n, k in zip(planes.shape[-2:], kernel.shape, strict=True))
    for place in np.ndindex(planes.shape[:-2]):
        spectrum = fft.fft2(padded(planes[place], kernel.shape, border), size)
        response[place] = np.abs(fft.ifft2(spectrum * factors)[inner])
    return response
