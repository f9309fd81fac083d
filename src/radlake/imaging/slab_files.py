"""Volumes in .npy and NIfTI files and Zarr folders, read and written some planes at a time."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from radlake.core.errors import UsageError
from radlake.core.image import Array, Geometry
from radlake.formats.nifti_planes import NiftiVolume, planes_into
from radlake.formats.write import ending_of
from radlake.lake.durable import TEMPORARY, publish, temporary_file

Writer = Callable[[int, int, Array], None]
Begin = Callable[[np.dtype[Any]], Writer]
_NIFTI = (".nii", ".nii.gz")


class NpyVolume:
    """A .npy file whose planes are read when they are asked for.

    Parameters
    ----------
    path : Path
        An array of numbers in C order.

    Raises
    ------
    ValueError
        When it is none.
    """

    def __init__(self, path: Path):
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            self.shape, fortran, self.dtype = read(file)
            self._offset = file.tell()
        if fortran and len(self.shape) > 1:
            raise ValueError("the array is in Fortran order; save it by numpy.ascontiguousarray")
        if self.dtype.hasobject:
            raise ValueError("the array holds objects, not numbers")
        self._path = path

    def __getitem__(self, planes: slice) -> Array:
        """Planes as an array."""
        start, stop, _ = planes.indices(self.shape[0])
        plane = math.prod(self.shape[1:])
        with self._path.open("rb") as file:
            file.seek(self._offset + start * plane * self.dtype.itemsize)
            count = max(stop - start, 0) * plane
            values = np.fromfile(file, self.dtype, count)
        if values.size != count:
            raise ValueError(f"expected {count} more samples in the file, found {values.size}; copy it again")
        return values.reshape(-1, *self.shape[1:]) if plane else np.zeros((stop - start, *self.shape[1:]), self.dtype)


def open_source(path: Path) -> Any:
    """The volume of a .npy or NIfTI file or a Zarr folder, nothing of it read yet.

    Raises
    ------
    ValueError
        For another ending, or a file that is no array.
    """
    if ending_of(path) in _NIFTI:
        return NiftiVolume(path)
    if path.suffix == ".npy":
        return NpyVolume(path)
    if path.suffix == ".zarr":
        return _zarr().open_array(path, mode="r")
    raise ValueError(f"expected a .npy or .nii file or a .zarr folder, got {path.suffix or 'no ending'}")


@contextmanager
def target_of(path: Path, like: Any, geometry: Geometry) -> Iterator[Begin]:
    """A target that gets its name when all slabs are written, and nothing at all when one fails.

    Parameters
    ----------
    path : Path
        .npy, .nii, .nii.gz or .zarr.
    like : volume
        Whose shape, and whose chunks where it has any, the target takes.
    geometry : Geometry
        That NIfTI keeps.

    Raises
    ------
    ValueError
        For another ending.

    Yields
    ------
    callable
        Takes the dtype, returns what writes planes; these come in order.
    """
    if path.suffix == ".npy" or ending_of(path) in _NIFTI:
        with temporary_file(path.parent) as temporary:
            with temporary.open("wb") as file:
                if path.suffix == ".npy":
                    yield lambda dtype: _npy_writer(file, like.shape, dtype)
                else:
                    with planes_into(file, geometry, like.shape, packed=path.suffix == ".gz") as begin:
                        yield begin
            publish(temporary, path)
    elif path.suffix == ".zarr":
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=path.parent))
        try:
            yield lambda dtype: _zarr_writer(folder, like, dtype)
            if path.exists():
                shutil.rmtree(path)
            folder.chmod(0o755)
            folder.rename(path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    else:
        raise ValueError(
            f"expected a target that ends in .npy, .nii, .nii.gz or .zarr, got {path.suffix or 'no ending'}"
        )


def _npy_writer(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Writer:
    """Header now, planes as they come."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return lambda _start, _stop, planes: np.ascontiguousarray(planes).tofile(file)


def _zarr_writer(folder: Path, like: Any, dtype: np.dtype[Any]) -> Writer:
    """Chunks of the source where it has any."""
    chunks = getattr(like, "chunks", None) or "auto"
    target = _zarr().create_array(folder, shape=like.shape, dtype=dtype, chunks=chunks, overwrite=True)

    def write(start: int, stop: int, planes: Array) -> None:
        target[start:stop] = planes

    return write


def _zarr() -> Any:
    """The library, or what to do without it."""
    try:
        import zarr
    except ImportError as missing:
        raise UsageError("Zarr is not installed: pip install 'radlake[zarr]'") from missing
    return zarr
