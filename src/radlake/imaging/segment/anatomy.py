"""The body and the lungs on CT, by Hounsfield units and shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.imaging.arguments import ImageOrArray, Spacing, on_spatial_axes
from radlake.imaging.channels import scalar
from radlake.imaging.labels import as_mask, connected, filled, largest, only

_SKIN_HU = -300.0  # halfway from air (-1000) through fat (-100) to muscle, below any skin with partial volume
_THIN_MM = 4.0  # table tops, blankets, tubes
_LUNG_HU = -320.0  # Hu (2001): the usual result of the optimal threshold; below is lung or air
_GAS_HU = -960.0  # lung at full inspiration is above, bowel gas and air in bags below
_LEAST_LUNG_MM3 = 50_000.0
_LESSER_LUNG = 0.1  # share of the greater lung that the other one must have


def body(image: ImageOrArray, *, spacing: Sequence[float] | None = None) -> ImageOrArray:
    """Mask of the patient's body on CT without table and clothes, with lungs and bowel filled; bool.

    The largest connected part above -300 HU of which everything thinner than 4 mm within a slice was removed; holes
    are filled slice by slice. Lungs that are cut by the edge of the field of view stay open.

    Parameters
    ----------
    image : Image in HU, or (z, y, x) or (y, x) array in HU
        Axial slices; NaN is outside.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis; 1 where absent.

    Raises
    ------
    ItemError
        `empty_mask` when there is no body in the field.
    ValueError
        When an `Image` is not in HU.

    References
    ----------
    Hu, Hoffman, Reinhardt (2001), Automatic lung segmentation for accurate quantitation of volumetric X-ray CT images,
    IEEE TMI 20:490-498 (body and lungs by threshold and topology).

    Examples
    --------
    >>> slice_ = np.full((40, 40), -1000)
    >>> slice_[10:30, 10:30] = 40
    >>> slice_[18:22, 18:22] = -1000
    >>> mask = body(slice_)
    >>> (mask[20, 20].item(), mask[5, 5].item())
    (True, False)
    """
    return _on_hounsfield(image, _body, spacing)


def lungs(image: ImageOrArray, *, spacing: Sequence[float] | None = None) -> ImageOrArray:
    """Mask of the lungs on CT with their vessels, and of airways that are connected to them; bool.

    Up to two largest parts below -320 HU inside the body, each of at least 50 mL and with a median above that of gas;
    holes (vessels, nodules) are filled slice by slice.

    Parameters
    ----------
    image : Image in HU, or (z, y, x) or (y, x) array in HU
        Axial slices through the chest. A single slice is judged as if it were 100 mm thick.
    spacing : floats, optional
        For arrays: millimetres between samples along each axis; 1 where absent.

    Raises
    ------
    ItemError
        `empty_mask` when there is no lung in the field.
    ValueError
        When an `Image` is not in HU.

    References
    ----------
    Hu, Hoffman, Reinhardt (2001), Automatic lung segmentation for accurate quantitation of volumetric X-ray CT images,
    IEEE TMI 20:490-498; with a fixed threshold and without their splitting of touching lungs.

    Examples
    --------
    >>> slice_ = np.full((40, 60), -1000)
    >>> slice_[5:35, 5:55] = 40
    >>> slice_[10:30, 10:25] = slice_[10:30, 35:50] = -850
    >>> lungs(slice_, spacing=(5.0, 5.0)).sum().item()
    600
    """
    return _on_hounsfield(image, _lungs, spacing)


def _body(array: Array, spacing: Spacing) -> BoolArray:
    """Largest part that is not thin, holes filled."""
    planes = (array > _SKIN_HU).reshape(-1, *array.shape[-2:])
    radius = [int(np.floor(_THIN_MM / 2 / step)) for step in spacing[-2:]]
    thick = np.stack([_opened(plane, radius) for plane in planes]) if len(planes) else planes
    if not thick.any():
        raise ItemError("empty_mask", hint=Term("there is no body in the field of view"))
    return filled(largest(thick.reshape(array.shape), 6 if array.ndim == 3 else 4), by_plane=True)


def _lungs(array: Array, spacing: Spacing) -> BoolArray:
    """Largest airy parts inside the body that are no gas."""
    parts = connected(_body(array, spacing) & (array < _LUNG_HU), None, widest=False)
    sizes = parts.sizes()
    volume = float(np.prod(spacing)) * (1.0 if array.ndim == 3 else 100.0)
    chosen: list[int] = []
    for number in np.argsort(-sizes, kind="stable")[: parts.count]:
        least = _LESSER_LUNG * sizes[chosen[0]] if chosen else 0
        if len(chosen) == 2 or sizes[number] * volume < _LEAST_LUNG_MM3 or sizes[number] < least:
            break
        if np.median(array[only(parts, number).reshape(array.shape)]) > _GAS_HU:
            chosen.append(int(number))
    if not chosen:
        raise ItemError("empty_mask", hint=Term("there is no lung in the field of view"))
    return filled(only(parts, *chosen).reshape(array.shape), by_plane=True)


def _opened(plane: BoolArray, radius: Sequence[int]) -> BoolArray:
    """A slice without what is thinner than an ellipse."""
    import cv2

    size = (2 * radius[1] + 1, 2 * radius[0] + 1)  # OpenCV: x before y
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)
    # a body that leaves the field of view goes on outside
    opened = cv2.morphologyEx(plane.view(np.uint8), cv2.MORPH_OPEN, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(opened > 0)


def _on_hounsfield(
    image: ImageOrArray, operation: Callable[[Array, Spacing], BoolArray], spacing: Sequence[float] | None
) -> ImageOrArray:
    """Run on an image in HU, or on an array that is taken to be."""
    if isinstance(image, Image):
        if image.unit != "HU":
            raise ValueError(f"expected an image in HU, got one in {image.unit}")
        plain = scalar(image)
        return cast(ImageOrArray, as_mask(plain, operation(plain.array, plain.geometry.spacing)))
    return on_spatial_axes(image, operation, spacing=spacing)
