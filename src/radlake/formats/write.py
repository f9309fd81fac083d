"""Write one image to a file by the ending of its name: whole, or not at all."""

from __future__ import annotations

import difflib
import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from radlake.core.errors import UsageError
from radlake.core.image import Image
from radlake.formats.nifti import to_bytes

ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha", ".png")
_PNG_TYPES = (np.bool_, np.uint8, np.uint16)


class CannotWrite(UsageError):  # noqa: N818 - names the problem
    """The image does not fit the format that the name asks for; the message says which does."""


def encode(image: Image, suffixes: str) -> bytes:
    """An image as the bytes of a file.

    Parameters
    ----------
    image : Image
        NIfTI takes volumes and planes of numbers with their place, also over time; NRRD and MetaImage one time point,
        also in colour; PNG takes planes of bool, 8-bit or 16-bit values, grey or (8 bits) in colour, and knows neither
        place nor unit.
    suffixes : str
        One of `ENDINGS`.

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
    if suffixes in (".nii.gz", ".nii"):
        try:
            return to_bytes(image, packed=suffixes == ".nii.gz")
        except ValueError as error:
            raise CannotWrite(f"{error}; write .png if it is a picture") from None
    if suffixes == ".png":
        return _png(image)
    if suffixes in (".nrrd", ".mha"):
        return _by_itk(image, suffixes)
    raise CannotWrite(_no_writer(suffixes))


def write_image(image: Image, path: Path) -> None:
    """Write an image under a name; what was there stays until the new file is complete.

    Raises
    ------
    CannotWrite
        As `encode`.
    OSError
        When the place cannot be written.
    """
    write_bytes(encode(image, ending_of(path)), path)


def ending_of(path: Path) -> str:
    """The end of a name that says the format, in lower case."""
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix.lower()


def check_target(path: Path, endings: Sequence[str] = ENDINGS) -> None:
    """Refuse a name that no writer takes, or a folder that is not there, before the work is done.

    Raises
    ------
    CannotWrite
        With the nearest ending that there is, or the folder to make.
    """
    if ending_of(path) not in endings:
        raise CannotWrite(_no_writer(ending_of(path), endings))
    if not path.parent.is_dir():
        raise CannotWrite(f"there is no folder {str(path.parent)!r} to write {path.name!r} into; make it first")


def write_bytes(data: bytes, path: Path) -> None:
    """Write a file whole, or not at all.

    Raises
    ------
    OSError
        When the place cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _no_writer(ending: str, known: Sequence[str] = ENDINGS) -> str:
    """What is wrong with an ending, and which one may be meant."""
    near = difflib.get_close_matches(ending, known, n=1) if ending else []
    advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"no writer for the ending {ending or 'none'!r}; {advice}"


def _by_itk(image: Image, suffix: str) -> bytes:
    """NRRD or MetaImage by SimpleITK; a plane becomes a volume of one slice, so that it keeps its place."""
    import SimpleITK

    if image.time_axis is not None or image.channel_axis not in (None, image.array.ndim - 1):
        raise CannotWrite(f"{suffix} holds one time point with colours in its last axis; write .nii.gz")
    flat, colours = image.geometry.ndim == 2, image.channel_axis is not None
    array = image.array[None] if flat else image.array
    array = array.astype(np.uint8) if array.dtype == np.bool_ else array
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    axes = [np.asarray(row) for row in image.geometry.direction]
    axes = [np.cross(axes[1], axes[0]), *axes] if flat else axes
    picture = SimpleITK.GetImageFromArray(np.ascontiguousarray(array), isVector=colours)
    picture.SetSpacing(((1.0,) * flat + image.geometry.spacing)[::-1])
    picture.SetOrigin(image.geometry.origin)
    picture.SetDirection(np.stack(axes[::-1], axis=1).reshape(-1).tolist())
    with TemporaryDirectory() as folder:
        held = Path(folder) / f"image{suffix}"
        SimpleITK.WriteImage(picture, str(held), useCompression=True)
        return held.read_bytes()


def _png(image: Image) -> bytes:
    """A plane as PNG, values unchanged; a mask as black and white."""
    from PIL import Image as Picture

    array = image.array
    colour = image.channel_axis == array.ndim - 1 and array.shape[-1] in (3, 4)
    planar = image.geometry.ndim == 2 and image.time_axis is None and (image.channel_axis is None or colour)
    if not planar:
        raise CannotWrite(f"PNG holds one plane in grey or colour, not {array.shape}; write .nii.gz or .nrrd")
    if array.dtype not in _PNG_TYPES or (colour and array.dtype != np.uint8):
        raise CannotWrite(
            f"PNG holds whole numbers of 8 or 16 bits, not {array.dtype}; write .nii.gz, or ask the step for "
            "--out-dtype uint16 where it takes that"
        )
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    held = io.BytesIO()
    Picture.fromarray(np.ascontiguousarray(array)).save(held, "PNG")
    return held.getvalue()
