"""The door between pixel chains and this room: the step `features`."""

from __future__ import annotations

from radlake.core.fault import ItemError
from radlake.core.image import Region
from radlake.core.stage import Item, Row, Rows, Stage
from radlake.features.extract import DEFAULT_FAMILIES, extract, settings_id

EVERY_REGION = "*"


def features(
    item: Item,
    *,
    image: str = "original",
    mask: str = "foreground",
    families: tuple[str, ...] = DEFAULT_FAMILIES,
    intensity_range: tuple[float, ...] | None = None,
) -> Rows:
    """Measure the regions of one name, or all of them ("*"), on an image.

    A region that cannot be measured costs its own rows only: one row without a value says why.
    """
    limits = None if intensity_range is None else (float(intensity_range[0]), float(intensity_range[1]))
    settings = settings_id(families=families, intensity_range=limits, image=image)
    rows: Rows = []
    for region in _regions(item, mask):
        key = {"owner": item.id, "image_id": item.id, "mask_id": region.id, "settings_id": settings}
        try:
            table = extract(item.images[image], region.mask, families=families, intensity_range=limits)
            measured: list[Row] = table.drop_columns("settings_id").to_pylist()
        except ItemError as problem:
            measured = [{"family": name, "reason": str(problem)} for name in families]
        rows += [("features", row | key) for row in measured]
    return rows


def _regions(item: Item, mask: str) -> list[Region]:
    """Regions under a name; all of them, each once, for "*"."""
    if mask != EVERY_REGION:
        return item.regions[mask]
    return [region for name in sorted(item.regions) for region in item.regions[name]]


STAGES: dict[str, Stage] = {
    "features": Stage(
        "features",
        1,
        "each",
        "images",
        ("image:{image}", "mask:{mask}"),
        ("features",),
        features,
        megabytes_per_megavoxel=4,
    )
}
