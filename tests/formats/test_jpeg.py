from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from radlake.core.fault import ItemError
from radlake.core.image import Image
from radlake.formats import jpeg
from radlake.formats.source import Source

SMOOTH = np.add.outer(np.arange(40), np.arange(48)).astype(np.uint8)


def coded(mode: str = "L", **options: object) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(SMOOTH).convert(mode).save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


def load(path: Path) -> Image:
    header = jpeg.scan(Source(str(path)))[0]
    return jpeg.load([header.values | {"uri": str(path)}], {}, memory_bytes=1 << 30)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"comment": "x" * 70_00}, {"exif": b"Exif\0\0" + bytes(99)}]
)
def test_reads_what_pillow_reads(tmp_path: Path, mode: str, options: dict[str, object]) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(coded(mode, **options))
    image, values = load(path), jpeg.scan(Source(str(path)))[0].values
    with Pillow.open(path) as oracle:
        np.testing.assert_allclose(image.array.astype(int), np.asarray(oracle).astype(int), atol=1)  # other IDCT
    assert (values["rows"], values["columns"], values["samples"]) == (40, 48, image.array.ndim * 2 - 3)


def test_a_name_that_says_mask_makes_no_label_of_a_lossy_picture(tmp_path: Path) -> None:
    for name in ("a.jpg", "a_mask.jpg"):
        (tmp_path / name).write_bytes(coded())
    header = jpeg.scan(Source(str(tmp_path / "a_mask.jpg")))[0]
    assert (header.role, header.values["kind"]) == ("image", "other")


@pytest.mark.parametrize("keep", [0.5, 0.95])
def test_a_cut_file_is_refused_though_the_codec_would_fill_it(tmp_path: Path, keep: float) -> None:
    data = coded()
    (tmp_path / "a.jpg").write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(ItemError) as caught:
        load(tmp_path / "a.jpg")
    assert caught.value.code == "undecodable_pixels"


def test_four_components_are_not_supported(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(coded("CMYK"))
    with pytest.raises(ItemError) as caught:
        load(tmp_path / "a.jpg")
    assert caught.value.code == "unsupported_format"


def test_markers_without_a_frame_are_unreadable(tmp_path: Path) -> None:
    for tail in (b"", b"\xff" * 50, b"\xff\xe0\0\0" * 50, b"\xff\xe1\xff\xff", b"\xff\xd9"):
        (tmp_path / "a.jpg").write_bytes(b"\xff\xd8" + b"\xff\xe0\0\x04ab" + tail)
        with pytest.raises(ItemError) as caught:
            jpeg.scan(Source(str(tmp_path / "a.jpg")))
        assert caught.value.code == "unreadable_header"
