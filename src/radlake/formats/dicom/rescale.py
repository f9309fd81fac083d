"""Stored samples to values with a unit: modality lookup tables, rescale, SUV, and which type holds the result.

Measured values (HU, SUVbw, Bq/mL, mm) keep their meaning whatever the display says; only values without a unit are
turned round when the file is MONOCHROME1, so that bright means more everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from radlake.core.fault import ItemError
from radlake.core.image import Array

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_INT16 = np.iinfo(np.int16)
_INT32 = np.iinfo(np.int32)


@dataclass(frozen=True)
class Rescale:
    """value = slope * stored + intercept (PS3.3 C.11.1.1.2), with the ends of the stored range.

    Parameters
    ----------
    slope, intercept : float
        Of the modality transformation, a SUV factor included; turned round already for MONOCHROME1.
    low, high : int
        Least and greatest value that the stored bits can hold.
    """

    slope: float = 1.0
    intercept: float = 0.0
    low: int = 0
    high: int = 65535

    @property
    def is_integer(self) -> bool:
        """Whether integers stay integers."""
        return float(self.slope).is_integer() and float(self.intercept).is_integer()

    def value(self, stored: float) -> float:
        """Value of one stored number.

        Examples
        --------
        >>> Rescale(1.0, -1024.0).value(24)
        -1000.0
        """
        return self.slope * stored + self.intercept

    @property
    def range(self) -> tuple[float, float]:
        """Least and greatest value that can come out."""
        ends = sorted((self.value(self.low), self.value(self.high)))
        return ends[0], ends[1]

    def __call__(self, stored: Array) -> Array:
        """Values of stored samples: integers for an integer slope and intercept, else float32.

        Examples
        --------
        >>> Rescale(1.0, -1024.0)(np.array([24], np.uint16)).tolist()
        [-1000]
        """
        if (self.slope, self.intercept) == (1.0, 0.0):
            return stored
        if not self.is_integer or stored.dtype.kind == "f":
            return (stored * np.float64(self.slope) + self.intercept).astype(np.float32)
        fits = _INT32.min <= self.range[0] and self.range[1] <= _INT32.max
        values: Array = stored.astype(np.int32 if fits else np.int64)
        if self.slope != 1.0:
            values *= values.dtype.type(self.slope)
        values += values.dtype.type(self.intercept)
        return values


def rescale_of(row: Mapping[str, Any], unit: str | None) -> Rescale:
    """Transformation of one instance to the unit of its image.

    Parameters
    ----------
    row : mapping
        A row of `instances`.
    unit : str or None
        Unit of the image; the SUV factor is applied only where it is SUVbw.

    Notes
    -----
    MONOCHROME1 without a physical unit is turned round within the stored range: value(low + high - stored).

    Examples
    --------
    >>> cr = {"photometric": "MONOCHROME1", "bits_stored": 10, "rescale_slope": 1.0}
    >>> rescale_of(cr, "a.u.").value(0)
    1023.0
    """
    slope, intercept = row.get("rescale_slope"), row.get("rescale_intercept")
    slope = 1.0 if not slope or not np.isfinite(slope) else float(slope)
    intercept = 0.0 if intercept is None or not np.isfinite(intercept) else float(intercept)
    if unit == "SUVbw" and row.get("suv_factor"):
        slope, intercept = slope * row["suv_factor"], intercept * row["suv_factor"]
    low, high = stored_range(row)
    if is_turned(row, unit):
        slope, intercept = -slope, intercept + slope * (low + high)
    return Rescale(slope, intercept, low, high)


def stored_range(row: Mapping[str, Any]) -> tuple[int, int]:
    """Least and greatest stored value by bits stored and sign.

    Examples
    --------
    >>> stored_range({"bits_stored": 12, "pixel_signed": True})
    (-2048, 2047)
    """
    bits = min(max(row.get("bits_stored") or row.get("bits_allocated") or 16, 1), 64)
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if row.get("pixel_signed") else (0, (1 << bits) - 1)


def is_turned(row: Mapping[str, Any], unit: str | None) -> bool:
    """Whether samples are turned round so that bright means more: MONOCHROME1 without a physical unit."""
    return row.get("photometric") == "MONOCHROME1" and unit in (None, "a.u.") and not row.get("float_pixels")


def planned_type(row: Mapping[str, Any], unit: str | None) -> np.dtype[Any]:
    """Type in which an image starts: the narrowest of uint8, int16 and float32 that suits its header.

    16-bit data starts as int16 and `widened` promotes it when a value really exceeds that range, because most of it
    never does.

    Examples
    --------
    >>> planned_type({"bits_allocated": 16, "bits_stored": 12, "rescale_intercept": -1024.0}, "HU")
    dtype('int16')
    """
    if row.get("float_pixels"):
        return np.dtype(np.float32)
    if row.get("photometric") == "PALETTE COLOR":
        return np.dtype(np.uint8)
    if (row.get("samples") or 1) > 1:
        allocated = row.get("bits_allocated") or 8
        return np.dtype(np.uint8 if allocated <= 8 else np.uint16 if allocated <= 16 else np.uint32)
    rescale = rescale_of(row, unit)
    if not rescale.is_integer or row.get("has_modality_lut"):
        return np.dtype(np.float32)
    low, high = rescale.range
    return np.dtype(np.uint8 if low >= 0 and high <= 255 else np.int16)


def may_widen(row: Mapping[str, Any], unit: str | None) -> bool:
    """Whether values beyond int16 are possible, by the header."""
    low, high = rescale_of(row, unit).range
    return planned_type(row, unit).kind == "i" and (low < _INT16.min or high > _INT16.max)


def widened(array: Array, plane: Array) -> Array:
    """The array, or a copy in the narrowest type that also holds the plane.

    Examples
    --------
    >>> widened(np.zeros(2, np.int16), np.array([70000])).dtype, widened(np.zeros(2, np.int16), np.array([7])).dtype
    (dtype('int32'), dtype('int16'))
    """
    if np.can_cast(plane.dtype, array.dtype, "safe") or not plane.size:
        return array
    if plane.dtype.kind == "f":
        return array.astype(np.float32, copy=False)
    if array.dtype.kind == "f":
        return array
    low, high = int(plane.min()), int(plane.max())
    for kind in (array.dtype.type, np.int16, np.int32):
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max and np.can_cast(array.dtype, kind, "safe"):
            return array.astype(kind, copy=False)
    return array.astype(np.float64)


def modality_lut(stored: Array, dataset: Dataset, *, turned: bool) -> Array:
    """Values of stored samples by the modality lookup table (PS3.3 C.11.1.1); `turned` mirrors the table's range.

    Raises
    ------
    ItemError
        ``undecodable_pixels`` when the table is damaged.
    """
    from pydicom.pixels.processing import apply_modality_lut

    try:
        values = np.asarray(apply_modality_lut(stored, dataset)).astype(np.float32)
        bits = int(dataset.ModalityLUTSequence[0].LUTDescriptor[2])
    except Exception:  # noqa: BLE001 - pydicom raises whatever a damaged table provokes
        raise ItemError("undecodable_pixels") from None
    return np.float32((1 << bits) - 1) - values if turned else values
