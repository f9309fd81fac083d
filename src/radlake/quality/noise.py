"""Check: signal-to-noise ratio; and the noise estimates that other checks share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radlake.core.finding import Finding
from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.quality.planes import gray, percentiles, plane_count, spread

ROSE = 5.0  # Rose (1948): details below five times the noise are not seen reliably
PLANES = 5
LEAST_SIDE = 96  # pixels: below, anatomy changes from pixel to pixel as noise does
FOREGROUND = 0.25  # of the way from the 2nd to the 98th percentile: above air, below tissue
CORNER = 0.1  # of each side
RAYLEIGH = 0.2  # relative; air of 20 x 20 pixels stays within 0.1, tissue of even signal is at 0.8
ADDITIVE = ("ct", "mr", "xray", "other", "optical")  # speckle and counts are not additive noise

Plane = NDArray[np.float32]


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Signal-to-noise ratio as info, or as a warning below 5; nothing where noise cannot be told from content.

    The median over planes of foreground signal above the background, over the standard deviation of the noise. Smooth
    reconstruction kernels correlate neighbouring noise, which second differences then underestimate: compare values
    within a protocol only.

    References
    ----------
    Rose (1948), The sensitivity performance of the human eye on an absolute scale, J. Opt. Soc. Am. 38:196.
    """
    if image.kind not in ADDITIVE or image.array.dtype == np.bool_ or image.array.size == 0:
        return []
    planes = (gray(image, k) for k in spread(plane_count(image), PLANES))
    found = [r for r in (snr(p, magnitude=image.kind == "mr") for p in planes) if r is not None]
    if not found:
        return []
    ratio = float(np.median(found))
    low = ratio < ROSE
    message = f"signal-to-noise ratio {ratio:.3g}" + (f", expected above {ROSE:g}" if low else "")
    return [Finding("noise", "warning" if low else "info", message, "look at it" if low else "nothing to do", ratio)]


def snr(values: Plane, *, magnitude: bool = False) -> float | None:
    """Signal-to-noise ratio of a (y, x) plane, without units; None for flat, tiny or noise-free planes.

    Parameters
    ----------
    values : (y, x) float array
        Any linear unit.
    magnitude : bool
        MR magnitude: the noise is read from the air in the corners where that was not set to zero.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> disc = np.hypot(*np.mgrid[-64:64, -64:64]) < 40
    >>> noisy = (100.0 * disc + rng.normal(0, 4, disc.shape)).astype(np.float32)
    >>> 22 < snr(noisy) < 28
    True
    """
    if min(values.shape) < LEAST_SIDE or not np.isfinite(values).all():
        return None
    low, high = percentiles(values.ravel(), 2, 98)
    foreground = values > low + FOREGROUND * (high - low)
    if high <= low or not foreground.any():
        return None
    sigma = air_sigma(values) if magnitude else None
    sigma = sigma or difference_sigma(values, foreground)
    return (float(np.median(values[foreground])) - low) / sigma if sigma else None


def difference_sigma(values: Plane, inside: NDArray[np.bool_] | None = None) -> float:
    """Standard deviation of white noise, in the unit of `values`, from second differences; 0 where there is none.

    Immerkær's operator cancels constant and linear structure in both directions; the median of its magnitude instead of
    the mean ignores edges.

    References
    ----------
    Immerkær (1996), Fast noise variance estimation, Comput. Vis. Image Underst. 64:300, eq. 1-2; the median as in
    Donoho and Johnstone (1994), Biometrika 81:425: sigma = median / 0.6745.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> 1.9 < difference_sigma(rng.normal(0, 2, (128, 128)).astype(np.float32)) < 2.1
    True
    """
    across = values[:, :-2] - 2 * values[:, 1:-1] + values[:, 2:]
    response = np.abs(across[:-2] - 2 * across[1:-1] + across[2:])
    used = response if inside is None else response[inside[1:-1, 1:-1]]
    return float(np.median(used)) / (6.0 * 0.6745) if used.size else 0.0  # 6 = norm of the 3 x 3 operator


def air_sigma(values: Plane) -> float | None:
    """Noise of an MR magnitude plane from the air in its corners; None where that was masked or holds signal.

    The magnitude of two normal components of deviation s is Rayleigh distributed: mean s sqrt(pi / 2) = 1.2533 s and
    deviation s sqrt(2 - pi / 2) = 0.6551 s. Corners whose mean and deviation disagree with one s hold something else.

    References
    ----------
    Henkelman (1985), Measurement of signal intensities in the presence of noise in MR images, Med. Phys. 12:232;
    Dietrich et al. (2007), J. Magn. Reson. Imaging 26:375 (one coil; several coils raise the ratio slightly).
    """
    dy, dx = (max(4, round(CORNER * n)) for n in values.shape)
    corners = (values[:dy, :dx], values[:dy, -dx:], values[-dy:, :dx], values[-dy:, -dx:])
    air = min(corners, key=lambda c: float(c.mean()))
    by_mean, by_deviation = float(air.mean()) / 1.2533, float(air.std()) / 0.6551
    return by_mean if by_mean > 0 and abs(by_deviation - by_mean) < RAYLEIGH * by_mean else None
