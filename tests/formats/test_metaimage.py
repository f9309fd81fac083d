from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from radlake.core.fault import ItemError
from radlake.core.image import Image
from radlake.formats import metaimage
from radlake.formats.source import Source

FIELDS = {
    "ObjectType": "Image",
    "NDims": "3",
    "DimSize": "4 3 2",
    "ElementSpacing": "0.5 0.6 2",
    "ElementType": "MET_SHORT",
    "ElementDataFile": "LOCAL",
}
ARRAY = np.arange(24, dtype="<i2").reshape(2, 3, 4)


def load(path: Path) -> Image:
    header = metaimage.scan(Source(str(path)))[0]
    return metaimage.load([header.values | {"uri": str(path)}], {}, memory_bytes=1 << 30)


def written(path: Path, data: bytes = ARRAY.tobytes(), **fields: str) -> Path:
    merged = {k: v for k, v in (FIELDS | fields).items() if v}
    merged["ElementDataFile"] = merged.pop("ElementDataFile")  # the key that ends a header
    path.write_bytes("".join(f"{k} = {v}\n" for k, v in merged.items()).encode() + data)
    return path


@pytest.mark.parametrize("suffix", [".mha", ".mhd"])
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8"])
def test_reads_what_simpleitk_wrote(tmp_path: Path, suffix: str, compress: bool, dtype: str) -> None:
    path = tmp_path / f"a{suffix}"
    array = (np.random.default_rng(0).random((3, 4, 5)) * 100).astype(dtype)
    image = SimpleITK.GetImageFromArray(array)
    c, s = np.cos(0.3), np.sin(0.3)
    image.SetDirection((c, -s, 0, s, c, 0, 0, 0, 1))
    image.SetSpacing((0.5, 0.7, 3.0))
    image.SetOrigin((1, -2, 3))
    SimpleITK.WriteImage(image, str(path), compress)
    found = load(path)
    np.testing.assert_array_equal(found.array, array)
    assert found.geometry.spacing == (3.0, 0.7, 0.5)
    steps = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    np.testing.assert_allclose(found.geometry.affine[:3, [2, 1, 0]], steps, atol=1e-6)  # written with 6 digits
    np.testing.assert_allclose(found.geometry.origin, image.GetOrigin())


def test_colours_come_last_and_two_axes_stay_two(tmp_path: Path) -> None:
    colours = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(colours, isVector=True), str(tmp_path / "a.mha"))
    found = load(tmp_path / "a.mha")
    np.testing.assert_array_equal(found.array, colours)
    assert (found.channel_axis, found.geometry.ndim) == (2, 2)


def test_big_endian_samples_and_a_skipped_header(tmp_path: Path) -> None:
    swapped = written(tmp_path / "a.mha", ARRAY.astype(">i2").tobytes(), ElementByteOrderMSB="True")
    np.testing.assert_array_equal(load(swapped).array, ARRAY)
    (tmp_path / "b.raw").write_bytes(b"1234567890" + ARRAY.tobytes())
    for size in ("10", "-1"):
        detached = written(tmp_path / "b.mhd", b"", ElementDataFile="b.raw", HeaderSize=size)
        np.testing.assert_array_equal(load(detached).array, ARRAY)


def test_without_spacing_lengths_are_pixels(tmp_path: Path) -> None:
    assert not load(written(tmp_path / "a.mha", ElementSpacing="")).geometry.calibrated


@pytest.mark.parametrize("data", [ARRAY.tobytes()[:40], zlib.compress(ARRAY.tobytes())[:-8]])
def test_samples_that_end_early_are_refused(tmp_path: Path, data: bytes) -> None:
    packed = "True" if data[:1] == b"x" else "False"
    with pytest.raises(ItemError) as caught:
        load(written(tmp_path / "a.mha", data, CompressedData=packed))
    assert caught.value.code == ("damaged_archive" if packed == "True" else "truncated_pixels")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"NDims": "x"}, "unreadable_header"),
        ({"NDims": "7"}, "unsupported_format"),
        ({"DimSize": "4 3"}, "unreadable_header"),
        ({"DimSize": "4 0 2"}, "contradictory_header"),
        ({"DimSize": "99999 99999 99999"}, "bomb"),
        ({"ElementSpacing": "0 1 1"}, "contradictory_header"),
        ({"ElementSpacing": "nan 1 1"}, "unreadable_header"),
        ({"ElementType": "MET_STRING"}, "unsupported_format"),
        ({"ElementNumberOfChannels": "2"}, "unsupported_format"),
        ({"ElementDataFile": "LIST"}, "unsupported_format"),
        ({"ElementDataFile": "absent.raw"}, "no_pixels"),
        ({"ElementDataFile": "/etc/passwd"}, "no_pixels"),
        ({"TransformMatrix": "0 0 0 0 1 0 0 0 1"}, "contradictory_header"),
    ],
)
def test_a_wrong_header_gets_a_code(tmp_path: Path, fields: dict[str, str], code: str) -> None:
    with pytest.raises(ItemError) as caught:
        load(written(tmp_path / "a.mha", **fields))
    assert caught.value.code == code


def test_sniff_wants_the_keys_of_an_image() -> None:
    assert metaimage.sniff(b"ObjectType = Image\nNDims = 3\nDimSize = 1 1 1\n", ".mha")
    assert not metaimage.sniff(b"Name = a text with NDims\n", ".txt")
