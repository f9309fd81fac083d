"""Texture of planes by local binary patterns (family "lbp") and by oriented gradients (family "hog").

What computes them lies in `radlake.imaging.descriptors`; here it is applied to regions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.features.roi import Roi, Values, largest_plane
from radlake.imaging.descriptors import BINS, BLOCK, CELL, binary_patterns, circle, gradient_histograms, margin

RINGS = {1: circle(8, 1), 2: circle(16, 2)}  # by radius in pixels
AT_THE_BORDER = Term("all of the region lies at the image's border: its pixels have no neighbours")
_SIDE = BLOCK * CELL
_CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")
LBP_NAMES = tuple(
    f"lbp_r{radius}_{code if code <= len(ring) else 'other'}"
    for radius, ring in RINGS.items()
    for code in range(len(ring) + 2)
)
HOG_NAMES = tuple(f"hog_{corner}_{(2 * k + 1) * 90 // BINS}" for corner in _CORNERS for k in range(BINS))


def lbp(roi: Roi) -> Values:
    """Shares of the uniform local binary patterns of a region's pixels, by name; of a volume in all its axial slices.

    A pattern says how many of 8 (16) points on a circle of 1 (2) pixels are at least as bright as the pixel; points may
    lie outside the region, but not outside the image.

    Parameters
    ----------
    roi : Roi
        With intensities.

    Returns
    -------
    dict
        "lbp_r1_0" to "lbp_r1_8", "lbp_r1_other", "lbp_r2_0" to "lbp_r2_16", "lbp_r2_other": each radius adds up to 1.

    Raises
    ------
    ItemError
        `not_finite`.

    References
    ----------
    Ojala, Pietikainen, Maenpaa (2002), IEEE PAMI 24, 971-987: LBP riu2 with (P, R) of (8, 1) and (16, 2).

    Examples
    --------
    >>> found = lbp(Roi(np.ones((5, 5), bool), (1.0, 1.0), np.ones((5, 5))))
    >>> found["lbp_r1_8"], found["lbp_r1_0"]
    (1.0, 0.0)
    """
    shares: list[float | Term] = []
    for ring in RINGS.values():
        reach = margin(ring)
        values, place = roi.beyond((0, reach, reach)[-roi.mask.ndim :])
        inside = np.zeros(values.shape, np.bool_)
        inside[tuple(slice(p, p + n) for p, n in zip(place, roi.mask.shape, strict=True))] = roi.intensity_mask()
        planes, counted = (a.reshape(-1, *a.shape[-2:]) for a in (values, inside))
        if not np.isfinite(values).all():
            raise ItemError("not_finite")
        counted = counted[:, reach:-reach, reach:-reach]
        if not counted.any():
            shares += [AT_THE_BORDER] * (len(ring) + 2)
            continue
        codes = binary_patterns(planes.astype(np.float64), ring)[counted]
        shares += (np.bincount(codes, minlength=len(ring) + 2) / codes.size).tolist()
    return dict(zip(LBP_NAMES, shares, strict=True))


def hog(roi: Roi) -> Values:
    """Histograms of oriented gradients of the window round a region, or round its largest slice, by name.

    The window is the smallest square (in millimetres) about the region's box; brought to 16 x 16 samples and to unit
    variance, it makes four cells of nine directions. Where it leaves the image, the border's values go on.

    Parameters
    ----------
    roi : Roi
        With intensities.

    Returns
    -------
    dict
        "hog_top_left_10" to "hog_bottom_right_170": quarter and direction of the gradient in degrees.

    Raises
    ------
    ItemError
        `not_finite`.

    References
    ----------
    Dalal and Triggs (2005), Histograms of oriented gradients for human detection, CVPR.

    Examples
    --------
    >>> ramp = np.tile(np.arange(20.0), (20, 1))
    >>> found = hog(Roi(np.ones((20, 20), bool), (1.0, 1.0), ramp))
    >>> round(float(found["hog_top_left_10"]), 2), found["hog_top_left_90"]
    (0.47, 0.0)
    """
    window = _window(largest_plane(roi))
    found = gradient_histograms(window[None])[0]
    return dict(zip(HOG_NAMES, found.tolist(), strict=True))


def _window(roi: Roi) -> NDArray[np.float32]:
    """The square round a plane region, 16 x 16 samples in standard units."""
    import cv2

    side = max(n * s for n, s in zip(roi.mask.shape, roi.spacing, strict=True))
    sizes = [max(round(side / s), n) for n, s in zip(roi.mask.shape, roi.spacing, strict=True)]
    more = [size - n for size, n in zip(sizes, roi.mask.shape, strict=True)]
    values, place = roi.beyond(more)
    # How much of the window lies before the region, and where that is in what there is of the image.
    start = [p - m // 2 for p, m in zip(place, more, strict=True)]
    rows, columns = (
        np.clip(np.arange(first, first + size), 0, there - 1)
        for first, size, there in zip(start, sizes, values.shape, strict=True)
    )
    window = values[np.ix_(rows, columns)].astype(np.float32)
    if not np.isfinite(window).all():
        raise ItemError("not_finite")
    small: NDArray[np.float32] = cv2.resize(window, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    spread = float(small.std())
    return np.asarray((small - small.mean()) / np.float32(spread if spread > 0 else 1))
