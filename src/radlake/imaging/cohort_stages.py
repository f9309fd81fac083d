"""Steps `nyul.*`: landmarks of every image, the standard scale of a cohort, images on a scale that was saved.

A study takes the landmarks and fits the scale when all images are there; a second one on the same lake applies it. The
scale is named by its content, so that the steps that use it are done again for another scale.
"""

from __future__ import annotations

import json
from typing import Literal, Protocol

import pyarrow as pa

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError
from radlake.core.image import Image
from radlake.core.schema import to_table
from radlake.core.stage import Item, Objects, Rows, Stage
from radlake.imaging.channels import scalar
from radlake.imaging.enhance.standard_scale import PERCENTILES, Landmarks, apply_nyul, landmarks_of, scale_of
from radlake.imaging.steps import joined

Kind = Literal["ct", "mr", "us", "xray", "pet", "other"]


class Tables(Protocol):
    """What these steps need of a lake."""

    @property
    def objects(self) -> Objects:
        """Its store of small results."""
        ...

    def read(self, table: str) -> pa.Table:
        """Whole table by name."""
        ...

    def replace(self, table: str, data: pa.Table) -> object:
        """Make a table hold exactly these rows."""
        ...


def landmarks(
    item: Item,
    *,
    image: str = "original",
    mask: str | None = "foreground",
    cohort: str = "nyul",
    kind: Kind = "mr",
    percentiles: tuple[float, ...] = PERCENTILES,
) -> Rows:
    """Percentiles of an image as a row of `landmarks`, from which `nyul.scale` makes the scale of the cohort.

    Parameters
    ----------
    item : Item
        An image with its masks.
    image : str
        Name of the image to use.
    mask : str, optional
        Name of the masks that count; everything where None.
    cohort : str
        Name of what belongs together.
    kind : {"ct", "mr", "us", "xray", "pet", "other"}
        Images of other kinds are left out.
    percentiles : tuple of float
        Ascending, at least two, from 0 to 100.
    """
    shown = item.images[image]
    if shown.kind != kind:
        return []
    values = landmarks_of(scalar(shown), _region(item, mask), percentiles)
    row = {"owner": item.id, "image_id": item.id, "cohort": cohort, "percentiles": list(percentiles)}
    return [("landmarks", row | {"values": list(values)})]


def scale(lake: Tables, *, cohort: str = "nyul", low: float = 0.0, high: float = 100.0) -> None:
    """Keep the standard scale of a cohort: a row of `scales`, and an object by which `nyul.apply` finds it.

    Parameters
    ----------
    lake : Lake
        With `landmarks`.
    cohort : str
        As for `nyul.landmarks`.
    low, high : float
        Ends of the scale.

    Raises
    ------
    UsageError
        When no image has landmarks of that name, or their percentiles differ.
    """
    # by image, because the last bits of a mean depend on the order
    rows = sorted(lake.read("landmarks").to_pylist(), key=lambda row: row["image_id"])
    mine = [row for row in rows if row["cohort"] == cohort]
    asked = {tuple(row["percentiles"]) for row in mine}
    if len(asked) != 1:
        raise UsageError(
            f"the lake has no landmarks of cohort {cohort!r}; run a study with the step `nyul.landmarks` first"
            if not asked
            else f"the landmarks of cohort {cohort!r} are of different percentiles; give each a cohort of its own"
        )
    found = scale_of([row["values"] for row in mine], asked.pop(), low=low, high=high)
    saved = found.to_json()
    reference = lake.objects.put(json.dumps(saved, sort_keys=True).encode(), ".json")
    others = [row for row in lake.read("scales").to_pylist() if row["cohort"] != cohort]
    row = {"cohort": cohort, "images": len(mine), "object": reference, **saved}
    lake.replace("scales", to_table("scales", [*others, row]))


def standardised(
    item: Item,
    *,
    scale: str,
    image: str = "original",
    mask: str | None = "foreground",
    kind: Kind = "mr",
    to: str = "nyul",
) -> Rows:
    """Image on the standard scale of a cohort, without a unit.

    Parameters
    ----------
    item : Item
        An image with its masks.
    scale : str
        The scale's `object` in the table `scales`.
    image : str
        Name of the image to use.
    mask : str, optional
        Name of the masks that count, as for `nyul.landmarks`.
    kind : {"ct", "mr", "us", "xray", "pet", "other"}
        Images of other kinds stay as they are.
    to : str
        Name of the result.
    """
    shown = item.images[image]
    if shown.kind == kind:
        try:
            saved = json.loads(item.context.objects.get(scale))
        except FileNotFoundError:
            raise ItemError("reference_missing") from None
        shown = apply_nyul(scalar(shown), Landmarks.from_json(saved), mask=_region(item, mask))
    item.images[to] = shown
    return []


def _region(item: Item, mask: str | None) -> Image | None:
    """All masks of a name as one."""
    return None if mask is None else joined(item.regions[mask])


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "nyul.landmarks", 1, "each", "images", ("image:{image}", "mask:{mask}"), ("landmarks",), landmarks,
            megabytes_per_megavoxel=24,
        ),
        Stage("nyul.scale", 1, "whole", "lake", ("landmarks",), ("scales",), scale),
        Stage(
            "nyul.apply", 1, "each", "images", ("image:{image}", "mask:{mask}"), ("image:{to}",), standardised,
            megabytes_per_megavoxel=40,
        ),
    )
}  # fmt: skip
