"""Write one image to a file by the ending of its name: whole, or not at all."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from radlake.core.errors import UsageError
from radlake.core.image import Image
from radlake.formats.nifti import to_bytes

_PNG_TYPES = (np.bool_, np.uint8, np.uint16)


class CannotWrite(UsageError):  # noqa: N818 - names the problem
    """The image does not fit the format that the name asks for; the message says which does."""


def encode(image: Image, suffixes: str) -> bytes:
    """An image as the bytes of a file.

    Parameters
    ----------
    image : Image
        NIfTI takes volumes and planes of numbers with their place; PNG takes planes of bool, 8-bit or 16-bit values,
        grey or (8 bits) in colour, and knows neither place nor unit.
    suffixes : str
        ".nii.gz" or ".png".

    Raises
    ------
    CannotWrite
        For another ending, or an image that does not fit.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> encode(Image(np.zeros((2, 3), np.uint8), Geometry((1.0, 1.0))), ".png")[1:4]
    b'PNG'
    """
    if suffixes == ".nii.gz":
        try:
            return to_bytes(image)
        except ValueError as error:
            raise CannotWrite(f"{error}; write .png if it is a picture") from None
    if suffixes == ".png":
        return _png(image)
    raise CannotWrite(f"no writer for the ending {suffixes or 'none'!r}; there are .nii.gz and .png")


def write_image(image: Image, path: Path) -> None:
    """Write an image under a name; what was there stays until the new file is complete.

    Raises
    ------
    CannotWrite
        As `encode`.
    OSError
        When the place cannot be written.
    """
    name = path.name.lower()
    data = encode(image, ".nii.gz" if name.endswith(".nii.gz") else path.suffix.lower())
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _png(image: Image) -> bytes:
    """A plane as PNG, values unchanged; a mask as black and white."""
    from PIL import Image as Picture

    array = image.array
    colour = image.channel_axis == array.ndim - 1 and array.shape[-1] in (3, 4)
    planar = image.geometry.ndim == 2 and image.time_axis is None and (image.channel_axis is None or colour)
    if not planar or array.dtype not in _PNG_TYPES or (colour and array.dtype != np.uint8):
        raise CannotWrite(f"PNG holds planes of 8 or 16 bits, not {array.dtype} {array.shape}; write .nii.gz")
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    held = io.BytesIO()
    Picture.fromarray(np.ascontiguousarray(array)).save(held, "PNG")
    return held.getvalue()
