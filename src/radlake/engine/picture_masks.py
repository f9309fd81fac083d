"""Outlined regions for pictures: arrays of an archive, mask files named as the pictures, or the masks of a lake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.core.stage import Row
from radlake.engine import todo
from radlake.engine.chain import Chain, Step
from radlake.engine.pictures import ROLES, listed, numbered, read
from radlake.engine.remeasure import on_grid
from radlake.formats import load_image
from radlake.formats.nifti import read_mask
from radlake.imaging.channels import scalar
from radlake.lake.store import Lake

_SOURCES = ("seg", "rtstruct", "outline", "label")  # the best first

Masks = dict[str, NDArray[np.bool_]]


def masks_of(source: Path, masks: Path | None = None) -> Masks:
    """Regions by the id that `radlake.engine.pictures.pictures` gives to a picture: all that is not zero.

    Parameters
    ----------
    source : Path
        What the pictures come from: an archive may hold `train_masks`, `val_masks`, `test_masks` itself.
    masks : Path, optional
        Another archive with such arrays; the mask of one picture; or a folder that holds, for each picture that has
        one, a mask of the same relative path, whatever the suffix.

    Raises
    ------
    UsageError
        When masks were named and none belongs to a picture.
    """
    if source.suffix == ".npz":
        found = _archive(masks or source)
    elif masks is None:
        return {}
    elif source.is_dir():
        found = _folder(source, masks)
    else:
        picture = read(masks)
        found = {} if picture is None else {listed(source)[0][0]: picture != 0}
    if masks is not None and not found:
        raise UsageError(
            "no mask belongs to a picture: give a folder whose files have the names of the pictures, an archive with"
            " test_masks and so on, or the mask of the one picture"
        )
    return found


class LakeMasks(Mapping[str, NDArray[np.bool_]]):
    """Regions of a lake's images that somebody outlined, read when they are asked for: all of one image together.

    Automatic regions are none of them: they say where tissue is, not where a lesion is.

    Parameters
    ----------
    lake : Lake
        With its private part, which knows where the pixels are: masks are kept cropped, and put back on their grid.
    memory_bytes : int
        Most that one image may take.
    """

    def __init__(self, lake: Lake, *, memory_bytes: int) -> None:
        self._lake = lake
        self._memory = memory_bytes
        self._masks: dict[str, list[Row]] = {}
        for row in lake.sql("SELECT * FROM masks WHERE object IS NOT NULL ORDER BY image_id, mask_id").to_pylist():
            if row["source"] in _SOURCES:
                self._masks.setdefault(row["image_id"], []).append(row)
        chain = Chain("images", (Step("load"),))  # never recorded, so that all images are listed
        pieces = (load.piece for load in todo.images(lake, chain).loads)
        self._pieces = {p.id: p for p in pieces if p.id in self._masks}

    def __getitem__(self, image_id: str) -> NDArray[np.bool_]:
        """The region on the grid of the image; a plane that was stored as a volume is flat."""
        piece, masks = self._pieces[image_id], self._masks[image_id]
        best = min((m["source"] for m in masks), key=_SOURCES.index)
        image = scalar(load_image(piece.members, piece.row, memory_bytes=self._memory))
        own = (m for m in masks if m["source"] == best)
        regions = [on_grid(read_mask(self._lake.objects.get(m["object"])), image) for m in own]
        joint = np.logical_or.reduce(regions)
        return np.asarray(joint[0] if joint.ndim == 3 and len(joint) == 1 else joint)

    def __iter__(self) -> Iterator[str]:
        """Ids of images that have such regions."""
        return iter(self._pieces)

    def __len__(self) -> int:
        """Number of such images."""
        return len(self._pieces)


def with_text(lake: Lake) -> set[str]:
    """Images of a lake whose pixels may carry text that was not taken out."""
    rows = lake.sql("""
        SELECT i.image_id FROM images i LEFT JOIN pixel_texts t USING (image_id)
        WHERE coalesce(t.state, i.pixel_text, 'unchecked') NOT IN ('clean', 'redacted')""")
    return set(rows["image_id"].to_pylist())


def _archive(source: Path) -> Masks:
    """Arrays of masks by role."""
    found: Masks = {}
    try:
        with np.load(source, allow_pickle=False) as arrays:
            for role in ROLES:
                if f"{role}_masks" in arrays:
                    regions = arrays[f"{role}_masks"]
                    found |= dict(zip(numbered(role, len(regions)), regions != 0, strict=True))
    except (OSError, ValueError):
        raise UsageError("the archive of masks cannot be read") from None
    return found


def _folder(source: Path, masks: Path) -> Masks:
    """Files of the same relative path without suffixes."""

    def key(file: Path, root: Path) -> str:
        relative = file.relative_to(root)
        return str(relative.with_name(relative.name.split(".")[0]))

    files = {key(file, masks): file for _, file in listed(masks)} if masks.is_dir() else {}
    found = {}
    for unit_id, file in listed(source):
        region = read(files[key(file, source)]) if key(file, source) in files else None
        if region is not None:
            found[unit_id] = region != 0
    return found
