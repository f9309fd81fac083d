"""One DICOM series (or its equal in other formats) to images: a pure function on rows of `instances`.

It decides which slices make which image, in which order and on which grid. No file is opened and no pixel is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from radlake.core.fault import Fault, ItemError, Term
from radlake.core.ids import derived_id
from radlake.core.image import Geometry
from radlake.core.stage import Row
from radlake.formats.dicom.dataset import DEFLATED
from radlake.formats.dicom.rescale import may_widen, planned_type
from radlake.formats.grids import (
    Found,
    Use,
    alike_planes,
    of_mosaics,
    of_picture,
    of_stack,
    of_volume,
    place_of,
    plane_of_mosaic,
    planes_of,
)
from radlake.formats.stacks import Plane, stacks_of

_MOST_FRAMES = 1_000_000
_READ_WHOLE = ("png", "jpeg", "tiff")  # formats whose codecs take the file as one piece
_PIXEL_TEXT = ("clean", "redacted", "unsure", "unchecked")  # an image is as its worst member
_OF_IMAGE = (
    "study_id", "patient_id", "modality", "kind", "unit", "format", "rows", "columns", "spacing_source", "body_part",
    "laterality", "view", "photometric", "bits_stored",
)  # fmt: skip
_OF_SERIES = ("study_id", "patient_id", "modality", "body_part", "manufacturer", "sex", "age_years", "study_day")
_OF_COPY = (
    "rows", "columns", "samples", "frames", "bits_stored", "rescale_slope", "rescale_intercept", "position",
    "orientation", "instance_number",
)  # fmt: skip


@dataclass(frozen=True)
class Built:
    """What a series was found to hold.

    Parameters
    ----------
    images, file_images : list of Row
        Rows of those tables. A `file_images` row whose `frames` is an empty list belongs to the image but gives it no
        pixels: a copy of an instance, or a repeat of a slice.
    series : Row
        Its row of `series`.
    faults : list of (file_id, Fault)
        Files that could not take part.
    """

    images: list[Row]
    file_images: list[Row]
    series: Row
    faults: list[tuple[str, Fault]] = field(default_factory=list)


def build(rows: Sequence[Row]) -> Built:
    """Images of one series.

    Parameters
    ----------
    rows : sequence of Row
        Rows of `instances` with role "image" and one `series_id`, in any order.

    Returns
    -------
    Built
        Equal for every order of the rows.

    Notes
    -----
    Slices belong together when size, kind, unit, echo, b-value and orientation agree; for MR also the image type
    (magnitude, phase). `radlake.formats.stacks` says how they are ordered and told apart in time.
    """
    ordered = sorted(rows, key=_canonical)
    usable, faults = _usable(ordered)
    originals, copies = _copies(usable)
    found = [f for group in _groups(originals) for f in group]
    images, file_images = _numbered(found, copies)
    return Built(images, file_images, _series_row(ordered, len(images)), faults)


def geometry_of(image: Mapping[str, Any]) -> Geometry:
    """Geometry from a row of `images`; spacings that are null become 1 pixel and `calibrated` is false.

    Examples
    --------
    >>> geometry_of({"slices": None, "spacing_y": 0.5, "spacing_x": 0.5, "calibrated": True}).spacing
    (0.5, 0.5)
    """
    names = ("spacing_y", "spacing_x") if image.get("slices") is None else ("spacing_z", "spacing_y", "spacing_x")
    flat = image.get("direction") or []
    x, y, z = image.get("origin") or (0.0, 0.0, 0.0)
    return Geometry(
        spacing=tuple(image.get(n) or 1.0 for n in names),
        origin=(x, y, z),
        direction=tuple((flat[i], flat[i + 1], flat[i + 2]) for i in range(0, len(flat), 3)),
        calibrated=bool(image.get("calibrated")) and all(image.get(n) for n in names),
    )


def _canonical(row: Row) -> tuple[Any, ...]:
    """Key that puts rows of a series in one order, whatever order they came in."""
    return row.get("instance_number") or 0, row.get("instance_id") or "", row["file_id"], row.get("member") or 0


def _usable(rows: Iterable[Row]) -> tuple[list[Row], list[tuple[str, Fault]]]:
    """Rows with a size; the others become faults."""
    usable, faults = [], []
    for row in rows:
        if (row.get("rows") or 0) > 0 and (row.get("columns") or 0) > 0 and (row.get("frames") or 1) <= _MOST_FRAMES:
            usable.append(row)
        else:
            error = ItemError("contradictory_header", what=Term("no rows, no columns, or too many frames"))
            faults.append((row["file_id"], error.fault("series")))
    return usable, faults


def _copies(rows: list[Row]) -> tuple[list[Row], dict[tuple[str, int], list[Row]]]:
    """First of each instance, and by its (file, member) the other files that hold the same instance."""
    first: dict[Any, Row] = {}
    copies: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda r: (r["file_id"], r.get("member") or 0)):
        key = (row["instance_id"], repr([row.get(n) for n in _OF_COPY])) if row.get("instance_id") else place_of(row)
        kept = first.setdefault(key, row)
        if kept is not row:
            copies[place_of(kept)].append(row)
    return sorted(first.values(), key=_canonical), copies


def _groups(rows: list[Row]) -> Iterable[list[Found]]:
    """Images by how the rows hold their slices: whole volumes, mosaics, planes in space, pictures."""
    planes: list[Plane] = []
    mosaics: list[Row] = []
    for row in rows:
        if row.get("slices") is not None and (row["slices"] > 1 or row.get("spacing_z")):
            yield [of_volume(row)]
        elif row.get("mosaic_tiles"):
            mosaics.append(row)
        elif own := planes_of(row):
            planes += own
        else:
            yield [of_picture(row)]
    yield from (of_mosaics(group) for group in alike_planes([plane_of_mosaic(m) for m in mosaics]))
    for group in alike_planes(planes):
        yield [of_stack(s) for s in stacks_of(group)]


def _numbered(found: list[Found], copies: Mapping[tuple[str, int], list[Row]]) -> tuple[list[Row], list[Row]]:
    """Rows of `images` and `file_images`; images with one signature are counted in the order they were found."""
    seen: dict[str, int] = defaultdict(int)
    images, file_images = [], []
    for one in found:
        series_id = one.uses[0].row["series_id"]
        image_id = derived_id("image", series_id, one.signature, str(seen[one.signature]))
        seen[one.signature] += 1
        repeats = [
            Use(c, []) for place in dict.fromkeys(place_of(u.row) for u in one.uses) for c in copies.get(place, [])
        ]
        images.append(_image_row(one, series_id, image_id))
        file_images += [
            {
                "owner": series_id,
                "file_id": use.row["file_id"],
                "member": use.row.get("member") or 0,
                "image_id": image_id,
                "ordinal": ordinal,
                "frames": use.frames,
            }
            for ordinal, use in enumerate([*one.uses, *repeats])
        ]
    return images, file_images


def _image_row(one: Found, series_id: str, image_id: str) -> Row:
    """Row of `images`."""
    row = one.uses[0].row
    z_known, in_plane_known = one.spacing_known
    spacing, side = one.geometry.spacing, 1
    if row.get("mosaic_tiles"):
        side = int(np.ceil(np.sqrt(row["mosaic_tiles"])))
    out = {
        "owner": series_id,
        "image_id": image_id,
        "series_id": series_id,
        **{n: row.get(n) for n in _OF_IMAGE},
        "rows": row["rows"] // side,
        "columns": row["columns"] // side,
        "slices": one.slices,
        "frames": one.times,
        "channels": _channels(row),
        "spacing_z": spacing[0] if len(spacing) == 3 and z_known else None,
        "spacing_y": spacing[-2] if in_plane_known else None,
        "spacing_x": spacing[-1] if in_plane_known else None,
        "calibrated": one.geometry.calibrated,
        "origin": list(one.geometry.origin),
        "direction": [v for axis in one.geometry.direction for v in axis],
        "pixel_text": max((u.row.get("pixel_text") or "unchecked" for u in one.uses), key=_PIXEL_TEXT.index),
    }
    out["estimated_bytes"] = _estimated_bytes(out, [u.row for u in one.uses])
    return out


def _channels(row: Row) -> int | None:
    """Colour channels after loading; null for one."""
    if row.get("photometric") == "PALETTE COLOR":
        return 3
    samples = row.get("samples") or 1
    return samples if samples > 1 else None


def _estimated_bytes(image: Row, rows: list[Row]) -> int:
    """Most memory that loading takes: the image, one frame in work, and copies that some inputs need."""
    frame = image["rows"] * image["columns"] * (image["channels"] or 1)
    samples = frame * (image["slices"] or 1) * (image["frames"] or 1)
    promised = max((r.get("pixel_bytes") or 0) for r in rows)
    if rows[0].get("format") != "dicom":
        # Samples, a copy of them in the order of the image or the type of the values, and the file itself for codecs.
        coded = (rows[0].get("stored_bytes") or 0) if rows[0].get("format") in _READ_WHOLE else 0
        return int((2 * promised or 8 * samples) + coded)
    item = max(planned_type(r, image["unit"]).itemsize for r in rows)
    widening = 4 if any(may_widen(r, image["unit"]) for r in rows) else 0
    picture = rows[0]["rows"] * rows[0]["columns"] * (rows[0].get("samples") or 1)
    inflated = promised if rows[0].get("transfer_syntax") == DEFLATED else 0
    return int(samples * (item + widening) + 24 * picture + inflated)


def _series_row(rows: list[Row], images: int) -> Row:
    """Row of `series`: each value from the first instance that has it."""
    series_id = rows[0]["series_id"]
    values = {n: next((r[n] for r in rows if r.get(n) is not None), None) for n in _OF_SERIES}
    return {
        "owner": series_id,
        "series_id": series_id,
        **values,
        "patient_known": values["patient_id"] is not None,
        "images": images,
        "instances": len(rows),
    }
