"""Outlined regions for pictures that are no lake: arrays of an archive, or mask files named as the pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.engine.pictures import ROLES, listed, numbered, read

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
