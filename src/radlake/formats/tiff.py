"""TIFF pictures (TIFF 6.0, BigTIFF): pages of one size are the slices of an image."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from radlake.core.fault import ItemError, Term
from radlake.core.header import Header
from radlake.core.image import Array, Image
from radlake.core.stage import Row
from radlake.formats.raster import picture, picture_image, without_alpha
from radlake.formats.source import MIB, Source
from radlake.formats.volume import Volume, header_of

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

NAME = "tiff"
_MAGICS = (b"II*\0", b"MM\0*", b"II+\0\x08\0", b"MM\0+\0\x08")
_MAX_PAGES = 1 << 16


def sniff(head: bytes, suffix: str) -> bool:
    """Whether the first bytes are those of a TIFF or BigTIFF file."""
    return head.startswith(_MAGICS)


def scan(source: Source) -> list[Header]:
    """A header for each group of pages of one size and type."""
    with _groups(source) as groups:
        headers = [header_of(source, _volume(source, pages), NAME) for pages in groups]
    for member, header in enumerate(headers):
        header.member = member
        header.identity.instance_uid = f"{source.key}#{member}"
        if member:
            header.identity.series_uid = f"{source.key}#{member}"
    return headers


def load(members: Sequence[Row], image: Row, *, memory_bytes: int) -> Image:
    """Image of a group of pages: (y, x), (z, y, x), or these with colour last."""
    member = members[0]
    source = Source(member["uri"], member.get("member_name"))
    with _groups(source) as groups:
        pages = _chosen(groups, member)
        volume = _volume(source, pages)
        if 2 * volume.loaded_bytes > memory_bytes:
            raise ItemError(
                "too_large", needed_mib=round(2 * volume.loaded_bytes / MIB), limit_mib=round(memory_bytes / MIB)
            )
        try:
            array = np.stack([_pixels(page) for page in pages])
        except Exception:  # noqa: BLE001 - codecs raise errors of their own, and of many kinds
            raise ItemError("undecodable_pixels") from None
        return picture_image(array if len(pages) > 1 else array[0], volume, member)


@contextmanager
def _groups(source: Source) -> Iterator[list[list[TiffPage]]]:
    """Pages by shape and type, in the order in which each first comes; usable while the file is open."""
    from tifffile import TiffFile, logger

    logger().setLevel(logging.CRITICAL)  # it writes values of damaged tags to the log
    with source.open() as stream:
        try:
            file = TiffFile(stream)
            grouped: dict[tuple[object, ...], list[TiffPage]] = {}
            for page in pages_of(file):
                grouped.setdefault((page.shape, page.dtype), []).append(page)
        except Exception:  # noqa: BLE001 - damaged directories raise errors of many kinds
            raise ItemError("unreadable_header") from None
        if not grouped:
            raise ItemError("no_pixels")
        yield list(grouped.values())


def pages_of(file: TiffFile) -> Iterator[TiffPage]:
    """Pages of a file; ValueError when their chain comes back to where it was or never ends."""
    seen: set[int] = set()
    for page in file.pages:
        if page.offset in seen or len(seen) == _MAX_PAGES:
            raise ValueError
        seen.add(page.offset)
        yield page.aspage()


def _chosen(groups: list[list[TiffPage]], member: Row) -> list[TiffPage]:
    """The group that the member's row describes: inside an archive its ordinal counts other files too."""
    for pages in groups:
        if (pages[0].imagelength, pages[0].imagewidth) == (member.get("rows"), member.get("columns")) and (
            len(pages) == (member.get("slices") or 1) and pages[0].bitspersample <= (member.get("bits_allocated") or 8)
        ):
            return pages
    return groups[0]


def _volume(source: Source, pages: list[TiffPage]) -> Volume:
    """Layout of a group of pages after their colours have been brought last."""
    page = pages[0]
    if page.dtype is None or page.dtype.kind not in "biuf" or page.imagedepth != 1:
        raise ItemError("unsupported_format", format=Term("TIFF with this sample type"))
    if not all(isinstance(extent, int) for extent in (page.imagelength, page.imagewidth, page.samplesperpixel)):
        raise ItemError("unreadable_header")
    samples = 3 if page.samplesperpixel >= 3 or page.photometric == 3 else 1
    dtype = np.dtype(np.uint8) if page.dtype.kind == "b" else page.dtype
    return picture(
        source, rows=page.imagelength, columns=page.imagewidth, samples=samples, dtype=dtype, slices=len(pages)
    )


def _pixels(page: TiffPage) -> Array:
    """Samples of a page: palette applied, white-is-zero turned, planes last, opacity dropped."""
    from tifffile import PHOTOMETRIC

    stored: Array = page.asarray()
    if stored.dtype == np.bool_:
        stored = stored.astype(np.uint8)
    if page.photometric == PHOTOMETRIC.PALETTE and page.colormap is not None:
        return np.moveaxis((page.colormap[:, stored] >> 8).astype(stored.dtype), 0, -1)
    if page.photometric == PHOTOMETRIC.MINISWHITE and stored.dtype.kind == "u":
        stored = (1 << page.bitspersample) - 1 - stored
    if page.planarconfig == 2 and page.samplesperpixel > 1:
        stored = np.moveaxis(stored, 0, -1)
    return without_alpha(stored)
