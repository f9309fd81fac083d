from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageCms

from radlake.core.fault import ItemError
from radlake.deid.containers import tiff

NAME = "Quuxberg"
GREY = np.random.default_rng(0).integers(0, 65536, (3, 40, 50)).astype(np.uint16)
COLOUR = np.random.default_rng(1).integers(0, 256, (40, 48, 3)).astype(np.uint8)


def written(array: np.ndarray, *, big: bool = False, order: str = "<", **options: Any) -> bytes:
    out = io.BytesIO()
    with tifffile.TiffWriter(out, bigtiff=big, byteorder=order) as file:
        file.write(array, **{"metadata": None, "software": False, **options})
    return out.getvalue()


def cleaned(data: bytes) -> bytes:
    out = io.BytesIO()
    tiff.clean(io.BytesIO(data), out)
    return out.getvalue()


def with_words(**options: Any) -> bytes:
    """Pages with a name in their texts, in private tags and in a colour profile's neighbourhood."""
    tags = [(315, "s", 0, NAME, False), (33432, "s", 0, NAME, False), (65000, "s", 0, NAME, False),
            (34377, "B", len(NAME), NAME.encode(), False), (37500, "H", 3, (1, 2, 3), False)]  # fmt: skip
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return written(
        COLOUR, photometric="rgb", description=f"chest of {NAME}", software=NAME, datetime="2024:03:01 10:00:00",
        extratags=tags, iccprofile=profile, resolution=(300, 300), resolutionunit=2, **options,
    )  # fmt: skip


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_words_and_unknown_tags_go_and_pixels_and_resolution_stay(big: bool, order: str) -> None:
    data = with_words(big=big, order=order)
    clean = cleaned(data)
    assert NAME.encode() not in clean
    assert b"2024" not in clean
    with tifffile.TiffFile(io.BytesIO(clean)) as file:
        page = file.pages[0]
        assert (file.is_bigtiff, file.byteorder) == (big, order)
        assert np.array_equal(page.asarray(), COLOUR)
        assert {t.code for t in page.tags} == {
            256,
            257,
            258,
            259,
            262,
            273,
            277,
            278,
            279,
            282,
            283,
            284,
            296,
            34675,
            *_extra(page),
        }
        assert page.tags[282].value == (300, 1)
        assert ImageCms.ImageCmsProfile(io.BytesIO(page.iccprofile))
    account = {(row.path, row.action) for row in tiff.clean(io.BytesIO(data), io.BytesIO())}
    assert {
        ("tag 270", "removed"),
        ("tag 306", "removed"),
        ("tag 65000", "removed"),
        ("tag 34675", "cleaned"),
    } < account


def _extra(page: tifffile.TiffPage) -> set[int]:
    """Structural tags that the library writes or not, by version."""
    return {t.code for t in page.tags} & {254, 339}


@given(
    st.sampled_from([None, "deflate", "lzw", "packbits", "zstd"]),
    st.sampled_from([None, (16, 16), (32, 16)]),
    st.booleans(),
    st.sampled_from(["<", ">"]),
    st.sampled_from([1, 7, 40]),
)
def test_pages_are_copied_bit_by_bit_however_they_are_stored(
    compression: str | None, tile: tuple[int, int] | None, predictor: bool, order: str, rows: int
) -> None:
    options = {"tile": tile} if tile else {"rowsperstrip": rows}
    predictor = predictor and compression in {"deflate", "lzw", "zstd"}
    data = written(GREY, compression=compression, predictor=predictor, order=order, photometric="minisblack", **options)
    clean = cleaned(data)
    assert np.array_equal(tifffile.imread(io.BytesIO(clean)), GREY)
    with tifffile.TiffFile(io.BytesIO(data)) as old, tifffile.TiffFile(io.BytesIO(clean)) as new:
        for before, after in zip(old.pages, new.pages, strict=True):
            parts = [
                [d[o : o + n] for o, n in zip(p.dataoffsets, p.databytecounts, strict=True)]
                for p, d in ((before, data), (after, clean))
            ]
            assert parts[0] == parts[1]


def test_words_in_coded_pages_and_between_parts_go() -> None:
    data = written(COLOUR, photometric="ycbcr", compression="jpeg", tile=(16, 16))
    comment = b"\xff\xfe" + (2 + len(NAME)).to_bytes(2, "big") + NAME.encode()
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        offset, length = page.dataoffsets[-1], page.databytecounts[-1]
        before, place = page.asarray(), page.tags[325]
    assert offset + length >= len(data) - 1  # the last tile ends the file, so it can grow
    grown = data[: offset + 2] + comment + data[offset + 2 :]
    kind = {3: "<H", 4: "<I"}[place.dtype]
    at = place.valueoffset + struct.calcsize(kind) * (place.count - 1)
    grown = grown[:at] + struct.pack(kind, length + len(comment)) + grown[at + struct.calcsize(kind) :]
    for dirty in (grown, data + NAME.encode()):
        clean = cleaned(dirty)
        assert NAME.encode() not in clean
        assert np.array_equal(tifffile.imread(io.BytesIO(clean)), before)


def test_a_long_uncompressed_strip_is_cut_to_its_rows() -> None:
    data = written(GREY[0], photometric="minisblack")
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        at = file.pages[0].tags[279].valueoffset
    long = data[:at] + struct.pack("<I", GREY[0].nbytes + len(NAME)) + data[at + 4 :] + NAME.encode()
    assert NAME.encode() not in cleaned(long)


def test_of_a_stack_only_its_numbers_stay() -> None:
    out = io.BytesIO()
    tifffile.imwrite(out, GREY, imagej=True, metadata={"spacing": 2.5, "unit": "mm", "Info": NAME, "axes": "ZYX"})
    data = out.getvalue()
    clean = cleaned(data)
    assert NAME.encode() not in clean
    with tifffile.TiffFile(io.BytesIO(clean)) as file:
        assert file.imagej_metadata is not None
        assert (file.imagej_metadata["spacing"], file.imagej_metadata["unit"], file.imagej_metadata["images"]) == (
            2.5,
            "mm",
            3,
        )
        assert np.array_equal(file.asarray(), GREY)


def damaged(kind: str) -> bytes:
    data = written(GREY[0], photometric="minisblack", compression="jpeg2000" if kind == "coding" else None)
    if kind == "cut":
        return data[:-100]
    if kind == "loop":  # the next directory is the first one
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            first = file.pages[0].offset
            at = first + 2 + 12 * len(file.pages[0].tags)
        return data[:at] + struct.pack("<I", first) + data[at + 4 :]
    return data if kind == "coding" else data[:12]


CODES = {
    "cut": "truncated_pixels", "loop": "unreadable_header", "coding": "unsupported_format", "head": "unreadable_header",
}  # fmt: skip


@pytest.mark.parametrize("kind", CODES)
def test_a_damaged_or_strange_file_is_refused(kind: str) -> None:
    with pytest.raises(ItemError) as caught:
        cleaned(damaged(kind))
    assert caught.value.code == CODES[kind]
