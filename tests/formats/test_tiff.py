from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from radlake.core.fault import ItemError
from radlake.core.header import Header
from radlake.core.image import Image
from radlake.formats import tiff
from radlake.formats.source import Source

STACK = np.arange(3 * 8 * 9, dtype=np.uint16).reshape(3, 8, 9)


def scan(path: Path) -> list[Header]:
    return tiff.scan(Source(str(path)))


def load(path: Path, member: int = 0, memory_bytes: int = 1 << 30) -> Image:
    row = scan(path)[member].values | {"uri": str(path), "member": member}
    return tiff.load([row], {}, memory_bytes=memory_bytes)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "f4"])
def test_reads_pages_as_slices(tmp_path: Path, compression: str | None, big: bool, dtype: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK.astype(dtype), compression=compression, bigtiff=big, photometric="minisblack")
    image = load(path)
    np.testing.assert_array_equal(image.array, STACK.astype(dtype))
    assert not image.geometry.calibrated
    assert scan(path)[0].values["slices"] == 3


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colours_come_last_and_opacity_is_dropped(tmp_path: Path, planar: str) -> None:
    colours = np.arange(8 * 9 * 4, dtype=np.uint8).reshape(8, 9, 4)
    stored = colours if planar == "contig" else np.moveaxis(colours, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar, extrasamples=["unassalpha"])
    image = load(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.array, colours[..., :3])
    assert image.channel_axis == 2


def test_white_is_zero_is_turned(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((4, 4), 200, np.uint8), photometric="miniswhite")
    assert (load(tmp_path / "a.tif").array == 55).all()


def test_a_palette_gives_colours(tmp_path: Path) -> None:
    colours = np.zeros((3, 256), np.uint16)
    colours[1, 5] = 200 << 8
    tifffile.imwrite(tmp_path / "a.tif", np.full((4, 4), 5, np.uint8), photometric="palette", colormap=colours)
    assert load(tmp_path / "a.tif").array[0, 0].tolist() == [0, 200, 0]


def test_pages_of_other_sizes_are_images_of_their_own(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for array in (STACK[0], STACK[1, :4, :5], STACK[2]):
            writer.write(array, contiguous=False)
    headers = scan(tmp_path / "a.tif")
    assert [(h.member, h.values["rows"], h.values["slices"]) for h in headers] == [(0, 8, 2), (1, 4, None)]
    assert len({h.identity.series_uid for h in headers}) == 2
    np.testing.assert_array_equal(load(tmp_path / "a.tif", 1).array, STACK[1, :4, :5])


def test_a_chain_of_pages_that_comes_back_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK[0], photometric="minisblack")
    data = bytearray(path.read_bytes())
    first = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    path.write_bytes(bytes(data))
    with pytest.raises(ItemError) as caught:
        scan(path)
    assert caught.value.code == "unreadable_header"


@pytest.mark.parametrize(("cut", "code"), [(6, "unreadable_header"), (200, "undecodable_pixels")])
def test_a_cut_file_is_refused(tmp_path: Path, cut: int, code: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.random.default_rng(0).integers(0, 9, (99, 99)).astype(np.uint8), compression="zlib")
    path.write_bytes(path.read_bytes()[: cut if cut < 100 else -cut])
    with pytest.raises(ItemError) as caught:
        load(path)
    assert caught.value.code == code


def test_complex_samples_and_too_large_stacks_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 4), np.complex64))
    tifffile.imwrite(tmp_path / "b.tif", STACK, photometric="minisblack")
    for name, code in (("a.tif", "unsupported_format"), ("b.tif", "too_large")):
        with pytest.raises(ItemError) as caught:
            load(tmp_path / name, memory_bytes=500)
        assert caught.value.code == code
