"""What the volume formats (NIfTI, NRRD, MetaImage) and arrays share: layout of samples, header row, pixels.

A format's own file turns its header into a `Volume`; from there on all of them take the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.header import Header, Identity
from radlake.core.image import Array, Geometry, Image, Kind, Unit, Vector
from radlake.core.stage import Row
from radlake.formats.naming import kind_of, modality_of, referenced_by
from radlake.formats.source import MIB, Source

_CANONICAL = "tzyxc"  # time first, colour last: radlake.core.image.Image
_MAX_EXTENT = 1 << 20
_MAX_RATIO = 1100  # as radlake.formats.source: no compression that these formats use gives more
_FREE_BYTES = 64 * MIB


@dataclass(frozen=True)
class Volume:
    """How samples lie in a file and in space.

    Parameters
    ----------
    shape : tuple of int
        Extents as stored, slowest axis first (C order).
    axes : str
        A letter per extent: t time, z, y, x space, c colour.
    dtype : numpy dtype
        Of the stored samples, byte order included.
    geometry : Geometry
        Of the spatial axes in (z, y, x) or (y, x) order.
    slope, intercept : float
        Meaning of a stored sample: stored * slope + intercept.
    """

    shape: tuple[int, ...]
    axes: str
    dtype: np.dtype[np.generic]
    geometry: Geometry
    slope: float = 1.0
    intercept: float = 0.0

    def extent(self, axis: str) -> int:
        """Samples along an axis; 1 where the volume lacks it."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    @property
    def stored_bytes(self) -> int:
        """Bytes of all samples, uncompressed, as the header states them."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def value_dtype(self) -> np.dtype[np.generic]:
        """Type of the values after slope and intercept."""
        return rescaled_dtype(self.dtype, self.slope, self.intercept)

    @property
    def loaded_bytes(self) -> int:
        """Peak memory of reading: samples, and values where they differ."""
        size = math.prod(self.shape)
        plain = (self.slope, self.intercept) == (1.0, 0.0)
        return self.stored_bytes + (0 if plain else size * self.value_dtype.itemsize)


def rescaled_dtype(dtype: np.dtype[np.generic], slope: float, intercept: float) -> np.dtype[np.generic]:
    """Smallest type that holds ``stored * slope + intercept``: integers stay integers when both are whole numbers.

    Examples
    --------
    >>> rescaled_dtype(np.dtype(">u2"), 1.0, -1024.0), rescaled_dtype(np.dtype("i2"), 0.5, 0.0)
    (dtype('int32'), dtype('float32'))
    """
    native = dtype.newbyteorder("=")
    if (slope, intercept) == (1.0, 0.0):
        return native
    if native.kind in "iu" and native.itemsize <= 2 and slope.is_integer() and intercept.is_integer():
        span = 256.0**native.itemsize
        low = 0.0 if native.kind == "u" else -span / 2
        ends = (low * slope + intercept, (low + span - 1) * slope + intercept)
        for bits in (16, 32):
            if -(2 ** (bits - 1)) <= min(ends) and max(ends) < 2 ** (bits - 1):
                return np.dtype(f"i{bits // 8}")
    return np.dtype(np.float32 if native.itemsize <= 2 or native == np.float32 else np.float64)


def geometry_from_axes(axes: Sequence[NDArray[np.float64]], origin: NDArray[np.float64]) -> Geometry:
    """Geometry from the step of each axis.

    Parameters
    ----------
    axes : sequence of (3,) arrays
        LPS millimetres from one sample to the next, in the order of the array ((z, y, x) or (y, x)).
    origin : (3,) array
        LPS millimetres of the first sample.

    Raises
    ------
    ItemError
        ``contradictory_header`` when a step is zero or not finite.

    Examples
    --------
    >>> geometry_from_axes([np.array([0.0, 3, 4]), np.array([2.0, 0, 0])], np.zeros(3)).spacing
    (5.0, 2.0)
    """
    lengths = [float(np.linalg.norm(a)) for a in axes]
    if not (np.isfinite(lengths).all() and np.isfinite(origin).all() and all(length > 0 for length in lengths)):
        raise ItemError("contradictory_header", what=Term("voxel size or position"))
    direction = tuple(_vector(a / length) for a, length in zip(axes, lengths, strict=True))
    return Geometry(tuple(lengths), origin=_vector(origin), direction=direction)


def _vector(values: NDArray[np.float64]) -> Vector:
    """Three floats; negative zeros made plain."""
    x, y, z = (float(v) + 0.0 for v in values)
    return x, y, z


def checked(volume: Volume, source: Source) -> Volume:
    """The volume, refused when its extents are impossible or promise more than the stored bytes can hold."""
    if not volume.shape or any(not 0 < extent <= _MAX_EXTENT for extent in volume.shape):
        raise ItemError("contradictory_header", what=Term("dimensions"))
    if volume.stored_bytes > max(_FREE_BYTES, _MAX_RATIO * source.stored_size):
        raise ItemError(
            "bomb",
            promised_mib=round(volume.stored_bytes / MIB),
            stored_mib=round(source.stored_size / MIB, 3),
        )
    return volume


def header_of(source: Source, volume: Volume, name: str) -> Header:
    """Header of a file that holds one volume, a label map when its name says so.

    Parameters
    ----------
    source : Source
        The file.
    volume : Volume
        What its header states.
    name : str
        Key of `radlake.formats.READERS`.
    """
    identity = Identity(study_uid=source.folder_key, series_uid=source.key, instance_uid=f"{source.key}#0")
    header = Header(format=name, identity=identity, values=image_values(source, volume))
    named_label, image = referenced_by(source) if volume.extent("c") == 1 else (False, None)
    if not named_label:
        return header
    header.values.update(kind="label", unit="label", modality="OT")
    if image is not None:
        header.role = "label"
        identity.referenced_series_uid = image.key
    return header


def image_values(source: Source, volume: Volume) -> Row:
    """Columns of `radlake.core.schema.INSTANCES` for a file that holds one image."""
    kind = kind_of(source)
    calibrated = volume.geometry.calibrated
    values: Row = {
        "modality": modality_of(kind),
        "kind": kind,
        "unit": "HU" if kind == "ct" and calibrated else "a.u.",
        "rows": volume.extent("y"),
        "columns": volume.extent("x"),
        "slices": volume.extent("z") if "z" in volume.axes else None,
        "frames": volume.extent("t"),
        "samples": volume.extent("c"),
        "photometric": "RGB" if volume.extent("c") >= 3 else "MONOCHROME2",
        "bits_allocated": volume.dtype.itemsize * 8,
        "bits_stored": volume.dtype.itemsize * 8,
        "pixel_signed": volume.dtype.kind != "u",
        "float_pixels": volume.dtype.kind == "f",
        "rescale_slope": volume.slope,
        "rescale_intercept": volume.intercept,
        "pixel_bytes": volume.loaded_bytes,
        "stored_bytes": source.stored_size,
    }
    return values | (place(volume.geometry) if calibrated else {})


def place(geometry: Geometry) -> Row:
    """Position columns of `radlake.core.schema.INSTANCES` for a calibrated geometry."""
    columns: Row = {
        "spacing_source": "header",
        "spacing_y": geometry.spacing[-2],
        "spacing_x": geometry.spacing[-1],
        "position": list(geometry.origin),
        "orientation": [*geometry.direction[-1], *geometry.direction[-2]],
    }
    if geometry.ndim == 3:
        columns |= {"spacing_z": geometry.spacing[0], "slice_direction": list(geometry.direction[0])}
    return columns


def read_samples(stream: BinaryIO, volume: Volume, *, memory_bytes: int) -> Array:
    """Values of a volume from a stream that stands at its first sample, axes in (t, z, y, x, c) order.

    Raises
    ------
    ItemError
        ``too_large`` before any memory is taken, ``truncated_pixels`` when the stream ends early.
    """
    if volume.loaded_bytes > memory_bytes:
        raise ItemError("too_large", needed_mib=round(volume.loaded_bytes / MIB), limit_mib=round(memory_bytes / MIB))
    buffer = read_exactly(stream, volume.stored_bytes)
    stored = buffer.view(volume.dtype).reshape(volume.shape)
    if not volume.dtype.isnative:
        stored = stored.byteswap(inplace=True).view(volume.dtype.newbyteorder("="))
    order = [volume.axes.index(letter) for letter in _CANONICAL if letter in volume.axes]
    return rescaled(np.ascontiguousarray(stored.transpose(order)), volume)


def read_exactly(stream: BinaryIO, count: int) -> NDArray[np.uint8]:
    """The next `count` bytes of a stream, read in place: `stream.read` may hold them twice.

    Raises
    ------
    ItemError
        ``truncated_pixels`` when the stream ends early.
    """
    buffer = np.empty(count, np.uint8)
    view, found = buffer.data, 0
    while found < count and (read := stream.readinto(view[found : found + 16 * MIB])):  # type: ignore[attr-defined]
        found += read
    if found < count:
        raise ItemError("truncated_pixels", expected=count, found=found)
    return buffer


def skip_lines(stream: BinaryIO, count: int) -> None:
    """Move past `count` lines, none longer than 1 MiB."""
    for _ in range(min(count, MIB)):
        stream.readline(MIB)


def rescaled(stored: Array, volume: Volume) -> Array:
    """Values of stored samples; the same array when slope and intercept change nothing."""
    if (volume.slope, volume.intercept) == (1.0, 0.0):
        return stored
    values = stored.astype(volume.value_dtype)
    if volume.slope != 1.0:
        values *= values.dtype.type(volume.slope)
    values += values.dtype.type(volume.intercept)
    return values


def image_of(array: Array, volume: Volume, member: Row) -> Image:
    """Image from values in (t, z, y, x, c) order; kind and unit as the member's row has them."""
    kind: Kind = member.get("kind") or "other"
    unit: Unit = member.get("unit") or "a.u."
    return Image(
        array=array,
        geometry=volume.geometry,
        kind=kind,
        unit=unit,
        channel_axis=array.ndim - 1 if "c" in volume.axes else None,
        time_axis=0 if "t" in volume.axes else None,
    )
