"""Pixels with their place in space: `Geometry`, `Image` and `Region`.

Nothing here reads files or knows identities. Arrays are ordered (z, y, x); points in space are LPS millimetres
(x to the patient's left, y to the back, z to the head: DICOM PS3.3 C.7.6.2.1.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.floating[Any]]

Kind = Literal["ct", "mr", "pet", "nm", "us", "xray", "optical", "label", "other"]
Unit = Literal["HU", "SUVbw", "Bq/mL", "mm", "label", "a.u."]
RegionSource = Literal["seg", "rtstruct", "label", "auto", "outline"]
KINDS: tuple[str, ...] = get_args(Kind)
UNITS: tuple[str, ...] = get_args(Unit)

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Geometry:
    """Where the samples of an array lie in space.

    Parameters
    ----------
    spacing : tuple of 2 or 3 floats
        Distance between neighbouring samples along each spatial axis, in the order of the array ((z, y, x) or
        (y, x)); millimetres, or pixels where `calibrated` is false.
    origin : (x, y, z)
        LPS position of the centre of the first sample, millimetres.
    direction : one (x, y, z) unit vector per spatial axis
        Row i is the LPS direction in which array axis i grows. Empty: the identity in (z, y, x) order.
    calibrated : bool
        False when the file holds no physical spacing (a PNG, a photograph of a screen): lengths are then in pixels.

    Raises
    ------
    ValueError
        When the lengths disagree or a spacing is not positive and finite.
    """

    spacing: tuple[float, ...]
    origin: Vector = (0.0, 0.0, 0.0)
    direction: tuple[Vector, ...] = ()
    calibrated: bool = True

    def __post_init__(self) -> None:
        if len(self.spacing) not in (2, 3):
            raise ValueError(f"spacing has {len(self.spacing)} values; expected 2 (y, x) or 3 (z, y, x)")
        if not all(np.isfinite(s) and s > 0 for s in self.spacing):
            raise ValueError(f"spacing must be positive and finite, got {self.spacing}")
        if not self.direction:
            axes: tuple[Vector, ...] = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
            object.__setattr__(self, "direction", axes[-len(self.spacing) :])
        if len(self.direction) != len(self.spacing):
            raise ValueError(f"direction has {len(self.direction)} rows for {len(self.spacing)} spatial axes")

    @property
    def ndim(self) -> int:
        """Number of spatial axes, 2 or 3."""
        return len(self.spacing)

    @property
    def affine(self) -> NDArray[np.float64]:
        """Matrix that takes (index along each spatial axis ..., 1) to LPS millimetres, shape (4, ndim + 1).

        Examples
        --------
        >>> Geometry((5.0, 0.5, 0.5), origin=(1.0, 2.0, 3.0)).affine @ [1, 2, 4, 1]
        array([3., 3., 8., 1.])
        """
        matrix = np.zeros((4, self.ndim + 1))
        matrix[:3, : self.ndim] = (np.asarray(self.direction) * np.asarray(self.spacing)[:, None]).T
        matrix[:3, -1] = self.origin
        matrix[3, -1] = 1.0
        return matrix

    @property
    def voxel_volume(self) -> float:
        """Volume of a voxel in cubic millimetres (area of a pixel in square millimetres for two axes)."""
        return float(np.prod(self.spacing))


@dataclass(frozen=True, eq=False)
class Image:
    """An array with its geometry and the meaning of its values; no identifiers.

    Parameters
    ----------
    array : ndarray
        Spatial axes in (z, y, x) or (y, x) order; a time axis first and a channel axis last where there are any.
    geometry : Geometry
        One spacing per spatial axis.
    kind : {"ct", "mr", "pet", "nm", "us", "xray", "optical", "label", "other"}
        What made the image.
    unit : {"HU", "SUVbw", "Bq/mL", "mm", "label", "a.u."}
        Unit of the values.
    channel_axis, time_axis : int or None
        Index of the axis that holds colour channels or time points.
    window : (centre, width) or None
        Display window named by the file, in `unit`.
    padding : float or None
        Value that marks samples outside the imaged field, in `unit`.

    Raises
    ------
    ValueError
        When the array's spatial axes and the geometry disagree.
    """

    array: Array
    geometry: Geometry
    kind: Kind = "other"
    unit: Unit = "a.u."
    channel_axis: int | None = None
    time_axis: int | None = None
    window: tuple[float, float] | None = None
    padding: float | None = None

    def __post_init__(self) -> None:
        extra = (self.channel_axis is not None) + (self.time_axis is not None)
        if self.array.ndim - extra != self.geometry.ndim:
            raise ValueError(
                f"array has {self.array.ndim} axes, {extra} of them not spatial; geometry has {self.geometry.ndim}"
            )

    def with_array(self, array: Array, **changes: Any) -> Image:
        """Same place and meaning, other values."""
        return replace(self, array=array, **changes)


@dataclass(frozen=True, eq=False)
class Region:
    """A named part of an image: a bool `Image` on the image's own grid.

    Parameters
    ----------
    mask : Image
        Bool array, kind "label".
    roi : str
        Cleaned name of the region (see `radlake.deid`): never the raw label of a file.
    source : {"seg", "rtstruct", "label", "auto", "outline"}
        Where the region comes from.
    id : str
        mask_id in the lake; empty outside one.
    """

    mask: Image
    roi: str
    source: RegionSource
    id: str = ""
