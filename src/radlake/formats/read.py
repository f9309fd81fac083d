"""One image, and the regions that belong to it, from a file or a folder, without a lake: for notebooks and scripts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError
from radlake.core.header import Header
from radlake.core.image import BoolArray, Image, Region, RegionSource
from radlake.core.stage import Row
from radlake.formats import load_image, load_regions, scan_file
from radlake.formats.labelmap import regions
from radlake.formats.series import build
from radlake.formats.source import Source

_LISTED = 30
_STRUCTURED: dict[str, RegionSource] = {"segmentation": "seg", "structures": "rtstruct"}


class SeveralImages(UsageError, ValueError):  # noqa: N818 - names the problem
    """There are several images and none was chosen; the message lists them."""


class _Choice(NamedTuple):
    """An image that could be read."""

    image: Row
    members: list[Row]

    @property
    def text(self) -> str:
        """Modality and size, as a list for the user shows them."""
        image = self.image
        extents = [image.get("frames"), image.get("slices"), image["rows"], image["columns"]]
        size = " x ".join(str(n) for n in extents if n is not None)
        return f"{image.get('modality') or 'OT'} {size} from {len(self.members)} file(s)"


def read_image(path: str | PathLike[str], *, series: int | None = None, memory_bytes: int = 2 << 30) -> Image:
    """The image in a file, or in a folder that holds one series.

    Parameters
    ----------
    path : path
        A file in any format of `radlake.formats.READERS`, or a folder; folders inside it are read too.
    series : int, optional
        Which one, when there are several: its number in the list that the error shows, from 0.
    memory_bytes : int
        Most that loading may take.

    Returns
    -------
    Image
        Values in their unit (HU, SUVbw ...), LPS millimetres, axes (time,) (z,) y, x (, colour).

    Raises
    ------
    SeveralImages
        When there are several images and `series` does not choose one; the message lists them.
    ItemError
        When there is no image, or it cannot be read.
    FileNotFoundError
        When there is nothing at the path.

    Examples
    --------
    >>> from pydicom.data import get_testdata_file
    >>> image = read_image(get_testdata_file("CT_small.dcm"))
    >>> image.array.shape, image.unit
    ((128, 128), 'HU')
    """
    image, members = _chosen(Path(path), series)
    return load_image(members, image, memory_bytes=memory_bytes)


def members_of(path: str | PathLike[str], *, series: int | None = None) -> list[Row]:
    """Where the planes of the image that `read_image` gives come from: rows with `uri` and `frames`, in its order.

    Raises
    ------
    ValueError, ItemError, FileNotFoundError
        As in `read_image`.
    """
    return _chosen(Path(path), series)[1]


def _chosen(path: Path, series: int | None) -> _Choice:
    """The one image at a path, or the one that was asked for."""
    choices = _choices(path)
    if series is None and len(choices) == 1:
        series = 0
    if series is None or not 0 <= series < len(choices):
        listed = "\n".join(f"  series={number}: {choice.text}" for number, choice in enumerate(choices[:_LISTED]))
        if len(choices) > _LISTED:
            listed += f"\n  ... up to series={len(choices) - 1}"
        raise SeveralImages(
            f"there are {len(choices)} images; choose one with series=NUMBER (--series NUMBER in commands):\n{listed}"
        )
    return choices[series]


def read_regions(
    path: str | PathLike[str],
    image: Image,
    *,
    named: Callable[[Sequence[str]], list[str]],
    memory_bytes: int = 2 << 30,
) -> list[Region]:
    """Regions of an image from a file or a folder: SEG and RTSTRUCT objects, or else one label map.

    Parameters
    ----------
    path : path
        A file, or a folder: every SEG and RTSTRUCT in it counts. Without any, what is there is read as an image whose
        whole numbers name regions, ``label_<value>``; its samples must lie on those of `image`.
    image : Image
        Gives the grid.
    named : callable
        Safe names of regions from those in a SEG or RTSTRUCT, which are free text.
    memory_bytes : int
        Most that the masks may take together.

    Raises
    ------
    ItemError
        ``misaligned_mask``, ``empty_mask``, or what else the reader found wrong.
    ValueError
        When there are several label maps.
    FileNotFoundError
        When there is nothing at the path.
    """
    found: list[Region] = []
    for header, row in _headers(Path(path), []):
        if header.role not in _STRUCTURED:
            continue
        member = row | {"rois": named(header.rois)}
        free = memory_bytes - sum(region.mask.array.nbytes for region in found)
        source = _STRUCTURED[header.role]
        found += [_region(mask, image, name, source) for name, mask in load_regions(member, image, memory_bytes=free)]
    if found:
        return found
    labels = read_image(path, memory_bytes=memory_bytes)
    masks = regions(labels, image, memory_bytes=memory_bytes, resampled=False)
    return [_region(mask, image, name, "label") for name, mask in masks]


def _region(mask: BoolArray, image: Image, name: str, source: RegionSource) -> Region:
    """A mask on the image's grid with its name."""
    return Region(Image(mask, image.geometry, "label", "label"), name, source)


def _choices(path: Path) -> list[_Choice]:
    """Every image at a path, in the order of series, then of images inside it."""
    rows: dict[str, list[Row]] = defaultdict(list)
    problems: list[ItemError] = []
    # A file that is named by itself is wanted for its pixels, even where its name says label map.
    wanted = ("image", "label") if path.is_file() else ("image",)
    for header, row in _headers(path, problems):
        if header.role in wanted:
            rows[row["series_id"]].append(row | {"role": "image"})
    choices = [choice for name in sorted(rows) for choice in _images(rows[name])]
    if not choices:
        raise next((p for p in problems if not p.ignored), problems[-1] if problems else ItemError("no_pixels"))
    return choices


def _headers(path: Path, problems: list[ItemError]) -> Iterator[tuple[Header, Row]]:
    """Header and row of every member of every file at a path; takes the problems of those that cannot be read."""
    for file in _files(path):
        try:
            headers = scan_file(Source(str(file)))
        except ItemError as error:
            problems.append(error)
            continue
        for header in headers:
            yield header, row_of(header, str(file))


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or all files below a folder in the order of their names."""
    if not path.exists():
        raise FileNotFoundError(path)
    if path.is_dir():
        yield from sorted(p for p in path.rglob("*") if p.is_file())
    else:
        yield path


def row_of(header: Header, uri: str) -> Row:
    """A row like those of `instances`, with the file's own identifiers in place of pseudonyms."""
    identity = header.identity
    return header.values | {
        "file_id": uri,
        "uri": uri,
        "member": header.member,
        "member_name": header.member_name,
        "format": header.format,
        "role": header.role,
        "instance_id": identity.instance_uid,
        "series_id": identity.series_uid,
        "study_id": identity.study_uid,
        "patient_id": identity.patient_id,
        "frame_of_reference_id": identity.frame_of_reference_uid,
    }


def _images(rows: list[Row]) -> Iterator[_Choice]:
    """Images of one series with the members that give them pixels, in order."""
    built = build(rows)
    by_place = {(row["file_id"], row["member"]): row for row in rows}
    uses: dict[str, list[Row]] = defaultdict(list)
    for use in sorted(built.file_images, key=lambda u: (u["image_id"], u["ordinal"])):
        if use["frames"] != []:  # an empty list: a copy that gives no pixels
            place = (use["file_id"], use["member"])
            uses[use["image_id"]].append(by_place[place] | {"frames": use["frames"], "ordinal": use["ordinal"]})
    for image in built.images:
        yield _Choice(image, uses[image["image_id"]])
