"""Faces in series of files: which slices make one volume, and what of each slice is face.

A face shows in a volume only, so every file of a head is cleaned with the mask of its whole series. The lists of files
lie in the private part; a mask is made by whoever cleans a slice, and kept for the slices that follow.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import BoolArray
from radlake.core.stage import Row
from radlake.deid.deface import face_of
from radlake.formats import find_reader, load_image
from radlake.formats.grids import planes_of
from radlake.formats.read import row_of
from radlake.formats.series import build
from radlake.formats.source import Source
from radlake.formats.stacks import Plane, line_of
from radlake.lake.durable import write_bytes

_KINDS = frozenset({"ct", "mr"})
_MOST_BYTES = 1 << 30  # of a volume; a head at 0.5 mm takes half of it
_FEWEST = 2  # slices; `face_of` asks for the top of a head and more
_NO_VOLUME = Term("its slices make no volume")


class _Packed(NamedTuple):
    """A mask (frames, rows, columns), a bit for each pixel."""

    shape: tuple[int, ...]
    bits: NDArray[np.uint8]


@dataclass(frozen=True)
class Heads:
    """What of each slice of a series is face.

    Parameters
    ----------
    masks : dict
        From a path to where there is something to remove.
    faults : dict
        From a path to why that could not be found.
    """

    masks: Mapping[Path, _Packed]
    faults: Mapping[Path, ItemError]

    def face_in(self, path: Path) -> BoolArray:
        """Mask (frames, rows, columns) of a file.

        Raises
        ------
        ItemError
            ``face_left`` where no face could be found, or what the reader of the volume found wrong.
        """
        if path not in self.masks:
            raise self.faults.get(path) or ItemError("face_left", why=_NO_VOLUME)
        shape, bits = self.masks[path]
        mask: BoolArray = np.unpackbits(bits, count=int(np.prod(shape))).astype(bool).reshape(shape)
        return mask


def by_series(files: Mapping[Path, str]) -> dict[str, list[Path]]:
    """Files of CT and MR by their series; others, and what cannot be read, are left out.

    Parameters
    ----------
    files : dict
        Paths, each with what changes when the file does.

    Returns
    -------
    dict
        From a digest of the series' files to their paths: another file in a series, or another content, makes another
        digest.
    """
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(files):
        for name in dict.fromkeys(row["series_id"] for row in _rows(path)):
            found[name].append(path)
    return {_digest([f"{path}\0{files[path]}" for path in paths]): paths for paths in found.values()}


def write_list(folder: Path, name: str, paths: Iterable[Path]) -> None:
    """Keep the list of a series' files for those who clean them."""
    write_bytes(folder / f"{name}.json", json.dumps([str(path) for path in paths]).encode())


@lru_cache(maxsize=1)  # slices of a series follow each other
def faces_of(folder: Path, name: str) -> Heads:
    """Where the faces lie in a series whose list was written."""
    return find([Path(text) for text in json.loads((folder / f"{name}.json").read_bytes())])


def find(paths: Iterable[Path]) -> Heads:
    """Where the faces lie in the files of one series; a volume in which none is found costs its files alone."""
    rows = [row for path in paths for row in _rows(path)]
    if not rows:
        return Heads({}, {})
    built = build(rows)
    places = {(row["file_id"], row["member"]): row for row in rows}
    found: dict[tuple[Path, int], BoolArray] = {}
    faults: dict[Path, ItemError] = {}
    for image in built.images:
        uses = [use for use in built.file_images if use["image_id"] == image["image_id"] and use["frames"] != []]
        members = [(places[u["file_id"], u["member"]], u["frames"]) for u in sorted(uses, key=lambda u: u["ordinal"])]
        try:
            found |= _in_volume(members, image)
        except ItemError as error:
            faults |= {Path(row["uri"]): error for row, _ in members}
    counts = {Path(row["uri"]): row.get("frames") or 1 for row in rows}
    whole = {p: [found[p, n] for n in range(count) if (p, n) in found] for p, count in counts.items()}
    return Heads({p: _packed(np.stack(own)) for p, own in whole.items() if len(own) == counts[p]}, faults)


def _packed(mask: BoolArray) -> _Packed:
    """A mask in an eighth of the memory."""
    return _Packed(mask.shape, np.packbits(mask))


def _in_volume(members: Sequence[tuple[Row, list[int] | None]], image: Row) -> dict[tuple[Path, int], BoolArray]:
    """The mask of each frame of an image; at all time points that of the first."""
    planes = [plane for row, frames in members for plane in _in_order(planes_of(row), frames)]
    slices = image.get("slices") or 1
    if slices < _FEWEST or len(planes) != slices * (image.get("frames") or 1):
        raise ItemError("face_left", why=_NO_VOLUME)
    if not line_of(np.array([plane.position for plane in planes[:slices]])).even:
        raise ItemError("face_left", why=Term("slices are missing, or unevenly spaced"))
    volume = load_image([row | {"frames": frames} for row, frames in members], image, memory_bytes=_MOST_BYTES)
    if volume.time_axis is not None:
        volume = volume.with_array(volume.array[0], time_axis=None)
    face = face_of(volume)
    return {(Path(p.row["uri"]), p.frame or 0): face[number % slices] for number, p in enumerate(planes)}


def _in_order(planes: Sequence[Plane], frames: list[int] | None) -> list[Plane]:
    """Planes of a file as they lie in a volume, which may turn the order of its frames round."""
    if frames is None:
        return list(planes)
    by_number = {plane.frame or 0: plane for plane in planes}
    return [by_number[frame] for frame in frames if frame in by_number]


def _rows(path: Path) -> list[Row]:
    """Rows of a DICOM file of CT or MR as grouping wants them; none for any other."""
    source = Source(str(path))
    try:
        reader = find_reader(source)
        headers = reader.scan(source) if reader.name == "dicom" else []
    except Exception:  # noqa: BLE001 - whoever cleans the file says what is wrong; here nothing may end the run
        return []
    rows = [row_of(header, str(path)) for header in headers if header.role == "image"]
    return [row for row in rows if row.get("kind") in _KINDS]


def _digest(texts: Iterable[str]) -> str:
    """A name for a list."""
    return hashlib.sha256("\0\0".join(texts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
