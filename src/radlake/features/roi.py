"""The region of interest as every feature family takes it: mask, intensities and spacing, cropped to the region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image, Unit
from radlake.features.discretise import Binning, Bins, bins_of
from radlake.features.sample import Sample, sample
from radlake.features.texture import Texture, in_place
from radlake.imaging.arguments import Spacing, spacing_of
from radlake.imaging.channels import scalar

_DEFAULT_BINNING = Binning()
_TOLERANCE = 0.1  # of a voxel: headers round positions, a shifted grid is off by far more
Values = dict[str, float | Term]  # by feature name; a Term says why there is no value


@dataclass(frozen=True, eq=False)
class Roi:
    """A region and its intensities, cropped to the region's bounding box; views of the input where possible.

    Parameters
    ----------
    mask : (z, y, x) or (y, x) bool array
        The morphological mask of IBSI; touches every side of the array.
    spacing : tuple of floats
        One per axis, millimetres (pixels where `calibrated` is false).
    intensity : array of the same shape, or None
        Image values; None when only shape is asked for.
    intensity_range : (low, high) or None
        Voxels outside it belong to the shape but not to the intensity mask (IBSI re-segmentation).
    outlier_sigma : float or None
        Neither do voxels farther from the mean of those left than so many standard deviations.
    unit : str
        Unit of the intensities.
    calibrated : bool
        Whether lengths are millimetres.
    binning : Binning
        How intensities become grey levels.
    surroundings : array or None
        The whole image, which the array above is a part of; None: nothing is known round the region.
    corner : tuple of ints
        Where in the surroundings the region's box begins.
    whole : int or None
        Of a part of a region: how many voxels of that region count.
    """

    mask: BoolArray
    spacing: Spacing
    intensity: Array | None = None
    intensity_range: tuple[float, float] | None = None
    outlier_sigma: float | None = None
    unit: Unit = "a.u."
    calibrated: bool = True
    binning: Binning = _DEFAULT_BINNING
    surroundings: Array | None = None
    corner: tuple[int, ...] = (0, 0, 0)
    whole: int | None = None

    def intensity_mask(self, index: int | slice = slice(None)) -> BoolArray:
        """The intensity mask, or one plane of it along the first axis."""
        mask = self.mask[index]
        if self.limits is None or self.intensity is None:
            return mask
        low, high = self.limits
        plane = self.intensity[index]
        return np.asarray(mask & (plane >= low) & (plane <= high))

    @cached_property
    def limits(self) -> tuple[float, float] | None:
        """Least and greatest intensity that counts: the range, without outliers; None when all do.

        References
        ----------
        IBSI arXiv:1612.07003, 2.6 (5AC3 range, 7ACA outliers).
        """
        if self.outlier_sigma is None or self.intensity is None:
            return self.intensity_range
        low, high = self.intensity_range or (-np.inf, np.inf)
        inside = self.intensity[self.mask].astype(np.float64)
        inside = inside[(inside >= low) & (inside <= high)]
        if inside.size == 0:
            return low, high
        if not np.isfinite(inside).all():
            raise ItemError("not_finite")
        mean, reach = float(inside.mean()), self.outlier_sigma * float(inside.std())
        return max(low, mean - reach), min(high, mean + reach)

    @cached_property
    def values(self) -> Array:
        """Intensities of the voxels that count, in order.

        Raises
        ------
        ValueError
            When the roi has no intensities.
        """
        return self._inside()

    def _inside(self) -> Array:
        """The same, not kept."""
        if self.intensity is None:
            raise ValueError("these features need an image")
        return np.asarray(self.intensity[self.intensity_mask()])

    @cached_property
    def levels(self) -> tuple[NDArray[np.uint16], int] | None:
        """Grey levels of `values` and their number; None when no voxel counts."""
        bins = self.bins
        return None if bins is None else (bins.levels(self.values), bins.number)

    @cached_property
    def bins(self) -> Bins | None:
        """The bins of grey levels; None when no voxel counts."""
        if self.values.size == 0:
            return None
        if self.values.dtype.kind == "f":
            least, greatest = float(self.values.min()), float(self.values.max())
        else:
            found = self.sample  # counted, and wanted by other families anyway
            least, greatest = (0.0, 0.0) if found is None else (found.least, found.greatest)
        return bins_of(least, greatest, self.binning, low=self.bin_start)

    @property
    def bin_start(self) -> float | None:
        """Where the first bin of one width begins; None: at the least value."""
        return None if self.intensity_range is None else self.intensity_range[0]

    @cached_property
    def sample(self) -> Sample | None:
        """`values` in ascending order; None when no voxel counts.

        Raises
        ------
        ItemError
            `not_finite` when one is NaN or infinite.
        """
        # Values that nobody else holds may be sorted where they lie.
        kept = "values" in self.__dict__ or (self.intensity is not None and self.intensity.dtype.kind != "f")
        values = self.values if kept else self._inside()
        return sample(values, given_away=not kept) if values.size else None

    @cached_property
    def frequency(self) -> NDArray[np.int64] | None:
        """How many voxels have level 1, 2, 3 ...; None when no voxel counts."""
        found, bins = self.sample, self.bins
        if found is None or bins is None:
            return None
        levels = bins.levels(found.levels) - np.uint16(1)
        counts = found.binned(levels)
        return np.concatenate([counts, np.zeros(bins.number - len(counts), np.int64)])

    @cached_property
    def texture(self) -> Texture | None:
        """Grey levels in place, a plane as a volume of one slice; None when no voxel counts."""
        if self.levels is None:
            return None
        levels, count = self.levels
        shape = (1, *self.mask.shape)[-3:]
        return Texture(in_place(self.intensity_mask().reshape(shape), levels), count, self.mask.reshape(shape))

    def around(self, margin_mm: float) -> tuple[Array, tuple[int, ...]]:
        """The image as far as a margin round the region reaches, and where in it the region begins."""
        return self.beyond([int(margin_mm / s) for s in self.spacing])

    def beyond(self, steps: Sequence[int]) -> tuple[Array, tuple[int, ...]]:
        """The image, as far as there is any, so many samples beyond the region, and where in it the region begins."""
        if self.surroundings is None:
            if self.intensity is None:
                raise ValueError("these features need an image")
            return self.intensity, (0,) * self.mask.ndim
        start = [max(c - n, 0) for c, n in zip(self.corner, steps, strict=True)]
        stop = [c + m + n for c, m, n in zip(self.corner, self.mask.shape, steps, strict=True)]
        box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        return self.surroundings[box], tuple(c - a for c, a in zip(self.corner, start, strict=True))


def largest_plane(roi: Roi) -> Roi:
    """The first of the axial slices in which a volume's region is largest, as a plane; a plane as it is.

    Examples
    --------
    >>> mask = np.array([[[True, False, True]], [[True, True, True]], [[False, True, False]]])
    >>> largest_plane(Roi(mask, (3.0, 1.0, 1.0))).mask.tolist()
    [[True, True, True]]
    """
    if roi.mask.ndim == 2:
        return roi
    z = int(np.argmax(roi.mask.sum(axis=(1, 2))))
    box = bounding_box(roi.mask[z])
    return replace(
        roi,
        mask=roi.mask[z][box],
        spacing=roi.spacing[1:],
        intensity=None if roi.intensity is None else roi.intensity[z][box],
        surroundings=None if roi.surroundings is None else roi.surroundings[roi.corner[0] + z],
        corner=tuple(c + edge.start for c, edge in zip(roi.corner[1:], box, strict=True)),
    )


def region_of_interest(
    image: Image | Array | None,
    mask: Image | Array,
    *,
    spacing: Sequence[float] | None = None,
    intensity_range: tuple[float, float] | None = None,
    outlier_sigma: float | None = None,
    binning: Binning = _DEFAULT_BINNING,
) -> Roi:
    """The region cropped to its bounding box, checked.

    Parameters
    ----------
    image : Image, array or None
        Of a colour image the brightness is used, of a cine the middle time point.
    mask : Image or array
        On the image's spatial grid; non-zero is inside.
    spacing : floats, optional
        When neither is an `Image`: millimetres along each axis. Absent: lengths are in pixels.
    intensity_range : (low, high), optional
        IBSI re-segmentation of the intensity mask, bounds included.
    outlier_sigma : float, optional
        Greater than 0: leave out voxels farther from the mean than so many standard deviations.
    binning : Binning
        How intensities become grey levels.

    Raises
    ------
    ItemError
        `empty_mask` when nothing is inside, `misaligned_mask` when shape or place differ.
    ValueError
        When `spacing` comes with an `Image` or does not fit the mask, or `outlier_sigma` is not greater than 0.

    Examples
    --------
    >>> region_of_interest(None, np.pad(np.ones((1, 2), bool), 3)).mask.shape
    (1, 2)
    """
    frame = framed(image, mask, spacing)
    inside = frame.mask if frame.mask.dtype == np.bool_ else frame.mask != 0
    box = bounding_box(inside)
    return roi_in(
        frame, inside[box], box, intensity_range=intensity_range, outlier_sigma=outlier_sigma, binning=binning
    )


class Frame(NamedTuple):
    """An image (None: shape only) and a mask or label map on one grid, checked, not yet cropped."""

    values: Array | None
    mask: Array
    spacing: Spacing
    unit: Unit
    calibrated: bool


def framed(image: Image | Array | None, mask: Image | Array, spacing: Sequence[float] | None) -> Frame:
    """Image and mask as arrays with what both say of their grid.

    Raises
    ------
    ItemError
        `misaligned_mask` when shape or place differ.
    ValueError
        When `spacing` comes with an `Image` or does not fit the mask.
    """
    plain = scalar(image) if isinstance(image, Image) else image
    geometry = next((i.geometry for i in (image, mask) if isinstance(i, Image)), None)
    values = plain.array if isinstance(plain, Image) else None if plain is None else np.asarray(plain)
    inside = mask.array if isinstance(mask, Image) else np.asarray(mask)
    if values is not None and values.shape != inside.shape:
        sizes = (" x ".join(map(str, array.shape)) for array in (values, inside))
        raise ItemError("misaligned_mask", what=Term("image and mask differ in shape: {} and {}".format(*sizes)))
    if isinstance(plain, Image) and isinstance(mask, Image) and not _same_place(plain, mask):
        raise ItemError("misaligned_mask", what=Term("image and mask lie in different places"))
    if geometry is not None and spacing is not None:
        raise ValueError("an Image brings its own spacing; give spacing with arrays only")
    return Frame(
        values,
        inside,
        geometry.spacing if geometry else spacing_of(inside.ndim, spacing),
        image.unit if isinstance(image, Image) else "a.u.",
        geometry.calibrated if geometry else spacing is not None,
    )


def roi_in(
    frame: Frame,
    inside: BoolArray,
    box: tuple[slice, ...],
    *,
    intensity_range: tuple[float, float] | None = None,
    outlier_sigma: float | None = None,
    binning: Binning = _DEFAULT_BINNING,
) -> Roi:
    """The region whose mask in its bounding box is known.

    Parameters
    ----------
    frame : Frame
        Where it lies.
    inside : bool array
        The mask in the box; touches every side of it.
    box : tuple of slices
        Of the frame's arrays.
    intensity_range, outlier_sigma, binning
        As for `region_of_interest`.

    Raises
    ------
    ValueError
        When `outlier_sigma` is not greater than 0.
    """
    if outlier_sigma is not None and not outlier_sigma > 0:
        raise ValueError(f"outlier_sigma must be greater than 0, got {outlier_sigma}")
    return Roi(
        mask=inside,
        spacing=frame.spacing,
        intensity=None if frame.values is None else frame.values[box],
        intensity_range=intensity_range,
        outlier_sigma=outlier_sigma,
        unit=frame.unit,
        calibrated=frame.calibrated,
        binning=binning,
        surroundings=frame.values,
        corner=tuple(edge.start for edge in box),
    )


def _same_place(image: Image, mask: Image) -> bool:
    """Whether corresponding corner samples lie within a tenth of the smallest spacing."""
    last = [n - 1 for n in mask.array.shape]
    corners = np.array([*np.ndindex(*(2,) * len(last))]) * last
    homogeneous = np.concatenate([corners, np.ones((len(corners), 1))], axis=1)
    offset = homogeneous @ (image.geometry.affine - mask.geometry.affine).T
    return bool(np.abs(offset).max() <= _TOLERANCE * min(image.geometry.spacing))


def bounding_box(mask: BoolArray) -> tuple[slice, ...]:
    """Smallest box that holds every True, as slices.

    Raises
    ------
    ItemError
        `empty_mask` when there is none.

    Examples
    --------
    >>> bounding_box(np.array([[False, False], [False, True]]))
    (slice(1, 2, None), slice(1, 2, None))
    """
    box: tuple[slice, ...] = ()
    for axis in range(mask.ndim):
        # Crops one axis after the other: later axes are searched in what is left only.
        rest = mask[box]
        used = np.flatnonzero(rest.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        if used.size == 0:
            raise ItemError("empty_mask")
        box += (slice(int(used[0]), int(used[-1]) + 1),)
    return box
