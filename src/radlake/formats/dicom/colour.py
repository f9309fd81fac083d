"""Colour models of DICOM to RGB (PS3.3 C.7.6.3.1.2 and C.7.9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from radlake.core.fault import ItemError
from radlake.core.image import Array

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# PS3.3 C.7.6.3.1.2, YBR_FULL solved for RGB; rows R, G, B over (Y, Cb - 128, Cr - 128).
_FROM_YBR = np.array([[1.0, 0.0, 1.402], [1.0, -0.114 * 1.772 / 0.587, -0.299 * 1.402 / 0.587], [1.0, 1.772, 0.0]])


def ybr_to_rgb(samples: Array) -> Array:
    """RGB of full-range 8-bit YCbCr samples, rounded to the nearest integer.

    Parameters
    ----------
    samples : (..., 3) uint8 array
        Y, Cb and Cr.

    References
    ----------
    PS3.3 C.7.6.3.1.2, YBR_FULL.

    Examples
    --------
    >>> ybr_to_rgb(np.array([[76, 85, 255]], dtype=np.uint8)).tolist()
    [[254, 0, 0]]
    """
    centred = samples.astype(np.float32) - np.array([0, 128, 128], np.float32)
    rgb = centred @ _FROM_YBR.T.astype(np.float32)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def expand_422(flat: Array, rows: int, columns: int) -> Array:
    """(rows, columns, 3) YCbCr from horizontally subsampled samples Y1 Y2 Cb Cr (PS3.3 C.7.6.3.1.2, YBR_FULL_422).

    Examples
    --------
    >>> expand_422(np.array([10, 20, 3, 4], np.uint8), 1, 2).tolist()
    [[[10, 3, 4], [20, 3, 4]]]
    """
    groups = flat[: rows * columns * 2].reshape(-1, 4)
    full = np.empty((len(groups), 2, 3), dtype=flat.dtype)
    full[:, :, 0] = groups[:, :2]
    full[:, :, 1:] = groups[:, None, 2:]
    return full.reshape(rows, columns, 3)


@dataclass(frozen=True)
class Palette:
    """Colours of palette indices.

    Parameters
    ----------
    colours : (N, 3) uint8 array
        RGB of each index.
    first : int
        Stored value that the first row belongs to; values outside the table take its ends.
    """

    colours: Array
    first: int

    def __call__(self, stored: Array) -> Array:
        """RGB (..., 3) of stored indices.

        Examples
        --------
        >>> Palette(np.array([[0, 0, 0], [9, 8, 7]], np.uint8), first=5)(np.array([4, 6, 99])).tolist()
        [[0, 0, 0], [9, 8, 7], [9, 8, 7]]
        """
        return self.colours[np.clip(stored.astype(np.int64) - self.first, 0, len(self.colours) - 1)]


def palette_of(dataset: Dataset) -> Palette:
    """Palette of a dataset, 8 bits a channel, segmented tables expanded.

    Tables with 16-bit entries keep their upper byte; where no entry exceeds 255 the entries are 8-bit values in 16-bit
    words, which some writers leave.

    Raises
    ------
    ItemError
        ``undecodable_pixels`` when the tables are absent or damaged.

    References
    ----------
    PS3.3 C.7.6.3.1.5, C.7.6.3.1.6 and C.7.9.2.
    """
    from pydicom.pixels.processing import apply_color_lut

    try:
        entries, first, _bits = (int(v) for v in dataset.RedPaletteColorLookupTableDescriptor)
        indices = np.arange(first, first + (entries or 1 << 16), dtype=np.int32)  # PS3.3 C.7.6.3.1.5: 0 means 2^16
        colours = apply_color_lut(indices, dataset)[..., :3]
    except Exception:  # noqa: BLE001 - pydicom raises whatever a damaged table provokes
        raise ItemError("undecodable_pixels") from None
    wide = colours.dtype.itemsize > 1 and int(colours.max(initial=0)) > 255
    return Palette(np.asarray(colours >> 8 if wide else colours).astype(np.uint8), first)
