"""Burned-in text of NIfTI, PNG, JPEG and TIFF files: whether there is any, and the same picture without it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from pydicom.dataset import Dataset

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, Image
from radlake.core.stage import Row
from radlake.deid import pixel_text
from radlake.deid.burned_in import to_blank
from radlake.deid.containers import exif, png
from radlake.deid.faces import faces
from radlake.deid.ledger import Faces, PixelText
from radlake.deid.pixels import planes_to_read, share_of
from radlake.deid.stored_pixels import Box, blank
from radlake.formats import Reader, load_image
from radlake.formats.source import Source

_MOST_AREA = 0.5  # of a plane; more than that is no text
_MAY_BE_HEADS = frozenset({"ct", "mr", "other"})
_HEAD_OF_PNG = 33  # signature and IHDR
_WORDS = {"label": "mask", "ct": "ct", "mr": "mr", "pet": "pet", "us": "us", "xray": "xray", "optical": "retina"}
_NIFTI_HINT = Term("voxels of NIfTI files are not blanked: cut the text away, or save the picture as PNG")


@dataclass(frozen=True)
class Picture:
    """What was found on one image of a file.

    Parameters
    ----------
    image : Image
    boxes : list of (top, left, bottom, right)
        What to blank on each of its planes.
    planes : list of arrays
        Those that were read, for a contact sheet.
    """

    image: Image
    boxes: list[Box] = field(default_factory=list)
    planes: list[Array] = field(default_factory=list)


def state_of(path: Path, reader: Reader) -> PixelText:
    """What the header lets expect: the worst of the images in the file."""
    states = {pixel_text.state(row) for row in _rows(path, reader)}
    return "unchecked" if "unchecked" in states else "unsure" if "unsure" in states else "clean"


def word_of(path: Path, reader: Reader) -> str:
    """The word by which readers know the kind of a picture, a label map among them, from its name; "" for none.

    Formats that know no modality leave only names, so a new name must say it again.
    """
    kinds = {str(header.values.get("kind")) for header in reader.scan(Source(str(path)))}
    return _WORDS.get(kinds.pop(), "") if len(kinds) == 1 else ""


def faces_of(path: Path, reader: Reader) -> Faces:
    """Whether a face could be rebuilt from the volumes of a file, by their voxels, their field of view and their name.

    A volume that nothing calls CT or MR may be one; a label map shows no skin.
    """
    found: Faces = "none"
    for row, header in zip(_rows(path, reader), reader.scan(Source(str(path))), strict=True):
        kind = header.values.get("kind")
        if (row.get("slices") or 1) < 2 or kind not in _MAY_BE_HEADS or row.get("spacing_y") is None:
            continue
        told = Dataset()
        told.Modality = "CT" if kind == "ct" else "MR"
        told.PixelSpacing, told.SliceThickness = [row["spacing_y"], row["spacing_x"]], row["spacing_z"]
        told.Rows, told.Columns, told.SeriesDescription = row["rows"], row["columns"], path.name[:64]
        found = "recognizable" if faces(told) == "recognizable" else found
    return found


def read(path: Path, reader: Reader) -> list[Picture]:
    """The images of a file with what is burned into them; none where its header says that there can be no text.

    Raises
    ------
    ItemError
        When pixels cannot be decoded, or ``text_left`` when blanking would not remove what is there.
    MissingExtra
        When reading of text is not installed.
    """
    if state_of(path, reader) == "clean":
        return []
    return [_read(load_image([row], row)) for row in _rows(path, reader)]


def _rows(path: Path, reader: Reader) -> list[Row]:
    """Rows of `instances` as far as readers need them; masks and label maps are looked at as pictures."""
    source = Source(str(path))
    return [
        {**header.values, "uri": source.uri, "member": header.member, "format": reader.name, "kind": "other"}
        for header in reader.scan(source)
    ]


def _read(image: Image) -> Picture:
    """One image, all its planes of which some are read."""
    planes = planes_to_read(len(stack := _planes(image)), stack.__getitem__)
    boxes, gone = to_blank(planes)
    if not gone or share_of(boxes, planes[0].shape) > _MOST_AREA:
        raise ItemError("text_left")
    return Picture(image, boxes, planes)


def _planes(image: Image) -> Array:
    """(planes, y, x) or (planes, y, x, colour)."""
    array = image.array
    if image.channel_axis is None:
        return array.reshape(-1, *array.shape[-2:])
    last = np.moveaxis(array, image.channel_axis, -1)
    return last.reshape(-1, *last.shape[-3:])


def write_blanked(name: str, pictures: Sequence[Picture], cleaned: bytes, out: BinaryIO) -> str:
    """Write the pictures of a file without their text, every other sample as it was decoded; how it was done.

    Parameters
    ----------
    name : {"png", "jpeg", "tiff"}
        Format of the file. A JPEG becomes a PNG: encoded again it would change everywhere.
    pictures : sequence of Picture
    cleaned : bytes
        The file without words: of a JPEG its turn is taken from there.
    out : binary file

    Raises
    ------
    ItemError
        ``text_found`` for a format that is not written anew (NIfTI).
    """
    if name not in _WRITERS:
        raise ItemError("text_found", hint=_NIFTI_HINT, boxes=sum(len(p.boxes) for p in pictures))
    blanked = [np.stack([blank(plane, p.boxes, "MONOCHROME2") for plane in _planes(p.image)]) for p in pictures]
    _WRITERS[name](blanked, cleaned, out)
    return "blanked, written as PNG" if name == "jpeg" else "blanked, written anew"


def _write_png(arrays: Sequence[Array], cleaned: bytes, out: BinaryIO) -> None:
    """The one picture as PNG, turned as the source says."""
    import imagecodecs

    data = imagecodecs.png_encode(np.ascontiguousarray(arrays[0][0]))
    at = cleaned.find(b"Exif\0\0II*\0")
    turn = exif.block(exif.orientation(cleaned[at + 6 : at + 64])) if at >= 0 else b""
    whole = data[:_HEAD_OF_PNG] + (png.chunk(b"eXIf", turn) if turn else b"") + data[_HEAD_OF_PNG:]
    png.clean(io.BytesIO(whole), out)


def _write_tiff(arrays: Sequence[Array], cleaned: bytes, out: BinaryIO) -> None:
    """All pages, deflated."""
    from tifffile import TiffWriter

    with TiffWriter(out) as file:
        for page in (page for array in arrays for page in array):
            colour = "rgb" if page.ndim == 3 else "minisblack"
            file.write(page, photometric=colour, compression="zlib", metadata=None, software=False)


_WRITERS: dict[str, Callable[[Sequence[Array], bytes, BinaryIO], None]] = {
    "png": _write_png, "jpeg": _write_png, "tiff": _write_tiff,
}  # fmt: skip
