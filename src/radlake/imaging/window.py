"""From measured values to the grey levels of a screen: display windows by name, by header, by kind, by percentile."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array, Image

_SAMPLES = 1 << 20  # samples that percentiles are taken from


class Window(NamedTuple):
    """A display window: centre and width in the unit of the image."""

    centre: float
    width: float


# Usual presets of CT workstations, HU. Hofer (2021), CT Teaching Manual, 5th ed., "Windowing".
CT_WINDOWS: dict[str, Window] = {
    "soft_tissue": Window(40, 400),
    "lung": Window(-600, 1500),
    "bone": Window(400, 1800),
    "brain": Window(40, 80),
    "liver": Window(60, 160),
    "mediastinum": Window(50, 350),
    "angiography": Window(300, 600),
}


def display_window(image: Image) -> Window:
    """Window that shows an image well, in its unit.

    The file's own window where it names a usable one; the soft-tissue window for CT in HU; otherwise the 0.5th to
    99.5th percentile of finite samples other than padding (on a regular subset of about a million samples).

    Parameters
    ----------
    image : Image
        Any kind; colour images are windowed like grey ones.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> display_window(Image(np.zeros((4, 4), np.int16), Geometry((1.0, 1.0)), kind="ct", unit="HU"))
    Window(centre=40, width=400)
    """
    if image.window is not None and image.window[1] >= 1 and np.isfinite(image.window).all():
        return Window(*image.window)
    if image.kind == "ct" and image.unit == "HU":
        return CT_WINDOWS["soft_tissue"]
    low, high = _range(image.array, image.padding)
    return Window(low / 2 + high / 2, high - low)


def apply_window(array: Array, window: Window) -> NDArray[np.uint8]:
    """Grey levels 0 to 255 of an array seen through a window.

    Parameters
    ----------
    array : array of any shape
        In the unit of the window. NaN becomes 0.
    window : Window
        Values up to centre - width / 2 are black, from centre + width / 2 on white, linear between. A width of 0
        parts the values at the centre.

    References
    ----------
    DICOM PS3.3 C.11.2.1.3.2, LINEAR_EXACT: y = (x - centre) / width + 0.5.

    Examples
    --------
    >>> apply_window(np.array([-200, 40, 300]), Window(40, 400)).tolist()
    [0, 128, 255]
    """
    return np.asarray(np.rint(share_of(array, window) * 255.0).astype(np.uint8))


def share_of(array: Array, window: Window) -> NDArray[np.float64]:
    """Where values lie in a window, from 0 (its lower end and below, NaN) to 1 (its upper end and above).

    Examples
    --------
    >>> share_of(np.array([0.0, 1.0, 9.0]), Window(2, 4)).tolist()
    [0.0, 0.25, 1.0]
    """
    centred = array.astype(np.float64) - window.centre
    # np.sign: the limit of the formula for a width that goes to zero
    share = centred / window.width + 0.5 if window.width > 0 else np.sign(centred) / 2 + 0.5
    return np.asarray(np.clip(np.nan_to_num(share, nan=0.0), 0.0, 1.0))


def _range(array: Array, padding: float | None) -> tuple[float, float]:
    """Percentiles 0.5 and 99.5 of a regular subset; (0, 0) where nothing is finite."""
    flat = array.reshape(-1)
    sample = flat[:: max(1, flat.size // _SAMPLES)].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    if padding is not None and np.any(sample != padding):
        sample = sample[sample != padding]
    if sample.size == 0:
        return 0.0, 0.0
    low, high = np.percentile(sample, (0.5, 99.5))
    return (low, high) if low < high else (sample.min(), sample.max())
