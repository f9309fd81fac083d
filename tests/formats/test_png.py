from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from radlake.core.fault import ItemError
from radlake.core.header import Header
from radlake.core.image import Image
from radlake.formats import png
from radlake.formats.source import Source

GREY = (np.arange(63, dtype=np.uint8) * 4).reshape(7, 9)


def scan(path: Path) -> Header:
    return png.scan(Source(str(path)))[0]


def load(path: Path, memory_bytes: int = 1 << 30) -> Image:
    return png.load([scan(path).values | {"uri": str(path)}], {}, memory_bytes=memory_bytes)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(rows: np.ndarray, depth: int, colour: int) -> bytes:
    """A PNG file from its scan lines, each already packed."""
    header = struct.pack(">IIBBBBB", 9, len(rows), depth, colour, 0, 0, 0)
    lines = b"".join(b"\0" + line.tobytes() for line in rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "1"])
def test_reads_what_pillow_wrote(tmp_path: Path, mode: str) -> None:
    picture = Pillow.fromarray(GREY).convert(mode)
    picture.save(tmp_path / "a.png")
    image, values = load(tmp_path / "a.png"), scan(tmp_path / "a.png").values
    plain = picture.convert("RGB" if mode.startswith("RGB") else "L")
    np.testing.assert_array_equal(image.array, np.asarray(plain))
    assert (values["rows"], values["columns"], values["samples"]) == (7, 9, 3 if mode.startswith("RGB") else 1)
    assert not image.geometry.calibrated


@pytest.mark.parametrize(("colour", "samples"), [(0, 1), (2, 3)])
def test_sixteen_bits_are_kept(tmp_path: Path, colour: int, samples: int) -> None:
    values = np.random.default_rng(0).integers(0, 65536, (7, 9 * samples)).astype(">u2")
    (tmp_path / "a.png").write_bytes(raw_png(values, 16, colour))
    image = load(tmp_path / "a.png")
    assert image.array.dtype == np.uint16
    np.testing.assert_array_equal(image.array.reshape(7, -1), values)


def test_a_palette_gives_colours_for_a_picture_and_indices_for_labels(tmp_path: Path) -> None:
    picture = Pillow.fromarray(np.eye(5, dtype=np.uint8) * 2)
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 200, 0])
    for name in ("a.png", "a_mask.png"):
        picture.save(tmp_path / name)
    colours, labels = load(tmp_path / "a.png"), load(tmp_path / "a_mask.png")
    assert colours.array[1, 1].tolist() == [0, 200, 0]
    np.testing.assert_array_equal(labels.array, np.eye(5) * 2)
    header = scan(tmp_path / "a_mask.png")
    assert (header.role, labels.kind) == ("label", "label")
    assert header.identity.referenced_series_uid == Source(str(tmp_path / "a.png")).key


def test_colours_are_labels_beside_their_image_and_a_picture_elsewhere(tmp_path: Path) -> None:
    colours = np.zeros((4, 5, 3), np.uint8)
    colours[0, :2] = (255, 0, 0)
    colours[1, :3] = (0, 255, 0)
    (tmp_path / "alone").mkdir()
    for name in ("a.png", "a_mask.png", "alone/a_mask.png"):
        Pillow.fromarray(colours).save(tmp_path / name)
    labels = load(tmp_path / "a_mask.png")
    assert (scan(tmp_path / "a_mask.png").role, labels.array.shape) == ("label", (4, 5))
    assert np.bincount(labels.array.ravel()).tolist() == [15, 3, 2]
    assert load(tmp_path / "alone/a_mask.png").array.shape == (4, 5, 3)


def test_colours_without_black_have_no_background() -> None:
    found = png.numbered(np.array([[[9, 0, 0], [0, 9, 0]]], np.uint8))
    assert found.tolist() == [[2, 1]]
    assert png.numbered(np.full((1, 2, 3), 7, np.uint8)).tolist() == [[7, 7]]


def test_a_resolution_on_paper_is_no_spacing(tmp_path: Path) -> None:
    Pillow.fromarray(GREY).save(tmp_path / "a.png", dpi=(300, 300))
    assert scan(tmp_path / "a.png").values.get("spacing_y") is None


def test_scan_reads_the_header_alone(tmp_path: Path) -> None:
    Pillow.fromarray(GREY).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    assert scan(tmp_path / "a.png").values["rows"] == 7
    with pytest.raises(ItemError) as caught:
        load(tmp_path / "a.png")
    assert caught.value.code == "undecodable_pixels"


@pytest.mark.parametrize(
    ("width", "depth", "colour", "code"),
    [
        (0, 8, 0, "contradictory_header"),
        (9, 7, 0, "unreadable_header"),
        (9, 8, 5, "unreadable_header"),
        (1 << 19, 16, 6, "bomb"),
    ],
)
def test_a_wrong_header_gets_a_code(tmp_path: Path, width: int, depth: int, colour: int, code: str) -> None:
    data = bytearray(raw_png(GREY, 8, 0))
    data[16:26] = struct.pack(">IIBB", width, max(width, 7), depth, colour)
    (tmp_path / "a.png").write_bytes(bytes(data))
    with pytest.raises(ItemError) as caught:
        scan(tmp_path / "a.png")
    assert caught.value.code == code


def test_a_picture_beyond_the_memory_limit_is_refused(tmp_path: Path) -> None:
    Pillow.fromarray(np.zeros((500, 500), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(ItemError) as caught:
        load(tmp_path / "a.png", memory_bytes=100_000)
    assert caught.value.code == "too_large"
