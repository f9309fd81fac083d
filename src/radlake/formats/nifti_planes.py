"""NIfTI volumes some planes at a time, for what does not fit into memory."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from radlake.core.image import Array, Geometry, Image
from radlake.formats.nifti import header_bytes, layout_of, samples_of, stored_bytes
from radlake.formats.source import Source
from radlake.formats.volume import read_samples


class NiftiVolume:
    """A NIfTI file whose planes are read when they are asked for; a packed one is unpacked up to them each time.

    Parameters
    ----------
    path : Path
        Three axes.

    Raises
    ------
    ItemError
        As `radlake.formats.nifti.load`.
    ValueError
        For a file over time or in colours.
    """

    def __init__(self, path: Path):
        source = Source(str(path))
        self._volume, header = layout_of(source)
        if self._volume.axes != "zyx":
            raise ValueError("expected a volume with three axes; this one has time or colours")
        self._samples, self._offset = samples_of(source, header), header.offset
        self.shape, self.dtype = self._volume.shape, self._volume.value_dtype
        self.geometry = self._volume.geometry

    def __getitem__(self, planes: slice) -> Array:
        """Planes as an array, in values: after slope and intercept."""
        start, stop, _ = planes.indices(self.shape[0])
        part = replace(self._volume, shape=(max(stop - start, 0), *self.shape[1:]))
        with self._samples.open() as stream:
            stream.seek(self._offset + start * self._volume.stored_bytes // self.shape[0])
            return read_samples(stream, part, memory_bytes=part.loaded_bytes)


@contextmanager
def planes_into(
    file: BinaryIO, geometry: Geometry, shape: tuple[int, ...], *, packed: bool
) -> Iterator[Callable[[np.dtype[np.generic]], Callable[[int, int, Array], None]]]:
    """Write a NIfTI-1 file plane by plane: given the dtype, the header; then planes as they come.

    Parameters
    ----------
    file : binary file
        To write to.
    geometry : Geometry
        Of the volume.
    shape : (z, y, x)
    packed : bool
        Whether to gzip.

    Raises
    ------
    ValueError
        When NIfTI lacks the dtype.
    """
    # without the time of writing, and at the level of `radlake.formats.nifti.to_bytes`
    target = gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) if packed else file

    def begin(dtype: np.dtype[np.generic]) -> Callable[[int, int, Array], None]:
        target.write(header_bytes(Image(np.broadcast_to(np.zeros((), dtype), shape), geometry)))

        def write(_start: int, _stop: int, planes: Array) -> None:
            target.write(stored_bytes(planes))

        return write

    try:
        yield begin
    finally:
        if packed:
            target.close()
