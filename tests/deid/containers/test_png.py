from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from radlake.core.fault import ItemError
from radlake.deid.containers import png

NAME = "Quuxberg"
MODES = ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"]


def cleaned(data: bytes) -> bytes:
    out = io.BytesIO()
    png.clean(io.BytesIO(data), out)
    return out.getvalue()


def saved(array: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG", **options)
    return out.getvalue()


def with_words(array: np.ndarray) -> bytes:
    """A picture with a name in every kind of chunk that holds text, in its colour profile, and behind its end."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", NAME)
    texts.add_text("Comment", NAME, zip=True)
    texts.add_itxt("Title", NAME)
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    exif = Image.Exif()
    exif[0x013B], exif[0x0112] = NAME, 6
    data = saved(array, pnginfo=texts, exif=exif, icc_profile=bytes(profile), dpi=(300, 300))
    time = png.chunk(b"tIME", struct.pack(">HBBBBB", 2024, 3, 1, 12, 0, 0)) + png.chunk(b"prVt", NAME.encode())
    return data[:33] + time + data[33:] + NAME.encode()


def chunks(data: bytes) -> list[str]:
    found, place = [], 8
    while place < len(data):
        length, name = struct.unpack_from(">L4s", data, place)
        found.append(name.decode())
        place += 12 + length
    return found


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_words_go_and_pixels_turn_and_resolution_stay(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    data = with_words(array)
    clean = cleaned(data)
    assert chunks(clean) == [c for c in chunks(data[: -len(NAME)]) if c not in {"tEXt", "zTXt", "iTXt", "tIME", "prVt"}]
    with Image.open(io.BytesIO(clean)) as image:
        assert np.array_equal(np.asarray(image), array)
        assert dict(image.getexif()) == {0x0112: 6}
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)  # pHYs counts whole pixels a metre
        assert image.mode == "L" or ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    inflated = b"".join(part for part in (clean, Image.open(io.BytesIO(clean)).info["icc_profile"]))
    assert NAME.encode() not in inflated


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(MODES), st.integers(1, 9))
def test_samples_of_every_mode_are_copied_bit_by_bit(rows: int, columns: int, mode: str, level: int) -> None:
    random = np.random.default_rng(rows * columns)
    array = random.integers(0, 65536, (rows, columns)).astype(np.uint16)
    image = Image.fromarray(array) if mode == "I;16" else Image.fromarray((array >> 8).astype(np.uint8)).convert(mode)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=level)
    assert cleaned(out.getvalue()) == out.getvalue()


def interlaced() -> bytes:
    """A grey picture of 3 by 3 in seven passes (Adam7), its rows as PNG 8.2 lays them out."""
    grid = np.arange(9, dtype=np.uint8).reshape(3, 3)
    rows = [grid[0, 0:1], grid[0, 2:3], grid[2, 0::2], grid[0, 1::2], grid[2, 1::2], grid[1]]
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">LLBBBBB", 3, 3, 8, 0, 0, 0, 1)
    return png.SIGNATURE + b"".join(
        png.chunk(*c) for c in ((b"IHDR", head), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    )


def test_an_interlaced_picture_is_counted_pass_by_pass() -> None:
    data = interlaced()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), np.arange(9).reshape(3, 3))
    assert cleaned(data) == data


def test_words_behind_the_compressed_samples_go() -> None:
    raw = b"\0" + bytes(4)
    head = struct.pack(">LLBBBBB", 4, 1, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(raw) + NAME.encode()), (b"IDAT", NAME.encode()), (b"IEND", b"")]
    clean = cleaned(png.SIGNATURE + b"".join(png.chunk(*part) for part in parts))
    assert NAME.encode() not in clean
    assert np.asarray(Image.open(io.BytesIO(clean))).tolist() == [[0, 0, 0, 0]]


def test_frames_of_an_animation_are_left_out() -> None:
    frames = [Image.fromarray(np.full((4, 4), n, np.uint8)) for n in (1, 2)]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    clean = cleaned(out.getvalue())
    assert chunks(clean) == ["IHDR", "IDAT", "IEND"]


def damaged(kind: str) -> bytes:
    data = saved(np.zeros((9, 9), np.uint8))
    at = data.index(b"IDAT")
    if kind == "cut":
        return data[: at + 6]
    if kind == "checksum":
        return data[: at + 5] + bytes([data[at + 5] ^ 1]) + data[at + 6 :]
    if kind == "no picture":
        return png.SIGNATURE + png.chunk(b"IEND", b"")
    raw = zlib.compress(bytes(91 if kind == "too many" else 89))  # nine rows of a filter byte and nine samples are 90
    return data[:33] + png.chunk(b"IDAT", raw) + png.chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("cut", "unreadable_header"),
        ("checksum", "undecodable_pixels"),
        ("no picture", "unreadable_header"),
        ("too many", "contradictory_header"),
        ("too few", "truncated_pixels"),
    ],
)
def test_a_damaged_picture_is_refused(kind: str, code: str) -> None:
    with pytest.raises(ItemError) as caught:
        cleaned(damaged(kind))
    assert caught.value.code == code
