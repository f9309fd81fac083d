"""Parts of a region, and of what lies round it: shells at distances from its border, and habitats of like intensity.

As `Shell` and `Habitat` they are measured beside the whole region, under names of their own; as label maps they go to
`radlake.features.extract_labels`, as does any label map of subregions that is there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array, BoolArray, Image
from radlake.features.distance import signed_distance
from radlake.features.roi import Frame, Roi, Values, bounding_box, framed
from radlake.imaging.segment.multilevel import multi_otsu_thresholds

_LEAST, _MOST = 2, 9


@dataclass(frozen=True)
class Shell:
    """Voxels whose distance to a region's border lies in a band; negative distances are inside.

    Parameters
    ----------
    low_mm, high_mm : float
        The band; of its bounds the one farther from the border belongs to it.
    """

    low_mm: float
    high_mm: float

    @property
    def label(self) -> str:
        """What names of features begin with."""
        return f"shell_{self.low_mm:g}_{self.high_mm:g}"

    def of(self, roi: Roi) -> Roi:
        """The part of the image in this band round a region; re-segmentation applies to it as to any region.

        Raises
        ------
        ItemError
            `empty_mask` when no voxel of the image lies in it.
        """
        steps = [int(np.ceil(max(self.high_mm, 0) / s)) for s in roi.spacing]
        values, place = roi.beyond(steps)
        inside = np.zeros(values.shape, np.bool_)
        inside[tuple(slice(p, p + n) for p, n in zip(place, roi.mask.shape, strict=True))] = roi.mask
        found = self.within(signed_distance(inside, roi.spacing))
        return _part(roi, found, values, tuple(c - p for c, p in zip(roi.corner, place, strict=True)))

    def within(self, distance: NDArray[np.float64]) -> BoolArray:
        """Where distances to the border (mm, never 0) lie in the band."""
        above = distance >= self.low_mm if self.low_mm < 0 else distance > self.low_mm
        below = distance <= self.high_mm if self.high_mm > 0 else distance < self.high_mm
        return np.asarray(above & below)


@dataclass(frozen=True)
class Habitat:
    """The voxels of a region whose intensities belong to one of some classes.

    Parameters
    ----------
    number : int
        From 1, the darkest, to `classes`.
    classes : int
        2 to 9.
    """

    number: int
    classes: int

    @property
    def label(self) -> str:
        """What names of features begin with."""
        return f"habitat_{self.number}_of_{self.classes}"

    def of(self, roi: Roi) -> Roi:
        """The class's part of a region: of the voxels whose intensities count.

        Raises
        ------
        ItemError
            `not_finite`; `empty_mask` when the region has fewer different intensities than classes.
        """
        if roi.intensity is None or not np.isfinite(roi.values).all():
            raise ItemError("not_finite")
        thresholds = (-np.inf, *multi_otsu_thresholds(roi.values, classes=self.classes), np.inf)
        low, high = thresholds[self.number - 1 : self.number + 1]
        found = roi.intensity_mask() & (roi.intensity > low) & (roi.intensity <= high)
        return replace(_part(roi, found, roi.intensity, roi.corner), intensity_range=None, outlier_sigma=None)


Part = Shell | Habitat


def shells_of(bounds_mm: Sequence[float]) -> tuple[Shell, ...]:
    """The shells between neighbouring bounds.

    Parameters
    ----------
    bounds_mm : floats
        At least two, ascending: distances from the border in millimetres, inside negative.

    Raises
    ------
    ValueError
        For fewer bounds, or bounds that do not ascend.

    Examples
    --------
    >>> [shell.label for shell in shells_of([-5, 0, 2.5])]
    ['shell_-5_0', 'shell_0_2.5']
    """
    bounds = [float(b) for b in bounds_mm]
    if len(bounds) < 2 or not np.isfinite(bounds).all() or any(a >= b for a, b in pairwise(bounds)):
        raise ValueError(f"shells_mm must be two or more distances in ascending order, got {len(bounds)} numbers")
    return tuple(Shell(a, b) for a, b in pairwise(bounds))


def habitats_of(classes: int) -> tuple[Habitat, ...]:
    """All habitats of so many classes.

    Raises
    ------
    ValueError
        For a number out of range.

    Examples
    --------
    >>> [habitat.label for habitat in habitats_of(2)]
    ['habitat_1_of_2', 'habitat_2_of_2']
    """
    if not _LEAST <= classes <= _MOST:
        raise ValueError(f"habitats must be from {_LEAST} to {_MOST}, got {classes}")
    return tuple(Habitat(k, classes) for k in range(1, classes + 1))


def fraction(roi: Roi) -> Values:
    """Voxels of a part over those of the region it belongs to (family "fraction"); 1 for a region itself.

    Of voxels that count; a shell outside the region can have more of them than it.

    References
    ----------
    O'Connor et al. (2015), Imaging intratumor heterogeneity: role in therapy response, resistance, and clinical
    outcome, Clin Cancer Res 21:249-257: volume fractions of subregions.

    Examples
    --------
    >>> fraction(Shell(0, 1).of(Roi(np.ones((1, 3), bool), (1.0, 1.0), np.ones((1, 3)), surroundings=np.ones((3, 3)),
    ...                             corner=(1, 0))))
    {'fraction': 2.0}
    """
    return {"fraction": 1.0 if not roi.whole else float(roi.intensity_mask().sum()) / roi.whole}


def shells(
    mask: Image | Array, bounds_mm: Sequence[float], *, spacing: Sequence[float] | None = None
) -> NDArray[np.uint8]:
    """Label map of the shells round a region's border: 1 the innermost; 0 elsewhere.

    Parameters
    ----------
    mask : Image, (z, y, x) or (y, x) array
        Non-zero is inside.
    bounds_mm : floats
        As for `shells_of`: [-5, 0, 5] gives the 5 mm inside the border and the 5 mm outside it.
    spacing : floats, optional
        For arrays: millimetres along each axis; voxels without.

    Raises
    ------
    ItemError
        `empty_mask`.
    ValueError
        As `shells_of`.

    Examples
    --------
    >>> shells(np.array([[0, 0, 1, 1, 1, 1, 1, 0]]), [-1, 0, 1]).tolist()
    [[0, 2, 1, 1, 1, 1, 1, 2]]
    """
    frame = framed(None, mask, spacing)
    inside = frame.mask != 0
    if not inside.any():
        raise ItemError("empty_mask")
    return _numbered(shells_of(bounds_mm), inside, frame)


def habitats(image: Image | Array, mask: Image | Array, classes: int) -> NDArray[np.uint8]:
    """Label map of a region's habitats: voxels grouped by intensity, 1 the darkest; 0 outside.

    The groups are those of k-means in one dimension, the optimum itself, so that nothing depends on a start.

    Parameters
    ----------
    image : Image, (z, y, x) or (y, x) array
    mask : Image or array
        On the image's grid; non-zero is inside.
    classes : int
        2 to 9.

    Raises
    ------
    ItemError
        `empty_mask` when nothing is inside or the region has fewer different intensities than classes; `not_finite`;
        `misaligned_mask`.
    ValueError
        For a number of classes out of range.

    References
    ----------
    O'Connor et al. (2015), Imaging intratumor heterogeneity, Clin Cancer Res 21:249-257 (habitats); Wang, Song (2011),
    Ckmeans.1d.dp: optimal k-means clustering in one dimension, R Journal 3(2):29-33.

    Examples
    --------
    >>> habitats(np.array([[9, 1, 8, 2, 5]]), np.array([[1, 1, 1, 1, 0]]), 2).tolist()
    [[2, 1, 2, 1, 0]]
    """
    habitats_of(classes)
    frame = framed(image, mask, None)
    inside = frame.mask != 0
    if frame.values is None or not inside.any():
        raise ItemError("empty_mask")
    if not np.isfinite(frame.values[inside]).all():
        raise ItemError("not_finite")
    found = inside.astype(np.uint8)
    for threshold in multi_otsu_thresholds(frame.values[inside], classes=classes):
        found += inside & (frame.values > threshold)
    return np.asarray(found)


def _numbered(parts: Sequence[Shell], inside: BoolArray, frame: Frame) -> NDArray[np.uint8]:
    """Label map of shells."""
    distance = signed_distance(inside, frame.spacing)
    found = np.zeros(inside.shape, np.uint8)
    for number, shell in enumerate(parts, 1):
        found[shell.within(distance)] = number
    return found


def _part(roi: Roi, inside: BoolArray, values: Array, corner: tuple[int, ...]) -> Roi:
    """A region of the same image; corner: where in it the arrays begin."""
    box = bounding_box(inside)
    return replace(
        roi,
        mask=inside[box],
        intensity=values[box],
        corner=tuple(c + edge.start for c, edge in zip(corner, box, strict=True)),
        whole=int(roi.intensity_mask().sum()),
    )
