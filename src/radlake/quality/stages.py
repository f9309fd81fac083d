"""Door of the room: where a row of `images` becomes findings and a fingerprint, and fingerprints become duplicates."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa

from radlake.core.stage import Item, Rows, Stage
from radlake.quality import CHECKS
from radlake.quality.duplicates import NEAR, cluster
from radlake.quality.fingerprint import fingerprint


class Tables(Protocol):
    """What this room needs of a lake."""

    def read(self, table: str) -> pa.Table:
        """Whole table by name."""
        ...

    def replace(self, table: str, data: pa.Table) -> object:
        """Make a table hold exactly these rows."""
        ...


def quality(item: Item) -> Rows:
    """Findings of every check as rows of `quality`."""
    image = item.images["original"]
    rows: Rows = []
    for check in CHECKS.values():
        for found in check(image, item.row, item.members):
            row = {"owner": item.id, "image_id": item.id, "series_id": item.row.get("series_id"), **vars(found)}
            rows.append(("quality", row))
    return rows


def fingerprints(item: Item) -> Rows:
    """One row of `fingerprints`."""
    found = fingerprint(item.images["original"])
    ids = {"owner": item.id, "image_id": item.id, **{k: item.row.get(k) for k in ("patient_id", "series_id")}}
    return [("fingerprints", {**ids, **vars(found)})]


def duplicates(lake: Tables, *, near: float = NEAR) -> None:
    """Replace table `duplicates` by the clusters among all fingerprints of a lake.

    Parameters
    ----------
    lake : Lake
    near : float
        Least correlation of fine details, 0 to 1, of two images that count as near-duplicates.
    """
    lake.replace("duplicates", cluster(lake.read("fingerprints"), near=near))


STAGES: dict[str, Stage] = {
    "quality": Stage("quality", 1, "each", "images", ("image:original",), ("quality",), quality, 1.0),
    "fingerprint": Stage("fingerprint", 1, "each", "images", ("image:original",), ("fingerprints",), fingerprints, 1.0),
    "duplicates": Stage("duplicates", 1, "whole", "lake", ("fingerprints",), ("duplicates",), duplicates),
}
