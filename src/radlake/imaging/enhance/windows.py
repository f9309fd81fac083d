"""Display windows as an operation: the intensities between two values over the whole range of a dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from radlake.core.image import Array, Image
from radlake.imaging.arguments import ImageOrArray, Spacing, on_spatial_axes
from radlake.imaging.kernels.pointwise import pointwise
from radlake.imaging.rounding import to_dtype
from radlake.imaging.window import CT_WINDOWS, Window, display_window, share_of

WindowName = Literal["soft_tissue", "lung", "bone", "brain", "liver", "mediastinum", "angiography"]


def window(
    image: ImageOrArray,
    *,
    name: WindowName | None = None,
    centre: float | None = None,
    width: float | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    out_dtype: DTypeLike = np.uint8,
) -> ImageOrArray:
    """Image seen through a window: black below it, white above, linear inside; without a unit.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype; NaN becomes black. Named windows are for CT in HU.
    name : {"soft_tissue", "lung", "bone", "brain", "liver", "mediastinum", "angiography"}, optional
        A usual window of CT.
    centre, width : float, optional
        Instead, in the unit of the image: both or none.
    spacing, channel_axis
        As in `filters.gaussian`; the spacing has no effect.
    out_dtype : dtype
        Integers: from 0 to the greatest value of the dtype, rounded. Floats: from 0 to 1.

    Notes
    -----
    Without `name` and `centre` an `Image` uses the window of its file, and where there is none soft tissue for CT and
    the 0.5th to 99.5th percentile for everything else (see `radlake.imaging.window.display_window`).

    Raises
    ------
    ValueError
        For both ways or half of one, an unknown name, a width that is not above 0, a named window on an `Image` that
        is not in HU, or an array without a window.

    References
    ----------
    DICOM PS3.3 C.11.2.1.3.2 (LINEAR_EXACT); named windows as listed in `radlake.imaging.window.CT_WINDOWS`.

    Examples
    --------
    >>> window(np.array([[-1400, -600, 200]]), name="lung").tolist()
    [[0, 128, 255]]
    >>> window(np.array([[0, 1, 4]]), centre=2, width=4, out_dtype=np.float32).tolist()
    [[0.0, 0.25, 1.0]]
    """
    chosen = _chosen(image, name, centre, width)
    dtype = np.dtype(out_dtype)
    most = float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0

    def seen(array: Array, _: Spacing) -> NDArray[np.generic]:
        return pointwise(array, lambda part: to_dtype(share_of(part, chosen) * most, dtype), dtype)

    result = on_spatial_axes(image, seen, spacing=spacing, channel_axis=channel_axis)
    if isinstance(result, Image):
        shown = (most / 2, most)
        return cast(ImageOrArray, result.with_array(result.array, unit="a.u.", window=shown, padding=None))
    return result


def _chosen(image: Image | Array, name: str | None, centre: float | None, width: float | None) -> Window:
    """The window that the arguments name, or the image's own."""
    if (centre is None) != (width is None) or (name is not None and centre is not None):
        raise ValueError("give a window's name, or its centre and width, or none of them")
    if centre is not None and width is not None:
        if not width > 0:
            raise ValueError(f"width must be above 0, got {width}")
        return Window(centre, width)
    if name is None:
        if not isinstance(image, Image):
            raise ValueError("an array names no window; give a name, or centre and width")
        return display_window(image)
    if name not in CT_WINDOWS:
        raise ValueError(f"name must be one of {', '.join(CT_WINDOWS)}; got {name!r}")
    if isinstance(image, Image) and image.unit != "HU":
        raise ValueError(f"named windows are for images in HU, this one is in {image.unit}; give centre and width")
    return CT_WINDOWS[name]
