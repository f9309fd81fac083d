"""The door between pixel chains and this room: the step `features`."""

from __future__ import annotations

from radlake.core.fault import ItemError
from radlake.core.image import Image, Region
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

    A region that a family cannot measure costs the rows of that family only: one row without a value says why.

    Parameters
    ----------
    item : Item
        An image with its regions.
    image : str
        Name of the image to measure.
    mask : str
        Name of the region: what a step named it, "seg", "rtstruct", "label", or "*" for all there are.
    families : tuple of str
        Keys of `radlake.features.FAMILIES`.
    intensity_range : tuple of float, optional
        Voxels outside it do not count for intensities but do for shape, in the image's unit.
    """
    limits = None if intensity_range is None else (float(intensity_range[0]), float(intensity_range[1]))
    settings = settings_id(families=families, intensity_range=limits, image=image)
    rows: Rows = []
    for region in _regions(item, mask):
        key = {"owner": item.id, "image_id": item.id, "mask_id": region.id, "settings_id": settings}
        for family in families:
            rows += [("features", row | key) for row in _measured(item.images[image], region, family, limits)]
    return rows


def _measured(image: Image, region: Region, family: str, limits: tuple[float, float] | None) -> list[Row]:
    """Rows of one family; a single one with a reason when the region cannot be measured."""
    try:
        table = extract(image, region.mask, families=(family,), intensity_range=limits)
    except ItemError as problem:
        return [{"family": family, "reason": str(problem)}]
    rows: list[Row] = table.to_pylist()
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
        megabytes_per_megavoxel=6,
    )
}
