from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from radlake.core.fault import ItemError
from radlake.deid.containers import jpeg

NAME = "Quuxberg"


def cleaned(data: bytes) -> bytes:
    out = io.BytesIO()
    jpeg.clean(io.BytesIO(data), out)
    return out.getvalue()


def picture(rows: int = 40, columns: int = 50, *, colour: bool = True) -> Image.Image:
    shape = (rows, columns, 3) if colour else (rows, columns)
    return Image.fromarray(np.random.default_rng(rows).integers(0, 256, shape).astype(np.uint8))


def saved(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def with_words() -> bytes:
    exif = Image.Exif()
    exif[0x013B], exif[0x0112] = NAME, 8
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = saved(picture(), exif=exif, icc_profile=profile, comment=NAME, dpi=(72, 72))
    photoshop = b"\xff\xed" + (2 + 14 + len(NAME)).to_bytes(2, "big") + b"Photoshop 3.0\0" + NAME.encode()
    return data[:2] + photoshop + data[2:] + NAME.encode()


def test_words_and_places_go_and_pixels_turn_and_resolution_stay() -> None:
    data = with_words()
    clean = cleaned(data)
    assert NAME.encode() not in clean
    assert np.array_equal(pixels(clean), pixels(data))
    with Image.open(io.BytesIO(clean)) as image:
        assert (dict(image.getexif()), image.info["dpi"]) == ({0x0112: 8}, (72, 72))
        assert ImageCms.getProfileName(ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))) == "none\n"
    account = io.BytesIO()
    rows = {(row.path, row.action) for row in jpeg.clean(io.BytesIO(data), account)}
    assert {("segment APP13", "removed"), ("segment comment", "removed"), ("segment APP1", "cleaned")} < rows
    assert ("after the end", "removed") in rows


@given(
    st.integers(1, 60), st.integers(1, 60), st.booleans(), st.booleans(), st.integers(1, 95), st.sampled_from([0, 1, 4])
)  # fmt: skip
def test_a_picture_without_words_is_copied_bit_by_bit(
    rows: int, columns: int, colour: bool, progressive: bool, quality: int, restarts: int
) -> None:
    image = picture(rows, columns, colour=colour)
    data = saved(image, progressive=progressive, quality=quality, restart_marker_rows=restarts)
    assert cleaned(data) == data


def test_coded_data_longer_than_a_piece_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(picture(200, 200), quality=95)
    for size in (64, 65, 127):
        monkeypatch.setattr(jpeg, "CHUNK", size)
        assert cleaned(data) == data


def test_a_thumbnail_goes() -> None:
    data = saved(picture())
    thumb = data[:4] + (16 + 3).to_bytes(2, "big") + data[6:18] + b"\1\1" + b"rgb" + data[20:]
    assert cleaned(thumb) == data


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d[:-20], "truncated_pixels"),
        (lambda d: d[:30], "unreadable_header"),
        (lambda d: d[:2] + b"\xff\xd9", "no_pixels"),
        (lambda d: d[:2] + b"\xff\x02\0\2" + d[2:], "unsupported_format"),
        (lambda d: d[:2] + b"x" + d[2:], "unreadable_header"),
    ],
)
def test_a_damaged_picture_is_refused(change: Callable[[bytes], bytes], code: str) -> None:
    with pytest.raises(ItemError) as caught:
        cleaned(change(saved(picture())))
    assert caught.value.code == code
