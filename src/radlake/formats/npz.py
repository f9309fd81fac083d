"""Archives of arrays (.npz): data sets in the MedMNIST layout, and single arrays.

MedMNIST (https://medmnist.com) stores ``train_images``, ``train_labels`` and the same for val and test: images along
the first axis, labels of shape (N,), (N, 1) or (N, targets). The roles are those that were published, so they are kept.
"""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.header import Header, Identity
from radlake.core.image import Array, Geometry, Image
from radlake.core.place import place
from radlake.core.stage import Row
from radlake.formats.naming import kind_of
from radlake.formats.npy import array_header, axes_of
from radlake.formats.source import MIB, Source
from radlake.formats.volume import Volume, checked, image_of, image_values, read_exactly, read_samples

NAME = "npz"
_SPLITS = ("train", "val", "test")
_LABEL_LIMIT = 64 * MIB
_KEPT_BYTES = 256 * MIB  # a stack this small is inflated once, not once for each of its images


class _Stack(NamedTuple):
    """An array of the archive that holds images."""

    key: str
    split: str | None
    shape: tuple[int, ...]
    stacked: bool
    fortran: bool
    dtype: np.dtype[np.generic]

    @property
    def images(self) -> int:
        """Images along the first axis; 1 when the array is one image."""
        return self.shape[0] if self.stacked else 1

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        return self.shape[1:] if self.stacked else self.shape

    @property
    def volume(self) -> Volume:
        """Layout of one image."""
        axes = axes_of(self.image_shape)
        dtype = np.dtype(np.uint8) if self.dtype.kind == "b" else self.dtype
        geometry = Geometry((1.0,) * len(axes.replace("c", "")), calibrated=False)
        return Volume(self.image_shape, axes, dtype, geometry)


def sniff(head: bytes, suffix: str) -> bool:
    """Whether the file is a zip archive whose suffix or first member says NumPy."""
    if not head.startswith(b"PK\x03\x04"):
        return False
    first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return suffix == ".npz" or first.endswith(b".npy")


def scan(source: Source) -> list[Header]:
    """A header for each image, with the label and the role that the file gives it."""
    headers: list[Header] = []
    for stack in _stacks(source):
        labels = _labels(source, stack)
        values = image_values(source, checked(stack.volume, source)) | {"kind": kind_of(source), "modality": "OT"}
        for index in range(stack.images):
            member = len(headers)
            name = f"{source.key}#{member}"
            headers.append(
                Header(
                    NAME,
                    member=member,
                    identity=Identity(study_uid=source.key, series_uid=name, instance_uid=name),
                    values=dict(values),
                    labels={target: float(column[index]) for target, column in labels.items()},
                    split=stack.split,
                )
            )
    return headers


def load(members: Sequence[Row], image: Row, *, memory_bytes: int) -> Image:
    """One image of the archive: (y, x), (z, y, x), or these with colour last; spacing unknown."""
    member = members[0]
    source = Source(member["uri"])
    index = member["member"]
    for stack in _stacks(source):
        if index < stack.images:
            volume = checked(stack.volume, source)
            stored = _image(source, stack, index, memory_bytes)
            return image_of(stored, volume, member)
        index -= stack.images
    raise ItemError("no_pixels")


def _image(source: Source, stack: _Stack, index: int, memory_bytes: int) -> Array:
    """Samples of one image of a stack."""
    size = math.prod(stack.shape) * stack.dtype.itemsize
    if size <= min(_KEPT_BYTES, memory_bytes):
        array = _whole(source.uri, place(source.uri).stat().st_mtime_ns, stack.key)
        return np.array(array[index] if stack.stacked else array)
    if stack.fortran:
        raise ItemError("too_large", needed_mib=round(size / MIB), limit_mib=round(_KEPT_BYTES / MIB))
    with _member(source, stack.key) as stream:
        array_header(stream)
        stream.seek(index * stack.volume.stored_bytes, io.SEEK_CUR)
        return read_samples(stream, stack.volume, memory_bytes=memory_bytes)


@functools.lru_cache(maxsize=1)
def _whole(uri: str, modified_ns: int, key: str) -> Array:
    """A whole array of an archive; the last one is kept, as images of one stack come one after the other."""
    with _member(Source(uri), key) as stream:
        return _read_array(stream)


def _read_array(stream: BinaryIO) -> Array:
    """The array that a .npy stream holds."""
    shape, fortran, dtype = array_header(stream)
    wanted = math.prod(shape) * dtype.itemsize
    data = read_exactly(stream, wanted)
    array = data.view(dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(np.uint8 if dtype.kind == "b" else dtype.newbyteorder("="), copy=False)


def _stacks(source: Source) -> list[_Stack]:
    """Arrays that hold images, in the archive's order: those of the splits, else ``images``, else every picture."""
    arrays = {name.removesuffix(".npy"): name for name in source.member_names() if name.endswith(".npy")}
    named = [(f"{split}_images", split) for split in _SPLITS if f"{split}_images" in arrays]
    plain = [(key, None) for key in ("images",) if key in arrays] or [(key, None) for key in arrays]
    found = [s for key, split in named or plain for s in _stack(source, key, split)]
    if not found:
        raise ItemError("unsupported_format", format=Term("NPZ without pictures"))
    return found


def _stack(source: Source, key: str, split: str | None) -> Iterator[_Stack]:
    """The array as a stack of images; nothing when an array under any other name is no picture."""
    stacked = key.endswith("images")
    try:
        with _member(source, key) as stream:
            shape, fortran, dtype = array_header(stream)
    except ItemError as error:
        if stacked or error.code != "unsupported_format":
            raise
        return
    stack = _Stack(key, split, shape, stacked, fortran, dtype)
    if not stacked and (len(shape) not in (2, 3) or min(shape) < 2):
        return
    if stacked and (len(shape) < 3 or shape[0] < 1):
        raise ItemError("contradictory_header", what=Term("shape of the images"))
    yield stack


def _labels(source: Source, stack: _Stack) -> dict[str, Array]:
    """Target values by name, one per image: ``label``, or ``label_0`` and so on where there are several."""
    key = stack.key.removesuffix("images") + "labels"
    if not stack.stacked or f"{key}.npy" not in source.member_names():
        return {}
    with _member(source, key) as stream:
        shape, _, dtype = array_header(stream)
        if math.prod(shape) * dtype.itemsize > _LABEL_LIMIT or len(shape) not in (1, 2):
            raise ItemError("unsupported_format", format=Term("NPZ with labels of this shape"))
    with _member(source, key) as stream:
        labels = _read_array(stream)
    if len(labels) != stack.images:
        raise ItemError("contradictory_header", what=Term("numbers of images and labels"))
    columns = labels.reshape(len(labels), -1).T
    return {"label": columns[0]} if len(columns) == 1 else {f"label_{i}": c for i, c in enumerate(columns)}


def _member(source: Source, key: str) -> BinaryIO:
    """Stream of an array of the archive."""
    return Source(source.uri, f"{key}.npy", source.data).open()
