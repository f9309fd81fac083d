"""What stands for an image when a cohort is searched for duplicates: an exact digest, a small picture, hashes of it.

Equal digests mean equal values, whatever file format, sample type or transfer syntax held them. Hashes put pictures
that look alike next to each other when sorted; `radlake.quality.duplicates` does the search.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array, Image
from radlake.quality.alignment import ORIENTATIONS, SIDE, Maps, oriented, zoomed
from radlake.quality.planes import gray, plane, plane_count, spread

PANELS = 3  # of a volume or cine: mean of each third
PANEL_PLANES = 16
CROP = 0.04  # of each side: between no crop and the largest that should be found, 6-8%
# Cut from (top, bottom, left, right): the four corners kept, then the middle
CROPS = ((CROP, 0, CROP, 0), (CROP, 0, 0, CROP), (0, CROP, CROP, 0), (0, CROP, 0, CROP), (CROP,) * 4)
SLOTS = ORIENTATIONS + len(CROPS)
GRAY_MEAN, GRAY_DEVIATION = 128.0, 40.0  # of the stored picture: 3 deviations fit into 8 bits


@dataclass(frozen=True)
class Fingerprint:
    """Fingerprint of one image.

    Parameters
    ----------
    digest : str
        SHA-256, hexadecimal.
    hashes : list of int
        64 signs each: the picture in 8 orientations, then its crops; empty for a flat image.
    thumb : bytes or None
        The picture: 1 or 3 panels of 48 x 48 bytes; None for a flat image.
    """

    digest: str
    hashes: list[int]
    thumb: bytes | None


def fingerprint(image: Image) -> Fingerprint:
    """Digest, hashes and small picture of an image."""
    pictures = panels(image)
    if pictures is None:
        return Fingerprint(digest(image), [], None)
    stored = np.clip(np.rint(pictures * GRAY_DEVIATION + GRAY_MEAN), 0, 255).astype(np.uint8)
    return Fingerprint(digest(image), hashes(pictures[len(pictures) // 2]), stored.tobytes())


def digest(image: Image) -> str:
    """SHA-256 over shape, axes, unit and values; equal for equal values of any sample type.

    Each plane enters as the narrowest type that holds its values exactly, little endian, so that 12-bit data read as
    int16 or float32 agree.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> ramp, flat = np.arange(6).reshape(2, 3), Geometry((1.0, 1.0))
    >>> digest(Image(ramp.astype(np.int16), flat)) == digest(Image(ramp.astype(np.float32), flat))
    True
    """
    total = hashlib.sha256(f"{image.array.shape} {image.channel_axis} {image.time_axis} {image.unit}".encode())
    for index in range(plane_count(image)):
        values = narrowest(plane(image, index))
        total.update(values.dtype.str.encode())
        total.update(np.ascontiguousarray(values).data)
    return total.hexdigest()


def narrowest(values: Array) -> Array:
    """Same values in the narrowest little-endian type that holds them exactly; NaN payloads and -0 are unified.

    Examples
    --------
    >>> narrowest(np.array([0.0, 300.0])).dtype.str, narrowest(np.array([0.5, 1.0])).dtype.str
    ('<u2', '<f4')
    """
    if values.dtype.kind == "c":
        return values.astype("<c16")
    if values.dtype.kind == "f":
        integers = _integers(values)
        if integers is None:
            clean = np.where(np.isnan(values), np.nan, values) + 0.0
            single = clean.astype("<f4") if np.abs(clean[np.isfinite(clean)]).max(initial=0) < 3e38 else clean
            return single if np.array_equal(single, clean, equal_nan=True) else clean.astype("<f8")
        values = integers
    if values.size == 0 or values.dtype == np.bool_:
        return values.astype("|u1")
    smallest = np.min_scalar_type(int(values.max()) if values.min() >= 0 else _extreme(values))
    return values.astype(smallest.newbyteorder("<"), copy=False)


def panels(image: Image) -> Maps | None:
    """Standardised gray pictures, shape (1 or 3, 48, 48): the image, or the mean of each third of its planes.

    Values are clipped at the 1st and 99th percentile, so that a marker or a metal implant does not rule the contrast;
    None for images that are flat, empty or hold values that are not finite.
    """
    count = plane_count(image)
    if image.array.size == 0:
        return None
    parts = 1 if count < PANELS else PANELS
    bounds = [count * k // parts for k in range(parts + 1)]
    picked = [[low + k for k in spread(high - low, PANEL_PLANES)] for low, high in pairwise(bounds)]
    pictures = np.stack([np.mean([_shrunk(gray(image, k)) for k in third], axis=0) for third in picked])
    low, high = np.percentile(pictures, (1, 99))
    clipped = np.clip(pictures, low, high)
    deviation = clipped.std(axis=(1, 2), keepdims=True)
    if not np.isfinite(pictures).all() or deviation[parts // 2] <= 1e-6 * max(1.0, abs(low), abs(high)):
        return None
    centred = clipped - clipped.mean(axis=(1, 2), keepdims=True)
    return np.asarray(centred / np.maximum(deviation, 1e-12), dtype=np.float32)


def hashes(picture: Maps) -> list[int]:
    """Signs of the 64 lowest cosine coefficients as signed 64-bit integers: 8 orientations, then the crops.

    References
    ----------
    Zauner (2010), Implementation and benchmarking of perceptual image hash functions, section 3.2.1 (DCT hash).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> picture = rng.normal(size=(48, 48)).astype(np.float32)
    >>> set(hashes(picture)[:8]) == set(hashes(oriented(picture, 5))[:8])
    True
    """
    turned = [oriented(picture, k) for k in range(ORIENTATIONS)]
    crops = np.repeat(picture[None], len(CROPS), axis=0)
    views = np.concatenate([np.stack(turned), zoomed(crops, crop_warps())[0]])
    basis, (u, v) = _cosines(), _frequencies()
    signs = (basis @ views @ basis.T)[:, u, v] > 0
    words = np.packbits(np.ascontiguousarray(signs), axis=1, bitorder="little").copy(order="C").view("<i8")[:, 0]
    return [int(w) for w in words]


def crop_warps() -> NDArray[np.float64]:
    """Scale and shift per axis of each of `CROPS`, shape (crops, 2, 2), as `zoomed` reads them."""
    return np.array([[[1 - a - b, a - b], [1 - c - d, c - d]] for a, b, c, d in CROPS])


@functools.cache
def _frequencies() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The 64 lowest frequency pairs, without the mean; exchanging the axes, as rotation does, keeps the set."""
    pairs = [(s - x, x) for s in range(1, 11) for x in range(s + 1)][:65]
    pairs.remove((5, 5))
    u, v = np.array(pairs).T
    return u, v


@functools.cache
def _cosines() -> Maps:
    """First 11 rows of the DCT-II matrix for `SIDE` samples."""
    k, n = np.arange(11)[:, None], np.arange(SIDE)
    return np.cos(np.pi * k * (2 * n + 1) / (2 * SIDE)).astype(np.float32)


def _shrunk(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Plane at 48 x 48: area means where it shrinks, linear where it grows."""
    import cv2

    shrinks = min(values.shape) >= SIDE
    return np.asarray(cv2.resize(values, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


def _integers(values: Array) -> Array | None:
    """Float values as int64 where all are whole and below 2^53."""
    if not np.isfinite(values).all() or np.abs(values).max(initial=0) >= 2.0**53:
        return None
    whole = values.astype(np.int64)
    return whole if np.array_equal(whole, values) else None


def _extreme(values: Array) -> int:
    """A negative integer whose narrowest type holds all of some signed values."""
    return min(int(values.min()), -int(values.max()) - 1)
