"""Operations on masks: holes, small parts, skeleton, distance in millimetres to what is outside.

Everything but zero is inside. Skeletons go to scikit-image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array, Image
from radlake.imaging.arguments import ImageOrArray, Spacing, on_spatial_axes
from radlake.imaging.labels import called_mask, connected, filled


def fill_holes(
    mask: ImageOrArray,
    *,
    connectivity: int | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
) -> ImageOrArray:
    """Mask (bool) with everything inside that no path outside the mask joins to the image's edge.

    Parameters
    ----------
    mask : Image or (z, y, x) or (y, x) array
        Everything but zero is inside.
    connectivity : {6, 18, 26} or {4, 8}, optional
        Neighbours that paths step to; 6 or 4 where absent, so that surfaces need not be thick to hold.
    spacing, channel_axis
        As for `dilate`; the spacing has no effect.

    Raises
    ------
    ValueError
        For a connectivity that does not fit the number of axes.

    References
    ----------
    Soille (2003), Morphological Image Analysis, 2nd ed., section 6.3.7.

    Examples
    --------
    >>> fill_holes(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])).all()
    np.True_
    """

    def fill(array: Array, _: Spacing) -> Array:
        return filled(np.asarray(array != 0), connectivity)

    return called_mask(on_spatial_axes(mask, fill, spacing=spacing, channel_axis=channel_axis))


def remove_small(
    mask: ImageOrArray,
    *,
    least_mm: float | None = None,
    least_vox: float | None = None,
    connectivity: int | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
) -> ImageOrArray:
    """Mask (bool) without the connected components that are smaller than a volume.

    Parameters
    ----------
    mask : Image or (z, y, x) or (y, x) array
        Everything but zero is inside.
    least_mm : float
        Volume in cubic millimetres (area in square millimetres in two dimensions) from which components stay.
    least_vox : float
        Instead: number of voxels.
    connectivity : {6, 18, 26} or {4, 8}, optional
        Neighbours that belong together; 26 or 8 where absent.
    spacing, channel_axis
        As for `dilate`.

    Raises
    ------
    ValueError
        For contradictory sizes or a connectivity that does not fit the number of axes.

    References
    ----------
    Soille (2003), Morphological Image Analysis, 2nd ed., section 4.4.2 (area opening).

    Examples
    --------
    >>> remove_small(np.array([[1, 1, 0, 1]]), least_mm=1.0, spacing=(1.0, 0.5)).tolist()
    [[True, True, False, False]]
    """
    if (least_mm is None) == (least_vox is None):
        raise ValueError("give exactly one of least_mm and least_vox")

    def remove(array: Array, steps: Spacing) -> Array:
        inside = np.asarray(array != 0)
        # 1e-9: as for boxes, whole numbers of voxels must not fail by the last bit
        voxels = least_vox if least_vox is not None else cast(float, least_mm) / float(np.prod(steps)) * (1 - 1e-9)
        parts = connected(inside, connectivity, widest=True)
        return parts.mask(parts.sizes() >= voxels).reshape(array.shape)

    return called_mask(on_spatial_axes(mask, remove, spacing=spacing, channel_axis=channel_axis))


def skeleton(
    mask: ImageOrArray, *, spacing: Sequence[float] | None = None, channel_axis: int | None = None
) -> ImageOrArray:
    """Mask (bool) thinned to its middle lines, one voxel wide, connected as it was and with the same holes.

    Parameters
    ----------
    mask : Image or (z, y, x) or (y, x) array
        Everything but zero is inside. Planes are thinned in the plane, volumes in space.
    spacing, channel_axis
        As for `dilate`. Thinning counts voxels, so the spacing has no effect: resample before where voxels are far
        from cubes and the line must lie in the true middle.

    References
    ----------
    Zhang and Suen (1984), A fast parallel algorithm for thinning digital patterns, CACM 27:236-239 (planes); Lee,
    Kashyap, Chu (1994), Building skeleton models via 3-D medial surface/axis thinning algorithms, CVGIP 56:462-478
    (volumes); computed by `skimage.morphology.skeletonize`.

    Examples
    --------
    >>> skeleton(np.ones((3, 7), bool)).astype(int).tolist()
    [[0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0, 0]]
    """

    def thinned(array: Array, _: Spacing) -> Array:
        from skimage.morphology import skeletonize

        inside = np.asarray(array != 0)
        return np.asarray(skeletonize(inside), np.bool_) if inside.any() else inside

    return called_mask(on_spatial_axes(mask, thinned, spacing=spacing, channel_axis=channel_axis))


def distance_map(
    mask: ImageOrArray, *, spacing: Sequence[float] | None = None, channel_axis: int | None = None
) -> ImageOrArray:
    """Distance of each voxel inside a mask to the nearest one outside, in mm (float32); 0 outside.

    Parameters
    ----------
    mask : Image or (z, y, x) or (y, x) array
        Everything but zero is inside. What lies beyond the image does not count as outside: a mask that fills the
        image is infinitely far from it.
    spacing, channel_axis
        As for `dilate`. Without a spacing, and for images without one, distances are in voxels.

    References
    ----------
    Felzenszwalb & Huttenlocher (2012), Distance transforms of sampled functions, Theory of Computing 8:415-428;
    between centres of voxels.

    Examples
    --------
    >>> distance_map(np.array([[0, 1, 1, 1]]), spacing=(1.0, 0.5)).tolist()
    [[0.0, 0.5, 1.0, 1.5]]
    """

    def measure(array: Array, steps: Spacing) -> NDArray[np.float32]:
        from radlake.imaging.kernels.distance import distance_to_outside

        volume = np.array(array != 0, order="C", ndmin=3)
        return distance_to_outside(volume, (1.0,) * (3 - array.ndim) + steps).reshape(array.shape)

    found = on_spatial_axes(mask, measure, spacing=spacing, channel_axis=channel_axis)
    if isinstance(found, Image):
        unit = "mm" if found.geometry.calibrated else "a.u."
        return cast(ImageOrArray, found.with_array(found.array, kind="other", unit=unit))
    return found
