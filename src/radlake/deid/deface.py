"""Removing the face from a volume of a head, without a template: what lies in front of a plane, and the ears.

The plane is found on the outline of the head alone: it enters a little behind the skin at the brow and runs down and
back, so that eyes, nose, mouth and chin go and the brain, which begins behind the frontal bone and above the orbits,
stays. That is the idea of Quickshear (Schimke and Hale 2011) without a mask of the brain, and so without registration
or network; ears, which are recognised too (Schwarz et al. 2021), are what an opening of the outline removes at its
sides.

Limits: the top of the head must lie in the field; the head may nod by about 20 degrees. Where no head of plausible size
is found, nothing is guessed: the volume is set aside. Teeth, sinuses and the front of the jaw go with the face.

References
----------
Schimke, Hale (2011), Quickshear defacing for neuroimages, USENIX HealthSec. Schwarz et al. (2019), Identification of
anonymous MRI research participants with face-recognition software, NEJM 381:1684. Schwarz et al. (2021), Changing the
face of neuroimaging research: mri_reface, NeuroImage 231:117845.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.morphology.masks import distance_map
from radlake.imaging.segment.thresholds import otsu_threshold

_STEP_MM = 2.5  # of the grid on which the head is looked at
_SKIN_HU = -300.0
_DARKEST_SKIN = 0.5  # of Otsu's threshold on MR, between air and tissue
_CLOSED_MM, _OPENED_MM = 6.0, 12.0  # nostrils and ear canals are narrower; heads are wider, ears thinner
_CROWN_CM2, _CUT_CM2 = 4.0, 25.0  # of the first slice that counts, and of one that shows that the top is missing
_LENGTH_MM, _WIDTH_MM = (120.0, 245.0), (95.0, 205.0)  # of heads, from a newborn's on
_ADULT_MM = 190.0  # length of a head, to which the following heights and depths belong
_SKULL_MM = (30.0, 110.0)  # below the top of the head: where it is longest and widest
_NASION_MM, _UPRIGHT_MM = (
    (65.0, 170.0),
    116.0,
)  # below the top: where the bridge of the nose can be, where it usually is
_MM_A_DEGREE, _MOST_TILT = 2.0, 22.0  # by how much it moves when the head nods; degrees up to which that is followed
_HOLLOW_MM, _HOLLOW_SPAN_MM = 3.0, (25.0, 95.0)  # its least depth between forehead and nose, and their distance
_ABOVE_NASION_MM = 14.0  # of the brow
_ENTRY_MM = 4.0  # behind the skin of the brow: scalp and bone are at least twice as thick
_BACKWARDS = 26.6  # degrees by which the plane runs back in an upright head
_EYES_MM, _ORBIT_MM = (8.0, 18.0), 10.0  # below the brow, where the plane steps back by so much: eyes lie deeper
_FACE_MM, _DEEPEST_MM = 150.0, 75.0  # from the brow down to below the chin; behind the brow
_NO_FACE_MM = 60.0  # below the top: a field that ends above holds no face
_MIDDLE_MM = 10.0  # to either side of the middle: the profile
_AIR_HU = -1000.0


class Profile(NamedTuple):
    """Where the face begins, in millimetres from the first corner of the grid, down and back.

    Parameters
    ----------
    brow, front : float
        Height of the brow below the top of the grid, and depth of its skin behind the front of the grid.
    slope : float
        How far the plane runs back for each step down.
    scale : float
        Length of the head over that of an adult.
    middle, width : float
        Where the middle lies from right to left, and the head's width.
    """

    brow: float
    front: float
    slope: float
    scale: float
    middle: float
    width: float


@dataclass(frozen=True)
class _Grid:
    """A volume seen from above, front and right: axes grow down, back and to the left, in millimetres.

    Parameters
    ----------
    array : (down, back, left) array
        A view of the samples.
    spacing : floats
        Millimetres along the three axes.
    order, flips : tuples of int, bool
        How the view was made.
    """

    array: Array
    spacing: tuple[float, ...]
    order: tuple[int, ...]
    flips: tuple[bool, ...]

    def back(self, array: Array) -> Array:
        """An array on this grid on the grid of the image."""
        turned = array[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]
        return np.ascontiguousarray(turned.transpose(np.argsort(self.order)))


def deface(image: Image) -> Image:
    """A volume without its face: air, or black, where face and ears were. All other voxels stay as they are.

    Parameters
    ----------
    image : Image
        A head, or more of a body, on CT or MR, of one channel and one time point.

    Raises
    ------
    ItemError
        As in `face_of`.
    """
    changed = image.array.copy()
    changed[face_of(image)] = air_of(image)
    return image.with_array(changed)


def air_of(image: Image) -> float:
    """The value that voxels without tissue have: air on CT, else the darkest."""
    darkest = float(np.nanmin(image.array))
    return max(darkest, _AIR_HU) if image.unit == "HU" else darkest


def face_of(image: Image) -> BoolArray:
    """Mask of face and ears, and of the air in front of them, on the grid of a volume.

    Parameters
    ----------
    image : Image
        As in `deface`.

    Raises
    ------
    ItemError
        ``face_left`` when the volume is no single grid of three axes, or shows no whole top of a head, or none of
        plausible size.
    """
    if image.array.ndim != 3 or image.geometry.ndim != 3 or not image.geometry.calibrated:
        raise ItemError("face_left", why=Term("it is no volume with one value a voxel"))
    grid = _grid(image)
    coarse, picks = _coarse(grid)
    tissue = _tissue(coarse, image)
    profile = _profile(tissue)
    mask = _before_the_plane(grid, profile)
    ears = _ears(tissue, profile)
    if ears.any():
        mask |= ears[np.ix_(*picks)]
    found: BoolArray = grid.back(mask)
    return found


def _grid(image: Image) -> _Grid:
    """The image with axes down, back and left."""
    direction = np.asarray(image.geometry.direction)
    towards = np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]], float)  # LPS
    along = direction @ towards.T  # rows: axes of the image; columns: down, back, left
    order = max(
        ((a, b, c) for a in range(3) for b in range(3) for c in range(3) if len({a, b, c}) == 3),
        key=lambda o: sum(abs(along[axis, column]) for column, axis in enumerate(o)),
    )
    flips = tuple(bool(along[axis, column] < 0) for column, axis in enumerate(order))
    view = image.array.transpose(order)[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    return _Grid(view, tuple(image.geometry.spacing[axis] for axis in order), order, flips)


def _coarse(grid: _Grid) -> tuple[NDArray[np.float32], list[NDArray[np.intp]]]:
    """The grid in even steps, and for each of its planes the plane of that."""
    chosen, picks = [], []
    for count, step in zip(grid.array.shape, grid.spacing, strict=True):
        places = np.arange(0, count * step, _STEP_MM)
        chosen.append(np.minimum((places / step).round().astype(np.intp), count - 1))
        picks.append(np.minimum((np.arange(count) * step / _STEP_MM).round().astype(np.intp), len(places) - 1))
    return np.nan_to_num(grid.array[np.ix_(*chosen)].astype(np.float32)), picks


def _tissue(coarse: NDArray[np.float32], image: Image) -> BoolArray:
    """The largest connected part that is no air, on the coarse grid."""
    from scipy import ndimage

    if image.unit == "HU":
        threshold = _SKIN_HU
    else:
        low, high = (float(v) for v in np.percentile(coarse, (1, 99.5)))
        threshold = low + _DARKEST_SKIN * (otsu_threshold(np.clip(coarse, low, high)) - low) if high > low else high
    opened = ndimage.binary_opening(coarse > threshold)
    labels, count = ndimage.label(opened)
    if not count:
        raise ItemError("face_left", why=Term("there is no tissue"))
    sizes = np.bincount(labels.reshape(-1))
    sizes[0] = 0
    found: BoolArray = labels == sizes.argmax()
    return found


def _profile(tissue: BoolArray) -> Profile:
    """Brow, slope and size of the head."""
    head = _closed(tissue)
    areas = head.sum(axis=(1, 2)) * _STEP_MM**2 / 100
    top = int(np.argmax(areas >= _CROWN_CM2))
    if areas.max(initial=0) < _CROWN_CM2 or areas[0] > _CUT_CM2:
        raise ItemError("face_left", why=Term("the top of the head is not in the field"))
    skull = head[_levels(top, _SKULL_MM, 1.0)]
    if not skull.any():
        raise ItemError("face_left", why=Term("the head is not in the field"))
    columns = np.flatnonzero(skull.any(axis=(0, 1)))
    middle, width = float(columns[0] + columns[-1]) / 2, (columns[-1] - columns[0] + 1) * _STEP_MM
    front, back = _front(head, middle), _STEP_MM * head.shape[1] - _front(head[:, ::-1], middle)
    length = float(np.nanmax((back - front)[_levels(top, _SKULL_MM, 1.0)], initial=0))
    if not (_LENGTH_MM[0] <= length <= _LENGTH_MM[1] and _WIDTH_MM[0] <= width <= _WIDTH_MM[1]):
        raise ItemError("face_left", why=Term("nothing in the field has the size of a head"))
    scale = length / _ADULT_MM
    nasion = _nasion(front, top, scale)
    tilt = (nasion * _STEP_MM - top * _STEP_MM - _UPRIGHT_MM * scale) / (_MM_A_DEGREE * scale)
    if abs(tilt) > _MOST_TILT:
        raise ItemError("face_left", why=Term("the head is bent too far"))
    brow = nasion - round(_ABOVE_NASION_MM * scale / _STEP_MM)
    slope = float(np.tan(np.deg2rad(_BACKWARDS + tilt)))
    return Profile(brow * _STEP_MM, float(front[brow]), slope, scale, middle * _STEP_MM, float(width))


def _closed(tissue: BoolArray) -> BoolArray:
    """Tissue with its narrow openings closed, and filled slice by slice."""
    from scipy import ndimage

    rim = round(_CLOSED_MM / _STEP_MM)
    near = _far(~np.pad(tissue, rim)) <= _CLOSED_MM
    closed = _far(near) > _CLOSED_MM
    inner = tuple(slice(rim, extent + rim) for extent in tissue.shape)
    return np.stack([ndimage.binary_fill_holes(plane) for plane in closed[inner] | tissue])


def _far(inside: BoolArray) -> NDArray[np.float32]:
    """Millimetres from each voxel inside to the nearest one outside, on the coarse grid; beyond the grid is nothing."""
    return np.asarray(distance_map(inside, spacing=(_STEP_MM,) * 3))


def _levels(top: int, below_mm: tuple[float, float], scale: float) -> slice:
    """Slices of the coarse grid that lie so far below the top of the head."""
    start, stop = (top + round(distance * scale / _STEP_MM) for distance in below_mm)
    return slice(start, stop)


def _front(head: BoolArray, middle: float) -> NDArray[np.float64]:
    """Depth of the first tissue in each slice, near the middle, in millimetres; NaN where there is none."""
    half = round(_MIDDLE_MM / _STEP_MM)
    band = head[:, :, max(0, round(middle) - half) : round(middle) + half + 1]
    first = np.where(band.any(axis=1), band.argmax(axis=1), np.nan)
    there = np.isfinite(first).any(axis=1)
    depth = np.full(len(head), np.nan)
    depth[there] = np.nanmedian(first[there], axis=1) * _STEP_MM
    return depth


def _nasion(front: NDArray[np.float64], top: int, scale: float) -> int:
    """Slice of the bridge of the nose: the deepest point of the uppermost hollow of the profile."""
    where = _levels(top, (_NASION_MM[0] - 20, _NASION_MM[1] + 30), scale)
    profile = front[where]
    profile = profile[: int(np.argmin(np.isfinite(profile)))] if not np.isfinite(profile).all() else profile
    least, most = (bound * scale / _STEP_MM for bound in _HOLLOW_SPAN_MM)
    known = _levels(top, _NASION_MM, scale)
    for upper, lower in pairwise(_hull(profile)):
        between = np.arange(upper, lower + 1)
        hollow = profile[between] - np.interp(between, [upper, lower], [profile[upper], profile[lower]])
        deepest = upper + int(hollow.argmax())
        deep = least <= lower - upper <= most and hollow.max() >= _HOLLOW_MM * scale
        if deep and known.start <= where.start + deepest < known.stop:
            return int(where.start + deepest)
    raise ItemError("face_left", why=Term("there is no bridge of a nose in the field"))


def _hull(profile: NDArray[np.float64]) -> list[int]:
    """Slices at which a taut string in front of the profile touches it, from top to bottom."""
    touched: list[int] = []
    for here in range(len(profile)):
        while len(touched) > 1:
            a, b = touched[-2:]
            if (profile[b] - profile[a]) * (here - a) < (profile[here] - profile[a]) * (b - a):
                break
            touched.pop()
        touched.append(here)
    return touched


def _before_the_plane(grid: _Grid, profile: Profile) -> BoolArray:
    """Voxels in front of the plane, from just above the brow to below the chin."""
    down, back, _ = (np.arange(n) * step for n, step in zip(grid.array.shape, grid.spacing, strict=True))
    below = down - profile.brow
    orbit = np.interp(below, [edge * profile.scale for edge in _EYES_MM], [0, _ORBIT_MM * profile.scale])
    depth = np.minimum(_ENTRY_MM + profile.slope * below + orbit, _DEEPEST_MM * profile.scale)
    inside = (below >= -2 * _ENTRY_MM) & (below <= _FACE_MM * profile.scale)
    plane = inside[:, None] & (back[None, :] < profile.front + depth[:, None])
    return np.repeat(plane[:, :, None], grid.array.shape[2], axis=2)


def _ears(tissue: BoolArray, profile: Profile) -> BoolArray:
    """What an opening removes at the sides of the head, with its edge, on the coarse grid."""
    from scipy import ndimage

    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in tissue])
    deep = _far(filled) > _OPENED_MM
    if not deep.any():
        return np.zeros(tissue.shape, bool)
    opened = _far(~deep) <= _OPENED_MM
    down, back, left = (np.arange(extent) * _STEP_MM for extent in tissue.shape)
    k = profile.scale
    level = (down > profile.brow - 10 * k) & (down < profile.brow + 75 * k)
    middle = (back > profile.front + 45 * k) & (back < profile.front + 150 * k)
    side = np.abs(left - profile.middle) > 0.3 * profile.width
    ears = filled & ~opened & level[:, None, None] & middle[None, :, None] & side[None, None, :]
    around = ndimage.binary_dilation(ears, iterations=2)
    kept = _far(opened) > 2 * _STEP_MM
    found: BoolArray = around & ~kept
    return found
