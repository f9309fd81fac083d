from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from radlake.deid.verify import pictures
from radlake.deid.verify.needles import Needles

GREY = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))


def needles() -> Needles:
    found = Needles()
    found.add_name("Quuxberg^Xenia")
    return found


def _nifti(path: Path, field: str = "", extension: bytes = b"", name: str = "") -> None:
    image = nib.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4))
    image.header["descrip"] = field
    if extension:
        image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", extension))
    nib.save(image, path if not name else path.with_name(name))


def _png(path: Path, compressed: bool) -> None:
    info = PngInfo()
    info.add_text("Comment", "Xenia Quuxberg", zip=compressed)
    GREY.save(path, pnginfo=info)


def _png_chunk(path: Path, chunk: bytes, data: bytes) -> None:
    info = PngInfo()
    info.add(chunk, data)
    GREY.save(path, pnginfo=info)


def _exif(path: Path, tag: int, value: str) -> None:
    exif = Image.Exif()
    exif[tag] = value
    GREY.save(path, exif=exif)


def _gps(path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (49.0, 15.0, 0.0)
    GREY.save(path, exif=exif)


def _append(path: Path) -> None:
    GREY.save(path)
    path.write_bytes(path.read_bytes() + b"  Quuxberg")


CASES: dict[str, tuple[str, Callable[[Path], None], str, str]] = {
    "nifti header": ("a.nii", lambda p: _nifti(p, "Quuxberg"), "name", "header"),
    "nifti extension": ("a.nii.gz", lambda p: _nifti(p, "", b"by Xenia Quuxberg"), "name", "extension"),
    "png text": ("a.png", lambda p: _png(p, False), "name", "text chunk"),
    "png packed text": ("a.png", lambda p: _png(p, True), "name", "text chunk"),
    "png private chunk": ("a.png", lambda p: _png_chunk(p, b"quUx", b"Quuxberg"), "name", "other chunk"),
    "png time": ("a.png", lambda p: _png_chunk(p, b"tIME", b"\x07\xe8\x02\x1c\1\2\3"), "date kept", "chunk tIME"),
    "jpeg artist": ("a.jpg", lambda p: _exif(p, 315, "Quuxberg"), "name", "EXIF 315"),
    "jpeg date": ("a.jpg", lambda p: _exif(p, 306, "2024:02:28 10:15:30"), "date kept", "EXIF 306"),
    "jpeg comment": ("a.jpg", lambda p: GREY.save(p, comment=b"Quuxberg"), "name", "comment"),
    "jpeg place": ("a.jpg", _gps, "place of taking", "EXIF GPS"),
    "png behind": ("a.png", _append, "name", "after the end"),
    "jpeg behind": ("a.jpg", _append, "name", "after the end"),
    "tiff tag": ("a.tif", lambda p: GREY.save(p, description="Xenia Quuxberg"), "name", "tag 270"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_planted_is_found(case: str, tmp_path: Path) -> None:
    name, plant, kind, place = CASES[case]
    path = tmp_path / name
    plant(path)
    look = pictures.nifti if ".nii" in name else pictures.picture
    assert (kind, place) in {(leak.kind, leak.place) for leak in look(path, needles())}


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.png", "a.jpg", "a.tif"])
def test_plain_pictures_pass_and_damaged_ones_are_told(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    look = pictures.nifti if ".nii" in name else pictures.picture
    _nifti(path) if ".nii" in name else GREY.save(path)
    assert list(look(path, needles())) == []
    path.write_bytes(path.read_bytes()[:20])
    assert "unreadable" in {leak.kind for leak in look(path, needles())}
    path.write_bytes(b"")
    assert "unreadable" in {leak.kind for leak in look(path, needles())}


def test_the_name_inside_a_packed_file_is_read(tmp_path: Path) -> None:
    _nifti(tmp_path / "Quuxberg.nii.gz")
    import gzip

    data = gzip.decompress((tmp_path / "Quuxberg.nii.gz").read_bytes())
    with (tmp_path / "a.nii.gz").open("wb") as raw, gzip.GzipFile("Quuxberg.nii", "wb", fileobj=raw) as packed:
        packed.write(data)
    assert ("name", "file name inside") in {
        (leak.kind, leak.place) for leak in pictures.nifti(tmp_path / "a.nii.gz", needles())
    }
